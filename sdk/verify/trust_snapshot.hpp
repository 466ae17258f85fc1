#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <chancery/trust.hpp>

#include "sdk/crypto/verify_key.hpp"
#include "sdk/verify/status_list.hpp"

namespace chancery {

/// An anchor whose keys are parsed.
struct ReadyAnchor {
  TrustAnchor config;
  std::vector<VerifyKey> keys;
  std::vector<VerifyKey> status_keys;            ///< its own, else those for all anchors
  std::vector<VerifyKey> attestation_verifiers;  ///< its own, else none

  /// Whether it says where its chains' status lists are, or who signs them.
  [[nodiscard]] bool names_status() const noexcept {
    return !config.status_prefixes.empty() || !config.status_keys.empty() ||
           !config.known_status_prefix.empty();
  }
  /// Whether its chains may refer to that list.
  [[nodiscard]] bool allows_status_list(std::string_view uri) const;
};

/// A status list held for a URI.
struct HeldStatusList {
  StatusList list;
  Algorithm algorithm = Algorithm::kES256;
  std::chrono::sys_seconds fetched_at{};
};

/// Usable ones only, by URI and the key that signed: which key did decides for which anchor's chains a list counts,
/// and one that another anchor's key signed must not take the place of the right one.
struct HeldStatusLists {
  std::map<std::pair<std::string, Thumbprint>, HeldStatusList> by_uri_and_key;
};

struct TrustSnapshot::Impl {
  std::vector<ReadyAnchor> anchors;
  std::vector<VerifyKey> issuers;
  std::vector<VerifyKey> status_keys;
  std::vector<Thumbprint> ended_keys;  // in order
};

}  // namespace chancery
