#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/service/console_desk.hpp"
#include "sdk/base/base64url.hpp"
#include "tests/unit/sdk/made_passkey.hpp"
#include "tests/unit/service/approval_fixture.hpp"

namespace chancery::tests {

inline constexpr std::uint32_t kBobUid = 5001;
inline constexpr const char* kBob = "user:bob@example.org";
inline constexpr const char* kCarol = "user:carol@example.org";
inline constexpr const char* kOrigin = "https://localhost:8443";

/// The console's files, in a folder of their own.
class MadeConsole {
 public:
  MadeConsole() {
    std::string name = (std::filesystem::temp_directory_path() / "console-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
    std::filesystem::create_directory(folder_ / "assets");
    put("index.html", "<!doctype html><title>Chancery</title>");
    put("favicon.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    put("assets/index-4f2a.js", "console.log(1)");
  }
  ~MadeConsole() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  MadeConsole(const MadeConsole&) = delete;
  MadeConsole& operator=(const MadeConsole&) = delete;

  void put(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] service::ConsoleFiles files() const {
    auto files = service::ConsoleFiles::read(folder_);
    BOOST_REQUIRE(files);
    return *std::move(files);
  }

 private:
  std::filesystem::path folder_;
};

/// A daemon with a console, whose requests a browser would make.
struct ConsoleFixture : Approvals {
  using Headers = std::vector<std::pair<std::string, std::string>>;

  ConsoleFixture() {
    office().console = &desk;
    change_policy([](service::Policy& policy) {
      policy.passkeys = local_party();
      policy.tool_approvers = {kBob};
      policy.granted_scopes = {"crm.*", "payments.*", "mail.*"};
    });
  }

  static service::ConsoleOptions options() {
    service::ConsoleOptions options;
    options.party = local_party();
    options.approvers = {{kBobUid, kBob}};
    options.session_life = std::chrono::hours(8);
    options.session_idle = std::chrono::minutes(15);
    return options;
  }

  /// What a browser adds to a request of the page.
  [[nodiscard]] Headers of_page(const std::string& method) const {
    Headers headers{{"x-chancery-console", mark.empty() ? "1" : mark}, {"sec-fetch-site", "same-origin"}};
    if (method != "GET") headers.emplace_back("origin", kOrigin);
    if (!cookie.empty()) headers.emplace_back("cookie", "other=1; __Host-chancery=" + cookie);
    return headers;
  }

  Response page(const std::string& method, const std::string& path, const std::string& body = "",
                Headers more = {}) {
    Headers headers = of_page(method);
    headers.insert(headers.end(), more.begin(), more.end());
    return call(method, path, body, std::nullopt, std::move(headers));
  }

  [[nodiscard]] static std::optional<std::string> field(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
      if (key == name) return value;
    return std::nullopt;
  }

  /// The secret of a new link.
  std::string link(std::uint32_t uid = kOperatorUid) {
    const Response made = call("POST", "/v1/console/links", "{}", uid);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    const std::string url = member(made, "url");
    return url.substr(url.find("#link=") + 6);
  }

  Response exchange(const std::string& secret) {
    const std::string former = std::exchange(mark, "");
    Response opened = page("POST", "/ui/session", R"({"link":")" + secret + "\"}");
    mark = former;
    return opened;
  }

  /// Takes the cookie of an answer, as a browser does, and the mark, as the page does.
  void keep_cookie(const Response& response) {
    const std::string set = field(response, "Set-Cookie").value_or("");
    const std::size_t begin = set.find('=') + 1;
    cookie = set.substr(begin, set.find(';') - begin);
    mark = member(response, "mark");
  }

  void sign_in(std::uint32_t uid = kOperatorUid) {
    const Response opened = exchange(link(uid));
    BOOST_REQUIRE_MESSAGE(opened.status == 201, opened.body);
    keep_cookie(opened);
  }

  /// Makes a passkey somebody's, as an enrolment would.
  void enrol(const MadePasskey& passkey, const std::string& principal, const std::string& credential) {
    store::NewApproverKey key;
    key.principal = principal;
    key.key.jkt = passkey.public_key().thumbprint();
    key.key.kind = "passkey";
    key.key.jwk = passkey.public_key().jwk();
    key.key.credential_id = credential;
    key.key.enrolled_at = kNow;
    key.key.enrolled_by = "operator";
    if (first) key.by = first;
    store::AuditEntry entry;
    entry.at = kNow;
    entry.action = "approver.enroll";
    const auto done = office().approvers.enroll(key, entry);
    BOOST_REQUIRE_MESSAGE(done, (done ? "" : done.error().what));
    if (!first) first = key.key.jkt;
  }

  struct Question {
    std::string id;
    Bytes challenge;
  };
  /// What an answer asks a passkey.
  static Question question_of(const Response& response) {
    BOOST_REQUIRE_MESSAGE(response.status == 200, response.body);
    const auto challenge = base64url_decode(of(member(response, "options"), "challenge"));
    BOOST_REQUIRE(challenge);
    return {member(response, "id"), *challenge};
  }

  Response answer_sign_in(const std::string& id, const std::string& credential,
                          const PasskeyAssertion& assertion) {
    return page("POST", "/ui/session/passkey",
                R"({"id":")" + id + R"(","credential_id":")" + credential + R"(","assertion":)" +
                    passkey_assertion_json(assertion) + "}");
  }
  void sign_in_with(const MadePasskey& passkey, const std::string& credential) {
    const Question asked = question_of(page("POST", "/ui/session/challenge", "{}"));
    const Response done =
        answer_sign_in(asked.id, credential, passkey.sign(MadePasskey::answer_to(asked.challenge)));
    BOOST_REQUIRE_MESSAGE(done.status == 200, done.body);
    keep_cookie(done);
  }

  /// The header that confirms a request.
  static Headers confirmation(const std::string& id, const PasskeyAssertion& assertion) {
    const std::string json =
        R"({"id":")" + id + R"(","assertion":)" + passkey_assertion_json(assertion) + "}";
    return {{"chancery-confirmation", base64url_encode(as_bytes(json))}};
  }
  Question ask_confirmation(const std::string& method, const std::string& path, const std::string& body) {
    return question_of(
        page("POST", "/ui/confirmations",
             json::to_jcs(json::Node::object({{"method", method}, {"path", path}, {"body", body}}))));
  }

  MadeConsole built;
  service::ConsoleDesk desk{options(), built.files()};
  std::string cookie;
  std::string mark;
  std::optional<Thumbprint> first;  ///< of the key that was enrolled first
};

}  // namespace chancery::tests
