// What every key backend must do. A backend joins by adding its fixture to kBackends.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "tests/conformance/backend_fixture.hpp"

namespace chancery::conformance {
namespace {

using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

constexpr std::array kBackends{
    BackendKind{"tpm, encrypted sessions", make_tpm_encrypted},
    BackendKind{"tpm, plain sessions", make_tpm_plain},
    BackendKind{"pkcs11, SoftHSM", make_softhsm},
    BackendKind{"pkcs11, SoftHSM in a process of its own", make_softhsm_isolated},
    BackendKind{"pkcs11, tpm2-pkcs11", make_tpm2_pkcs11},
    BackendKind{"memory", make_memory},
};

hsm::Deadline soon() { return std::chrono::steady_clock::now() + 30s; }

hsm::StoredKey create(hsm::KeyBackend& backend, const std::string& agent, const std::string& key = "k1") {
  auto created = backend.create({agent, key}, Algorithm::kES256, soon());
  BOOST_REQUIRE_MESSAGE(created, (created ? "" : created.error().what));
  return *std::move(created);
}

bool signs(hsm::KeyBackend& backend, const hsm::StoredKey& key, std::string_view message = "message") {
  const auto signature = backend.sign(key, as_bytes(message), soon());
  if (!signature) return false;
  const auto verify_key = VerifyKey::from(key.public_key);
  BOOST_REQUIRE(verify_key);
  BOOST_TEST(verify_key->verify(as_bytes(message), *signature));
  return true;
}

bool refuses_as_foreign(hsm::KeyBackend& backend, const hsm::StoredKey& key) {
  const auto signature = backend.sign(key, as_bytes("message"), soon());
  if (signature) return false;
  const ErrorCode code = signature.error().code;
  return code == ErrorCode::kKeyLost || code == ErrorCode::kKeyMismatch;
}

}  // namespace

BOOST_DATA_TEST_CASE(every_key_is_another_and_keeps_its_binding, data::make(kBackends), kind) {
  const auto fixture = kind.make();
  std::set<std::string> thumbprints;
  for (int i = 0; i < 8; ++i) {
    const hsm::StoredKey key = create(fixture->backend(), "agent-" + std::to_string(i));
    BOOST_TEST(key.binding.agent_id == "agent-" + std::to_string(i));
    thumbprints.insert(key.public_key.thumbprint().text());
  }
  BOOST_TEST(thumbprints.size() == 8u);
}

BOOST_DATA_TEST_CASE(a_signature_verifies_under_its_own_key_only, data::make(kBackends), kind) {
  const auto fixture = kind.make();
  const hsm::StoredKey mine = create(fixture->backend(), "mine");
  const hsm::StoredKey other = create(fixture->backend(), "other");
  const auto signature = fixture->backend().sign(mine, as_bytes("message"), soon());
  BOOST_REQUIRE(signature);
  const Sha256Digest digest = sha256(as_bytes("message"));
  BOOST_TEST(verify_signature(mine.public_key, digest, as_bytes("message"), *signature));
  BOOST_TEST(!verify_signature(other.public_key, digest, as_bytes("message"), *signature));
  BOOST_TEST(
      !verify_signature(mine.public_key, sha256(as_bytes("massage")), as_bytes("massage"), *signature));
}

BOOST_DATA_TEST_CASE(messages_of_any_length_are_signed, data::make(kBackends), kind) {
  const auto fixture = kind.make();
  const hsm::StoredKey key = create(fixture->backend(), "agent");
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{64}, std::size_t{65536}}) {
    BOOST_TEST(signs(fixture->backend(), key, std::string(length, 'x')));
  }
}

BOOST_DATA_TEST_CASE(keys_survive_reopening_the_backend, data::make(kBackends), kind) {
  const auto fixture = kind.make();
  const hsm::StoredKey key = create(fixture->backend(), "agent");
  BOOST_TEST(signs(fixture->backend(), key));
  fixture->reopen();
  BOOST_TEST(signs(fixture->backend(), key));
}

BOOST_DATA_TEST_CASE(hundreds_of_agents_take_turns, data::make(kBackends), kind) {
  const auto fixture = kind.make();
  std::vector<hsm::StoredKey> keys;
  for (int i = 0; i < 200; ++i) keys.push_back(create(fixture->backend(), "agent-" + std::to_string(i)));
  for (int round = 0; round < 2; ++round) {
    for (const hsm::StoredKey& key : keys) BOOST_REQUIRE(signs(fixture->backend(), key));
  }
}

BOOST_DATA_TEST_CASE(threads_may_sign_at_once, data::make(kBackends), kind) {
  const auto fixture = kind.make();
  std::vector<hsm::StoredKey> keys;
  for (int i = 0; i < 8; ++i) keys.push_back(create(fixture->backend(), "agent-" + std::to_string(i)));
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 20; ++i) {
          const hsm::StoredKey& key = keys[static_cast<std::size_t>(t + i) % keys.size()];
          const auto signature = fixture->backend().sign(key, as_bytes("message"), soon());
          good += signature && verify_signature(key.public_key, sha256(as_bytes("message")),
                                                as_bytes("message"), *signature);
        }
      });
    }
  }
  BOOST_TEST(good == 160);
}

BOOST_DATA_TEST_CASE(a_tampered_key_never_signs, data::make(kBackends), kind) {
  const auto fixture = kind.make();
  const hsm::StoredKey mine = create(fixture->backend(), "mine");
  const hsm::StoredKey other = create(fixture->backend(), "other");
  BOOST_REQUIRE(signs(fixture->backend(), mine));
  BOOST_REQUIRE(signs(fixture->backend(), other));

  // Every octet, in turn: nothing that a device checks may be skipped because the key is hot.
  for (std::size_t i = 0; i < mine.blob.size(); ++i) {
    hsm::StoredKey flipped = mine;
    flipped.blob[i] ^= 0x01;
    BOOST_TEST(refuses_as_foreign(fixture->backend(), flipped), "octet " << i);
  }
  hsm::StoredKey cut = mine;
  cut.blob.pop_back();
  BOOST_TEST(refuses_as_foreign(fixture->backend(), cut));
  hsm::StoredKey longer = mine;
  longer.blob.push_back(0);
  BOOST_TEST(refuses_as_foreign(fixture->backend(), longer));
  hsm::StoredKey empty = mine;
  empty.blob.clear();
  BOOST_TEST(refuses_as_foreign(fixture->backend(), empty));
  BOOST_TEST(signs(fixture->backend(), mine));
}

BOOST_DATA_TEST_CASE(a_key_moved_to_another_agent_never_signs, data::make(kBackends), kind) {
  const auto fixture = kind.make();
  const hsm::StoredKey mine = create(fixture->backend(), "mine");
  const hsm::StoredKey other = create(fixture->backend(), "other");
  hsm::StoredKey other_agent = mine;
  other_agent.binding.agent_id = "other";
  hsm::StoredKey other_key = mine;
  other_key.binding.key_id = "k2";
  hsm::StoredKey shifted = mine;  // the same letters, divided elsewhere
  shifted.binding = {"minek", "1"};
  hsm::StoredKey swapped_blob = mine;
  swapped_blob.blob = other.blob;
  hsm::StoredKey swapped_public = mine;
  swapped_public.public_key = other.public_key;
  for (const hsm::StoredKey& key : {other_agent, other_key, shifted, swapped_blob, swapped_public}) {
    BOOST_TEST(refuses_as_foreign(fixture->backend(), key));
  }
}

BOOST_DATA_TEST_CASE(a_deadline_in_the_past_touches_nothing, data::make(kBackends), kind) {
  const auto fixture = kind.make();
  hsm::KeyBackend& backend = fixture->backend();
  const hsm::StoredKey key = create(backend, "agent");
  const hsm::Deadline past = std::chrono::steady_clock::now() - 1s;
  const auto is_timeout = [](const auto& result) {
    return !result && result.error().code == ErrorCode::kDeviceTimeout;
  };
  BOOST_TEST(is_timeout(backend.sign(key, as_bytes("message"), past)));
  BOOST_TEST(is_timeout(backend.create({"late", "k1"}, Algorithm::kES256, past)));
  BOOST_TEST(is_timeout(backend.destroy(key, past)));
  BOOST_TEST(is_timeout(backend.check(past)));
  BOOST_TEST(signs(backend, key));
}

BOOST_DATA_TEST_CASE(destroying_a_key_succeeds_also_twice, data::make(kBackends), kind) {
  const auto fixture = kind.make();
  const hsm::StoredKey key = create(fixture->backend(), "agent");
  BOOST_TEST(signs(fixture->backend(), key));
  BOOST_TEST(fixture->backend().destroy(key, soon()).has_value());
  BOOST_TEST(fixture->backend().destroy(key, soon()).has_value());
}

BOOST_DATA_TEST_CASE(a_destroyed_key_never_signs_again, data::make(kBackends), kind) {
  const auto fixture = kind.make();
  const hsm::StoredKey destroyed = create(fixture->backend(), "agent", "k1");
  const hsm::StoredKey other = create(fixture->backend(), "agent", "k2");
  BOOST_TEST(signs(fixture->backend(), destroyed));
  BOOST_REQUIRE(fixture->backend().destroy(destroyed, soon()));
  for (int i = 0; i < 8; ++i) {  // whichever session it falls to
    const auto signature = fixture->backend().sign(destroyed, as_bytes("message"), soon());
    BOOST_REQUIRE(!signature);
    BOOST_TEST((signature.error().code == ErrorCode::kKeyLost));
  }
  BOOST_TEST(signs(fixture->backend(), other));
}

BOOST_DATA_TEST_CASE(discarding_leaves_nothing_of_a_binding, data::make(kBackends), kind) {
  const auto fixture = kind.make();
  hsm::KeyBackend& backend = fixture->backend();
  const hsm::StoredKey other = create(backend, "agent", "k2");
  BOOST_TEST(backend.discard({"agent", "k1"}, soon()).has_value());  // there was nothing
  const hsm::StoredKey forgotten = create(backend, "agent", "k1");   // as if it had never been stored
  BOOST_TEST(backend.discard({"agent", "k1"}, soon()).has_value());
  if (backend.describe().type != "tpm") {  // which keeps no key: there the blob would be the only trace
    const auto signature = backend.sign(forgotten, as_bytes("x"), soon());
    BOOST_REQUIRE(!signature);
    BOOST_TEST((signature.error().code == ErrorCode::kKeyLost));
  }
  BOOST_TEST(signs(backend, other));
}

BOOST_DATA_TEST_CASE(an_algorithm_that_is_not_offered_is_refused, data::make(kBackends), kind) {
  const auto fixture = kind.make();
  hsm::KeyBackend& backend = fixture->backend();
  BOOST_REQUIRE(backend.check(soon()));
  const std::vector<Algorithm> offered = backend.describe().algorithms;
  for (const Algorithm algorithm : {Algorithm::kES256, Algorithm::kEd25519}) {
    const auto made = backend.create({"agent", "k" + std::to_string(int(algorithm))}, algorithm, soon());
    if (std::ranges::find(offered, algorithm) == offered.end()) {
      BOOST_REQUIRE(!made);
      BOOST_TEST((made.error().code == ErrorCode::kUnsupportedAlgorithm));
    } else {
      BOOST_REQUIRE(made);
      BOOST_TEST((made->public_key.algorithm() == algorithm));
      BOOST_TEST(signs(backend, *made));
    }
  }
}

BOOST_DATA_TEST_CASE(keys_of_every_offered_algorithm_have_the_same_life, data::make(kBackends), kind) {
  const auto fixture = kind.make();
  BOOST_REQUIRE(fixture->backend().check(soon()));
  for (const Algorithm algorithm : fixture->backend().describe().algorithms) {
    const std::string name(algorithm_name(algorithm));
    const auto made = fixture->backend().create({"agent-" + name, "k1"}, algorithm, soon());
    BOOST_REQUIRE(made);
    for (const std::size_t length : {std::size_t{0}, std::size_t{32}, std::size_t{4096}}) {
      BOOST_TEST(signs(fixture->backend(), *made, std::string(length, 'x')), name << " over " << length);
    }
    for (std::size_t i = 0; i < made->blob.size(); i += 7) {
      hsm::StoredKey flipped = *made;
      flipped.blob[i] ^= 0x01;
      BOOST_TEST(refuses_as_foreign(fixture->backend(), flipped), name << " octet " << i);
    }
    hsm::StoredKey moved = *made;
    moved.binding.agent_id = "other";
    BOOST_TEST(refuses_as_foreign(fixture->backend(), moved), name);
    fixture->reopen();
    BOOST_TEST(signs(fixture->backend(), *made), name);
    BOOST_REQUIRE(fixture->backend().destroy(*made, soon()));
    BOOST_TEST(refuses_as_foreign(fixture->backend(), *made), name);
  }
}

BOOST_DATA_TEST_CASE(the_backend_describes_itself, data::make(kBackends), kind) {
  const auto fixture = kind.make();
  BOOST_TEST(fixture->backend().check(soon()).has_value());
  const hsm::BackendInfo info = fixture->backend().describe();
  BOOST_TEST(!info.name.empty());
  BOOST_TEST(!info.type.empty());
  BOOST_TEST(!info.manufacturer.empty());
  BOOST_TEST(info.emulated);  // no test runs on hardware
  BOOST_REQUIRE(!info.algorithms.empty());
  BOOST_TEST((info.algorithms.front() == Algorithm::kES256));  // a device may offer others beside it
}

}  // namespace chancery::conformance
