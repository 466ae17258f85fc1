#include "tests/integration/issuers/daemon_scene.hpp"

#include <unistd.h>

#include <chancery/audit_client.hpp>
#include <chancery/proof.hpp>
#include <chancery/runtime_client.hpp>
#include <chancery/vault_client.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/verify/action.hpp"

namespace chancery::tests {
namespace {

constexpr const char* kTool = "list-orders";
constexpr const char* kScope = "orders.read";
constexpr const char* kParams = "{}";

DaemonSettings settings_of(const simulators::Swtpm& tpm, const std::string& issuers) {
  DaemonSettings out;
  out.tcti = tpm.tcti();
  out.blocking_threads = 128;  // half of them may wait for one issuer: fifty callers at the same time
  out.extra = "[runtime]\nagents = [\"tools\"]\nurl = \"" + std::string(DaemonScene::kUrl) + "\"\n" + issuers;
  return out;
}

}  // namespace

DaemonScene::DaemonScene(const std::string& issuers) : daemon(settings_of(tpm_, issuers)) {
  daemon.start();
  answered(daemon.client().create_agent(agent_of("tools", ::geteuid())));
  answered(daemon.client().create_agent(agent_of("orchestrator", ::geteuid())));
}

void DaemonScene::put_secret(const std::string& name, const std::string& issuer,
                             const std::string& value) const {
  api::PutCredential request;
  request.name = name;
  request.value = SecretBytes(as_bytes(value));
  request.type = "client_secret";
  request.scope = kScope;
  request.tools = {"issuer/" + issuer};
  const Client client = daemon.client();
  answered(VaultClient(client).put(request));
}

void DaemonScene::put_issued(const std::string& name, const std::string& issuer) const {
  api::PutCredential request;
  request.name = name;
  request.issuer = issuer;
  request.scope = kScope;
  request.tools = {kTool};
  const Client client = daemon.client();
  answered(VaultClient(client).put(request));
}

std::vector<std::string> DaemonScene::granted(std::chrono::seconds lifetime) const {
  api::CreateGrant request;
  request.principal = "user:alice@example.org";
  request.agent = "orchestrator";
  request.audience = {kUrl};
  request.authority.scopes = {kScope};
  request.lifetime = lifetime;
  return answered(daemon.client().grant(request)).chain;
}

api::AskPermit DaemonScene::question(const std::string& credential,
                                     const std::vector<std::string>& chain) const {
  const auto parameters = parse_parameters(kParams);
  BOOST_REQUIRE(parameters);
  const auto digest = action_digest(kScope, *parameters);
  BOOST_REQUIRE(digest);
  api::AskPermit out;
  out.tool = kTool;
  out.credential = credential;
  out.arguments_sha256 = hex_encode(sha256(as_bytes(kParams)));
  out.release = true;
  out.action.chain = chain;
  out.action.method = "POST";
  out.action.uri = std::string(kUrl) + "/v1/tools/" + kTool;
  out.action.audience = kUrl;
  out.action.scope = kScope;
  out.action.params = kParams;
  out.action.reserve = std::chrono::seconds(90);
  out.action.proof = answered(daemon.client().prove({chain, "POST", out.action.uri, {}, *digest})).proof;
  return out;
}

ClientResult<api::Permit> DaemonScene::ask(const std::string& credential, std::chrono::seconds leaf) const {
  const Client client = daemon.client();
  return RuntimeClient(client).ask_permit(question(credential, granted(leaf)));
}

api::Permit DaemonScene::permitted(const std::string& credential, std::chrono::seconds leaf) const {
  api::Permit permit = answered(ask(credential, leaf));
  BOOST_REQUIRE_MESSAGE(permit.decision.permitted, permit.decision.outcome);
  BOOST_REQUIRE(permit.credential);
  return permit;
}

void DaemonScene::report(const api::Permit& permit, bool refused_credential) const {
  api::CallResult result;
  result.status = refused_credential ? "error" : "done";
  result.result_sha256 = std::string(64, 'a');
  result.refused_credential = refused_credential;
  const Client client = daemon.client();
  answered(RuntimeClient(client).report_result(permit.id, result));
}

ProgramResult DaemonScene::issuers() const {
  return run_program(
      {CHANCERY_BINARY_DIR "/chancery", "vault", "issuers", "--socket", daemon.socket().string()});
}

std::size_t DaemonScene::count(const std::string& text) const {
  const Client client = daemon.client();
  std::size_t found = 0;
  for (std::uint64_t after = 0;;) {
    const auto page = answered(AuditClient(client).entries({.after = after, .limit = 1000}));
    if (page.entries.empty()) return found;
    for (const api::AuditEntry& entry : page.entries)
      found += entry.json.find(text) != std::string::npos ? 1 : 0;
    after = page.entries.back().number;
  }
}

std::string value_of(const api::Permit& permit) {
  return std::string(as_text(permit.credential->value.view()));
}

}  // namespace chancery::tests
