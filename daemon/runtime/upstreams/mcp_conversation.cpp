#include "daemon/runtime/upstreams/mcp_conversation.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "daemon/runtime/outbound/outbound_request.hpp"
#include "daemon/runtime/upstreams/answer_limits.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/mcp/content.hpp"
#include "sdk/mcp/tool.hpp"

namespace chancery::runtime {
namespace {

using json::Node;
using Kind = UpstreamOutcome::Kind;

constexpr std::size_t kMostHeard = std::size_t{4} << 20;  // what comes after is not looked at for credentials

constexpr Error kChangedMeanwhile{ErrorCode::kConflict,
                                  "the server says again and again that its tools are others"};
constexpr Error kTooLong{ErrorCode::kTooLarge, "the server's answer is larger than the tool's max_response"};

mcp::UpstreamOptions options_for(bool over_http, std::uint64_t max_response) {
  mcp::UpstreamOptions options;
  options.name = "chancery-runtime";
  options.version = CHANCERY_VERSION;
  options.over_http = over_http;
  // A message has an answer two levels down.
  options.limits.json = {.max_depth = kAnswerLimits.max_depth + 2, .max_values = kAnswerLimits.max_values};
  options.limits.max_octets = std::max<std::size_t>(kLeastMessage, max_response);
  return options;
}

// As `POST /v1/tools/{name}` answers it, before field rules.
std::string document_of(const mcp::ToolDone& done) {
  Node out = Node::object({{"content", Node::canonical(done.content)}});
  if (done.structured) out.set("structuredContent", Node::canonical(*done.structured));
  if (done.is_error) out.set("isError", true);
  return json::to_jcs(out);
}

// The server's own words are its content: field rules and redaction see them.
std::string document_of(const mcp::UpstreamError& error) {
  return json::to_jcs(
      Node::object({{"content", Node::array({mcp::text_content(error.message)})}, {"isError", true}}));
}

}  // namespace

Status OverheardTransport::send(const mcp::Outgoing& message, mcp::Deadline deadline) {
  Status sent = inner_->send(message, deadline);
  if (message.has_answer) was_sent_ = sent || !was_never_sent(sent.error());
  return sent;
}

Result<std::string> OverheardTransport::receive(mcp::Deadline deadline) {
  auto text = inner_->receive(deadline);
  if (!text) {
    if (was_never_sent(text.error())) was_sent_ = false;
    return text;
  }
  if (before_.size() + last_.size() < kMostHeard) before_.append(last_).push_back('\n');
  last_ = *text;
  return text;
}

McpConversation::McpConversation(std::unique_ptr<mcp::UpstreamTransport> transport, McpTool tool,
                                 bool over_http)
    : transport_(std::move(transport)),
      client_(transport_, options_for(over_http, tool.max_response)),
      tool_(std::move(tool)) {}

Result<Standing> McpConversation::begin(mcp::Deadline deadline) {
  CHANCERY_TRY(client_.open(deadline));
  return stand(deadline);
}

// One that is described with characters that nobody sees counts as another.
Result<Standing> McpConversation::stand(mcp::Deadline deadline) {
  CHANCERY_ASSIGN(const mcp::UpstreamTools listed, client_.list_tools(deadline));
  const auto tool = std::ranges::find(listed.usable, tool_.name, &mcp::Tool::name);
  if (tool == listed.usable.end()) {
    const bool is_rejected =
        std::ranges::find(listed.rejected, tool_.name, &mcp::RejectedTool::name) != listed.rejected.end();
    return is_rejected ? Standing::kChanged : Standing::kGone;
  }
  const auto digest = mcp::description_digest(*tool);
  const bool is_same = digest && tool_.digest && hex_encode(*digest) == *tool_.digest;
  return is_same ? Standing::kAsReviewed : Standing::kChanged;
}

UpstreamOutcome McpConversation::call(const std::string& arguments, mcp::Deadline deadline) {
  constexpr int kLooks = 2;
  transport_.expect_question();
  for (int look = 0; look < kLooks; ++look) {
    auto answer = client_.call(tool_.name, arguments, deadline);
    if (answer) return answered(*std::move(answer));
    const bool is_stale = answer.error().code == ErrorCode::kConflict && !transport_.was_sent();
    if (!is_stale) return ended(answer.error());
    const auto standing = stand(deadline);
    transport_.expect_question();
    if (!standing) return ended(standing.error());
    if (*standing != Standing::kAsReviewed) return not_as_reviewed(*standing, heard());
  }
  return ended(kChangedMeanwhile);
}

UpstreamOutcome McpConversation::ended(const Error& error) const {
  UpstreamOutcome out;
  out.kind = transport_.was_sent() ? Kind::kMaybeSent : Kind::kNeverSent;
  out.error = error;
  out.status = refused_status(error);
  out.heard = heard();
  return out;
}

UpstreamOutcome McpConversation::answered(mcp::UpstreamAnswer answer) const {
  UpstreamOutcome out = ended(kTooLong);
  out.kind = Kind::kMaybeSent;
  if (transport_.last().size() > tool_.max_response) return out;
  out.kind = Kind::kAnswered;
  out.error = {};
  out.raw = transport_.last();
  out.heard = transport_.before();
  if (const auto* const done = std::get_if<mcp::ToolDone>(&answer)) {
    out.document = document_of(*done);
    out.is_error = done->is_error;
  } else {
    out.document = document_of(std::get<mcp::UpstreamError>(answer));
    out.is_error = true;
    out.is_refusal = true;
  }
  return out;
}

int refused_status(const Error& error) {
  return error.code == ErrorCode::kRequestRefused ? static_cast<int>(error.native) : 0;
}

UpstreamOutcome not_as_reviewed(Standing standing, std::string heard) {
  UpstreamOutcome out;
  out.kind = Kind::kChanged;
  out.standing = standing;
  out.heard = std::move(heard);
  return out;
}

Result<mcp::UpstreamTools> list_tools_of(mcp::UpstreamTransport& transport, bool over_http,
                                         mcp::Deadline deadline) {
  mcp::UpstreamClient client(transport, options_for(over_http, 0));
  CHANCERY_TRY(client.open(deadline));
  return client.list_tools(deadline);
}

}  // namespace chancery::runtime
