// The vault with the real programs on a real swtpm: how values get in, that they come out nowhere, and that a copy of it
// opens nothing elsewhere.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chancery/vault_client.hpp>

#include "sdk/base/base64.hpp"
#include "tests/integration/cli/chancery_process.hpp"
#include "tests/integration/cli/terminal.hpp"
#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/planted.hpp"
#include "tests/integration/daemon/process_memory.hpp"
#include "tests/integration/daemon/scrape.hpp"
#include "tests/integration/daemon/started_tpm.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using testing::Chancery;
using testing::Run;
using testing::Terminal;

constexpr const char* kValue = "canary-credential-5b81c07e-1";
constexpr const char* kNext = "canary-credential-5b81c07e-2";

bool has(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

/// A value in any of the forms in which it could have been written down.
bool shows(const std::string& text, const std::string& value) {
  const ByteView octets = as_bytes(value);
  for (const Bytes& form : forms_of({"value", {octets.begin(), octets.end()}})) {
    if (contains(as_bytes(text), form)) return true;
  }
  return has(text, base64_encode(octets));
}

std::vector<std::string> described(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--type", "api_key", "--scope", "payments.refund", "--tool", "refund"});
  return arguments;
}

struct VaultDaemon {
  VaultDaemon() {
    daemon.start();
    use(daemon);
  }

  void use(const DaemonProcess& other) { cli.set("CHANCERY_SOCKET", other.socket().string()); }
  /// Puts a value through standard input; the description where it is new.
  Run put(const std::string& value, bool is_new = true) {
    const std::vector<std::string> arguments{"vault", "put", "psp", "--stdin"};
    return note(cli.run(is_new ? described(arguments) : arguments, value));
  }
  Run run(const std::vector<std::string>& arguments, const std::string& input = {}) {
    return note(cli.run(arguments, input));
  }
  std::string file(const std::string& name, const std::string& text, mode_t mode = 0600) {
    std::string path = cli.file(name, text);
    BOOST_REQUIRE(::chmod(path.c_str(), mode) == 0);
    return path;
  }
  /// Everything that the program has said is searched at the end.
  Run note(Run done) {
    said += done.out + done.err;
    return done;
  }
  static void expect(const Run& done, int exit) { BOOST_TEST(done.exit == exit, done.out << done.err); }

  void expect_shown_nowhere(const std::string& value) {
    BOOST_TEST(!shows(said, value), said);
    BOOST_TEST(!shows(daemon.output(), value));
    BOOST_TEST(!shows(scrape(daemon), value));
    const Run exported = cli.run({"audit", "export", "--sign"});
    BOOST_TEST(has(exported.out, "credential.put"), exported.err);
    BOOST_TEST(!shows(exported.out, value));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(daemon.state())) {
      if (entry.is_regular_file()) BOOST_TEST(!shows(read_file(entry.path()), value), entry.path());
    }
  }

  simulators::Swtpm tpm = start_tpm();
  DaemonProcess daemon{{.tcti = tpm.tcti(), .extra = "[log]\nlevel = \"trace\"\n"}};
  Chancery cli;
  std::string said;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(vault)

BOOST_FIXTURE_TEST_CASE(a_value_gets_in_by_input_file_and_terminal_and_comes_out_nowhere, VaultDaemon) {
  expect(put(std::string(kValue) + "\n"), 0);
  expect(run({"vault", "put", "psp", "--file", file("next", std::string(kNext) + "\n")}), 0);
  const std::string typed = "canary-credential-5b81c07e-3";
  {
    Terminal terminal(described({"vault", "put", "typed"}), {{"CHANCERY_SOCKET", daemon.socket().string()}});
    terminal.expect("value of typed: ");
    const std::string process = "/proc/" + std::to_string(terminal.pid());
    const std::string arguments = read_file(process + "/cmdline") + read_file(process + "/environ");
    terminal.type(typed + "\n");
    terminal.expect("again: ");
    terminal.type(typed + "\n");
    BOOST_TEST(terminal.end() == 0, terminal.shown());
    BOOST_TEST(has(arguments, "typed"));
    said += terminal.shown() + arguments;
  }
  for (const char* const format : {"text", "json"}) {
    expect(run({"vault", "list", "--format", format}), 0);
    expect(run({"vault", "show", "psp", "--format", format}), 0);
    expect(run({"vault", "age", "--format", format}), 0);
    expect(run({"impact", "--credential", "psp", "--format", format}), 0);
  }
  expect(run({"vault", "activate", "psp", "--drain", "1m"}), 0);
  BOOST_TEST(has(said, "payments.refund"));
  for (const std::string& value : {std::string(kValue), std::string(kNext), typed})
    expect_shown_nowhere(value);
}

BOOST_FIXTURE_TEST_CASE(what_is_typed_twice_differently_is_not_put, VaultDaemon) {
  Terminal terminal(described({"vault", "put", "typed"}), {{"CHANCERY_SOCKET", daemon.socket().string()}});
  terminal.expect("value of typed: ");
  terminal.type("one-value\n");
  terminal.expect("again: ");
  terminal.type("another-value\n");
  BOOST_TEST(terminal.end() == 2);
  BOOST_TEST(has(terminal.shown(), "not the same"), terminal.shown());
  BOOST_TEST(!has(terminal.shown(), "one-value"));
  expect(run({"vault", "show", "typed"}), 1);
}

BOOST_FIXTURE_TEST_CASE(ctrl_c_gives_up_and_leaves_the_terminal_as_it_was, VaultDaemon) {
  Terminal terminal(described({"vault", "put", "typed"}), {{"CHANCERY_SOCKET", daemon.socket().string()}});
  terminal.expect("value of typed: ");
  terminal.type("half\x03\n");
  BOOST_TEST(terminal.end() == 2);
  BOOST_TEST(has(terminal.shown(), "given up"), terminal.shown());
}

BOOST_FIXTURE_TEST_CASE(a_value_is_no_argument, VaultDaemon) {
  const std::vector<std::vector<std::string>> attempts{
      described({"vault", "put", "psp", kValue}),
      described({"vault", "put", "psp", "--value", kValue}),
      described({"vault", "put", "psp", std::string("--secret=") + kValue}),
      described({"vault", "put", "SK_" + std::string(kValue)}),
      {"vault", "rotate", "psp", kValue}};
  for (const std::vector<std::string>& attempt : attempts) {
    const Run refused = run(attempt, "other-value");
    expect(refused, 2);
    BOOST_TEST(has(refused.err, "never an argument"), refused.err);
  }
  BOOST_TEST(!has(said, kValue), said);
  expect(run({"vault", "show", "psp"}), 1);
}

BOOST_FIXTURE_TEST_CASE(a_value_that_others_may_read_or_that_is_none_is_not_taken, VaultDaemon) {
  const Run open = run(described({"vault", "put", "psp", "--file", file("open", kValue, 0644)}));
  expect(open, 2);
  BOOST_TEST(has(open.err, "0600"), open.err);
  expect(run(described({"vault", "put", "psp", "--file", file("empty", "\n")})), 2);
  expect(run(described({"vault", "put", "psp", "--file", file("large", std::string(16385, 'x'))})), 2);
  expect(run(described({"vault", "put", "psp"}), kValue), 2);  // no terminal, and nothing said
  expect(run({"vault", "put", "psp", "--stdin"}, kValue), 1);  // described by nothing
  expect(run({"vault", "show", "psp"}), 1);
}

BOOST_FIXTURE_TEST_CASE(a_former_value_is_revoked_by_the_daemon_when_nothing_uses_it, VaultDaemon) {
  expect(put(kValue), 0);
  expect(put(kNext, false), 0);
  expect(run({"vault", "activate", "psp"}), 0);
  BOOST_TEST(eventually([&] { return has(cli.run({"vault", "show", "psp"}).out, "revoked"); }));
  BOOST_TEST(has(cli.run({"audit", "export"}).out, "credential.retire"));
}

BOOST_FIXTURE_TEST_CASE(an_expired_value_fails_the_age_report, VaultDaemon) {
  expect(run(described({"vault", "put", "psp", "--stdin", "--expires", "1s"}), kValue), 0);
  BOOST_TEST(eventually([&] { return cli.run({"vault", "age"}).exit == 1; }));
  BOOST_TEST(has(cli.run({"vault", "age"}).out, "expired"));
}

BOOST_FIXTURE_TEST_CASE(an_env_file_is_imported_and_the_rest_of_it_told, VaultDaemon) {
  const std::string env = file("env",
                               "# settings\nLOG_LEVEL=debug\nSTRIPE_API_KEY=" + std::string(kValue) +
                                   "\nDB_PASSWORD='" + kNext + "'\nBROKEN=\"x\nMORE\n",
                               0644);
  const Run imported = run(
      {"vault", "import", env, "--only", "STRIPE_API_KEY", "--scope", "payments.refund", "--tool", "refund"});
  expect(imported, 0);
  BOOST_TEST(has(imported.out, "STRIPE_API_KEY  put as stripe-api-key, version 1, active"), imported.out);
  BOOST_TEST(has(imported.out, "LOG_LEVEL  skipped: not named with --only\n"), imported.out);
  BOOST_TEST(has(imported.out, "DB_PASSWORD  skipped: not named with --only; looks like a secret"),
             imported.out);
  BOOST_TEST(has(imported.out, "BROKEN  skipped: its quote does not end"), imported.out);
  BOOST_TEST(has(imported.err, "others may read"), imported.err);
  expect(run({"vault", "show", "stripe-api-key"}), 0);
  expect(run({"vault", "show", "db-password"}), 1);
  const Run absent = run({"vault", "import", env, "--only", "ABSENT", "--scope", "a.b", "--tool", "t"});
  expect(absent, 2);
  BOOST_TEST(has(absent.err, "ABSENT"), absent.err);
  expect_shown_nowhere(kValue);
  BOOST_TEST(!shows(said, kNext), said);
}

// A change of what a credential is for opens each of its values and seals it anew: that shows whether the vault opens.
BOOST_FIXTURE_TEST_CASE(the_vault_opens_again_after_a_restart, VaultDaemon) {
  expect(put(kValue), 0);
  BOOST_TEST(daemon.stop() == 0);
  daemon.start();
  expect(run({"vault", "change", "psp", "--owner", "payments"}), 0);
}

BOOST_FIXTURE_TEST_CASE(a_copy_with_the_master_secret_opens_nothing_on_another_tpm, VaultDaemon) {
  expect(put(kValue), 0);
  BOOST_TEST(daemon.stop() == 0);
  const simulators::Swtpm another = start_tpm();
  DaemonProcess thief({.tcti = another.tcti(), .extra = "[budgets]\ncheckpoint = \"none\"\n"});
  std::filesystem::copy(daemon.state(), thief.state(), std::filesystem::copy_options::recursive);
  BOOST_REQUIRE(::chmod(thief.state().c_str(), 0700) == 0);
  BOOST_TEST(std::filesystem::exists(thief.state() / "master.key"));
  thief.start();
  use(thief);
  const Run elsewhere = run({"vault", "change", "psp", "--owner", "thief"});
  BOOST_TEST(elsewhere.exit != 0);
  BOOST_TEST(has(elsewhere.err, "wrong_device"), elsewhere.err);
  expect(run({"backend", "adopt", "tpm"}), 0);
  Run adopted;
  const auto is_lost = [&] {
    adopted = run({"vault", "change", "psp", "--owner", "thief"});
    return has(adopted.err, "key_lost");
  };
  BOOST_TEST(eventually(is_lost), adopted.err);
  BOOST_TEST(adopted.exit != 0);
  BOOST_TEST(has(adopted.err, "chancery vault reset"), adopted.err);
  BOOST_TEST(put(kNext, false).exit != 0);
  expect(run({"vault", "reset"}), 2);
  expect(run({"vault", "reset", "--forget-all-credentials"}), 0);
  expect(put(kNext, false), 0);
  expect(run({"vault", "change", "psp", "--owner", "payments"}), 0);
}

BOOST_FIXTURE_TEST_CASE(a_value_is_in_the_daemons_memory_no_longer_than_its_request, VaultDaemon) {
#ifdef CHANCERY_IS_SANITIZED
  BOOST_TEST_MESSAGE("skipped: the sanitizer's runtime keeps freed memory as it was");
  return;
#endif
  expect(put(kValue), 0);
  expect(put(kNext, false), 0);
  expect(run({"vault", "change", "psp", "--owner", "payments"}), 0);
  const ProcessMemory memory(daemon.pid());
  if (!memory.is_readable()) {
    BOOST_TEST_MESSAGE("skipped: the kernel does not show the daemon's memory");
    return;
  }
  BOOST_TEST(!memory.find(as_bytes("credential.put")).empty());  // what the search can find at all
  for (const std::string value : {kValue, kNext}) {
    const std::string text = base64_encode(as_bytes(value));
    BOOST_TEST(eventually([&] { return memory.find(as_bytes(value)).empty(); }), value);
    BOOST_TEST(eventually([&] { return memory.find(as_bytes(text)).empty(); }), text);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
