#include "daemon/runtime/tools/openapi.hpp"

#include <algorithm>
#include <array>

#include <chancery/token.hpp>

#include "daemon/runtime/tools/openapi_operation.hpp"
#include "daemon/runtime/tools/url.hpp"

namespace chancery::tools {
namespace {

constexpr std::array<std::string_view, 6> kMethods{"get", "head", "post", "put", "patch", "delete"};
constexpr std::array<std::string_view, 2> kOtherMethods{"options", "trace"};

std::string upper_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return static_cast<char>(c - 32); });
  return out;
}

std::string operation_text(std::string_view method, std::string_view path) {
  return upper_case(method) + (method.empty() ? "" : " ") + std::string(path);
}

// Scheme, host and the path before those of the operations.
Result<std::string> server_of(const json::Value& document, const ImportOptions& options) {
  std::string text = options.server;
  if (text.empty()) {
    const json::Value* servers = document.find("servers");
    const json::Value* url =
        servers == nullptr || servers->items().empty() ? nullptr : servers->items().front().find("url");
    if (url != nullptr) text = std::string(url->string().value_or(""));
  }
  const auto url = parse_url(text);
  if (!url || url->query) {
    return Error{ErrorCode::kInvalidArgument,
                 "the document has no server with a whole URL: give the server, https://host/path"};
  }
  std::string server = url->text();
  while (server.ends_with('/')) server.pop_back();
  return server;
}

class Importer {
 public:
  Importer(const json::Value& document, const ImportOptions& options, std::string server)
      : document_(document), options_(options), server_(std::move(server)) {}

  Import run() {
    const json::Value* paths = document_.find("paths");
    if (paths == nullptr) return {};
    for (const json::Member& path : paths->members()) {
      if (path.name.starts_with('/')) take_path(path.name, path.value);
    }
    std::ranges::sort(made_.tools, {}, &ImportedTool::name);
    return std::move(made_);
  }

 private:
  void take_path(std::string_view path, const json::Value& given) {
    const json::Value* item = followed(document_, given);
    if (item == nullptr) return refuse("", path, "the path refers to a place that is not there");
    for (const std::string_view method : kMethods) {
      const json::Value* operation = item->find(method);
      if (operation != nullptr) take_operation(path, method, *item, *operation);
    }
    for (const std::string_view method : kOtherMethods) {
      if (item->find(method) != nullptr) refuse(method, path, "tools have no such method");
    }
  }

  void take_operation(std::string_view path, std::string_view method, const json::Value& item,
                      const json::Value& operation) {
    if (operation.find("servers") != nullptr || item.find("servers") != nullptr) {
      return refuse(method, path, "it has a server of its own: import it by itself, with that server given");
    }
    const OperationImport::Source source{document_, options_, server_, path, method, item, operation};
    auto tool = OperationImport(source).run();
    if (!tool) return refuse(method, path, tool.error().reason);
    const bool taken = std::ranges::find(made_.tools, tool->name, &ImportedTool::name) != made_.tools.end();
    if (taken) return refuse(method, path, "another operation has the same name, " + tool->name);
    tool->operation = operation_text(method, path);
    made_.tools.push_back(*std::move(tool));
  }

  void refuse(std::string_view method, std::string_view path, std::string reason) {
    made_.refused.push_back({operation_text(method, path), std::move(reason)});
  }

  const json::Value& document_;
  const ImportOptions& options_;
  std::string server_;
  Import made_;
};

}  // namespace

Result<Import> import_openapi(const json::Value& document, const ImportOptions& options) {
  const json::Value* version = document.find("openapi");
  const std::string_view number = version == nullptr ? "" : version->string().value_or("");
  if (!number.starts_with("3.0") && !number.starts_with("3.1")) {
    return Error{ErrorCode::kMalformed, "no OpenAPI document of version 3.0 or 3.1: give one, as JSON"};
  }
  if (classify_scope(options.scope_prefix + ".x") != ScopeForm::kLiteral) {
    return Error{ErrorCode::kInvalidArgument,
                 "no prefix of scopes: write words of a-z, 0-9, '_' and '-' with dots between"};
  }
  CHANCERY_ASSIGN(std::string server, server_of(document, options));
  return Importer(document, options, std::move(server)).run();
}

}  // namespace chancery::tools
