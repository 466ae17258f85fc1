#include "tests/bench/runtime_scene.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chancery/proof.hpp>
#include <chancery/vault_client.hpp>
#include <chancery/verify.hpp>

#include "tests/bench/http_load.hpp"
#include "tests/bench/scene.hpp"
#include "tests/integration/runtime/declared_tool.hpp"

namespace chancery::bench {
namespace {

void answer(const tests::UpstreamServer::Request&, tests::UpstreamServer::Response& response) {
  response.body() =
      R"({"id":"re_1Nq2xL","object":"refund","amount":1,"charge":"ch_1","currency":"eur","created":1795348812,)"
      R"("balance_transaction":"txn_41","metadata":{"order":"6735","note":"the parcel came back unopened"},)"
      R"("payment_intent":null,"reason":"requested_by_customer","receipt_number":null,"status":"succeeded"})";
}

api::CreateAgent agent_of(const std::string& name) {
  api::CreateAgent request;
  request.name = name;
  request.selectors.uid = ::geteuid();
  return request;
}

}  // namespace

Program::Program(const std::vector<std::string>& command, const std::filesystem::path& output) {
  std::vector<char*> argv;
  for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) fail("no process could be started");
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int fd = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(fd, 1);
  ::dup2(fd, 2);
  ::execv(argv.front(), argv.data());
  ::_exit(127);
}

Program::~Program() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

// proc(5): utime and stime are the 14th and 15th, and the second may have spaces in it.
std::chrono::milliseconds Program::processor_time() const {
  std::ifstream in("/proc/" + std::to_string(pid_) + "/stat");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  std::istringstream fields(text.substr(std::min(text.rfind(')'), text.size())));
  std::string skipped;
  for (int i = 2; i < 14; ++i) fields >> skipped;
  long user = 0;
  long system = 0;
  if (!(fields >> user >> system)) fail("no processor time");
  return std::chrono::milliseconds((user + system) * 1000 / ::sysconf(_SC_CLK_TCK));
}

RuntimeScene::RuntimeScene(const std::string& more)
    : tpm_(required(simulators::Swtpm::start())), upstream_(answer) {
  configure(more);
  daemon_ = std::make_unique<Program>(std::vector<std::string>{CHANCERY_BINARY_DIR "/chanceryd", "--config",
                                                               (folder() / "chancery.toml").string()},
                                      folder() / "daemon.log");
  await(folder() / "s");
  register_agents();
  declare_tool();
  runtime_ =
      std::make_unique<Program>(std::vector<std::string>{CHANCERY_BINARY_DIR "/chancery-runtime", "--config",
                                                         (folder() / "runtime.toml").string()},
                                folder() / "runtime.log");
  await(runtime_socket());
}

void RuntimeScene::configure(const std::string& more) const {
  const std::string at = folder().string();
  const std::filesystem::path file = folder() / "chancery.toml";
  std::ofstream(file) << "allow_root = true\n[server]\nsocket = \"" << at
                      << "/s\"\nsocket_mode = \"0600\"\nsocket_group = \"\"\ntls_listen = \"\"\n"
                      << "[log]\nlevel = \"warning\"\n[issuer]\ntrust_domain = \"bench.example\"\n"
                      << "url = \"https://bench.example\"\nbackend = \"tpm\"\n[state]\npath = \"" << at
                      << "/state\"\n[runtime]\nagents = [\"tools\"]\nurl = \"" << kRuntimeUrl
                      << "\"\n[[backend]]\nname = \"tpm\"\ntype = \"tpm\"\ntcti = \"" << tpm_.tcti()
                      << "\"\nallow_simulator = true\nsessions = \"plain\"\n"
                      << more;
  std::filesystem::permissions(file,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

void RuntimeScene::declare_tool() const {
  const std::string at = folder().string();
  std::filesystem::create_directory(folder() / "tools.d");
  std::ofstream(folder() / "runtime.toml")
      << "[runtime]\nurl = \"" << kRuntimeUrl << "\"\ndaemon = \"" << at << "/s\"\ntools = \"" << at
      << "/tools.d\"\nsocket = \"" << at << "/r\"\n[log]\nlevel = \"warning\"\n";
  tests::DeclaredTool tool = tests::refund_tool(upstream() + "/v1/charges/{charge}/refunds");
  tool.allow = R"("/id", "/amount", "/status")";
  std::ofstream(folder() / "tools.d" / "refund.toml") << tests::toml_of(tool);
}

void RuntimeScene::register_agents() {
  const Client client = daemon();
  answered(client.create_agent(agent_of("tools")));
  answered(client.create_agent(agent_of("orchestrator")));
  api::PutCredential credential;
  credential.name = "psp";
  credential.value = SecretBytes(as_bytes(kToolCredential));
  credential.type = "api_key";
  credential.scope = kToolScope;
  credential.tools = {"refund"};
  answered(VaultClient(client).put(credential));
  chain_ = answered(client.grant(refund_grant("orchestrator"))).chain;
}

Client RuntimeScene::daemon() const { return client_at(folder() / "s"); }

std::shared_ptr<const Session> RuntimeScene::open_session() const {
  return session_at(folder() / "s", chain_);
}

Client client_at(const std::filesystem::path& socket) {
  ClientOptions where;
  where.socket = socket.string();
  where.timeout = std::chrono::seconds(60);
  return required(Client::connect(where));
}

std::shared_ptr<const Session> session_at(const std::filesystem::path& socket,
                                          const std::vector<std::string>& chain) {
  SessionOptions options;
  options.daemon.socket = socket.string();
  return answered(Session::open(options, chain));
}

api::CreateGrant refund_grant(const std::string& agent) {
  api::CreateGrant grant;
  grant.principal = "user:alice@example.org";
  grant.agent = agent;
  grant.audience = {kRuntimeUrl};
  grant.authority.scopes = {kToolScope};
  grant.authority.constraints = {{"amount", NumberBound{NumberBound::Type::kMaxSubtree, 1e9}}};
  grant.lifetime = std::chrono::hours(1);
  grant.depth = 2;
  return grant;
}

Presented present_call(const Session& session, const std::string& arguments) {
  ProofClaims claims;
  claims.htm = "POST";
  claims.htu = std::string(kRuntimeUrl) + kToolPath;
  claims.ada = required(action_digest(kToolScope, required(parse_parameters(arguments))));
  return required(session.present(claims));
}

HttpRequest tool_call(const Session& session, const std::string& arguments) {
  const Presented shown = present_call(session, arguments);
  std::string parents;
  for (std::size_t i = 0; i + 1 < shown.chain.size(); ++i) parents += (i == 0 ? "" : "~") + shown.chain[i];
  return {.method = "POST",
          .target = kToolPath,
          .headers = {{"Authorization", "DPoP " + shown.chain.back()},
                      {"Delegation-Chain", parents},
                      {"DPoP", shown.proof}},
          .body = R"({"arguments":)" + arguments + "}"};
}

api::Authorize question_of(const Session& session, const std::string& arguments) {
  const Presented shown = present_call(session, arguments);
  api::Authorize question;
  question.chain = shown.chain;
  question.proof = shown.proof;
  question.method = "POST";
  question.uri = std::string(kRuntimeUrl) + kToolPath;
  question.audience = kRuntimeUrl;
  question.scope = kToolScope;
  question.params = arguments;
  question.ada_required = true;
  return question;
}

}  // namespace chancery::bench
