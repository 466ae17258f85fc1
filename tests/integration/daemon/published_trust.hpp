#pragma once

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include <chancery/client.hpp>
#include <chancery/token.hpp>
#include <chancery/trust.hpp>

#include "tests/integration/daemon/daemon_process.hpp"

namespace chancery::tests {

/// What a verifier elsewhere makes of what a daemon publishes: its issuer keys, its status keys, and the lists
/// that a chain refers to.
inline TrustConfig published_trust(const Client& client, const std::vector<std::string>& chain) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  TrustConfig trust;
  TrustAnchor& anchor = trust.anchors.emplace_back();
  anchor.keys = answered(client.jwks()).keys;
  std::set<std::string> lists;
  for (const std::string& compact : chain) {
    const auto token = Token::parse(compact);
    if (token && token->claims().status) lists.insert(token->claims().status->uri);
  }
  for (const std::string& uri : lists) {
    trust.status_lists.push_back({uri, answered(client.status_list(uri.substr(uri.rfind('/') + 1))), now});
  }
  anchor.status_keys = answered(client.status_jwks()).keys;  // the first is made for the first list
  return trust;
}

}  // namespace chancery::tests
