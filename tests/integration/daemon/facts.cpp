// What the real daemon tells of its devices and of itself, through the real `chancery`.

#include <string>

#include <boost/test/unit_test.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/wire/messages.hpp"
#include "simulators/softhsm/softhsm.hpp"
#include "simulators/swtpm/swtpm.hpp"
#include "tests/integration/daemon/scrape.hpp"
#include "tests/integration/daemon/two_devices.hpp"

namespace chancery::tests {
namespace {

/// A daemon with a TPM, which is the issuer's, and a token.
struct Told {
  simulators::Swtpm tpm = required(simulators::Swtpm::start({.folder = {}, .certificates = true}));
  simulators::SoftHsm tokens = required(simulators::SoftHsm::create());
  simulators::SoftToken token = required(tokens.add_token("told"));
  std::unique_ptr<DaemonProcess> daemon;

  Told() {
    tokens.use_in_this_process();
    DaemonSettings settings;
    settings.tcti = tpm.tcti();
    settings.extra = token_section(token);
    daemon = std::make_unique<DaemonProcess>(settings);
    daemon->start();
    BOOST_REQUIRE(daemon->client().create_agent(agent_of("support", ::geteuid())));
    BOOST_REQUIRE(eventually([&] { return daemon->client().readiness()->ready; }));
  }

  [[nodiscard]] ProgramResult chancery(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), CHANCERY_BINARY_DIR "/chancery");
    arguments.insert(arguments.end(), {"--socket", daemon->socket().string()});
    return run_program(arguments);
  }
};

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(backends_are_listed_for_people_and_for_programs, Told) {
  auto text = chancery({"backend", "list"});
  const auto is_idle = [&] { return contains(text.output, "default, issuer  1     0 "); };
  BOOST_TEST(eventually([&] { return is_idle() || (text = chancery({"backend", "list"}), is_idle()); }));
  BOOST_TEST(text.exit_status == 0, text.output);
  BOOST_TEST(text.output.starts_with("NAME  TYPE    STATE  ROLE             KEYS  QUEUED  DEVICE\n"
                                     "tpm   tpm     ok     default, issuer  1     0       IBM "),
             text.output);
  BOOST_TEST(contains(text.output, "\nhsm   pkcs11  ok     -                0     0       SoftHSM"),
             text.output);

  const auto json = chancery({"backend", "list", "--format", "json"});
  const auto list = wire::read_backend_list(json.output);
  BOOST_REQUIRE_MESSAGE(list, json.output);
  BOOST_REQUIRE(list->backends.size() == 2u);
  BOOST_TEST(list->backends[0].agent_keys == 1);
  BOOST_TEST(list->backends[0].is_issuer);
  BOOST_TEST(list->backends[1].type == "pkcs11");
  BOOST_TEST(list->backends[1].facts.empty());
}

BOOST_FIXTURE_TEST_CASE(a_backend_is_shown_with_the_facts_of_its_device, Told) {
  const auto shown = chancery({"backend", "show", "tpm"});
  BOOST_TEST(shown.exit_status == 0, shown.output);
  BOOST_TEST(has_line(shown.output, "  EK certificates: RSA 2048, ECC P-384"), shown.output);
  const auto token_shown = chancery({"backend", "show", "hsm"});
  BOOST_TEST(has_line(token_shown.output, "  PIN: set, all tries left"), token_shown.output);
  const auto unknown = chancery({"backend", "show", "none"});
  BOOST_TEST(unknown.exit_status == 1, unknown.output);
  BOOST_TEST(contains(unknown.output, "chancery backend list"), unknown.output);
}

BOOST_FIXTURE_TEST_CASE(a_device_that_is_away_is_told_and_the_other_one_is_well, Told) {
  tpm.kill();
  BOOST_REQUIRE(eventually([&] { return chancery({"backend", "show", "tpm"}).exit_status == 2; }));
  const auto listed = chancery({"backend", "list"});
  BOOST_TEST(listed.exit_status == 2);
  BOOST_TEST(contains(listed.output, "tpm   tpm     device_unavailable  "), listed.output);
  BOOST_TEST(contains(listed.output, "hsm   pkcs11  ok "), listed.output);
  const std::string scraped = scrape(*daemon);
  BOOST_TEST(metric(scraped, "chancery_backend_up{backend=\"tpm\"}").value() == 0);
  BOOST_TEST(metric(scraped, "chancery_backend_up{backend=\"hsm\"}").value() == 1);
  const auto doctor = chancery({"doctor"});
  BOOST_TEST(doctor.exit_status == 2);
  BOOST_TEST(contains(doctor.output, "problem\tbackend tpm: device_unavailable"), doctor.output);
}

BOOST_FIXTURE_TEST_CASE(doctor_finds_nothing_wrong_with_a_healthy_daemon, Told) {
  const auto doctor = chancery({"doctor"});
  BOOST_TEST(doctor.exit_status == 0, doctor.output);
  BOOST_TEST(!contains(doctor.output, "problem\t"), doctor.output);
  for (const char* line : {"ok\tbackend tpm, lockout: ", "ok\tbackend tpm, object slots: 3 free\n",
                           "ok\tbackend hsm, token: initialized, login required\n",
                           "ok\tdaemon's process, core dumps: off, no debugger of the same user\n",
                           "ok\tdaemon's process, master secret: ", "ok\tdaemon's process, state folder: ",
                           "ok\tdaemon's process, PIN of hsm: ", "ok\tagents: none is frozen\n"}) {
    BOOST_TEST(contains("\n" + doctor.output, std::string("\n") + line), line << " in " << doctor.output);
  }
  // The test's socket is open to everybody.
  BOOST_TEST(contains(doctor.output, "note\tdaemon's process, socket: "), doctor.output);
}

BOOST_FIXTURE_TEST_CASE(doctor_finds_files_that_are_open_to_others, Told) {
  struct Opened {
    std::filesystem::path path;
    const char* subject;
    mode_t open;
    mode_t closed;
  };
  for (const Opened& file : {Opened{token.pin_file, "PIN of hsm", 0644, 0600},
                             Opened{daemon->state() / "master.key", "master secret", 0640, 0600},
                             Opened{daemon->state(), "state folder", 0711, 0700}}) {
    BOOST_REQUIRE(::chmod(file.path.c_str(), file.open) == 0);
    const auto doctor = chancery({"doctor"});
    BOOST_REQUIRE(::chmod(file.path.c_str(), file.closed) == 0);
    BOOST_TEST(doctor.exit_status == 2, file.subject);
    BOOST_TEST(contains(doctor.output, std::string("problem\tdaemon's process, ") + file.subject),
               doctor.output);
  }
  BOOST_TEST(chancery({"doctor"}).exit_status == 0);
}

BOOST_FIXTURE_TEST_CASE(others_than_the_operator_are_told_nothing_of_devices, Told) {
  if (::geteuid() != 0) {
    BOOST_TEST_MESSAGE("needs root: a caller under another uid");
    return;
  }
  constexpr std::uint32_t kStranger = 61104;
  const int status = run_as(kStranger, [&] {
    const Client client = daemon->client();
    const auto list = client.backends();
    const auto one = client.backend("tpm");
    const auto process = client.process();
    const bool refused = !list && !one && !process && list.error().status == 403 &&
                         one.error().status == 403 && process.error().status == 403;
    return refused ? 0 : 1;
  });
  BOOST_TEST(status == 0);
}

BOOST_FIXTURE_TEST_CASE(metrics_follow_what_the_daemon_does, Told) {
  const Client client = daemon->client();
  const auto granted = client.grant(grant_to("support"));
  BOOST_REQUIRE(granted);
  BOOST_REQUIRE(client.delegate(delegation_of(granted->chain, "support")));
  const std::string scraped = scrape(*daemon);
  BOOST_TEST(metric(scraped, "chancery_tokens_total").value() == 2);
  BOOST_TEST(metric(scraped, "chancery_agents{state=\"active\"}").value() == 1);
  BOOST_TEST(
      metric(scraped, "chancery_requests_total{method=\"POST\",route=\"/v1/delegations\",status=\"2xx\"}")
          .value() == 1);
  BOOST_TEST(metric(scraped, "chancery_backend_live_sessions{backend=\"hsm\"}").value() >= 1);
}

}  // namespace chancery::tests
