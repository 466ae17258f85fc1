#include "daemon/service/partners.hpp"

#include <utility>

#include "sdk/client/https_fetch.hpp"

namespace chancery::service {
namespace {

// Of one partner's chains, in an hour: with 16 MiB each at the most, what they may cost in memory.
constexpr std::size_t kMostLists = 16;

std::vector<Thumbprint> thumbprints(const std::vector<PublicKey>& keys) {
  std::vector<Thumbprint> out;
  for (const PublicKey& key : keys) out.push_back(key.thumbprint());
  return out;
}

/// A caller's place among those that wait for a partner; given back whatever happens.
class Place {
 public:
  explicit Place(Partners::Waiting& waiting) : waiting_(waiting) {}
  ~Place() { waiting_.release(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  Partners::Waiting& waiting_;
};

}  // namespace

Status Partners::check(const TrustConfig& configured, const PartnerOptions& options) {
  if (!options.follow_keys) return {};
  for (const TrustAnchor& anchor : configured.anchors) {
    if (anchor.iss && client::is_origin(*anchor.iss)) continue;
    return Error{
        ErrorCode::kConfigInvalid,
        "[verify] follow_anchors: each anchor needs an `iss` https://HOST or https://HOST:PORT, where its "
        "keys are"};
  }
  return {};
}

Result<std::unique_ptr<Partners>> Partners::open(const TrustConfig& configured, const PartnerOptions& options,
                                                 Changed changed) {
  CHANCERY_TRY(check(configured, options));
  StatusCacheOptions list_options;
  list_options.ca_file = options.ca_file;
  list_options.timeout = options.timeout;
  list_options.max_lists = kMostLists;
  CHANCERY_ASSIGN(StatusCache lists, StatusCache::open(configured, list_options));
  std::unique_ptr<Partners> partners(new Partners(configured, std::move(changed), std::move(lists)));
  if (options.follow_keys) CHANCERY_TRY(partners->follow(options));
  return partners;
}

Status Partners::follow(const PartnerOptions& options) {
  for (std::size_t place = 0; place < configured_.anchors.size(); ++place) {
    const TrustAnchor& anchor = configured_.anchors[place];
    RemoteTrustOptions remote;
    remote.origin = *anchor.iss;
    remote.limits = anchor;
    remote.pins = thumbprints(anchor.keys);
    remote.status_pins = thumbprints(anchor.status_keys);
    remote.refresh = options.refresh;
    remote.ca_file = options.ca_file;
    remote.timeout = options.timeout;
    remote.wait_for_first_look = false;
    remote.changed = [this, place](const TrustAnchor& followed) { take(place, followed); };
    remote.failed = [complain = options.complain](const Error& error) {
      if (complain) complain("the keys of a trust anchor cannot be followed", error);
    };
    CHANCERY_ASSIGN(RemoteTrust trust, RemoteTrust::follow(remote));
    followed_.push_back(std::move(trust));
  }
  return {};
}

// Of a set that was never seen, the configured keys stand.
void Partners::take(std::size_t place, const TrustAnchor& followed) {
  const std::lock_guard lock(taking_);
  const TrustAnchor& configured = configured_.anchors[place];
  TrustAnchor anchor = followed;
  if (anchor.keys.empty()) anchor.keys = configured.keys;
  if (anchor.status_keys.empty()) anchor.status_keys = configured.status_keys;
  anchors_.anchors[place] = std::move(anchor);
  lists_.replace_trust(anchors_);
  changed_(anchors_);
}

bool Partners::fetch_for(std::span<const std::string_view> chain, const VerifyOptions& options) {
  if (!waiting_.try_acquire()) return false;
  const Place place(waiting_);
  static_cast<void>(lists_.trust_for(chain, options));
  return true;
}

}  // namespace chancery::service
