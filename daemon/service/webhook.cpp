#include "daemon/service/webhook.hpp"

#include <algorithm>
#include <utility>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/token/jws.hpp"
#include "sdk/wire/overview_messages.hpp"

namespace chancery::service {
namespace {

using json::Node;

constexpr Error kTooOld{ErrorCode::kTimeout, "nobody took it for a day: see what the receiver says of it"};
constexpr int kRequestTimeout = 408;
constexpr int kTooEarly = 425;
constexpr int kTooManyRequests = 429;

bool is_success(int status) { return status >= 200 && status < 300; }

// It is not what was sent, but when.
bool is_passing(int status) {
  return status >= 500 || status == kRequestTimeout || status == kTooEarly || status == kTooManyRequests;
}

Error refused(int status) {
  return {ErrorCode::kBadResponse,
          "the receiver answered with another status than 2xx; redirects are not followed",
          static_cast<std::uint64_t>(status)};
}

/// The parts of an address, borrowed from it.
struct AddressParts {
  std::string_view scheme;  // with what stands between it and the rest
  std::string_view user;    // information, without the sign behind it
  std::string_view place;   // host and path
  std::string_view query;
};

AddressParts split(std::string_view url) {
  AddressParts parts;
  const std::size_t scheme = url.find("//");
  const std::size_t rest = scheme == std::string_view::npos ? 0 : scheme + 2;
  parts.scheme = url.substr(0, rest);
  url.remove_prefix(rest);
  const std::size_t query = std::min(url.find('?'), url.size());
  parts.query = url.substr(std::min(query + 1, url.size()));
  parts.place = url.substr(0, query);
  const std::size_t at = parts.place.substr(0, parts.place.find('/')).rfind('@');
  if (at == std::string_view::npos) return parts;
  parts.user = parts.place.substr(0, at);
  parts.place.remove_prefix(at + 1);
  return parts;
}

// Whoever is told twice, after an answer was lost or the daemon was killed, knows it by this.
std::string jti_of(const std::string& issuer, const std::string& audience, const std::string& name) {
  return base64url_encode(sha256(as_bytes(issuer + "\n" + audience + "\n" + name)));
}

Result<WebhookTopic::Told> read_anomaly(const store::Outbox::Kept& kept) {
  CHANCERY_ASSIGN(api::Anomaly anomaly, wire::read_anomaly(kept.second));
  anomaly.id = kept.first;
  return WebhookTopic::Told{std::chrono::sys_seconds{std::chrono::seconds(anomaly.at)}, wire::write(anomaly)};
}

}  // namespace

WebhookTopic told_anomalies(store::Outbox& anomalies) {
  return {anomalies,
          "anomaly",
          read_anomaly,
          "an anomaly could not be told to the webhook: it is tried again",
          "an anomaly is told to the webhook no more",
          "anomalies that wait for the webhook could not be looked up",
          "which anomalies the webhook was told could not be recorded",
          {ErrorCode::kOverloaded,
           "more than a thousand waited, and the oldest are forgotten: see whether the receiver is up"}};
}

std::string address_without_secrets(std::string_view url) {
  const AddressParts parts = split(url);
  return std::string(parts.scheme).append(parts.place);
}

std::vector<std::string> secrets_of_address(std::string_view url) {
  const AddressParts parts = split(url);
  std::vector<std::string> out;
  const std::size_t colon = std::min(parts.user.find(':'), parts.user.size());
  for (const std::string_view secret :
       {parts.user, parts.user.substr(std::min(colon + 1, parts.user.size())), parts.query}) {
    if (!secret.empty()) out.emplace_back(secret);
  }
  return out;
}

Webhook::Webhook(WebhookTopic topic, DaemonKeys& webhook_keys, std::string issuer, WebhookOptions options,
                 std::shared_ptr<const telemetry::Redactor> redactor, Complaint complain)
    : keys(webhook_keys),
      topic_(std::move(topic)),
      issuer_(std::move(issuer)),
      options_(std::move(options)),
      audience_(address_without_secrets(options_.url)),
      redactor_(std::move(redactor)),
      complain_(std::move(complain)) {}

// What happened while there was nobody to tell is not told later.
Status Webhook::open() {
  CHANCERY_ASSIGN(const std::optional<std::int64_t> last, topic_.outbox.last_told());
  if (!is_configured()) return last ? topic_.outbox.set_last_told(std::nullopt) : Status();
  if (last) {
    told_ = *last;
    return {};
  }
  CHANCERY_ASSIGN(told_, topic_.outbox.newest());
  return topic_.outbox.set_last_told(told_);
}

bool Webhook::is_due(std::chrono::sys_seconds now) const {
  // Also when the clock was set back since.
  return now >= not_before_ || not_before_ > now + pause_;
}

void Webhook::tick(std::chrono::sys_seconds now, const std::stop_token& stop) {
  if (!is_configured() || !is_due(now)) return;
  for (std::size_t i = 0; i < kMostAtOnce; ++i) {
    if (stop.stop_requested() || !tell_next(now, stop)) return;
  }
}

/// \return whether the one after it may be told
bool Webhook::tell_next(std::chrono::sys_seconds now, const std::stop_token& stop) {
  const auto next = topic_.outbox.next_after(told_);
  if (!next) {
    complain_(topic_.not_found, next.error());
    pause(now);
    return false;
  }
  if (!*next) return false;
  const store::Outbox::Kept& kept = **next;
  if (kept.first > told_ + 1) {
    note(Outcome::kDropped, static_cast<std::uint64_t>(kept.first - told_ - 1));
    complain_(topic_.given_up, topic_.too_many);
    pass(kept.first - 1);
  }
  const std::optional<Outcome> outcome = attempt(kept, now, stop);
  if (!outcome) return false;
  note(*outcome);
  const bool is_over = *outcome == Outcome::kDelivered || *outcome == Outcome::kDropped;
  if (is_over) pass(kept.first);
  if (!is_over) pause(now);
  return is_over;
}

/// \return what came of it; nothing when it was ended, or the store does not say what there is to tell
std::optional<Webhook::Outcome> Webhook::attempt(const store::Outbox::Kept& kept,
                                                 std::chrono::sys_seconds now, const std::stop_token& stop) {
  const auto told = topic_.read(kept);
  if (!told && told.error().code == ErrorCode::kStoreUnavailable) {
    complain_(topic_.not_found, told.error());
    pause(now);
    return std::nullopt;
  }
  if (!told || now - told->at >= kLongestWait) {
    complain_(topic_.given_up, told ? kTooOld : told.error());
    return Outcome::kDropped;
  }
  const auto jws = sign(*told, now);
  if (!jws) {
    complain_(topic_.not_told, jws.error());
    return Outcome::kUnsigned;
  }
  const auto status = options_.post(*jws, stop);
  if (stop.stop_requested() && !status) return std::nullopt;
  if (status && is_success(*status)) return Outcome::kDelivered;
  complain_(topic_.not_told, status ? refused(*status) : status.error());
  if (!status) return Outcome::kFailed;
  if (is_passing(*status) || ++refusals_ < kMostRefusals) return Outcome::kRefused;
  note(Outcome::kRefused);
  complain_(topic_.given_up, refused(*status));
  return Outcome::kDropped;
}

// Anew for each attempt, so that what arrives is young.
Result<std::string> Webhook::sign(const WebhookTopic::Told& told, std::chrono::sys_seconds now) {
  const hsm::Deadline deadline = std::chrono::steady_clock::now() + options_.patience;
  CHANCERY_ASSIGN(const store::Key key, keys.current(now, deadline));
  const std::string text = redactor_->json(told.json);
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse(text));
  const PublicKey& signer = key.stored.public_key;
  const Node header = Node::object({{"alg", algorithm_name(signer.algorithm())},
                                    {"kid", signer.thumbprint().text()},
                                    {"typ", "chancery-event+jwt"}});
  const Node payload =
      Node::object({{"iss", issuer_},
                    {"aud", audience_},
                    {"iat", now.time_since_epoch().count()},
                    {"exp", (now + kLifetime).time_since_epoch().count()},
                    {"jti", jti_of(issuer_, audience_, told.name.empty() ? text : told.name)},
                    {std::string(topic_.claim), Node::copy(document.root())}});
  const std::string input = signing_input_of(header, payload);
  CHANCERY_ASSIGN(const Signature signature, keys.sign(key, as_bytes(input), now, deadline));
  return input + "." + base64url_encode(signature);
}

void Webhook::note(Outcome outcome, std::uint64_t times) noexcept {
  counts_[static_cast<std::size_t>(outcome)].fetch_add(times, std::memory_order_relaxed);
}

// When that cannot be written, it still counts until the end: nobody is told again each second.
void Webhook::pass(std::int64_t number) {
  told_ = number;
  refusals_ = 0;
  pause_ = std::chrono::seconds(0);
  not_before_ = {};
  const Status written = topic_.outbox.set_last_told(number);
  if (!written) complain_(topic_.not_passed, written.error());
}

void Webhook::pause(std::chrono::sys_seconds now) {
  pause_ = std::clamp(2 * pause_, std::chrono::seconds(1), kLongestPause);
  not_before_ = now + pause_;
}

Result<std::uint64_t> Webhook::waiting() const {
  return is_configured() ? topic_.outbox.waiting() : Result<std::uint64_t>(0);
}

}  // namespace chancery::service
