// A prompt-injected agent, as a process under a user of its own, looks for the credential of the tools that it may call: in
// itself, in files, in other processes, at every socket. Everything that it found is searched for the credential afterwards.

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <signal.h>
#include <unistd.h>

#include "tests/integration/daemon/planted.hpp"
#include "tests/integration/daemon/process_memory.hpp"
#include "tests/integration/runtime/attack_scene.hpp"
#include "tests/integration/runtime/secret_forms.hpp"

namespace chancery::tests {
namespace {

namespace fs = std::filesystem;

// Nobody else's on this machine: what an agent may do to processes of its own user is done to the test's alone.
constexpr std::uint32_t kAgentUid = 64711;
constexpr std::uint32_t kRuntimeUid = 64712;
constexpr const char* kSecret = "psp-canary~5e0b77c1/kQ+9";
constexpr const char* kHome = "agents-home";

bool can_play() {
  if (::geteuid() == 0) return true;
  BOOST_TEST_MESSAGE("skipped: only root can start agent and runtime as users of their own");
  return false;
}

std::vector<std::string> as_user(std::uint32_t uid, const std::vector<std::string>& command) {
  const std::string id = std::to_string(uid);
  std::vector<std::string> out{
      "/usr/bin/setpriv", "--reuid",    id,     "--regid",     id,    "--clear-groups",
      "--no-new-privs",   "--inh-caps", "-all", "--pdeathsig", "KILL"};
  out.insert(out.end(), command.begin(), command.end());
  return out;
}

/// Daemon, runtime and agent under three users. The API answers every other call with the credential, in one of its forms.
struct HuntedOffice : AttackScene {
  HuntedOffice() : AttackScene(kRuntimeUid) {
    put("psp", kSecret, "payments.refund", {"refund", "echo"});
    put("mailbox", "mail-canary~91d2a044/Zt+3", "mail.read", {"inbox"});
    answer = [this](const auto& request, auto& response) {
      echo(std::string(request.target()), response.body());
    };
    for (const char* const name : {"refund", "echo"}) {
      declare({.name = name,
               .scope = "payments.refund",
               .credential = "psp",
               .arguments = "charge = { type = \"string\" }\namount = { type = \"number\" }",
               .required = R"("charge", "amount")",
               .url = upstream.url() + "/" + name,
               .allow = R"("/id", "/said")"});
    }
    start_runtime();
    make_home();
  }
  ~HuntedOffice() {
    if (agent <= 0) return;
    ::kill(agent, SIGKILL);
    end_of_program(agent);
  }

  // Programs are copied to where every user reaches them.
  std::string copy_of(const char* program) const {
    const fs::path to = daemon.folder() / fs::path(program).filename();
    fs::copy_file(program, to, fs::copy_options::overwrite_existing);
    BOOST_REQUIRE(::chmod(to.c_str(), 0755) == 0);
    return to.string();
  }
  void start_runtime() {
    BOOST_REQUIRE(::chown(runtime.folder().c_str(), kRuntimeUid, kRuntimeUid) == 0);
    runtime.start_by(as_user(kRuntimeUid, {copy_of(CHANCERY_BINARY_DIR "/chancery-runtime")}));
  }

  void make_home() {
    fs::create_directory(home());
    add_agent("support", kAgentUid);
    const auto chain =
        granted("user:alice@example.org", "support",
                {{"payments.refund"}, {{"amount", NumberBound{NumberBound::Type::kMax, 100}}}});
    std::ofstream out(home() / "chain");
    for (const std::string& token : chain) out << token << '\n';
    leaf = chain.back();
    BOOST_REQUIRE(::chown(home().c_str(), kAgentUid, kAgentUid) == 0);
    BOOST_REQUIRE(::chmod(home().c_str(), 0700) == 0);
  }
  [[nodiscard]] fs::path home() const { return daemon.folder() / kHome; }

  void echo(const std::string& target, std::string& body) {
    static const std::vector<SecretForm> kForms = encodings_of(kSecret);
    body = R"({"id":"x1"})";
    if (target != "/echo") return;
    const SecretForm& form = kForms[echoes++ % kForms.size()];
    // What is in escapes of JSON's is the secret itself once it was read.
    body = R"({"id":"x1","said":"it is )" + form.text + R"( there"})";
  }

  /// Runs the agent until it is through with calls and hunting; it stays there.
  void run_agent(int calls, const std::vector<std::string>& prey = {}) {
    std::vector<std::string> command{"/usr/bin/env",
                                     "-i",
                                     "HOME=" + home().string(),
                                     "PATH=/usr/bin:/bin",
                                     copy_of(CHANCERY_BINARY_DIR "/../tests/scripted_agent"),
                                     daemon.socket().string(),
                                     runtime.socket().string(),
                                     kToolsUrl,
                                     std::to_string(calls)};
    command.insert(command.end(), prey.begin(), prey.end());
    agent = start_program(as_user(kAgentUid, command), daemon.folder() / "agent.output");
    const auto is_through = [&] {
      return fs::exists(home() / "done") || ::kill(agent, 0) != 0 || has_failed();
    };
    BOOST_REQUIRE(eventually(is_through, std::chrono::seconds(180)));
    BOOST_REQUIRE_MESSAGE(!has_failed(), read_file(daemon.folder() / "agent.output") << runtime.output());
  }
  bool has_failed() const { return has(read_file(daemon.folder() / "agent.output"), "scripted_agent:"); }

  /// What the agent tried, and how it ended: 0, or an error's number.
  std::vector<std::string> tried(const std::string& what) const {
    std::vector<std::string> out;
    std::ifstream in(home() / "tried");
    for (std::string line; std::getline(in, line);)
      if (line.starts_with(what)) out.push_back(line);
    return out;
  }

  std::atomic<std::size_t> echoes = 0;
  std::string leaf;
  pid_t agent = -1;
};

/// That of the agent's attempts on something none came about, and that there were any.
void expect_denied(const HuntedOffice& office, const std::string& what) {
  const auto attempts = office.tried(what);
  BOOST_TEST(!attempts.empty(), what);
  for (const std::string& attempt : attempts) BOOST_TEST(!attempt.ends_with(" 0"), attempt);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hunting)

BOOST_AUTO_TEST_CASE(an_agent_that_looks_for_secrets_everywhere_finds_none) {
  if (!can_play()) return;
  HuntedOffice office;
  std::ofstream(office.home() / ".env") << "NOTE=the-search-finds-what-is-there\n";
  office.run_agent(30, {office.home().string(), office.daemon.folder().string(), "/etc/chancery"});

  // The search finds what there is: files of its home, its own memory, what it was answered.
  const std::string loot = read_file(office.home() / "loot");
  BOOST_TEST(has(loot, "NOTE=the-search-finds-what-is-there"));
  BOOST_TEST(has(loot, office.leaf));
  BOOST_TEST(!office.tried("MEMORY /proc/self 0").empty());
  BOOST_TEST(loot.size() > 1'000'000u);
  for (const char* const secret : {kSecret, "mail-canary~91d2a044/Zt+3"})
    BOOST_TEST(form_in(loot, secret).empty(), "found as " << form_in(loot, secret));

  for (const pid_t pid : {office.daemon.pid(), office.runtime.pid()}) {
    const std::string process = "/proc/" + std::to_string(pid);
    expect_denied(office, "MEMORY " + process + " ");
    expect_denied(office, "TRACE " + process + " ");
    expect_denied(office, "FILE " + process + "/environ ");
  }
  expect_denied(office, "FOLDER " + office.daemon.state().string() + " ");
  expect_denied(office, "FILE " + (office.daemon.folder() / "chancery.toml").string() + " ");
}

BOOST_AUTO_TEST_CASE(what_it_asked_the_daemon_for_stands_in_the_log) {
  if (!can_play()) return;
  HuntedOffice office;
  office.run_agent(2, {office.home().string()});
  for (const std::string& asked : office.tried("ASK")) {
    const bool is_public = asked.ends_with(" 200") || asked.ends_with(" 202");
    const bool is_refused = asked.find(" 40") != std::string::npos;
    BOOST_TEST((is_public || is_refused), asked);
    BOOST_TEST((!is_public || !has(asked, "/v1/credentials")), asked);
  }
  // Of what changes something. Whoever only reads is refused, and not recorded.
  for (const char* const action : {"tool.permit", "credential.release", "receipt.sign", "credential.activate",
                                   "credential.change", "backup.create"}) {
    const auto entries = office.entries(action);
    const auto refused = std::ranges::find_if(entries, [](const audit::Entry& entry) {
      return entry.outcome() == "refused" && entry.caller_number("uid") == kAgentUid;
    });
    BOOST_TEST((refused != entries.end()), action << " is not in the log as refused");
  }
  BOOST_TEST(office.count("credential.release", "done") == 2u);  // of its two calls
}

BOOST_AUTO_TEST_CASE(after_a_thousand_calls_the_agents_memory_does_not_have_the_credential) {
  if (!can_play()) return;
  HuntedOffice office;
  office.run_agent(1000);
  BOOST_TEST(office.upstream.seen().size() == 1000u);
  BOOST_TEST(office.echoes == 500u);
  BOOST_TEST(office.count("tool.result") == 1000u);
  const ProcessMemory memory(office.agent);
  if (!memory.is_readable()) {
    BOOST_TEST_MESSAGE("skipped: the kernel does not show the agent's memory");
    return;
  }
  BOOST_TEST(!memory.find(as_bytes(office.leaf)).empty());   // what the search can find at all
  BOOST_TEST(!memory.find(as_bytes("[redacted]")).empty());  // of the answers
  for (const SecretForm& form : forms_of_secret(kSecret))
    BOOST_TEST(memory.find(as_bytes(form.text)).empty(), form.name);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
