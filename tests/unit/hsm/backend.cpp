#include "hsm/tpm/backend.hpp"

#include <array>
#include <future>
#include <ostream>
#include <thread>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/hsm/simulated_tpm.hpp"

namespace chancery::hsm {
namespace {

using enum ErrorCode;
namespace data = boost::unit_test::data;

struct BadOptions {
  const char* name;
  void (*spoil)(TpmOptions& options);
  ErrorCode want;
};
std::ostream& operator<<(std::ostream& out, const BadOptions& row) { return out << row.name; }

constexpr std::array kBadOptions{
    BadOptions{"no address", [](TpmOptions& o) { o.tcti = ""; }, kInvalidArgument},
    BadOptions{"a command for an address", [](TpmOptions& o) { o.tcti = "cmd:true"; }, kInvalidArgument},
    BadOptions{"no master secret", [](TpmOptions& o) { o.master = SecretBytes(); }, kInvalidArgument},
    BadOptions{"a short master secret", [](TpmOptions& o) { o.master = SecretBytes(Bytes(31)); },
               kInvalidArgument},
    BadOptions{"a long master secret", [](TpmOptions& o) { o.master = SecretBytes(Bytes(33)); },
               kInvalidArgument},
    BadOptions{"plain sessions with a device",
               [](TpmOptions& o) {
                 o.tcti = "device:/dev/tpmrm0";
                 o.sessions = SessionKind::kPlain;
               },
               kInvalidArgument},
    BadOptions{"a simulator that is not allowed", [](TpmOptions& o) { o.allow_simulator = false; },
               kSimulatorRefused},
};

}  // namespace

BOOST_DATA_TEST_CASE(what_cannot_work_is_refused_before_any_tpm_is_asked, data::make(kBadOptions), row) {
  TpmOptions options = options_for("swtpm:path=/nowhere/s");
  row.spoil(options);
  const auto backend = TpmBackend::open(std::move(options));
  BOOST_REQUIRE(!backend);
  BOOST_TEST((backend.error().code == row.want));
}

BOOST_AUTO_TEST_CASE(it_says_what_the_tpm_says_of_itself) {
  const simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const BackendInfo info = backend->describe();
  BOOST_TEST(info.name == "test");
  BOOST_TEST(info.type == "tpm");
  BOOST_TEST(info.manufacturer == "IBM");
  BOOST_TEST(info.firmware.size() == 17u);  // two words in hexadecimal
  BOOST_TEST(info.emulated);
}

// --- the storage key

BOOST_AUTO_TEST_CASE(the_first_tpm_is_pinned_once) {
  simulators::Swtpm tpm = start_swtpm();
  int pinned = 0;
  Bytes name;
  TpmOptions options = options_for(tpm.tcti());
  options.pin = [&](ByteView found) -> Status {
    ++pinned;
    name.assign(found.begin(), found.end());
    return {};
  };
  auto backend = open_backend(std::move(options));
  BOOST_TEST(name.size() == 34u);  // algorithm and SHA-256
  BOOST_TEST(backend->storage_key_name() == name);
  const StoredKey key = create_key(*backend);
  BOOST_REQUIRE(tpm.restart());
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));
  BOOST_TEST(pinned == 1);

  backend.reset();  // swtpm serves one connection at a time
  TpmOptions again = options_for(tpm.tcti());
  again.pinned_name = name;
  again.pin = [](ByteView) -> Status { return Error{kInternal, "pinned already"}; };
  const auto reopened = TpmBackend::open(std::move(again));
  BOOST_TEST(reopened.has_value());
}

BOOST_AUTO_TEST_CASE(a_name_that_cannot_be_kept_is_not_used) {
  const simulators::Swtpm tpm = start_swtpm();
  TpmOptions options = options_for(tpm.tcti());
  options.pin = [](ByteView) -> Status { return Error{kStoreUnavailable, "the disk is full"}; };
  const auto backend = TpmBackend::open(std::move(options));
  BOOST_REQUIRE(!backend);
  BOOST_TEST((backend.error().code == kStoreUnavailable));
}

BOOST_AUTO_TEST_CASE(another_tpm_than_the_pinned_one_is_refused) {
  const simulators::Swtpm tpm = start_swtpm();
  TpmOptions options = options_for(tpm.tcti());
  options.pinned_name = open_backend(options_for(tpm.tcti()))->storage_key_name();
  options.pinned_name.back() ^= 1;
  const auto backend = open_backend(std::move(options));
  const auto refused = backend->create({"agent", "k1"}, Algorithm::kES256, far_away());
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == kWrongDevice));
}

// --- keys

BOOST_AUTO_TEST_CASE(a_key_of_another_tpm_is_lost_here) {
  const simulators::Swtpm tpm = start_swtpm(), other = start_swtpm();
  const StoredKey foreign = create_key(*open_backend(options_for(other.tcti())));
  const auto backend = open_backend(options_for(tpm.tcti()));
  BOOST_TEST((sign_error(*backend, foreign) == kKeyLost));
  BOOST_TEST((sign_error(*backend, create_key(*backend)) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(a_key_under_another_master_secret_is_lost_here) {
  const simulators::Swtpm tpm = start_swtpm();
  const StoredKey key = create_key(*open_backend(options_for(tpm.tcti())));
  for (const SessionKind sessions : {SessionKind::kEncrypted, SessionKind::kPlain}) {
    TpmOptions options = options_for(tpm.tcti());
    options.master = SecretBytes(Bytes(32, 0xa5));
    options.sessions = sessions;
    const auto backend = open_backend(std::move(options));
    for (int i = 0; i < 40; ++i) {  // more often than any lockout would take
      BOOST_TEST((sign_error(*backend, key) == kKeyLost));
    }
    BOOST_TEST((sign_error(*backend, create_key(*backend)) == std::nullopt));
    BOOST_TEST(backend->load().live_sessions == (sessions == SessionKind::kEncrypted ? 1u : 0u));
  }
}

// With a small cache most keys come from their blobs, with a large one from their contexts.
BOOST_DATA_TEST_CASE(the_places_of_the_tpm_are_given_back, data::make({2, 16}), cache) {
  const simulators::Swtpm tpm = start_swtpm();
  TpmOptions options = options_for(tpm.tcti());
  options.key_cache = static_cast<std::size_t>(cache);
  const auto backend = open_backend(std::move(options));
  std::vector<StoredKey> keys;
  for (int i = 0; i < 5; ++i) keys.push_back(create_key(*backend, "agent-" + std::to_string(i)));
  for (int round = 0; round < 3; ++round) {
    for (const StoredKey& key : keys) BOOST_TEST((sign_error(*backend, key) == std::nullopt));
  }
  BOOST_TEST((check_error(*backend) == std::nullopt));  // behind it, what the last signature left is tidied
  BOOST_TEST(backend->load().live_objects == 1u);       // the key that was used last
  BOOST_TEST(backend->load().live_sessions == 1u);
  BOOST_TEST(backend->load().cached_keys == (cache < 5 ? 2u : 5u));
  BOOST_TEST(count_handles(*backend, TPM2_TRANSIENT_FIRST) == 1u);
  BOOST_TEST(count_handles(*backend, TPM2_LOADED_SESSION_FIRST) == 1u);
}

// The public key would tell in the end; but what contradicts itself is not for the TPM to sign with at all.
BOOST_AUTO_TEST_CASE(a_record_that_contradicts_itself_is_refused_before_any_tpm_is_asked) {
  simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  StoredKey key = create_key(*backend, "mine");
  key.public_key = create_key(*backend, "other").public_key;
  tpm.stop();
  eventually([&] { return check_error(*backend) == kDeviceUnavailable; });
  BOOST_TEST((sign_error(*backend, key) == kKeyMismatch));
  key.blob.pop_back();
  BOOST_TEST((sign_error(*backend, key) == kKeyLost));
}

BOOST_AUTO_TEST_CASE(a_destroyed_key_is_forgotten) {
  const simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const StoredKey key = create_key(*backend);
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));
  BOOST_TEST((check_error(*backend) == std::nullopt));
  BOOST_TEST(backend->load().cached_keys == 1u);
  BOOST_TEST(backend->destroy(key, far_away()).has_value());
  BOOST_TEST(backend->load().cached_keys == 0u);
  BOOST_TEST(backend->load().live_objects == 0u);
  BOOST_TEST(count_handles(*backend, TPM2_TRANSIENT_FIRST) == 0u);
}

BOOST_AUTO_TEST_CASE(a_signature_that_waited_while_its_key_was_destroyed_is_not_made) {
  const simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const StoredKey key = create_key(*backend);
  std::promise<void> is_enough;
  const auto enough = is_enough.get_future().share();
  std::promise<void> has_begun;
  std::jthread busy([&] {
    static_cast<void>(backend->device().run({}, far_away(), [&](OpenTpm&) -> Status {
      has_begun.set_value();
      enough.wait();
      return {};
    }));
  });
  has_begun.get_future().wait();
  auto signing = std::async(std::launch::async, [&] { return sign_error(*backend, key); });
  eventually([&] { return backend->load().queued == 1; });
  BOOST_TEST(!backend->destroy(key, std::chrono::steady_clock::now() + std::chrono::milliseconds(20)));
  is_enough.set_value();
  BOOST_TEST((signing.get() == kKeyLost));
}

BOOST_AUTO_TEST_CASE(no_cache_is_a_slow_one_and_nothing_worse) {
  const simulators::Swtpm tpm = start_swtpm();
  TpmOptions options = options_for(tpm.tcti());
  options.key_cache = 0;
  const auto backend = open_backend(std::move(options));
  const StoredKey a = create_key(*backend, "a"), b = create_key(*backend, "b");
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST((sign_error(*backend, a) == std::nullopt));
    BOOST_TEST((sign_error(*backend, b) == std::nullopt));
  }
  BOOST_TEST(backend->load().cached_keys == 0u);
}

}  // namespace chancery::hsm
