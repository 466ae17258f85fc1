// The console as a browser meets it: over real TLS, opened by the real command.

#include <array>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <chancery/approval_decision.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/wire/approval_messages.hpp"
#include "sdk/wire/approver_messages.hpp"
#include "tests/integration/cli/chancery_process.hpp"
#include "tests/integration/daemon/kept_daemon.hpp"
#include "tests/integration/edge/raw_client.hpp"
#include "tests/unit/sdk/made_passkey.hpp"

namespace chancery::tests {
namespace {

using testing::Answer;

constexpr std::array kGuards{"Content-Security-Policy",
                             "X-Content-Type-Options",
                             "X-Frame-Options",
                             "Referrer-Policy",
                             "Cross-Origin-Opener-Policy",
                             "Cross-Origin-Embedder-Policy",
                             "Cross-Origin-Resource-Policy",
                             "Permissions-Policy"};

std::string member(const std::string& json, std::string_view name) {
  const auto document = json::Document::parse(json);
  BOOST_REQUIRE_MESSAGE(document, json);
  const json::Value* const value = document->root().find(name);
  return value == nullptr ? "" : std::string(value->string().value_or(value->source()));
}

/// A daemon with a console, and what a browser sends to it.
struct Console {
  explicit Console(const std::string& options = "") {
    std::filesystem::create_directory(files.path() / "assets");
    std::ofstream(files.path() / "index.html") << "<!doctype html><title>Chancery</title>";
    std::ofstream(files.path() / "assets" / "index-1.js") << "1;";
    DaemonSettings settings = kept.settings();
    settings.extra = "[console]\nenabled = true\nfiles = \"" + files.path().string() + "\"\n" + options;
    daemon = std::make_unique<DaemonProcess>(settings);
    daemon->start();
    chancery.set("CHANCERY_SOCKET", daemon->socket().string());
    chancery.set("XDG_RUNTIME_DIR", chancery.folder().string());
  }

  [[nodiscard]] std::string origin() const { return "https://localhost:" + std::to_string(kept.port); }

  struct Sent {
    std::string method = "GET";
    std::string path;
    std::string body{};
    std::string origin{};               ///< empty: the console's own, of what is no GET
    std::optional<std::string> mark{};  ///< none: the session's, or that of a page without one
    std::string site = "same-origin";
  };
  Answer send(const Sent& sent) const {
    auto client = testing::RawClient::to_tls(kept.port, daemon->folder() / "ca.pem");
    std::string head = sent.method + " " + sent.path +
                       " HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: " + sent.site + "\r\n";
    const std::string shown = sent.mark.value_or(mark.empty() ? "1" : mark);
    if (!shown.empty()) head += "X-Chancery-Console: " + shown + "\r\n";
    if (sent.method != "GET") head += "Origin: " + (sent.origin.empty() ? origin() : sent.origin) + "\r\n";
    if (!cookie.empty()) head += "Cookie: __Host-chancery=" + cookie + "\r\n";
    if (!sent.body.empty()) head += "Content-Type: application/json\r\n";
    head += "Content-Length: " + std::to_string(sent.body.size()) + "\r\n\r\n";
    BOOST_REQUIRE(client.send(head + sent.body));
    const auto answer = client.receive();
    BOOST_REQUIRE(answer);
    return *answer;
  }
  Answer get(const std::string& path) const { return send({.path = path}); }

  /// Runs the command, and takes the link out of the file that it wrote.
  std::string link() {
    const testing::Run run = chancery.run({"--format", "json", "console", "--no-browser"});
    BOOST_REQUIRE_MESSAGE(run.exit == 0, run.err);
    BOOST_TEST(member(run.out, "role") == "operator");
    page_file = member(run.out, "path");
    const std::string page = testing::read_file(page_file);
    BOOST_TEST((run.out.find("link=") == std::string::npos), "the link is on the standard output");
    const std::string before = "content=\"0;url=" + origin() + "/ui#link=";
    const std::size_t at = page.find(before);
    BOOST_REQUIRE_MESSAGE(at != std::string::npos, page);
    return page.substr(at + before.size(), 22);
  }

  Answer exchange(const std::string& secret) const {
    return send(
        {.method = "POST", .path = "/ui/session", .body = R"({"link":")" + secret + "\"}", .mark = "1"});
  }
  void sign_in() {
    const Answer opened = exchange(link());
    BOOST_REQUIRE_MESSAGE(opened.status == 201, opened.body);
    const std::string set = opened.field("Set-Cookie").value_or("");
    const std::size_t begin = set.find('=') + 1;
    cookie = set.substr(begin, set.find(';') - begin);
    mark = member(opened.body, "mark");
  }

  KeptDaemon kept;
  testing::TemporaryFolder files;
  std::unique_ptr<DaemonProcess> daemon;
  testing::Chancery chancery;
  std::filesystem::path page_file;
  std::string cookie;
  std::string mark;
};

void expect_guarded(const Answer& answer, const std::string& what) {
  for (const char* name : kGuards) BOOST_TEST(answer.field(name).has_value(), what << ": " << name);
  BOOST_TEST(
      answer.field("Content-Security-Policy").value_or("").find("default-src 'none'; script-src 'self'") ==
          0u,
      what);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(console)

BOOST_FIXTURE_TEST_CASE(every_answer_is_guarded, Console) {
  const Answer page = get("/ui");
  BOOST_TEST(page.status == 200);
  BOOST_TEST(page.body == "<!doctype html><title>Chancery</title>");
  BOOST_TEST(page.field("Cache-Control").value_or("") == "no-store");
  expect_guarded(page, "the page");
  const Answer asset = get("/ui/assets/index-1.js");
  BOOST_TEST(asset.field("Cache-Control").value_or("") == "public, max-age=31536000, immutable");
  expect_guarded(asset, "an asset");
  expect_guarded(get("/ui/none"), "what is not there");
  expect_guarded(get("/ui/session"), "no session");
  expect_guarded(send({.method = "POST", .path = "/ui/session", .body = "{}"}), "a bad body");
  expect_guarded(
      send({.method = "POST", .path = "/ui/session", .body = "{}", .origin = "https://evil.example"}),
      "another origin");
  sign_in();
  expect_guarded(get("/ui/api/overview"), "an answer");
}

BOOST_FIXTURE_TEST_CASE(the_command_hands_the_browser_a_file_of_its_owners, Console) {
  const std::string secret = link();
  struct stat file {};
  struct stat folder {};
  BOOST_REQUIRE(::stat(page_file.c_str(), &file) == 0);
  BOOST_REQUIRE(::stat(page_file.parent_path().c_str(), &folder) == 0);
  BOOST_TEST((file.st_mode & 0777) == 0600u);
  BOOST_TEST((folder.st_mode & 0777) == 0700u);
  BOOST_TEST((daemon->output().find(secret) == std::string::npos), "the link is in the log");
}

BOOST_FIXTURE_TEST_CASE(a_link_opens_one_session_and_looks_alike_whatever_is_wrong, Console) {
  const std::string secret = link();
  const Answer opened = exchange(secret);
  BOOST_TEST(opened.status == 201, opened.body);
  const std::string set = opened.field("Set-Cookie").value_or("");
  BOOST_TEST(set.starts_with("__Host-chancery="));
  BOOST_TEST(set.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"));
  const Answer used = exchange(secret);
  const Answer wrong = exchange(std::string(22, 'A'));
  BOOST_TEST(used.status == 401);
  BOOST_TEST(used.body == wrong.body);
  const testing::Run log = chancery.run({"audit", "tail", "--lines", "20"});
  BOOST_REQUIRE_MESSAGE(log.exit == 0, log.err);
  BOOST_TEST((log.out.find("console.link") != std::string::npos), log.out);
  BOOST_TEST((log.out.find("console.sign_in") != std::string::npos), log.out);
}

BOOST_FIXTURE_TEST_CASE(no_other_page_uses_a_session, Console) {
  sign_in();
  BOOST_TEST(get("/ui/api/agents").status == 200);
  BOOST_TEST(send({.path = "/ui/api/agents", .mark = ""}).status == 403);
  BOOST_TEST(send({.path = "/ui/api/agents", .mark = "1"}).status == 401);
  BOOST_TEST(send({.path = "/ui/api/agents", .site = "cross-site"}).status == 403);
  const auto sign_out_from = [&](const std::string& from) {
    return send({.method = "DELETE", .path = "/ui/session", .origin = from}).status;
  };
  BOOST_TEST(sign_out_from("https://evil.example") == 403);
  BOOST_TEST(sign_out_from("null") == 403);
  BOOST_TEST(sign_out_from("http://localhost:" + std::to_string(kept.port)) == 403);
  BOOST_TEST(get("/ui/session").status == 200);
  BOOST_TEST(send({.method = "DELETE", .path = "/ui/session"}).status == 204);
  BOOST_TEST(get("/ui/session").status == 401);
  cookie.clear();
  BOOST_TEST(get("/ui/api/agents").status == 401);
}

BOOST_FIXTURE_TEST_CASE(a_restart_ends_every_session, Console) {
  sign_in();
  BOOST_REQUIRE(daemon->stop() == 0);
  daemon->start();
  BOOST_TEST(get("/ui/session").status == 401);
  sign_in();
  BOOST_TEST(get("/ui/session").status == 200);
}

BOOST_AUTO_TEST_CASE(how_long_a_session_lives_is_configured) {
  Console console("session_life = \"60s\"\nsession_idle = \"60s\"\n");
  console.sign_in();
  const std::string session = console.get("/ui/session").body;
  BOOST_TEST(std::stoll(member(session, "ends_at")) - std::stoll(member(session, "began_at")) == 60);
  BOOST_TEST(member(session, "idle_s") == "60");
}

BOOST_FIXTURE_TEST_CASE(the_console_is_on_tls_alone, Console) {
  auto plain = testing::RawClient::to_plain(kept.plain_port);
  BOOST_REQUIRE(plain.send("GET /ui HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  BOOST_TEST(plain.receive()->status == 404);
  auto socket = testing::RawClient::to_unix(daemon->socket());
  BOOST_REQUIRE(socket.send("GET /ui HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  BOOST_TEST(socket.receive()->status == 404);
}

namespace {

constexpr const char* kRefunds = R"([[gate]]
name = "refunds"
scopes = ["payments.refund"]
approvers = ["group:finance"]
)";

/// A console of a daemon with a gate, and an authenticator made of software.
struct WithPasskey : Console {
  WithPasskey() : Console(kRefunds) {
    sign_in();
    answered(daemon->client().create_agent(agent_of("orchestrator", ::geteuid())));
    chain = answered(daemon->client().grant(grant_to("orchestrator"))).chain;
  }

  std::string post(const std::string& path, const std::string& body, int status = 200) {
    const Answer answer = send({.method = "POST", .path = path, .body = body});
    BOOST_REQUIRE_MESSAGE(answer.status == status, path + ": " + answer.body);
    if (const auto set = answer.field("Set-Cookie")) {
      const std::size_t begin = set->find('=') + 1;
      cookie = set->substr(begin, set->find(';') - begin);
      mark = member(answer.body, "mark");
    }
    return answer.body;
  }
  struct Question {
    std::string id;
    Bytes challenge;
  };
  static Question question_of(const std::string& answer) {
    const auto challenge = base64url_decode(member(member(answer, "options"), "challenge"));
    BOOST_REQUIRE_MESSAGE(challenge, answer);
    return {member(answer, "id"), *challenge};
  }

  /// The browser has the authenticator make a passkey; the operator has it enrolled, as nobody is yet.
  void enrol() {
    const Question asked = question_of(
        post("/ui/passkeys/options", R"({"principal":"user:bob@example.org","groups":["finance"]})"));
    PasskeyAnswer answer = passkey.registration_for(asked.challenge);
    answer.origin = origin();
    const PasskeyRegistration made = passkey.register_with(answer);
    const std::string registration = R"({"authenticatorData":")" + base64url_encode(made.authenticator_data) +
                                     R"(","clientDataJSON":")" +
                                     base64url_encode(as_bytes(made.client_data)) + R"(","id":")" +
                                     base64url_encode(made.credential_id) + "\"}";
    const std::string checked =
        post("/ui/passkeys", R"({"id":")" + asked.id + R"(","registration":)" + registration + "}");
    BOOST_TEST(member(checked, "first") == "true");
    post("/ui/api/approvers", wire::write(api::EnrollApprover{member(checked, "enrolment"), {}}), 201);
  }
  [[nodiscard]] PasskeyAssertion assertion_for(ByteView challenge, const std::string& from) const {
    PasskeyAnswer answer = MadePasskey::answer_to(challenge);
    answer.origin = from;
    return passkey.sign(answer);
  }
  void sign_in_as_bob() {
    const Question asked = question_of(post("/ui/session/challenge", "{}"));
    const std::string session = post(
        "/ui/session/passkey", R"({"id":")" + asked.id + R"(","credential_id":")" +
                                   base64url_encode(passkey.credential_id()) + R"(","assertion":)" +
                                   passkey_assertion_json(assertion_for(asked.challenge, origin())) + "}");
    BOOST_TEST(member(session, "principal") == "user:bob@example.org");
  }

  /// What an enforcement point is told.
  [[nodiscard]] api::Decision ask() const {
    const Client client = daemon->client();
    return answered(client.authorize(answered(refund_of(client, chain, 20))));
  }

  MadePasskey passkey;
  std::vector<std::string> chain;
};

}  // namespace

// What [console] says of origins and RP id is what decisions by passkeys are held against, with the real program.
BOOST_FIXTURE_TEST_CASE(a_passkey_is_enrolled_signs_in_and_decides, WithPasskey) {
  enrol();
  sign_in_as_bob();
  const api::Decision waiting = ask();
  BOOST_REQUIRE(waiting.approval);
  const std::string id = waiting.approval->id;
  const std::string prepared =
      post("/ui/decisions", R"({"request":")" + id + R"(","verdict":"approve","reason":"as agreed"})");
  BOOST_TEST(member(prepared, "request_sha256") == waiting.approval->sha256);
  const std::string input = member(prepared, "input");
  const std::string path = "/ui/api/approvals/" + id + "/decision";
  const auto decided_from = [&](const std::string& from) {
    const PasskeyAssertion assertion = assertion_for(passkey_challenge(input), from);
    return wire::write(api::DecideApproval{signed_by_passkey(input, assertion), {}});
  };
  const std::string elsewhere = "https://localhost:" + std::to_string(kept.port + 1);
  const Answer refused = send({.method = "POST", .path = path, .body = decided_from(elsewhere)});
  BOOST_TEST(member(refused.body, "code") == "proof_refused", refused.body);
  BOOST_TEST(!ask().permitted);
  const std::string decided = post(path, decided_from(origin()));
  BOOST_TEST(member(decided, "state") == "approved");
  BOOST_TEST(member(decided, "enforcement") == "software-enforced");
  BOOST_TEST(ask().permitted);
  BOOST_TEST(!ask().permitted);
}

BOOST_AUTO_TEST_CASE(without_it_there_is_none) {
  const KeptDaemon kept;
  const auto daemon = kept.started();
  auto client = testing::RawClient::to_tls(kept.port, daemon->folder() / "ca.pem");
  BOOST_REQUIRE(client.send("GET /ui HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  BOOST_TEST(client.receive()->status == 404);
  testing::Chancery chancery;
  chancery.set("CHANCERY_SOCKET", daemon->socket().string());
  const testing::Run run = chancery.run({"console", "--no-browser"});
  BOOST_TEST(run.exit == 1);
  BOOST_TEST((run.err.find("[console] enabled") != std::string::npos), run.err);
}

BOOST_AUTO_TEST_CASE(a_folder_without_a_console_is_refused_before_anything_happens) {
  const KeptDaemon kept;
  DaemonSettings settings = kept.settings();
  settings.extra = "[console]\nenabled = true\nfiles = \"/nonexistent\"\n";
  DaemonProcess daemon(settings);
  const DaemonProcess::Ending checked = daemon.check();
  BOOST_TEST(checked.exit_status == 1);
  BOOST_TEST((checked.output.find("[console] files") != std::string::npos), checked.output);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
