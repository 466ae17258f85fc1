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
#include <chancery/proof.hpp>
#include <chancery/token.hpp>
#include <chancery/vault_client.hpp>

#include "sdk/audit/entry.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/verify/action.hpp"
#include "tests/integration/daemon/started_tpm.hpp"
#include "tests/integration/runtime/runtime_process.hpp"
#include "tests/integration/runtime/upstream_server.hpp"

namespace chancery::tests {

inline constexpr const char* kToolsUrl = "https://tools.test.example";

inline bool has(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

/// A member of a JSON object: a text as it is, anything else in JSON; empty when it is not there.
inline std::string member(const std::string& json, std::string_view name) {
  const auto document = json::Document::parse(json);
  if (!document) return {};
  const json::Value* const value = document->root().find(name);
  return value == nullptr ? "" : std::string(value->string().value_or(value->source()));
}

inline std::string id_of_token(const std::string& compact) {
  const auto token = Token::parse(compact);
  BOOST_REQUIRE(token);
  return hex_encode(token->digest());
}

/// A tool over HTTP as a file of tools.d declares it.
struct DeclaredTool {
  std::string name;
  std::string scope;
  std::string credential;  ///< empty: none
  std::string arguments;   ///< the schema's properties, one `name = {…}` a line
  std::string required;    ///< `"a", "b"`
  std::string url;
  std::string constraint{};  ///< `ARGUMENT KIND`, "amount number"; empty: none
  std::string addresses = R"("127.0.0.1/32")";
  std::string allow = R"("/id")";
};

inline std::string toml_of(const DeclaredTool& tool) {
  std::string out = "[tool]\nname = \"" + tool.name + "\"\ndescription = \"A tool.\"\nscope = \"" +
                    tool.scope + "\"\nrisk = \"high\"\n";
  if (!tool.credential.empty()) out += "credential = \"" + tool.credential + "\"\n";
  out += "[tool.arguments]\ntype = \"object\"\nadditionalProperties = false\nrequired = [" + tool.required +
         "]\n[tool.arguments.properties]\n" + tool.arguments + "\n";
  if (!tool.constraint.empty()) {
    const std::size_t space = tool.constraint.find(' ');
    const std::string argument = tool.constraint.substr(0, space);
    out += "[[tool.constraint]]\nargument = \"/" + argument + "\"\nparameter = \"" + argument +
           "\"\nas = \"" + tool.constraint.substr(space + 1) + "\"\n";
  }
  out += "[tool.http]\nmethod = \"POST\"\nurl = \"" + tool.url + "\"\nbody = \"json\"\nallow_addresses = [" +
         tool.addresses + "]\ntimeout = \"5s\"\n";
  if (!tool.credential.empty()) out += "credential_in = \"header:Authorization: Bearer {}\"\n";
  return out + "[tool.response]\nallow = [" + tool.allow + "]\n";
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
    api::PutCredential credential;
    credential.name = name;
    credential.value = SecretBytes(as_bytes(value));
    credential.type = "api_key";
    credential.scope = scope;
    credential.tools = std::move(tools);
    const Client client = daemon.client();
    answered(VaultClient(client).put(credential));
  }
  void add_agent(const std::string& name, std::uint32_t uid = ::geteuid()) const {
    answered(daemon.client().create_agent(agent_of(name, uid)));
  }
  void declare(const DeclaredTool& tool) const { runtime.declare(tool.name, toml_of(tool)); }

  std::vector<std::string> granted(const std::string& principal, const std::string& agent,
                                   Authority authority, std::int64_t depth = 1) const {
    api::CreateGrant request;
    request.principal = principal;
    request.agent = agent;
    request.audience = {kToolsUrl};
    request.authority = std::move(authority);
    request.lifetime = std::chrono::seconds(3600);
    request.depth = depth;
    return answered(daemon.client().grant(request)).chain;
  }

  /// A proof by whoever holds the chain, for one call of a tool with these arguments.
  std::string proof_of(const std::vector<std::string>& chain, const std::string& tool,
                       const std::string& scope, const std::string& arguments) const {
    const auto parameters = parse_parameters(arguments);
    BOOST_REQUIRE(parameters);
    const auto digest = action_digest(scope, *parameters);
    BOOST_REQUIRE(digest);
    api::CreateProof request{chain, "POST", std::string(kToolsUrl) + "/v1/tools/" + tool, {}, *digest};
    return answered(daemon.client().prove(request)).proof;
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
  DaemonProcess daemon{
      {.tcti = tpm.tcti(),
       .extra = "[runtime]\nagents = [\"tools\"]\nurl = \"" + std::string(kToolsUrl) + "\"\n"}};
  /// What the API answers; set before the runtime is started.
  UpstreamServer::Answer answer = [](const auto&, auto& response) { response.body() = R"({"id":"x1"})"; };
  UpstreamServer upstream{[this](const auto& request, auto& response) { answer(request, response); }};
  RuntimeProcess runtime{daemon, kToolsUrl};
};

}  // namespace chancery::tests
