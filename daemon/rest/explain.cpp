#include "daemon/rest/exchange.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {
namespace {

enum class Format : std::uint8_t { kJson, kText, kNeither };

// The first media range of `Accept` that we can serve. Quality values are ignored: with two forms of one
// answer nobody needs them.
Format wanted_format(const Request& request) {
  std::string_view accept = request.header("accept").value_or("*/*");
  while (!accept.empty()) {
    const std::size_t comma = std::min(accept.find(','), accept.size());
    std::string_view range = accept.substr(0, comma);
    accept.remove_prefix(std::min(comma + 1, accept.size()));
    range = range.substr(0, range.find(';'));
    while (range.starts_with(' ')) range.remove_prefix(1);
    while (range.ends_with(' ')) range.remove_suffix(1);
    if (range == "application/json" || range == "application/*" || range == "*/*") return Format::kJson;
    if (range == "text/plain" || range == "text/*") return Format::kText;
  }
  return Format::kNeither;
}

}  // namespace

Response explain_chain(service::Office& office, const Request& request, std::string_view) {
  const auto run = [&](const api::VerifyChain& message) {
    return service::explain(office, request.received_at, message);
  };
  switch (wanted_format(request)) {
    case Format::kJson:
      return exchange(request, 200, wire::read_verify_chain, run);
    case Format::kText: {
      if (const Status json = require_json(request); !json) return problem(json.error());
      const auto message = wire::read_verify_chain(request.body);
      if (!message) return problem(message.error());
      const auto explanation = run(*message);
      if (!explanation) return problem(explanation.error());
      return Response{200, "text/plain; charset=utf-8", explanation->text(), {}};
    }
    case Format::kNeither:
      break;
  }
  return problem(406, ErrorCode::kNotAcceptable,
                 "explanations come as application/json or text/plain: accept one of them");
}

}  // namespace chancery::rest
