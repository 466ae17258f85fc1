#include "daemon/runtime/upstreams/mcp_upstream.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "daemon/runtime/containment/contained_process.hpp"
#include "daemon/runtime/upstreams/http_transport.hpp"
#include "daemon/runtime/upstreams/stdio_transport.hpp"

namespace chancery::runtime {
namespace {

using Kind = UpstreamOutcome::Kind;

ToolCommand command_of(const tools::McpStdioUpstream& server, const SecretBytes* credential) {
  ToolCommand command;
  command.arguments = server.command;
  command.network = server.network;
  // An interpreter has a dozen threads, and without a user namespace those of all calls count.
  command.limits.processes = 1024;
  command.lines.max_line = std::max<std::size_t>(kLeastMessage, server.limits.max_response);
  command.lines.max_output = std::max(command.lines.max_output, 2 * command.lines.max_line);
  command.only_apart = server.credential_in.has_value();
  if (credential != nullptr && server.credential_in)
    command.secrets.push_back({*server.credential_in, SecretBytes(credential->view())});
  return command;
}

UpstreamOutcome never_sent(const Error& error, std::string heard) {
  UpstreamOutcome out;
  out.kind = Kind::kNeverSent;
  out.error = error;
  out.status = refused_status(error);
  out.heard = std::move(heard);
  return out;
}

}  // namespace

OpenTransport open_stdio(const tools::McpStdioUpstream& server, const SyscallFilter& filter,
                         std::function<void()> when_weaker) {
  return [&server, &filter, when_weaker = std::move(when_weaker)](
             const SecretBytes* credential, const std::stop_token& stop) -> Result<OpenedTransport> {
    CHANCERY_ASSIGN(ContainedProcess process,
                    ContainedProcess::start(command_of(server, credential), filter));
    if (!process.containment().user_namespace) when_weaker();
    auto transport = std::make_unique<StdioTransport>(std::move(process), stop);
    auto complaint = [line = transport.get()] { return line->complaint(); };
    return OpenedTransport{std::move(transport), std::move(complaint)};
  };
}

OpenTransport open_http(const tools::McpHttpUpstream& server, OutboundCaller& outbound, std::string ca_file) {
  return [&server, &outbound, ca_file = std::move(ca_file)](
             const SecretBytes* credential, const std::stop_token& stop) -> Result<OpenedTransport> {
    return OpenedTransport{
        std::make_unique<HttpTransport>(HttpTransport::Parts{outbound, server, credential}, ca_file, stop),
        [] { return std::string(); }};
  };
}

McpUpstream::McpUpstream(const tools::Tool& tool, OpenTransport open, LookAhead ahead)
    : tool_(tool), open_(std::move(open)), ahead_(ahead) {}

mcp::Deadline McpUpstream::deadline() {
  if (!deadline_) deadline_ = std::chrono::steady_clock::now() + tools::limits_of(tool_).timeout;
  return *deadline_;
}

Result<Standing> McpUpstream::begin(const SecretBytes* credential, const std::stop_token& stop) {
  const mcp::Deadline until = deadline();  // before the server starts
  CHANCERY_ASSIGN(OpenedTransport opened, open_(credential, stop));
  complains_ = std::move(opened.complaint);
  const bool over_http = std::holds_alternative<tools::McpHttpUpstream>(tool_.upstream);
  conversation_ =
      std::make_unique<McpConversation>(std::move(opened.transport),
                                        McpTool{tools::name_at_server(tool_), tools::reviewed_digest(tool_),
                                                tools::limits_of(tool_).max_response},
                                        over_http);
  return conversation_->begin(until);
}

void McpUpstream::end() {
  if (conversation_ == nullptr) return;
  const auto events = conversation_->take_events();
  events_.insert(events_.end(), events.begin(), events.end());
  complaint_ = complains_();
  conversation_.reset();
}

Standing McpUpstream::look(const std::stop_token& stop) {
  if (ahead_ == LookAhead::kNever) return Standing::kAsReviewed;
  const auto standing = begin(nullptr, stop);
  if (ahead_ == LookAhead::kWithoutCredential || !standing) end();
  if (standing) return *standing;
  const bool is_refused = standing.error().code == ErrorCode::kRequestRefused;
  wants_credential_ = is_refused && (standing.error().native == 401 || standing.error().native == 403);
  if (ahead_ == LookAhead::kSameConnection) failure_ = standing.error();
  return Standing::kAsReviewed;
}

UpstreamOutcome McpUpstream::call(const tools::PreparedCall& prepared, const SecretBytes* credential,
                                  const std::stop_token& stop) {
  if (failure_) return never_sent(*failure_, {});
  if (conversation_ == nullptr) {
    const auto standing = begin(credential, stop);
    if (!standing || *standing != Standing::kAsReviewed) {
      // It had the credential from the start.
      std::string heard = conversation_ == nullptr ? std::string() : conversation_->heard();
      end();
      return standing ? not_as_reviewed(*standing, std::move(heard))
                      : never_sent(standing.error(), std::move(heard));
    }
  }
  UpstreamOutcome out =
      conversation_->call(std::get<tools::McpRequest>(prepared.request).arguments, deadline());
  end();  // the server sees no more of the credential
  return out;
}

std::vector<mcp::UpstreamEvent> McpUpstream::take_events() {
  end();
  return std::exchange(events_, {});
}

}  // namespace chancery::runtime
