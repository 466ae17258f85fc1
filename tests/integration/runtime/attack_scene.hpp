#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/audit_client.hpp>
#include <chancery/token.hpp>

#include "sdk/audit/entry.hpp"
#include "sdk/base/hex.hpp"
#include "tests/integration/daemon/started_tpm.hpp"
#include "tests/integration/runtime/declared_tool.hpp"
#include "tests/integration/runtime/json_answer.hpp"
#include "tests/integration/runtime/proven_call.hpp"
#include "tests/integration/runtime/runtime_process.hpp"
#include "tests/integration/runtime/upstream_server.hpp"

namespace chancery::tests {

inline std::string id_of_token(const std::string& compact) {
  const auto token = Token::parse(compact);
  BOOST_REQUIRE(token);
  return hex_encode(token->digest());
}

/// What somebody puts before the runtime, or the daemon: a call's parts, each of which may be another's.
struct ShownCall {
  std::string tool;
  std::string arguments;
  std::vector<std::string> chain;
  std::string proof;
};

/// A real daemon on a swtpm, a real runtime and an API that is a server, on which attacks are played. Declare the tools,
/// then start the runtime.
struct AttackScene {
  /// \param uid  under which the runtime runs
  explicit AttackScene(std::uint32_t uid = ::geteuid()) : runtime_uid(uid) {
    daemon.start();
    answered(daemon.client().create_agent(agent_of("tools", runtime_uid)));
  }

  void put(const std::string& name, std::string_view value, const std::string& scope,
           std::vector<std::string> tools) const {
    put_credential(daemon, name, value, scope, std::move(tools));
  }
  void add_agent(const std::string& name, std::uint32_t uid = ::geteuid()) const {
    answered(daemon.client().create_agent(agent_of(name, uid)));
  }
  void declare(const DeclaredTool& tool) const { runtime.declare(tool.name, toml_of(tool)); }

  std::vector<std::string> granted(const std::string& principal, const std::string& agent,
                                   Authority authority, std::int64_t depth = 1) const {
    api::CreateGrant request = grant_of(std::move(authority));
    request.principal = principal;
    request.agent = agent;
    request.depth = depth;
    return answered(daemon.client().grant(request)).chain;
  }

  /// A proof by whoever holds the chain, for one call of a tool with these arguments.
  std::string proof_of(const std::vector<std::string>& chain, const std::string& tool,
                       const std::string& scope, const std::string& arguments) const {
    return prove_call(daemon, chain, tool, scope, arguments);
  }

  HttpReply call(const ShownCall& shown) const {
    return runtime.send("POST", "/v1/tools/" + shown.tool, shown_by(shown.chain, shown.proof),
                        R"({"arguments":)" + shown.arguments + "}");
  }
  /// A call as an honest agent makes it.
  HttpReply call(const std::vector<std::string>& chain, const std::string& tool, const std::string& scope,
                 const std::string& arguments) const {
    return call({tool, arguments, chain, proof_of(chain, tool, scope, arguments)});
  }

  std::vector<audit::Entry> entries(std::string_view action) const {
    const Client client = daemon.client();
    std::vector<audit::Entry> out;
    for (std::uint64_t after = 0;;) {
      const api::AuditPage page = answered(AuditClient(client).entries({.after = after, .limit = 1000}));
      for (const api::AuditEntry& one : page.entries) {
        auto entry = audit::Entry::parse(one.number, one.json);
        BOOST_REQUIRE(entry);
        if (entry->action() == action) out.push_back(*std::move(entry));
      }
      if (page.entries.empty()) return out;
      after = page.entries.back().number;
    }
  }
  std::size_t count(std::string_view action, std::string_view outcome = {}) const {
    const auto all = entries(action);
    return static_cast<std::size_t>(std::ranges::count_if(
        all, [&](const audit::Entry& entry) { return outcome.empty() || entry.outcome() == outcome; }));
  }
  /// The last entry of that action, as it stands in the log; empty when there is none.
  std::string last(std::string_view action) const {
    const auto all = entries(action);
    return all.empty() ? "" : std::string(all.back().value().source());
  }

  simulators::Swtpm tpm = start_tpm();
  const std::uint32_t runtime_uid;
  DaemonProcess daemon{{.tcti = tpm.tcti(), .extra = kRuntimeSection}};
  /// What the API answers; set before the runtime is started.
  UpstreamServer::Answer answer = [](const auto&, auto& response) { response.body() = R"({"id":"x1"})"; };
  UpstreamServer upstream{[this](const auto& request, auto& response) { answer(request, response); }};
  RuntimeProcess runtime{daemon, kToolsUrl};
};

}  // namespace chancery::tests
