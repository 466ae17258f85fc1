#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <chancery/audit_client.hpp>
#include <chancery/proof.hpp>
#include <chancery/vault_client.hpp>

#include "sdk/verify/action.hpp"
#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/runtime/json_answer.hpp"

namespace chancery::tests {

// What a daemon with a runtime beside it is asked for calls of tools. Each is a Boost requirement.

/// Where agents call the runtime, and the daemon's section that has its agent `tools` be that runtime.
inline constexpr const char* kToolsUrl = "https://tools.test.example";
inline constexpr const char* kRuntimeSection =
    "[runtime]\nagents = [\"tools\"]\nurl = \"https://tools.test.example\"\n";

inline void put_credential(const DaemonProcess& daemon, const std::string& name, std::string_view value,
                           const std::string& scope, std::vector<std::string> tools) {
  api::PutCredential credential;
  credential.name = name;
  credential.value = SecretBytes(as_bytes(value));
  credential.type = "api_key";
  credential.scope = scope;
  credential.tools = std::move(tools);
  const Client client = daemon.client();
  answered(VaultClient(client).put(credential));
}

/// These scopes, and amounts of 100 in all.
[[nodiscard]] inline Authority up_to_100(std::vector<std::string> scopes) {
  Authority authority;
  authority.scopes = std::move(scopes);
  authority.constraints = {{"amount", NumberBound{NumberBound::Type::kMaxSubtree, 100}}};
  return authority;
}

/// What alice gives the agent `orchestrator` at the runtime for an hour.
[[nodiscard]] inline api::CreateGrant grant_of(Authority authority) {
  api::CreateGrant request;
  request.principal = "user:alice@example.org";
  request.agent = "orchestrator";
  request.audience = {kToolsUrl};
  request.authority = std::move(authority);
  request.lifetime = std::chrono::hours(1);
  return request;
}

/// A proof by whoever holds the chain, for a request of the runtime that is no call.
[[nodiscard]] inline std::string prove_request(const DaemonProcess& daemon,
                                               const std::vector<std::string>& chain,
                                               const std::string& method, const std::string& path) {
  return answered(daemon.client().prove({chain, method, kToolsUrl + path, {}, {}})).proof;
}

/// A proof by whoever holds the chain, for one call of a tool with these arguments.
[[nodiscard]] inline std::string prove_call(const DaemonProcess& daemon,
                                            const std::vector<std::string>& chain, const std::string& tool,
                                            const std::string& scope, const std::string& arguments) {
  const auto parameters = parse_parameters(arguments);
  BOOST_REQUIRE(parameters);
  const auto digest = action_digest(scope, *parameters);
  BOOST_REQUIRE(digest);
  return answered(daemon.client().prove({chain, "POST", kToolsUrl + ("/v1/tools/" + tool), {}, *digest}))
      .proof;
}

/// The audit log's entries of that action, of its first thousand, as they stand there.
[[nodiscard]] inline std::vector<std::string> entries_of(const DaemonProcess& daemon,
                                                         const std::string& action) {
  const Client client = daemon.client();
  std::vector<std::string> out;
  for (const api::AuditEntry& entry : answered(AuditClient(client).entries({.limit = 1000})).entries) {
    if (has(entry.json, R"("action":")" + action + "\"")) out.push_back(entry.json);
  }
  return out;
}

}  // namespace chancery::tests
