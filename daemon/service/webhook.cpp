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

constexpr const char* kNotTold = "an anomaly could not be told to the webhook: it is tried again";
constexpr const char* kGivenUp = "an anomaly is told to the webhook no more";
constexpr Error kTooOld{ErrorCode::kTimeout, "nobody took it for a day: see what the receiver says of it"};
constexpr Error kTooMany{
    ErrorCode::kOverloaded,
    "more than a thousand waited, and the oldest are forgotten: see whether the receiver is up"};

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
std::string jti_of(const std::string& issuer, const std::string& audience, const std::string& anomaly) {
  return base64url_encode(sha256(as_bytes(issuer + "\n" + audience + "\n" + anomaly)));
}

}  // namespace

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

Webhook::Webhook(store::AnomalyBook& book, DaemonKeys& webhook_keys, std::string issuer,
                 WebhookOptions options, std::shared_ptr<const telemetry::Redactor> redactor,
                 Complaint complain)
    : keys(webhook_keys),
      book_(book),
      issuer_(std::move(issuer)),
      options_(std::move(options)),
      audience_(address_without_secrets(options_.url)),
      redactor_(std::move(redactor)),
      complain_(std::move(complain)) {}

// What was found while there was nobody to tell is not told later.
Status Webhook::open() {
  CHANCERY_ASSIGN(const std::optional<std::int64_t> last, book_.last_told());
  if (!is_configured()) return last ? book_.set_last_told(std::nullopt) : Status();
  if (last) {
    told_ = *last;
    return {};
  }
  CHANCERY_ASSIGN(const auto newest, book_.recent(1));
  told_ = newest.empty() ? 0 : newest.front().first;
  return book_.set_last_told(told_);
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
  const auto next = book_.next_after(told_);
  if (!next) {
    complain_("anomalies that wait for the webhook could not be looked up", next.error());
    pause(now);
    return false;
  }
  if (!*next) return false;
  const store::AnomalyBook::Kept& kept = **next;
  if (kept.first > told_ + 1) {
    note(Outcome::kDropped, static_cast<std::uint64_t>(kept.first - told_ - 1));
    complain_(kGivenUp, kTooMany);
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

/// \return what came of it; nothing when it was ended
std::optional<Webhook::Outcome> Webhook::attempt(const store::AnomalyBook::Kept& kept,
                                                 std::chrono::sys_seconds now, const std::stop_token& stop) {
  const auto anomaly = wire::read_anomaly(kept.second);
  const std::chrono::sys_seconds found_at{std::chrono::seconds(anomaly ? anomaly->at : 0)};
  if (!anomaly || now - found_at >= kLongestWait) {
    complain_(kGivenUp, anomaly ? kTooOld : anomaly.error());
    return Outcome::kDropped;
  }
  const auto jws = sign(kept, now);
  if (!jws) {
    complain_(kNotTold, jws.error());
    return Outcome::kUnsigned;
  }
  const auto status = options_.post(*jws, stop);
  if (stop.stop_requested() && !status) return std::nullopt;
  if (status && is_success(*status)) return Outcome::kDelivered;
  complain_(kNotTold, status ? refused(*status) : status.error());
  if (!status) return Outcome::kFailed;
  if (is_passing(*status) || ++refusals_ < kMostRefusals) return Outcome::kRefused;
  note(Outcome::kRefused);
  complain_(kGivenUp, refused(*status));
  return Outcome::kDropped;
}

// Anew for each attempt, so that what arrives is young.
Result<std::string> Webhook::sign(const store::AnomalyBook::Kept& kept, std::chrono::sys_seconds now) {
  const hsm::Deadline deadline = std::chrono::steady_clock::now() + options_.patience;
  CHANCERY_ASSIGN(const store::Key key, keys.current(now, deadline));
  CHANCERY_ASSIGN(api::Anomaly anomaly, wire::read_anomaly(kept.second));
  anomaly.id = kept.first;
  const std::string told = redactor_->json(wire::write(anomaly));
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse(told));
  const PublicKey& signer = key.stored.public_key;
  const Node header = Node::object({{"alg", algorithm_name(signer.algorithm())},
                                    {"kid", signer.thumbprint().text()},
                                    {"typ", "chancery-event+jwt"}});
  const Node payload = Node::object({{"iss", issuer_},
                                     {"aud", audience_},
                                     {"iat", now.time_since_epoch().count()},
                                     {"exp", (now + kLifetime).time_since_epoch().count()},
                                     {"jti", jti_of(issuer_, audience_, told)},
                                     {"anomaly", Node::copy(document.root())}});
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
  const Status written = book_.set_last_told(number);
  if (!written) complain_("which anomalies the webhook was told could not be recorded", written.error());
}

void Webhook::pause(std::chrono::sys_seconds now) {
  pause_ = std::clamp(2 * pause_, std::chrono::seconds(1), kLongestPause);
  not_before_ = now + pause_;
}

Result<std::uint64_t> Webhook::waiting() const {
  return is_configured() ? book_.waiting() : Result<std::uint64_t>(0);
}

}  // namespace chancery::service
