#include "hsm/pkcs11/backend.hpp"

#include <array>
#include <functional>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <sys/stat.h>

#include "hsm/pkcs11/uri.hpp"
#include "tests/unit/pkcs11/onlooker.hpp"
#include "tests/unit/pkcs11/simulated_token.hpp"

namespace chancery::hsm {
namespace {

namespace data = boost::unit_test::data;
using simulators::Pkcs11Call;
using enum ErrorCode;

std::optional<ErrorCode> open_error(Pkcs11Options options) {
  const auto backend = Pkcs11Backend::open(std::move(options));
  return backend ? std::nullopt : std::optional(backend.error().code);
}

struct SelectionCase {
  const char* what;
  std::function<void(Pkcs11Options&, const SimulatedToken&)> change;
  std::optional<ErrorCode> error;
};
std::ostream& operator<<(std::ostream& out, const SelectionCase& c) { return out << c.what; }

void select(Pkcs11Options& options, const std::string& uri) {
  options.serial.clear();
  options.uri = uri;
}

const std::array kSelections{
    SelectionCase{"by serial", [](auto&, const auto&) {}, std::nullopt},
    SelectionCase{"by the label in a URI", [](auto& o, const auto&) { select(o, "pkcs11:token=first"); },
                  std::nullopt},
    SelectionCase{"by all attributes in a URI",
                  [](auto& o, const auto& s) {
                    select(o,
                           "pkcs11:token=%66irst;manufacturer=SoftHSM%20project;model=SoftHSM%20v2;serial=" +
                               s.token.serial + "?module-path=" + o.module.string());
                  },
                  std::nullopt},
    SelectionCase{"by neither", [](auto& o, const auto&) { o.serial.clear(); }, kInvalidArgument},
    SelectionCase{"by both", [](auto& o, const auto&) { o.uri = "pkcs11:token=first"; }, kInvalidArgument},
    SelectionCase{"by another module's path",
                  [](auto& o, const auto&) { select(o, "pkcs11:token=first?module-path=/usr/lib/other.so"); },
                  kInvalidArgument},
    SelectionCase{"by an object", [](auto& o, const auto&) { select(o, "pkcs11:token=first;object=key"); },
                  kInvalidArgument},
    SelectionCase{"by what many have", [](auto& o, const auto&) { select(o, "pkcs11:model=SoftHSM%20v2"); },
                  kInvalidArgument},
    SelectionCase{"no URI at all", [](auto& o, const auto&) { select(o, "first"); }, kInvalidArgument},
    SelectionCase{"a short master", [](auto& o, const auto&) { o.master = SecretBytes(Bytes(31, 1)); },
                  kInvalidArgument},
    SelectionCase{"no session", [](auto& o, const auto&) { o.sessions = 0; }, kInvalidArgument},
    SelectionCase{"no simulators", [](auto& o, const auto&) { o.allow_simulator = false; },
                  kSimulatorRefused},
    SelectionCase{"no PIN file", [](auto& o, const auto&) { o.pin_file = "/nowhere"; }, kFileUnreadable},
    SelectionCase{"no module", [](auto& o, const auto&) { o.module = "/nowhere.so"; }, kFileUnreadable},
    SelectionCase{"a relative module", [](auto& o, const auto&) { o.module = "libsofthsm2.so"; },
                  kFileUnreadable},
    SelectionCase{"a module that is no library", [](auto& o, const auto& s) { o.module = s.token.pin_file; },
                  kFileUnreadable},
    SelectionCase{"a library that is no module",
                  [](auto& o, const auto&) { o.module = "/lib/x86_64-linux-gnu/libz.so.1"; },
                  kFileUnreadable},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_token_is_selected_or_the_reason_is_given, data::make(kSelections), c) {
  const SimulatedToken simulated;
  Pkcs11Options options = simulated.options();
  c.change(options, simulated);
  BOOST_TEST((open_error(std::move(options)) == c.error));
}

BOOST_FIXTURE_TEST_CASE(two_tokens_of_one_module_are_two_backends, SimulatedToken) {
  const simulators::SoftToken second = required(store.add_token("second"));
  const auto on_first = open();
  Pkcs11Options other = options();
  other.serial = second.serial;
  other.pin_file = second.pin_file;
  const auto on_second = required(Pkcs11Backend::open(std::move(other)));
  const StoredKey key = create_key(*on_first);
  BOOST_TEST(!sign_code(*on_first, key).has_value());
  BOOST_TEST((sign_code(*on_second, key) == kWrongDevice));
}

BOOST_FIXTURE_TEST_CASE(a_label_that_two_tokens_have_selects_neither, SimulatedToken) {
  BOOST_REQUIRE(store.add_token("first"));
  Pkcs11Options ambiguous = options();
  select(ambiguous, "pkcs11:token=first");
  BOOST_TEST((open_error(std::move(ambiguous)) == kInvalidArgument));
}

BOOST_FIXTURE_TEST_CASE(the_token_keeps_the_key_and_does_not_give_it_out, SimulatedToken) {
  const auto backend = open();
  create_key(*backend);
  const Onlooker onlooker(*this);
  const auto keys = onlooker.objects(CKO_PRIVATE_KEY);
  BOOST_REQUIRE(keys.size() == 1u);
  BOOST_TEST(onlooker.read_private_value(keys.front()) == CKR_ATTRIBUTE_SENSITIVE);
}

BOOST_FIXTURE_TEST_CASE(destroying_removes_both_halves_and_no_signature_follows, SimulatedToken) {
  const auto backend = open();
  const StoredKey gone = create_key(*backend, "gone");
  const StoredKey kept = create_key(*backend, "kept");
  BOOST_TEST(!sign_code(*backend, gone).has_value());
  BOOST_REQUIRE(backend->destroy(gone, far_away()));
  BOOST_TEST((sign_code(*backend, gone) == kKeyLost));
  BOOST_TEST(!sign_code(*backend, kept).has_value());
  const Onlooker onlooker(*this);
  BOOST_TEST(onlooker.objects(CKO_PRIVATE_KEY).size() == 1u);
  BOOST_TEST(onlooker.objects(CKO_PUBLIC_KEY).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(discarding_leaves_nothing_of_a_binding_and_all_of_every_other, SimulatedToken) {
  const auto backend = open();
  // As if they had been made and never stored; more of them than one search of the token gives.
  for (int i = 0; i < 10; ++i) {
    const Algorithm algorithm = i % 2 == 0 ? Algorithm::kES256 : Algorithm::kEd25519;
    BOOST_REQUIRE(backend->create({"agent", "k1"}, algorithm, far_away()));
  }
  std::vector<StoredKey> kept;
  for (const KeyBinding& binding :
       {KeyBinding{"agent", "k10"}, KeyBinding{"agent", "k"}, KeyBinding{"agen", "tk1"},
        KeyBinding{"agent2", "k1"}, KeyBinding{"agent", "K1"}, KeyBinding{"agent", "k1 "}}) {
    kept.push_back(required(backend->create(binding, Algorithm::kES256, far_away())));
  }
  const Onlooker onlooker(*this);
  BOOST_TEST(onlooker.objects(CKO_PRIVATE_KEY).size() == 16u);
  BOOST_REQUIRE(backend->discard({"agent", "k1"}, far_away()));
  BOOST_TEST(onlooker.objects(CKO_PRIVATE_KEY).size() == kept.size());
  BOOST_TEST(onlooker.objects(CKO_PUBLIC_KEY).size() == kept.size());
  for (const StoredKey& key : kept) BOOST_TEST(!sign_code(*backend, key).has_value());
}

BOOST_DATA_TEST_CASE(discarding_removes_a_half_that_is_alone,
                     data::make(std::array<CK_OBJECT_CLASS, 2>{CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}), gone) {
  const SimulatedToken simulated;
  const auto backend = simulated.open();
  create_key(*backend);
  const Onlooker onlooker(simulated);
  onlooker.remove(onlooker.objects(gone).front());
  BOOST_REQUIRE(backend->discard({"agent", "k1"}, far_away()));
  BOOST_TEST(onlooker.objects(CKO_PRIVATE_KEY).empty());
  BOOST_TEST(onlooker.objects(CKO_PUBLIC_KEY).empty());
}

BOOST_FIXTURE_TEST_CASE(a_key_that_somebody_removed_from_the_token_is_lost, SimulatedToken) {
  const auto backend = open();
  const StoredKey key = create_key(*backend);
  {
    const Onlooker onlooker(*this);
    onlooker.remove(onlooker.objects(CKO_PRIVATE_KEY).front());
  }
  // Also with the handle in the cache of the session that made it.
  for (int i = 0; i < 4; ++i) BOOST_TEST((sign_code(*backend, key) == kKeyLost));
}

constexpr std::array<CK_ATTRIBUTE_TYPE, 8> kAttributes{
    CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_EXTRACTABLE, CKA_NEVER_EXTRACTABLE, CKA_LOCAL,
    CKA_SIGN,      CKA_DECRYPT,          CKA_DERIVE};

BOOST_DATA_TEST_CASE(a_key_that_says_otherwise_is_refused_and_removed, data::make(kAttributes), attribute) {
  const SimulatedToken simulated;
  const auto backend = simulated.open();
  simulated.faults.plan().lying_attribute = attribute + 1;
  const auto made = backend->create({"agent", "k1"}, Algorithm::kES256, far_away());
  BOOST_REQUIRE(!made);
  BOOST_TEST((made.error().code == kKeyMismatch));
  const Onlooker onlooker(simulated);
  BOOST_TEST(onlooker.objects(CKO_PRIVATE_KEY).empty());
  BOOST_TEST(onlooker.objects(CKO_PUBLIC_KEY).empty());
}

BOOST_DATA_TEST_CASE(a_found_key_that_says_otherwise_signs_nothing, data::make(kAttributes), attribute) {
  const SimulatedToken simulated;
  auto backend = simulated.open();
  const StoredKey key = create_key(*backend);
  backend.reset();
  backend = simulated.open();
  simulated.faults.plan().lying_attribute = attribute + 1;
  BOOST_TEST((sign_code(*backend, key) == kKeyMismatch));
  BOOST_TEST(simulated.faults.calls(Pkcs11Call::kSign) == 0u);
  simulated.faults.plan().lying_attribute = 0;
  BOOST_TEST(!sign_code(*backend, key).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_wrong_signature_does_not_leave, SimulatedToken) {
  const auto backend = open();
  const StoredKey key = create_key(*backend);
  faults.plan().corrupted_signatures = 1;
  BOOST_TEST((sign_code(*backend, key) == kKeyMismatch));
  BOOST_TEST(!sign_code(*backend, key).has_value());
}

BOOST_FIXTURE_TEST_CASE(the_backend_tells_what_the_token_is_and_can, SimulatedToken) {
  const auto backend = open();
  const BackendInfo info = backend->describe();
  BOOST_TEST(info.name == "hsm");
  BOOST_TEST(info.type == "pkcs11");
  BOOST_TEST(info.manufacturer == "SoftHSM project");
  BOOST_TEST(info.firmware == "2.6");
  BOOST_TEST(info.emulated);
  BOOST_TEST((info.algorithms == std::vector{Algorithm::kES256, Algorithm::kEd25519}));
}

BOOST_FIXTURE_TEST_CASE(the_reference_names_the_token_and_no_secret, SimulatedToken) {
  const auto backend = open();
  const StoredKey key = create_key(*backend);
  const std::string_view blob = as_text(key.blob);
  const auto uri = Pkcs11Uri::parse(blob.substr(0, blob.find('\n')));
  BOOST_REQUIRE(uri);
  BOOST_TEST(uri->serial == token.serial);
  BOOST_TEST(uri->object == "chancery:5:agent:k1");
  BOOST_TEST(uri->id.size() == 16u);
  BOOST_TEST(blob.find(simulators::SoftHsm::kPin) == std::string_view::npos);
}

}  // namespace chancery::hsm
