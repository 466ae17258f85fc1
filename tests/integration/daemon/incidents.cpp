// Incidents with the real daemon on a real swtpm and the real program: opened there, verified without it.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <sys/stat.h>

#include <chancery/audit_client.hpp>

#include "tests/integration/daemon/spending_daemon.hpp"

namespace chancery::tests {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// The orchestrator has spent twice, and has delegated to support, which has spent once.
struct Incident : SpendingDaemon {
  Incident() {
    answered(daemon.client().create_agent(agent_of("support", ::geteuid())));
    api::CreateGrant request = grant_to("orchestrator");
    const std::vector<std::string> given = answered(daemon.client().grant(request)).chain;
    api::CreateDelegation narrower = delegation_of(given, "support");
    narrower.authority.scopes = {"payments.refund"};
    below = answered(daemon.client().delegate(narrower)).chain;
    BOOST_TEST(spend(chain, 10) == "permit");
    BOOST_TEST(spend(chain, 20) == "permit");
    BOOST_TEST(spend(below, 5) == "permit");
    const Client client = daemon.client();
    std::ofstream keys(path("audit.keys"));
    for (const api::AuditKey& key : answered(AuditClient(client).keys()).keys)
      keys << key.verifier_key << "\n";
    std::ofstream(path("trust.json"))
        << R"({"anchors":[{"iss":"https://issuer.test.example","keys":)" << issuer_keys() << "}]}";
  }

  [[nodiscard]] std::string issuer_keys() const {
    const std::string set = answered(daemon.client().jwks()).json;
    const std::size_t from = set.find('[');
    return set.substr(from, set.rfind(']') - from + 1);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return (daemon.folder() / name).string(); }

  [[nodiscard]] ProgramResult open(const std::string& agent, const std::string& file,
                                   std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"incident",    "open",  agent,     "--reason",
                                       "odd refunds", "--out", path(file)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_here(std::move(arguments));
  }
  [[nodiscard]] ProgramResult verify(const std::string& file, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"incident",         "verify",  path(file),        "--key",
                                       path("audit.keys"), "--trust", path("trust.json")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(std::move(arguments));
  }

  std::vector<std::string> below;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(incident_files)

BOOST_FIXTURE_TEST_CASE(one_stops_an_agent_and_verifies_when_the_daemon_is_gone, Incident) {
  const ProgramResult opened = open("orchestrator", "a.json");
  BOOST_TEST(opened.exit_status == 0, opened.output);
  BOOST_TEST(contains(opened.output, "SOUND"), opened.output);
  BOOST_TEST(spend(chain, 1) != "permit");
  BOOST_TEST(spend(below, 1) != "permit");
  struct stat status {};
  BOOST_REQUIRE(::stat(path("a.json").c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 0777u) == 0600u);

  daemon.stop();
  const ProgramResult verified = verify("a.json");
  BOOST_TEST(verified.exit_status == 0, verified.output);
  BOOST_TEST(contains(verified.output, "SOUND"), verified.output);
  BOOST_TEST(contains(verified.output, "action https://api.example.org (payments.refund): 2 times"),
             verified.output);
  BOOST_TEST(contains(verified.output, "agent support: 1 time"), verified.output);
  const ProgramResult json = verify("a.json", {"--format", "json"});
  BOOST_TEST(contains(json.output, R"("sound":true)"), json.output);
  BOOST_TEST(contains(json.output, R"("chains":3)"), json.output);
  BOOST_TEST(contains(json.output, R"("unverified_chains":0)"), json.output);
  BOOST_TEST(contains(json.output, R"("found":[])"), json.output);
}

BOOST_FIXTURE_TEST_CASE(the_agents_name_alone_is_enough_and_nothing_is_written_over, Incident) {
  const std::filesystem::path here = daemon.folder() / "here";
  std::filesystem::create_directory(here);
  const auto open_here = [&] {
    return run_program({"/bin/sh", "-c", R"(cd "$1" && exec "$2" incident open orchestrator --socket "$3")",
                        "sh", here.string(), CHANCERY_BINARY_DIR "/chancery", daemon.socket().string()});
  };
  const ProgramResult opened = open_here();
  BOOST_TEST(opened.exit_status == 0, opened.output);
  BOOST_TEST(spend(chain, 1) != "permit");
  BOOST_TEST(spend(below, 1) != "permit");
  const std::vector<std::filesystem::directory_entry> made{std::filesystem::directory_iterator(here), {}};
  BOOST_REQUIRE(made.size() == 1u);
  const std::string name = made[0].path().filename().string();
  BOOST_TEST(name.starts_with("orchestrator.2"), name);
  BOOST_TEST(name.ends_with("Z.incident.json"), name);
  BOOST_TEST(contains(opened.output, "the bundle is in " + name), opened.output);
  struct stat status {};
  BOOST_REQUIRE(::stat(made[0].path().c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 0777u) == 0600u);

  // Opened again, it has a file of its own, or is refused because the second is the same.
  const std::string text = text_of(made[0].path());
  const ProgramResult again = open_here();
  const auto files = std::distance(std::filesystem::directory_iterator(here), {});
  BOOST_TEST(files == (again.exit_status == 0 ? 2 : 1), again.output);
  BOOST_TEST(text_of(made[0].path()) == text);
}

BOOST_FIXTURE_TEST_CASE(one_that_was_changed_is_not_sound_and_says_what, Incident) {
  BOOST_TEST(open("orchestrator", "a.json").exit_status == 0);
  daemon.stop();
  const std::string text = text_of(path("a.json"));
  const std::string reason = R"("reason":"odd refunds","requests")";
  BOOST_REQUIRE(contains(text, reason));
  std::string altered = text;
  altered.replace(altered.find(reason), reason.size(), R"("reason":"odd refundz","requests")");
  std::ofstream(path("b.json")) << altered;
  const ProgramResult found = verify("b.json");
  BOOST_TEST(found.exit_status == 1, found.output);
  BOOST_TEST(contains(found.output, "NOT SOUND"), found.output);
  BOOST_TEST(contains(found.output, "the log has another hash of it"), found.output);

  std::ofstream(path("c.json")) << text.substr(0, text.size() / 2);
  BOOST_TEST(verify("c.json").exit_status == 2);
}

BOOST_FIXTURE_TEST_CASE(one_is_cut_where_that_is_asked_for_and_leaves_what_it_is_told_to_leave, Incident) {
  const ProgramResult opened =
      open("orchestrator", "a.json", {"--no-freeze", "--no-revoke", "--entries", "2"});
  BOOST_TEST(opened.exit_status == 0, opened.output);
  BOOST_TEST(spend(chain, 1) == "permit");
  BOOST_TEST(spend(below, 1) == "permit");
  const ProgramResult verified = verify("a.json");
  BOOST_TEST(verified.exit_status == 0, verified.output);
  BOOST_TEST(contains(verified.output, "there are older entries"), verified.output);
  BOOST_TEST(contains(verified.output, "2 in it"), verified.output);
}

BOOST_FIXTURE_TEST_CASE(a_file_that_is_there_is_not_replaced, Incident) {
  std::ofstream(path("a.json")) << "evidence of before";
  const ProgramResult opened = open("orchestrator", "a.json");
  BOOST_TEST(opened.exit_status != 0, opened.output);
  BOOST_TEST(text_of(path("a.json")) == "evidence of before");
  BOOST_TEST(spend(chain, 1) == "permit");  // nothing was done
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
