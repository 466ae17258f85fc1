// The module in a process of its own: what ends there does not end here.

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "hsm/pkcs11/cryptoki.hpp"
#include "hsm/pkcs11/token_messages.hpp"
#include "tests/unit/pkcs11/onlooker.hpp"
#include "tests/unit/pkcs11/owner_child.hpp"
#include "tests/unit/pkcs11/simulated_token.hpp"

namespace chancery::simulators {
static std::ostream& operator<<(std::ostream& out, Pkcs11Call call) { return out << static_cast<int>(call); }
}  // namespace chancery::simulators

namespace chancery::hsm {
namespace {

using namespace std::chrono_literals;
namespace data = boost::unit_test::data;
using simulators::Pkcs11Call;
using enum Pkcs11Call;
using enum ErrorCode;

pid_t child() {
  std::optional<pid_t> found;
  eventually([&] { return (found = owner_child()).has_value(); });
  return *found;
}

struct Isolated : SimulatedToken {
  std::unique_ptr<Pkcs11Backend> backend = required(Pkcs11Backend::open(isolated()));

  /// Private and public halves in the token.
  [[nodiscard]] std::size_t objects() const {
    const Onlooker onlooker(*this);
    return onlooker.objects(CKO_PRIVATE_KEY).size() + onlooker.objects(CKO_PUBLIC_KEY).size();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(the_other_process_signs_and_nothing_of_it_remains, Isolated) {
  const StoredKey key = create_key(*backend);
  BOOST_TEST(!sign_code(*backend, key).has_value());
  BOOST_TEST(backend->describe().manufacturer == "SoftHSM project");
  BOOST_TEST(backend->load().live_sessions >= 1u);
  BOOST_TEST(backend->load().recoveries == 0u);
  const pid_t process = child();
  backend.reset();
  BOOST_TEST(::kill(process, 0) != 0);
  BOOST_TEST(faults.calls(kFinalize) == 1u);
  BOOST_TEST(faults.calls(kCloseSession) >= 1u);
}

BOOST_FIXTURE_TEST_CASE(the_other_process_is_told_no_secret_where_others_look, Isolated) {
  const std::string at = "/proc/" + std::to_string(child());
  for (const char* const file : {"/cmdline", "/environ"}) {
    BOOST_TEST(file_text(at + file).find(simulators::SoftHsm::kPin) == std::string::npos);
  }
  std::size_t descriptors = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(at + "/fd")) {
    const std::filesystem::path file = std::filesystem::read_symlink(entry.path());
    descriptors += file.string().starts_with("socket:") ? 1 : 0;
  }
  BOOST_TEST(descriptors == 1u);
}

BOOST_DATA_TEST_CASE(a_crash_costs_no_request, data::make(std::array{kSign, kSignInit, kFindObjects}), call) {
  Isolated run;
  const StoredKey key = create_key(*run.backend);
  const pid_t first = child();
  run.faults.fail(kSign, CKR_SESSION_HANDLE_INVALID, 1);  // so that the key is found anew
  run.faults.crash(call);
  BOOST_TEST(!sign_code(*run.backend, key).has_value());
  BOOST_TEST(child() != first);
  BOOST_TEST(run.backend->load().recoveries >= 1u);
}

BOOST_DATA_TEST_CASE(a_crash_once_the_module_has_obeyed_costs_no_request,
                     data::make(std::array{kSign, kSignInit, kFindObjects}), call) {
  Isolated run;
  const StoredKey key = create_key(*run.backend);
  run.faults.fail(kSign, CKR_SESSION_HANDLE_INVALID, 1);  // so that the key is found anew
  const pid_t first = child();
  run.faults.crash_late(call);
  BOOST_TEST(!sign_code(*run.backend, key).has_value());
  BOOST_TEST(child() != first);
}

BOOST_FIXTURE_TEST_CASE(who_crashes_it_twice_is_told_and_the_others_go_on, Isolated) {
  const StoredKey key = create_key(*backend);
  faults.crash(kSign, 2);
  BOOST_TEST((sign_code(*backend, key) == kDeviceUnavailable));
  BOOST_TEST(!sign_code(*backend, key).has_value());
  BOOST_TEST(backend->load().recoveries == 2u);
}

BOOST_DATA_TEST_CASE(a_crash_at_the_start_is_not_noticed,
                     data::make(std::array{kInitialize, kGetSlotList, kOpenSession, kLogin}), call) {
  const SimulatedToken simulated;
  const_cast<simulators::Pkcs11Faults&>(simulated.faults).crash(call);
  const auto backend = required(Pkcs11Backend::open(simulated.isolated()));
  BOOST_TEST(!sign_code(*backend, create_key(*backend)).has_value());
  BOOST_TEST(backend->load().recoveries == 1u);
}

BOOST_FIXTURE_TEST_CASE(whoever_kills_it_stops_nobody, Isolated) {
  const StoredKey key = create_key(*backend);
  std::atomic<bool> is_enough = false;
  std::array<std::atomic<int>, 4> good{};
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> callers;
    for (std::atomic<int>& mine : good) {
      callers.emplace_back([&] {
        while (!is_enough) {
          const auto signature = backend->sign(key, as_bytes("message"), far_away());
          (signature ? mine : refused) += 1;
          if (!signature) is_enough = true;
        }
      });
    }
    // Until each has asked the present process afresh: nothing of theirs is then under way a second time.
    const auto all_go_on = [&] {
      std::array<int, 4> before{};
      std::ranges::copy(good, before.begin());
      const auto goes_on = [](int was, const std::atomic<int>& is) { return is > was + 5; };
      eventually([&] { return is_enough || std::ranges::equal(before, good, goes_on); });
    };
    for (std::uint64_t kills = 1; kills <= 4; ++kills) {
      all_go_on();
      ::kill(child(), SIGKILL);
      eventually([&] { return backend->load().recoveries >= kills || is_enough; });
    }
    all_go_on();
    is_enough = true;
  }
  BOOST_TEST(refused == 0);
}

BOOST_DATA_TEST_CASE(a_crash_leaves_no_pair_that_nobody_knows,
                     data::make(std::array{kGenerateKeyPair, kGetAttributeValue}), call) {
  Isolated run;
  run.faults.crash(call);
  const StoredKey key = create_key(*run.backend);
  BOOST_TEST(run.objects() == 2u);
  BOOST_TEST(!sign_code(*run.backend, key).has_value());

  run.faults.crash(call, 2);
  const auto failed = run.backend->create({"other", "k1"}, Algorithm::kES256, far_away());
  BOOST_REQUIRE(!failed);
  BOOST_TEST((failed.error().code == kDeviceUnavailable));
  eventually([&backend = *run.backend] { return backend.load().queued == 0; });
  BOOST_TEST(run.objects() == 2u);
  BOOST_TEST(!sign_code(*run.backend, key).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_pair_that_nobody_waited_for_is_removed, Isolated) {
  faults.hold(kGenerateKeyPair);
  BOOST_TEST((backend->create({"agent", "k1"}, Algorithm::kES256, in(50ms)).error().code == kDeviceTimeout));
  eventually([&] { return faults.waiting(kGenerateKeyPair) == 1; });
  faults.release(kGenerateKeyPair);
  eventually([&] { return backend->load().queued == 0; });
  BOOST_TEST(objects() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_stall_ends_for_its_caller_and_then_for_the_process, SimulatedToken) {
  Pkcs11Options impatient = isolated(2);
  impatient.timeout = 500ms;
  const auto backend = required(Pkcs11Backend::open(std::move(impatient)));
  const StoredKey key = create_key(*backend);
  const pid_t first = child();
  BOOST_TEST(backend->load().is_up);
  faults.hold(kSign);
  BOOST_TEST((sign_code(*backend, key, in(50ms)) == kDeviceTimeout));
  BOOST_TEST(!backend->load().is_up);
  BOOST_TEST((sign_code(*backend, key, in(50ms)) == kDeviceTimeout));
  eventually([&] { return backend->load().recoveries >= 1; });  // all sessions are stalled
  faults.release(kSign);
  BOOST_TEST(!sign_code(*backend, key).has_value());
  BOOST_TEST(child() != first);
  BOOST_TEST(backend->load().is_up);
}

BOOST_FIXTURE_TEST_CASE(one_stalled_session_does_not_end_the_process, SimulatedToken) {
  Pkcs11Options impatient = isolated(2);
  impatient.timeout = 200ms;
  const auto backend = required(Pkcs11Backend::open(std::move(impatient)));
  const StoredKey key = create_key(*backend);
  faults.hold(kGenerateKeyPair);
  const auto until = in(1500ms);  // beyond what would end it
  BOOST_TEST((backend->create({"slow", "k"}, Algorithm::kES256, until).error().code == kDeviceTimeout));
  BOOST_TEST(backend->load().recoveries == 0u);
  BOOST_TEST(!sign_code(*backend, key).has_value());
  faults.release(kGenerateKeyPair);
}

BOOST_FIXTURE_TEST_CASE(a_stopped_process_is_replaced, SimulatedToken) {
  Pkcs11Options impatient = isolated(1);
  impatient.timeout = 500ms;
  const auto backend = required(Pkcs11Backend::open(std::move(impatient)));
  const StoredKey key = create_key(*backend);
  ::kill(child(), SIGSTOP);
  BOOST_TEST(!sign_code(*backend, key).has_value());
  BOOST_TEST(backend->load().recoveries == 1u);
}

namespace {

struct ProgramCase {
  const char* what;
  const char*
      script;  // $facts and $answer are files of whole messages, of $facts_size and $answer_size octets
};
std::ostream& operator<<(std::ostream& out, const ProgramCase& c) { return out << c.what; }

// Faster than one thread reads.
constexpr const char* kSendWithoutEnd =
    "for i in 1 2 3; do while dd if=$facts bs=$facts_size >&3 2>/dev/null; do :; done & done; wait";

const std::array kPrograms{
    ProgramCase{"ends at once", "exit 0"},
    ProgramCase{"sends what is no message", "printf garbage >&3; exec sleep 60"},
    ProgramCase{"sends half a message", "printf '\\003\\377\\377' >&3; exec sleep 60"},
    ProgramCase{"answers what was not asked",
                "dd if=$answer bs=$answer_size count=1 >&3 2>/dev/null; exec sleep 60"},
    ProgramCase{"sends without end", kSendWithoutEnd},
    ProgramCase{"says nothing", "exec sleep 60"},
    ProgramCase{"closes the socket and stays", "exec 3>&-; exec sleep 60"},
};

/// Writes a message many times. \return what tells a script of it
std::string messages(const std::filesystem::path& file, const std::string& name, ByteView message) {
  std::ofstream out(file);
  for (int i = 0; i < 10'000; ++i) out << as_text(message);
  return name + "=" + file.string() + "\n" + name + "_size=" + std::to_string(message.size()) + "\n";
}

std::unique_ptr<Pkcs11Backend> open_with(const SimulatedToken& simulated, const char* script) {
  const std::filesystem::path folder = simulated.store.folder(), program = folder / "program";
  std::ofstream(program) << "#!/bin/sh\n"
                         << messages(folder / "facts", "facts", encode(TokenFacts{}))
                         << messages(folder / "answer", "answer",
                                     encode(TokenAnswer{1 << 20, {}, TokenReply{}}))
                         << script << "\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  Pkcs11Options options = simulated.isolated();
  options.owner_program = program;
  options.timeout = 100ms;
  return required(Pkcs11Backend::open(std::move(options)));
}

}  // namespace

BOOST_DATA_TEST_CASE(a_program_that_does_not_serve_is_an_error_in_time, data::make(kPrograms), c) {
  const SimulatedToken simulated;
  const auto backend = open_with(simulated, c.script);
  const Status status = backend->check(in(1s));
  BOOST_REQUIRE(!status);
  BOOST_TEST((status.error().code == kDeviceUnavailable || status.error().code == kDeviceTimeout));
  BOOST_TEST(!backend->load().is_up);
}

BOOST_FIXTURE_TEST_CASE(a_program_that_sends_without_end_and_answers_nothing_is_replaced, SimulatedToken) {
  const auto backend = open_with(*this, kSendWithoutEnd);
  BOOST_TEST(!backend->check(in(1s)));
  eventually([&] { return backend->load().recoveries >= 1; });
}

BOOST_FIXTURE_TEST_CASE(a_program_that_is_not_there_is_an_error_in_time, SimulatedToken) {
  Pkcs11Options nowhere = isolated();
  nowhere.owner_program = "/nowhere";
  nowhere.timeout = 100ms;
  const auto backend = required(Pkcs11Backend::open(std::move(nowhere)));
  BOOST_TEST(!backend->check(in(100ms)));
}

BOOST_FIXTURE_TEST_CASE(what_no_restart_would_cure_is_told_when_it_is_opened, SimulatedToken) {
  Pkcs11Options strict = isolated();
  strict.allow_simulator = false;
  const auto refused = Pkcs11Backend::open(std::move(strict));
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == kSimulatorRefused));
}

BOOST_FIXTURE_TEST_CASE(a_token_in_another_process_tells_its_state, SimulatedToken) {
  const auto backend = required(Pkcs11Backend::open(isolated()));
  BOOST_TEST(backend->load().is_up);
  const std::vector<Fact> facts = required(backend->facts(far_away()));
  BOOST_REQUIRE(facts.size() == 5u);
  BOOST_TEST(facts[1].value == "initialized, login required");
  BOOST_TEST(facts[4].value.starts_with("EC_KEY_PAIR_GEN, ECDSA"), facts[4].value);
}

}  // namespace chancery::hsm
