#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <chancery/bytes.hpp>

#include "sdk/crypto/signing_key.hpp"

namespace chancery::tests {

/// What a status list shall say; without a member, the claim is left out.
struct MadeStatusList {
  std::string uri;
  Bytes statuses{0x02};  ///< one bit each: entry 0 is valid, entry 1 revoked
  std::optional<double> iat{};
  std::optional<double> exp{};
  std::optional<double> ttl{};
};

/// The compact `statuslist+jwt`, signed by an ES256 key.
[[nodiscard]] std::string sign_status_list(const MadeStatusList& list, const SigningKey& key);

}  // namespace chancery::tests
