#include "daemon/runtime/tools/prepare.hpp"

#include "daemon/runtime/tools/canonical_arguments.hpp"
#include "daemon/runtime/tools/request.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::tools {
namespace {

Result<void, CallRefusal> check(const Tool& tool, const json::Value& arguments) {
  auto findings = tool.arguments.check(arguments);
  if (!findings) return CallRefusal{findings.error(), {}, {}};
  if (findings->empty()) return {};
  std::string first = findings->front().instance;
  return CallRefusal{Error{ErrorCode::kInvalidArgument,
                           "the arguments are not those that the tool takes: see what its schema says"},
                     std::move(first), *std::move(findings)};
}

}  // namespace

Result<PreparedCall, CallRefusal> prepare(const Tool& tool, const json::Value& arguments) {
  CHANCERY_TRY(check(tool, arguments));
  CHANCERY_ASSIGN(CanonicalArguments made, canonical_arguments(tool.constraints, arguments));
  const auto document = json::Document::parse(made.arguments);
  if (!document) return CallRefusal{document.error(), {}, {}};
  // A pattern that an argument fitted need not fit what the argument stands for.
  if (made.arguments != json::to_jcs(arguments)) CHANCERY_TRY(check(tool, document->root()));

  PreparedCall call;
  call.arguments_sha256 = sha256(as_bytes(made.arguments));
  call.params = std::move(made.params);
  if (const auto* http = std::get_if<HttpUpstream>(&tool.upstream)) {
    CHANCERY_ASSIGN(call.request, compose(*http, document->root()));
  } else {
    call.request = McpRequest{name_at_server(tool), made.arguments};
  }
  call.arguments = std::move(made.arguments);
  return call;
}

}  // namespace chancery::tools
