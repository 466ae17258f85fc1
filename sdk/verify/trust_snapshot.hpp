#pragma once

#include <map>
#include <vector>

#include <chancery/trust.hpp>

#include "sdk/crypto/verify_key.hpp"
#include "sdk/verify/status_list.hpp"

namespace chancery {

/// An anchor whose keys are parsed.
struct ReadyAnchor {
  TrustAnchor config;
  std::vector<VerifyKey> keys;
};

/// A status list held for a URI. Which key signed it decides for which anchor's chains it counts.
struct HeldStatusList {
  StatusList list;
  Thumbprint signed_by;
  Algorithm algorithm = Algorithm::kES256;
  std::chrono::sys_seconds fetched_at{};
};

struct TrustSnapshot::Impl {
  std::vector<ReadyAnchor> anchors;
  std::vector<VerifyKey> issuers;
  std::vector<VerifyKey> status_keys;
  std::map<std::string, HeldStatusList, std::less<>> status_lists;  // usable ones only
  std::vector<Thumbprint> ended_keys;                               // in order
};

}  // namespace chancery
