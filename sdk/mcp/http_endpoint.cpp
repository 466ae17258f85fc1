#include "sdk/mcp/http_endpoint.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "sdk/base/hex.hpp"
#include "sdk/mcp/version.hpp"

namespace chancery::mcp {
namespace {

constexpr const char* kBadHttpMethod = "this endpoint takes POST, and DELETE for a session";
constexpr const char* kNoSession =
    "this request needs the Mcp-Session-Id that came with the answer to initialize";
constexpr const char* kUnknownSession = "there is no such session: begin one with initialize";
constexpr const char* kTooManySessions = "there are too many sessions: try again later";
constexpr const char* kNoRandom = "no session can be begun now: try again later";

HttpAnswer method_refused() {
  HttpAnswer answer = http_refusal(405, Code::kInvalidRequest, kBadHttpMethod);
  answer.headers.emplace_back("Allow", "POST, DELETE");
  return answer;
}

HttpAnswer answer_of(Reply reply, const Message& message) {
  HttpAnswer answer{reply.status, {}, std::move(reply.text)};
  if (!answer.body.empty()) {
    answer.headers.emplace_back("Content-Type", "application/json");
  } else if (message.kind() == Message::Kind::kRequest) {
    answer.headers.emplace_back("Content-Type", "text/event-stream");  // one that ends without an event
  }
  return answer;
}

}  // namespace

HttpEndpoint::HttpEndpoint(HttpOptions options, Random random)
    : options_(std::move(options)), random_(std::move(random)) {}

HttpAnswer HttpEndpoint::handle(const HttpRequest& request, const Inbound& from, Instant now) {
  // First, so that nothing can be learned from a page of others.
  if (auto source = check_source(request, options_.rules); !source) return source.error();
  if (request.method == "POST") return post(request, from, now);
  if (request.method == "DELETE") return end_session(request, from.caller, now);
  return method_refused();
}

HttpAnswer HttpEndpoint::post(const HttpRequest& request, const Inbound& from, Instant now) {
  auto post = read_post(request, options_.server.limits);
  if (!post) return post.error();
  const Message& message = post->message;
  if (post->stateless) {
    ServerSession once(options_.server);  // ids are one connection's, and nothing is kept
    return answer_of(once.receive(message, from), message);
  }
  if (message.kind() == Message::Kind::kRequest && message.method() == "initialize") {
    return open_session(message, from, now);
  }
  auto held = find(request, from.caller, now);
  if (!held) return held.error();
  return answer_of((*held)->session.receive(message, from), message);
}

HttpAnswer HttpEndpoint::open_session(const Message& message, const Inbound& from, Instant now) {
  std::array<std::uint8_t, 16> octets{};
  if (!random_(octets)) return http_refusal(503, Code::kInternalError, kNoRandom, message.id());
  const std::string id = hex_encode(octets);
  const auto entry = std::make_shared<Entry>(from.caller, options_.server, now);
  HttpAnswer answer = answer_of(entry->session.receive(message, from), message);
  if (!entry->session.is_open()) return answer;
  if (auto kept = keep(id, entry, now); !kept) return kept.error();
  answer.headers.emplace_back("Mcp-Session-Id", id);
  return answer;
}

Result<void, HttpAnswer> HttpEndpoint::keep(const std::string& id, const Held& entry, Instant now) {
  const std::lock_guard lock(mutex_);
  std::erase_if(sessions_, [&](const auto& item) { return now - item.second->used > options_.idle; });
  auto oldest = sessions_.end();
  std::size_t own = 0;
  for (auto item = sessions_.begin(); item != sessions_.end(); ++item) {
    if (item->second->caller != entry->caller) continue;
    ++own;
    if (oldest == sessions_.end() || item->second->used < oldest->second->used) oldest = item;
  }
  if (own >= options_.sessions_of_caller && oldest != sessions_.end()) sessions_.erase(oldest);
  if (sessions_.size() >= options_.sessions) return http_refusal(503, Code::kInternalError, kTooManySessions);
  sessions_.emplace(id, entry);
  return {};
}

Result<HttpEndpoint::Held, HttpAnswer> HttpEndpoint::find(const HttpRequest& request, const Caller& caller,
                                                          Instant now) {
  CHANCERY_ASSIGN(const auto id, single_header(request, "mcp-session-id"));
  if (!id) return http_refusal(400, Code::kInvalidRequest, kNoSession);
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(*id);
  // Another caller's is as unknown as one that never was.
  const bool is_good = found != sessions_.end() && found->second->caller == caller &&
                       now - found->second->used <= options_.idle;
  if (!is_good) return http_refusal(404, Code::kInvalidRequest, kUnknownSession);
  found->second->used = now;
  return found->second;
}

HttpAnswer HttpEndpoint::end_session(const HttpRequest& request, const Caller& caller, Instant now) {
  auto version = single_header(request, "mcp-protocol-version");
  if (!version) return version.error();
  if (*version == kStatelessVersion) return method_refused();  // it has no sessions
  auto held = find(request, caller, now);
  if (!held) return held.error();
  (*held)->session.cancel_all();
  const std::lock_guard lock(mutex_);
  std::erase_if(sessions_, [&](const auto& item) { return item.second == *held; });
  return {204, {}, {}};
}

void HttpEndpoint::cancel_all() {
  std::vector<Held> held;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : sessions_) held.push_back(entry);
  }
  for (const Held& entry : held) entry->session.cancel_all();
}

std::size_t HttpEndpoint::session_count() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

}  // namespace chancery::mcp
