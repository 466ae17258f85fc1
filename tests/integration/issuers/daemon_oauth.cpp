// Tokens for one call from the real daemon, by an authorization server that nobody here wrote.

#include <array>
#include <charconv>
#include <fstream>
#include <set>
#include <thread>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chancery/runtime_client.hpp>
#include <chancery/vault_client.hpp>

#include "tests/integration/issuers/daemon_scene.hpp"
#include "tests/integration/issuers/provider_scene.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

constexpr const char* kRefreshed = "/token refresh_token 200";

bool has(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

ProviderScene& provider() {
  static ProviderScene started;
  return started;
}

std::string section(const std::string& name, const std::string& type, const std::string& more) {
  const std::string at = provider().address();
  return "[[vault.issuer]]\nname = \"" + name + "\"\ntype = \"" + type + "\"\nserver = \"" + at +
         "\"\ntoken_endpoint = \"" + at + "/token\"\nca = \"" + provider().ca_file() +
         "\"\nscopes = [\"orders.read\"]\nresource = \"" + ProviderScene::kResource + "\"\n" + more;
}

std::string all_sections() {
  const std::string at = provider().address();
  const std::string revokes = "revocation_endpoint = \"" + at + "/token/revocation\"\n";
  const std::string by_secret = "client_id = \"by-secret\"\nsecret = \"crm-secret\"\n";
  return section("crm", "oauth_client_credentials", revokes + by_secret) +
         section("lasting", "oauth_client_credentials", by_secret) +
         section("calendar", "oauth_grant",
                 "client_id = \"by-nothing\"\nauthentication = \"none\"\nauthorization_endpoint = \"" + at +
                     "/auth\"\n");
}

struct Daemon : DaemonScene {
  Daemon() : DaemonScene(all_sections()) {
    put_issued("crm-token", "crm");
    put_issued("lasting-token", "lasting");
    put_issued("calendar-token", "calendar");
  }
  void tell_secret(const std::string& value = ProviderScene::kSecret) const {
    api::PutCredential request;
    request.name = "crm-secret";
    request.value = SecretBytes(as_bytes(value));
    request.type = "client_secret";
    request.scope = "orders.read";
    request.tools = {"issuer/crm", "issuer/lasting"};
    const Client client = daemon.client();
    answered(VaultClient(client).put(request));
  }
  void consent() const {
    const Client client = daemon.client();
    const auto begun = answered(VaultClient(client).begin_consent("calendar", {4711}));
    const std::string query = provider().browse({begun.authorization_url, {}, {}});
    const auto issuer =
        answered(VaultClient(client).finish_consent("calendar", {SecretBytes(as_bytes(query))}));
    BOOST_TEST(issuer.state == "ready");
  }
  static bool is_active(const api::Permit& permit) {
    vault::IssuedCredential credential;
    credential.value = SecretBytes(permit.credential->value.view());
    return provider().is_active(credential);
  }
  std::string state_of(const std::string& issuer) const {
    const std::string said = issuers().output;
    const std::size_t line = said.find(issuer + "  ");
    BOOST_REQUIRE_MESSAGE(line != std::string::npos, said);
    return said.substr(line, said.find('\n', line) - line);
  }
};

std::string error_in(const ClientResult<api::Permit>& result) {
  return result ? "none" : result.error().code;
}

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// As a browser does: opens that on loopback, and reads the answer.
std::string open_on_loopback(std::uint16_t port, const std::string& target) {
  const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(peer, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    BOOST_TEST(::send(peer, request.data(), request.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(request.size()));
    std::array<char, 1024> part{};
    for (ssize_t got = 0; (got = ::recv(peer, part.data(), part.size(), 0)) > 0;)
      answer.append(part.data(), static_cast<std::size_t>(got));
  }
  ::close(peer);
  return answer;
}

/// `chancery vault consent`, which waits for a browser.
class Consenting {
 public:
  explicit Consenting(const DaemonScene& scene, bool is_pasted = false)
      : out_(scene.daemon.folder() / "consent.out"), in_(scene.daemon.folder() / "consent.in") {
    std::filesystem::remove(out_);
    std::filesystem::remove(in_);
    BOOST_REQUIRE(::mkfifo(in_.c_str(), 0600) == 0);
    const std::string command = std::string("exec \"$0\" vault consent calendar --socket \"$1\" ") +
                                (is_pasted ? "--paste < \"$2\"" : "< /dev/null");
    pid_ = start_program({"/bin/sh", "-c", command, CHANCERY_BINARY_DIR "/chancery",
                          scene.daemon.socket().string(), in_.string()},
                         out_);
    if (is_pasted) typed_.open(in_);
    BOOST_REQUIRE_MESSAGE(eventually([&] { return has(output(), "https://") && has(output(), "\n"); }),
                          output());
  }

  [[nodiscard]] std::string output() const { return text_of_file(out_); }
  [[nodiscard]] std::string url() const {
    const std::string said = output();
    const std::size_t begin = said.find("https://");
    return said.substr(begin, said.find_first_of("\r\n", begin) - begin);
  }
  void type(const std::string& line) { typed_ << line << std::endl; }
  [[nodiscard]] int end() { return end_of_program(pid_); }

 private:
  const std::filesystem::path out_;
  const std::filesystem::path in_;
  std::ofstream typed_;
  pid_t pid_ = -1;
};

std::uint16_t port_in(const std::string& url) {
  const std::string mark = "127.0.0.1%3A";
  const std::size_t at = url.find(mark);
  BOOST_REQUIRE_MESSAGE(at != std::string::npos, url);
  std::uint16_t port = 0;
  std::from_chars(url.data() + at + mark.size(), url.data() + url.size(), port);
  return port;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(daemon_oauth)

BOOST_FIXTURE_TEST_CASE(a_permit_has_a_token_that_works_until_its_result_is_reported, Daemon) {
  tell_secret();
  const api::Permit permit = permitted("crm-token");
  BOOST_TEST(permit.credential->is_issued);
  BOOST_TEST(is_active(permit));
  BOOST_REQUIRE(permit.credential->expires_at);
  BOOST_TEST(*permit.credential->expires_at <= now() + ProviderScene::kLifetime.count());
  report(permit);
  BOOST_TEST(eventually([&] { return !is_active(permit); }));
  BOOST_TEST(count("\"credential.issue\"") == 1u);
  BOOST_TEST(count(value_of(permit)) == 0u);
  BOOST_TEST(!has(daemon.output(), value_of(permit)));
}

BOOST_FIXTURE_TEST_CASE(a_token_is_good_for_no_longer_than_the_leaf, Daemon) {
  tell_secret();
  const api::Permit ends_with_call = permitted("crm-token", 60s);  // its server takes it back
  report(ends_with_call);
  BOOST_TEST(eventually([&] { return !is_active(ends_with_call); }));
  const api::Permit unreported = permitted("crm-token", 5s);  // as by a runtime that was killed
  BOOST_TEST(is_active(unreported));
  BOOST_TEST(eventually([&] { return !is_active(unreported); }));
  BOOST_TEST(count("\"tool.unreported\"") == 0u);
  BOOST_TEST(error_in(ask("lasting-token", 60s)) == "limit_exceeded");
  BOOST_TEST(count(R"("error":"limit_exceeded")") == 1u);
  report(permitted("lasting-token"));  // a leaf that lives longer than the token
}

BOOST_FIXTURE_TEST_CASE(an_issuer_that_lacks_its_secret_says_so_and_goes_on_once_it_has_it, Daemon) {
  BOOST_TEST(error_in(ask("crm-token")) == "config_invalid");
  BOOST_TEST(has(state_of("crm"), "failing"));
  BOOST_TEST(issuers().exit_status == 1);
  tell_secret("wrong");
  BOOST_TEST(error_in(ask("crm-token")) == "request_refused");
  const Client client = daemon.client();
  answered(VaultClient(client).rotate("crm-secret", {SecretBytes(as_bytes(ProviderScene::kSecret)), {}, 0s}));
  report(permitted("crm-token"));
  BOOST_TEST(has(state_of("crm"), "ready"));
}

BOOST_FIXTURE_TEST_CASE(fifty_permits_on_one_grant_make_one_refresh_and_the_next_token_survives_a_restart,
                        Daemon) {
  BOOST_TEST(error_in(ask("calendar-token")) == "credential_expired");
  BOOST_TEST(has(state_of("calendar"), "needs_consent"));
  consent();
  const std::size_t before = provider().count(kRefreshed);
  const std::vector<std::string> chain = granted(1h);
  std::vector<api::AskPermit> questions;
  for (int i = 0; i < 50; ++i) questions.push_back(question("calendar-token", chain));
  std::array<std::string, 50> tokens;
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    callers.emplace_back([&, i] {
      const Client client = daemon.client();
      const auto permit = RuntimeClient(client).ask_permit(questions[i]);
      if (permit && permit->credential) tokens[i] = value_of(*permit);
    });
  }
  for (std::thread& caller : callers) caller.join();
  BOOST_TEST(provider().count(kRefreshed) == before + 1);
  BOOST_TEST(!tokens.front().empty());
  BOOST_TEST((std::set<std::string>(tokens.begin(), tokens.end()).size() == 1));

  BOOST_TEST(daemon.stop() == 0);
  daemon.start();
  BOOST_TEST(has(state_of("calendar"), "ready"));
  const api::Permit permit = permitted("calendar-token");  // by the token that the refresh left
  BOOST_TEST(is_active(permit));
  BOOST_TEST(value_of(permit) != tokens.front());
  BOOST_TEST(provider().count(kRefreshed) == before + 2);
}

BOOST_FIXTURE_TEST_CASE(a_grant_that_was_revoked_is_noticed_at_the_first_401, Daemon) {
  consent();
  const api::Permit permit = permitted("calendar-token");
  // This server ends the grant with any of its tokens (RFC 7009 section 2.1).
  must(provider().public_client()->revoke(permit.credential->value.view(), "access_token", soon()));
  report(permit, true);
  BOOST_TEST(error_in(ask("calendar-token")) == "credential_expired");
  BOOST_TEST(has(state_of("calendar"), "needs_consent"), state_of("calendar"));
  const ProgramResult said = issuers();
  BOOST_TEST(said.exit_status == 1);
  BOOST_TEST(has(said.output, "chancery vault consent calendar"), said.output);
  BOOST_TEST(!has(said.output, "invalid_grant"));  // a provider's words
  consent();
  report(permitted("calendar-token"));
}

BOOST_FIXTURE_TEST_CASE(a_person_consents_by_the_command_line, Daemon) {
  Consenting command(*this);
  const std::uint16_t port = port_in(command.url());
  BOOST_TEST(has(open_on_loopback(port, "/favicon.ico"), "404"));
  const std::string query = provider().browse({command.url(), {}, {}}, true,
                                              "http://127.0.0.1:" + std::to_string(port) + "/callback");
  BOOST_TEST(has(open_on_loopback(port, "/callback?" + query), "200 OK"));
  BOOST_TEST(command.end() == 0, command.output());
  BOOST_TEST(has(command.output(), "ready"), command.output());
  BOOST_TEST(is_active(permitted("calendar-token")));
  BOOST_TEST(count("\"issuer.consent\"") == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_person_who_does_not_consent_is_no_grant, Daemon) {
  Consenting command(*this);
  const std::uint16_t port = port_in(command.url());
  const std::string query = provider().browse({command.url(), {}, {}}, false,
                                              "http://127.0.0.1:" + std::to_string(port) + "/callback");
  open_on_loopback(port, "/callback?" + query);
  BOOST_TEST(command.end() != 0);
  BOOST_TEST(has(command.output(), "did not consent"), command.output());
  BOOST_TEST(error_in(ask("calendar-token")) == "credential_expired");
}

BOOST_FIXTURE_TEST_CASE(the_redirect_can_be_pasted, Daemon) {
  Consenting command(*this, true);
  const std::string query = provider().browse({command.url(), {}, {}}, true, "http://127.0.0.1/callback");
  command.type("http://127.0.0.1/callback?" + query);
  BOOST_TEST(command.end() == 0, command.output());
  report(permitted("calendar-token"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
