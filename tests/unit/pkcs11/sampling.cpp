// Which signatures are verified before they leave: each one of a device, a sample of a simulator's.

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "hsm/pkcs11/cryptoki.hpp"
#include "tests/unit/pkcs11/onlooker.hpp"
#include "tests/unit/pkcs11/simulated_token.hpp"

namespace chancery::hsm {
namespace {

using enum ErrorCode;

struct Asked : SimulatedToken {
  /// \param hardware  what the token says of itself
  explicit Asked(bool hardware) {
    faults.plan().claims_hardware = hardware ? 1 : 0;
    backend = open(1);
  }
  Asked() : Asked(false) {}

  /// Whether a signature leaves when one bit of it is wrong, and of the one that is made instead.
  bool lets_out_a_wrong_one(const StoredKey& key) {
    faults.plan().corrupted_signatures = 2;
    const bool has_left = backend->sign(key, as_bytes("message"), far_away()).has_value();
    faults.plan().corrupted_signatures = 0;
    return has_left;
  }

  std::unique_ptr<Pkcs11Backend> backend;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(each_signature_of_a_device_is_verified, SimulatedToken) {
  Asked run(true);
  BOOST_TEST(!run.backend->describe().emulated);
  const StoredKey key = create_key(*run.backend);
  for (int i = 0; i < 40; ++i) {
    BOOST_TEST(!run.lets_out_a_wrong_one(key));
    BOOST_TEST(!sign_code(*run.backend, key).has_value());
  }
}

BOOST_FIXTURE_TEST_CASE(after_a_wrong_signature_the_key_is_sought_anew_and_signs_once_more, SimulatedToken) {
  Asked run(true);
  const StoredKey key = create_key(*run.backend);
  BOOST_TEST(!sign_code(*run.backend, key).has_value());
  const std::uint64_t searches = run.faults.calls(simulators::Pkcs11Call::kFindObjectsInit);
  run.faults.plan().corrupted_signatures = 1;
  BOOST_TEST(!sign_code(*run.backend, key).has_value());
  BOOST_TEST(run.faults.plan().corrupted_signatures == 0u);
  BOOST_TEST(run.faults.calls(simulators::Pkcs11Call::kFindObjectsInit) == searches + 1);
}

BOOST_FIXTURE_TEST_CASE(a_simulators_first_signature_and_one_in_128_are_verified, Asked) {
  const StoredKey key = create_key(*backend);
  BOOST_TEST(!lets_out_a_wrong_one(key));  // the handle is given up with it, and so the next is a first one
  for (int round = 0; round < 3; ++round) {
    BOOST_TEST(!sign_code(*backend, key).has_value());
    for (int i = 1; i < 128; ++i) BOOST_TEST(lets_out_a_wrong_one(key), i);
  }
  BOOST_TEST(!lets_out_a_wrong_one(key));
  // After which nothing is taken on trust.
  for (int i = 1; i < 128; ++i) BOOST_TEST(!lets_out_a_wrong_one(key), i);
  BOOST_TEST(!sign_code(*backend, key).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_handle_that_leads_to_another_key_is_found_out_at_its_first_signature, Asked) {
  const StoredKey key = create_key(*backend, "agent");
  BOOST_TEST(!sign_code(*backend, key).has_value());
  create_key(*backend, "other");
  {
    const Onlooker onlooker(*this);
    faults.plan().other_key = onlooker.objects(CKO_PRIVATE_KEY).back();
  }
  const StoredKey third = create_key(*backend, "third");
  BOOST_TEST((sign_code(*backend, third) == kKeyMismatch));
  BOOST_TEST((sign_code(*backend, third) == kKeyMismatch));
  faults.plan().other_key = 0;
  BOOST_TEST(!sign_code(*backend, third).has_value());
}

BOOST_FIXTURE_TEST_CASE(without_a_cache_each_signature_is_a_first_one, SimulatedToken) {
  Pkcs11Options cacheless = options(1);
  cacheless.key_cache = 0;
  const auto backend = required(Pkcs11Backend::open(std::move(cacheless)));
  const StoredKey key = create_key(*backend);
  for (int i = 0; i < 3; ++i) {
    faults.plan().corrupted_signatures = 1;
    BOOST_TEST((backend->sign(key, as_bytes("message"), far_away()).error().code == kKeyMismatch));
  }
}

BOOST_FIXTURE_TEST_CASE(ed25519_keys_are_sampled_likewise, Asked) {
  const StoredKey key = required(backend->create({"agent", "k1"}, Algorithm::kEd25519, far_away()));
  BOOST_TEST(!lets_out_a_wrong_one(key));
  BOOST_TEST(!sign_code(*backend, key).has_value());
}

}  // namespace chancery::hsm
