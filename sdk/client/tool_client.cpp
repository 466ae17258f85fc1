#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>

#include <chancery/tool_client.hpp>

#include "sdk/base/percent.hpp"
#include "sdk/client/answers.hpp"
#include "sdk/client/pause.hpp"
#include "sdk/client/session_rotation.hpp"
#include "sdk/client/tool_messages.hpp"
#include "sdk/client/transport.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery {
namespace {

using Kind = ToolOutcome::Kind;

constexpr const char* kTools = "/v1/tools";
constexpr std::chrono::seconds kListTimeout{30};
// For the last look at a request that waits, with what clocks are apart.
constexpr std::chrono::seconds kBeforeTheEnd{1};

ClientError local(const Error& error) {
  return {.error = error, .status = 0, .code = {}, .detail = {}, .document = {}};
}

// What the transports say of a daemon, said of a runtime.
Error of_runtime(const Error& error) {
  switch (error.code) {
    case ErrorCode::kConnectFailed:
      if (error.native == EACCES)
        return {
            error.code,
            "this user may not open the runtime's socket: join its group (chancery-tools), or run as a user in it",
            error.native};
      if (error.native == ENOENT)
        return {
            error.code,
            "the runtime does not answer: nothing is at its socket. Start chancery-runtime, or give the path where it listens",
            error.native};
      return {error.code, "the runtime does not answer: is chancery-runtime started, and is this its place?",
              error.native};
    case ErrorCode::kTlsFailed:
      return {error.code,
              "the runtime's certificate is not trusted, or for another name: give the CA that issued it",
              error.native};
    case ErrorCode::kTimeout:
      return {error.code, "the runtime did not answer in time: its log says what became of the call",
              error.native};
    case ErrorCode::kBadResponse:
      return {
          error.code,
          "there was no whole answer of a runtime's, so nobody knows whether a call was made: its log says; or is "
          "this not chancery-runtime?",
          error.native};
    default:
      return error;
  }
}

Result<client::Endpoint> endpoint_of(const ToolClientOptions& options) {
  const auto environment = [](const char* name) -> const char* {
    return std::string_view(name) == "CHANCERY_CACERT" ? std::getenv(name) : nullptr;
  };
  ClientOptions where;
  where.address = options.runtime;
  where.ca_file = options.ca_file;
  auto at_url = client::resolve_endpoint(where, environment);
  if (options.runtime.empty() || !at_url)
    return Error{ErrorCode::kInvalidArgument, "the runtime's URL must be https://HOST or https://HOST:PORT"};
  return at_url;
}

Result<std::unique_ptr<client::Transport>> transport_of(const ToolClientOptions& options,
                                                        const client::HttpsEndpoint& at_url) {
  if (options.socket.empty()) return client::make_https_transport(at_url, options.timeout);
  ClientOptions where;
  where.socket = options.socket;
  CHANCERY_ASSIGN(const client::Endpoint endpoint,
                  client::resolve_endpoint(where, [](const char*) -> const char* { return nullptr; }));
  return client::make_unix_transport(std::get<client::UnixEndpoint>(endpoint).path);
}

// How long until the last look at a request: a moment before it expires, since one that is made later asks people anew.
std::chrono::milliseconds until_last_look(const ToolOutcome& waiting) {
  using std::chrono::milliseconds;
  if (waiting.expires_at == 0) return milliseconds::max();
  const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
  return std::chrono::sys_seconds(std::chrono::seconds(waiting.expires_at)) - kBeforeTheEnd - now;
}

// What the caller is told of a tool that is not in the list.
ToolOutcome unknown_tool() {
  ToolOutcome out;
  out.kind = Kind::kUnknown;
  out.code = "unknown_tool";
  out.message = "there is no such tool for this chain";
  return out;
}

}  // namespace

struct ToolClient::Impl {
  Impl(std::string url, std::unique_ptr<client::Transport> carrier, std::chrono::milliseconds limit,
       std::shared_ptr<const Session> session)
      : address(std::move(url)),
        transport(std::move(carrier)),
        timeout(limit),
        sessions(std::move(session)) {}

  [[nodiscard]] ClientResult<std::string> send(client::HttpRequest request, std::optional<std::string> ada,
                                               std::chrono::milliseconds limit);
  [[nodiscard]] ClientResult<std::vector<OfferedTool>> list(const std::stop_token& stop);
  [[nodiscard]] ClientResult<std::optional<OfferedTool>> find(std::string_view name, bool anew,
                                                              const std::stop_token& stop);
  [[nodiscard]] ClientResult<ToolOutcome> call(const OfferedTool& tool, const std::string& arguments,
                                               const std::stop_token& stop);

  const std::string address;
  const std::unique_ptr<client::Transport> transport;
  const std::chrono::milliseconds timeout;
  client::SessionRotation sessions;
  std::mutex mutex;                                       // of what follows
  std::map<std::string, OfferedTool, std::less<>> known;  // of the last list
};

// \return the body of any answer in JSON, whatever its status: outcomes have statuses of their own
ClientResult<std::string> ToolClient::Impl::send(client::HttpRequest request, std::optional<std::string> ada,
                                                 std::chrono::milliseconds limit) {
  const ProofClaims claims{request.method, address + request.target, {}, {}, std::move(ada)};
  const auto presented = sessions.take(request.stop)->present(claims, request.stop);
  if (request.stop.stop_requested()) return local(client::kGivenUp);
  if (!presented) return local(presented.error());
  std::ranges::move(client::authorization_headers(*presented), std::back_inserter(request.headers));
  auto answer = transport->send(request, std::chrono::steady_clock::now() + limit);
  if (!answer && request.stop.stop_requested()) return local(answer.error());
  if (!answer) return local(of_runtime(answer.error()));
  const int status = answer->status;
  auto body = client::accept_answer(*std::move(answer), request.accept, status);
  if (body) return body;
  ClientError refused = body.error();
  if (!refused.refused()) refused.error = of_runtime(refused.error);
  return refused;
}

ClientResult<std::vector<OfferedTool>> ToolClient::Impl::list(const std::stop_token& stop) {
  client::HttpRequest request{"GET", kTools, {}};
  request.stop = stop;
  CHANCERY_ASSIGN(const std::string body, send(std::move(request), {}, std::min(timeout, {kListTimeout})));
  auto tools = client::read_tools(body);
  if (!tools) return local(of_runtime({ErrorCode::kBadResponse, ""}));
  std::map<std::string, OfferedTool, std::less<>> by_name;
  for (const OfferedTool& tool : *tools) by_name.insert_or_assign(tool.name, tool);
  const std::lock_guard lock(mutex);
  known = std::move(by_name);
  return *std::move(tools);
}

ClientResult<std::optional<OfferedTool>> ToolClient::Impl::find(std::string_view name, bool anew,
                                                                const std::stop_token& stop) {
  for (const bool listed : {anew, true}) {
    if (listed) CHANCERY_TRY(list(stop));
    const std::lock_guard lock(mutex);
    const auto found = known.find(name);
    if (found != known.end()) return std::optional(found->second);
    if (listed) break;
  }
  return std::optional<OfferedTool>();
}

ClientResult<ToolOutcome> ToolClient::Impl::call(const OfferedTool& tool, const std::string& arguments,
                                                 const std::stop_token& stop) {
  auto digest = client::call_digest(tool, arguments);
  if (!digest) return local(digest.error());
  client::HttpRequest request{"POST", std::string(kTools) + "/" + percent_encode(tool.name),
                              client::call_text(arguments)};
  request.stop = stop;
  request.is_deed = true;
  CHANCERY_ASSIGN(const std::string body, send(std::move(request), *std::move(digest), timeout));
  auto outcome = client::read_outcome(body);
  if (!outcome) return local(of_runtime({ErrorCode::kBadResponse, ""}));
  outcome->is_mcp_result = tool.answers_mcp && !outcome->result.empty();
  return *std::move(outcome);
}

ToolClient::ToolClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ToolClient::~ToolClient() = default;
ToolClient::ToolClient(ToolClient&&) noexcept = default;
ToolClient& ToolClient::operator=(ToolClient&&) noexcept = default;

Result<ToolClient> ToolClient::connect(const ToolClientOptions& options,
                                       std::shared_ptr<const Session> session) {
  if (session == nullptr) return Error{ErrorCode::kInvalidArgument, "give the session that makes the proofs"};
  if (options.timeout.count() <= 0)
    return Error{ErrorCode::kInvalidArgument, "the time-out must be more than zero"};
  CHANCERY_ASSIGN(const client::Endpoint endpoint, endpoint_of(options));
  const auto& at_url = std::get<client::HttpsEndpoint>(endpoint);
  CHANCERY_ASSIGN(auto transport, transport_of(options, at_url));
  return ToolClient(
      std::make_unique<Impl>(at_url.address, std::move(transport), options.timeout, std::move(session)));
}

ClientResult<std::vector<OfferedTool>> ToolClient::list(const std::stop_token& stop) const {
  return impl_->list(stop);
}

ClientResult<ToolOutcome> ToolClient::call(std::string_view name, std::string_view arguments,
                                           const std::stop_token& stop) const {
  const auto document = json::Document::parse_borrowed(arguments);
  if (!document) return local(document.error());
  const std::string canonical = json::to_jcs(document->root());
  CHANCERY_ASSIGN(const auto tool, impl_->find(name, false, stop));
  if (!tool) return unknown_tool();
  CHANCERY_ASSIGN(ToolOutcome outcome, impl_->call(*tool, canonical, stop));
  // Proved for another action than the runtime takes the call for: the tool may be declared otherwise by now. What was
  // denied was not done, so that it may be asked for again.
  if (outcome.kind != Kind::kDenied || outcome.code != "holder_binding_failed") return outcome;
  CHANCERY_ASSIGN(const auto anew, impl_->find(name, true, stop));
  if (!anew) return unknown_tool();
  if (*anew == *tool) return outcome;
  return impl_->call(*anew, canonical, stop);
}

ClientResult<ToolOutcome> ToolClient::call_and_wait(std::string_view name, std::string_view arguments,
                                                    const ApprovalWait& wait,
                                                    const std::stop_token& stop) const {
  std::chrono::milliseconds pause = wait.pause;
  std::string request;
  bool was_early = false;
  for (;;) {
    CHANCERY_ASSIGN(ToolOutcome outcome, call(name, arguments, stop));
    if (outcome.kind != Kind::kApproval || outcome.approval.empty()) return outcome;
    // Another one: the former was cancelled, or its approval has lapsed. Whether to wait for this too is the caller's to say.
    if (!request.empty() && outcome.approval != request) return outcome;
    if (request.empty() && wait.waiting) wait.waiting(outcome);
    request = outcome.approval;
    const std::chrono::milliseconds left = until_last_look(outcome);
    if (left.count() <= 0) return outcome;
    const std::chrono::milliseconds most = std::min(pause, left);
    const auto begun = std::chrono::steady_clock::now();
    // Who watched, came back early, and had nothing to tell, is not asked again at once.
    if (wait.watch && !was_early) {
      wait.watch(outcome, most, stop);
      was_early = std::chrono::steady_clock::now() - begun < most;
    } else {
      client::pause_for(most, stop);
      was_early = false;
    }
    if (stop.stop_requested()) return outcome;
    pause = std::min(pause + pause / 2, wait.longest_pause);
  }
}

std::jthread ToolClient::call_later(std::string name, std::string arguments, ApprovalWait wait,
                                    Done done) const {
  return std::jthread([this, name = std::move(name), arguments = std::move(arguments), wait = std::move(wait),
                       done = std::move(done)](const std::stop_token& stop) {
    done(call_and_wait(name, arguments, wait, stop));
  });
}

}  // namespace chancery
