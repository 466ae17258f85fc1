#include "tests/bench/console_scene.hpp"

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <unistd.h>

#include <chancery/approval_client.hpp>
#include <chancery/audit_client.hpp>
#include <chancery/console_client.hpp>
#include <chancery/token.hpp>

#include "daemon/edge/dev_certificate.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/json/reader.hpp"
#include "tests/bench/approver.hpp"
#include "tests/bench/http_load.hpp"
#include "tests/bench/scene.hpp"

namespace chancery::bench {
namespace {

using namespace std::chrono_literals;
using std::filesystem::path;

constexpr int kCallers = 8;
constexpr int kAskingAgents = 40;
constexpr int kOfEach = 30;  // of which an agent's key may have 32 that wait
constexpr int kDenied = 5;   // of these
static_assert(kAskingAgents * (kOfEach - kDenied) == ConsoleScene::kWaiting);

std::uint16_t free_port() {
  using boost::asio::ip::tcp;
  boost::asio::io_context io;
  const tcp::acceptor taken(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  return taken.local_endpoint().port();
}

std::string name_of(int agent) { return "agent-" + std::to_string(agent); }

void register_agents(const path& socket) {
  std::atomic<int> next = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&] {
      const Client client = client_at(socket);
      for (int n = next++; n < ConsoleScene::kAgents; n = next++) {
        api::CreateAgent request;
        request.name = name_of(n);
        request.selectors.uid = ::geteuid();
        answered(client.create_agent(request));
      }
    });
  }
}

std::string joined(const std::vector<std::string>& chain) {
  std::string out;
  for (const std::string& token : chain) out += (out.empty() ? "" : "~") + token;
  return out;
}

}  // namespace

ConsoleScene::ConsoleScene() : tpm_(required(simulators::Swtpm::start())), port_(free_port()) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const path& at = folder_.path();
  if (!edge::make_dev_certificate({at / "ca.pem", certificate(), at / "tls.key"}, now))
    fail("no certificate could be made");
  configure();
  start();
  std::fprintf(stderr, "  registering %d agents\n", kAgents);
  register_agents(socket());
  daemon_.reset();
  std::fprintf(stderr, "  filling the store\n");
  filled_ = fill_store(at / "state", {});
  start();
  park_requests();
  make_heads();
}

// With the pages as they are built, if they are.
path ConsoleScene::make_page() const {
  if (std::filesystem::exists(CHANCERY_CONSOLE_PAGES "/index.html")) return CHANCERY_CONSOLE_PAGES;
  const path page = folder_.path() / "ui";
  std::filesystem::create_directory(page);
  std::ofstream(page / "index.html") << "<!doctype html><title>Chancery</title>";
  return page;
}

void ConsoleScene::configure() const {
  const std::string at = folder_.path().string();
  const path file = folder_.path() / "chancery.toml";
  std::ofstream(file)
      << "allow_root = true\n[server]\nsocket = \"" << at
      << "/s\"\nsocket_mode = \"0600\"\nsocket_group = \"\"\ntls_listen = \"127.0.0.1:" << port_
      << "\"\ntls_certificate = \"" << at << "/tls.pem\"\ntls_key = \"" << at
      << "/tls.key\"\n[log]\nlevel = \"warning\"\n[issuer]\ntrust_domain = \"bench.example\"\n"
      << "url = \"" << origin() << "\"\nbackend = \"tpm\"\n[state]\npath = \"" << at
      << "/state\"\n[[backend]]\nname = \"tpm\"\ntype = \"tpm\"\ntcti = \"" << tpm_.tcti()
      << "\"\nallow_simulator = true\nsessions = \"plain\"\n[console]\nenabled = true\nfiles = \""
      << make_page().string() << "\"\n"
      << known_asker() << kRefundGate;
  std::filesystem::permissions(file,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

void ConsoleScene::start() {
  const auto begin = std::chrono::steady_clock::now();
  daemon_ = std::make_unique<Program>(std::vector<std::string>{CHANCERY_BINARY_DIR "/chanceryd", "--config",
                                                               (folder_.path() / "chancery.toml").string()},
                                      folder_.path() / "daemon.log");
  await(socket());
  start_ms_ = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

// Each of them differs from the others: what is asked for twice waits once.
void ConsoleScene::park_requests() {
  const Client client = daemon();
  const Approver bob(client);
  for (int agent = 0; agent < kAskingAgents; ++agent) {
    const std::vector<std::string> chain = answered(client.grant(refund_grant(name_of(agent)))).chain;
    const auto session = session_at(socket(), chain);
    for (int i = 0; i < kOfEach; ++i) {
      const std::string arguments = R"({"amount":)" + std::to_string(101 + i) + R"(,"charge":"ch_)" +
                                    std::to_string(agent) + R"(","note":"The parcel came back unopened"})";
      const api::Decision decision = answered(client.authorize(question_of(*session, arguments)));
      if (!decision.approval) fail("an action did not wait");
      if (i >= kDenied) {
        waiting_ = decision.approval->id;
        continue;
      }
      const auto denial =
          bob.decision(decision.approval->id, decision.approval->sha256, ApprovalVerdict::kDeny);
      answered(ApprovalClient(client).decide(decision.approval->id, denial));
    }
    chain_ = joined(chain);
    token_ = hex_encode(required(Token::parse(chain.back())).digest());
  }
}

void ConsoleScene::make_heads() {
  const Client client = daemon();
  for (int i = 0; i < 2; ++i) {
    answered(ConsoleClient(client).link());  // which the log says
    heads_.push_back(answered(AuditClient(client).make_checkpoint()).size);
  }
  if (heads_.front() >= heads_.back()) fail("the log did not grow");
}

std::string ConsoleScene::link() const {
  const Client client = daemon();
  return answered(ConsoleClient(client).link()).url;
}

ConsoleScene::Session ConsoleScene::sign_in() const {
  const std::string url = link();
  const std::string secret = url.substr(url.find("#link=") + 6);
  TlsConnection browser = connect();
  const HttpAnswer answer = browser.send(request("POST", "/ui/session", R"({"link":")" + secret + "\"}", {}));
  if (answer.status != 201) fail("the console was not opened");
  const auto session = required(json::Document::parse(answer.body));
  const json::Value* const mark = session.root().find("mark");
  if (mark == nullptr) fail("the session has no mark");
  return {answer.cookie.substr(0, answer.cookie.find(';')), std::string(mark->string().value_or(""))};
}

HttpRequest ConsoleScene::request(const std::string& method, const std::string& target,
                                  const std::string& body, const Session& session) const {
  HttpRequest out{.method = method, .target = target, .headers = {}, .body = body};
  out.host = "localhost:" + std::to_string(port_);
  out.headers = {{"X-Chancery-Console", session.mark}, {"Sec-Fetch-Site", "same-origin"}};
  if (method != "GET") out.headers.emplace_back("Origin", origin());
  if (!session.cookie.empty()) out.headers.emplace_back("Cookie", session.cookie);
  return out;
}

}  // namespace chancery::bench
