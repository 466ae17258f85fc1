#include "sdk/cli/device_key.hpp"

#include <array>
#include <ostream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/cli/open_device.hpp"

namespace {

namespace data = boost::unit_test::data;
using namespace chancery;
using namespace chancery::cli;
using Kind = KeyPlace::Kind;

constexpr const char* kModule = "/usr/lib/vendor.so";

KeyPlace tpm() {
  KeyPlace place;
  place.kind = Kind::kTpm;
  place.tcti = "device:/dev/tpmrm0";
  return place;
}
KeyPlace token() {
  KeyPlace place;
  place.kind = Kind::kPkcs11;
  place.module = kModule;
  place.serial = "1f2e3d4c";
  place.pin_file = "/home/alice/pin";
  return place;
}

// --- what the command line says

struct OptionsCase {
  const char* name;
  KeyOptions options;
  std::optional<KeyPlace> want;
};
std::ostream& operator<<(std::ostream& out, const OptionsCase& row) { return out << row.name; }

KeyPlace with(void (*set)(KeyPlace&), KeyPlace place = {}) {
  set(place);
  return place;
}
void simulated(KeyPlace& place) { place.allow_simulator = true; }
void at_tcti(KeyPlace& place) { place.tcti = "device:/dev/tpmrm0"; }
void of_module(KeyPlace& place) { place.module = kModule; }
void with_pin(KeyPlace& place) { place.pin_file = "/home/alice/pin"; }

const std::array kOptions{
    OptionsCase{"nothing", {}, KeyPlace{}},
    OptionsCase{"a file", {"file", {}}, KeyPlace{}},
    OptionsCase{"a TPM, where most machines have it", {"tpm", {}}, tpm()},
    OptionsCase{"a simulated TPM", {"tpm", with(simulated)}, with(simulated, tpm())},
    OptionsCase{"a token", {"pkcs11", token()}, token()},
    OptionsCase{"a TPM's address for a file", {"", with(at_tcti)}, std::nullopt},
    OptionsCase{"a TPM's address for a token", {"pkcs11", with(at_tcti)}, std::nullopt},
    OptionsCase{"a module for a file", {"file", with(of_module)}, std::nullopt},
    OptionsCase{"a PIN for a TPM", {"tpm", with(with_pin)}, std::nullopt},
    OptionsCase{"a simulated file", {"", with(simulated)}, std::nullopt},
};

// --- files

PublicKey public_key() { return HolderKey::generate()->public_key(); }

DeviceKey key_in(const KeyPlace& place) {
  const bool is_tpm = place.kind == Kind::kTpm;
  return {place,
          is_tpm ? Bytes{0, 11, 7} : Bytes{},
          SecretBytes(ByteView(Bytes(32, 5))),
          {{"holder", "0011"}, public_key(), Bytes{1, 2, 3}}};
}

struct DamageCase {
  const char* name;
  std::string from;
  std::string to;
};
std::ostream& operator<<(std::ostream& out, const DamageCase& row) { return out << row.name; }

const std::array kDamages{
    DamageCase{"no name of the TPM", R"(,"tpm_name":"000b07")", ""},
    DamageCase{"a TPM's name that is no number", "000b07", "000b0"},
    DamageCase{"no device", R"("device":{"tcti":"device:/dev/tpmrm0","type":"tpm"},)", ""},
    DamageCase{"a device that is none", R"("type":"tpm")", R"("type":"file")"},
    DamageCase{"a device of another name", R"("type":"tpm")", R"("type":"cloud")"},
    DamageCase{"a member that nobody knows", R"("key_id")", R"("pin":"1","key_id")"},
    DamageCase{"a blob that is no base64url", "\"AQID\"", "\"A+ID\""},
    DamageCase{"a master secret too short", "BQUF", ""},
    DamageCase{"no public key", R"("jwk":{"crv")", R"("jwk":{"curve")"},
};

// --- what devices say

constexpr const char* kOfDaemon = "what the operator of a daemon does";

struct WordingCase {
  ErrorCode code;
  const char* of_tpm;  ///< is in what a person is told; "": no TPM says this
  const char* of_token;
};
std::ostream& operator<<(std::ostream& out, const WordingCase& row) { return out << error_name(row.code); }

const std::array kWordings{
    WordingCase{ErrorCode::kDeviceUnavailable, "not there", "put it in"},
    WordingCase{ErrorCode::kDeviceTimeout, "does not answer", "does not answer"},
    WordingCase{ErrorCode::kWrongDevice, "not the TPM", "another token"},
    WordingCase{ErrorCode::kKeyLost, "does not open this key", "does not have this key"},
    WordingCase{ErrorCode::kPinRefused, "", "PIN"},
    WordingCase{ErrorCode::kDeviceLockout, "TPM is locked", "PIN is locked"},
    WordingCase{ErrorCode::kSimulatorRefused, "--allow-simulator", "--allow-simulator"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(device_key)

BOOST_DATA_TEST_CASE(what_a_device_says_is_told_to_who_typed_a_command, data::make(kWordings), row) {
  const Error error{row.code, kOfDaemon, 7};
  const Error of_tpm = for_people(error, Kind::kTpm);
  const Error of_token = for_people(error, Kind::kPkcs11);
  BOOST_TEST(std::string(of_tpm.what).find(row.of_tpm) != std::string::npos, of_tpm.what);
  BOOST_TEST(std::string(of_token.what).find(row.of_token) != std::string::npos, of_token.what);
  BOOST_TEST(((of_tpm.code == row.code) && (of_token.code == row.code)));
  BOOST_TEST((of_tpm.native == 7U && of_token.native == 7U));
}

BOOST_AUTO_TEST_CASE(what_no_words_are_known_for_is_told_as_it_is) {
  BOOST_TEST(for_people({ErrorCode::kDeviceError, kOfDaemon}, Kind::kTpm).what == kOfDaemon);
}

BOOST_DATA_TEST_CASE(options_name_one_place, data::make(kOptions), row) {
  const auto place = chosen_place(row.options);
  BOOST_TEST(place.has_value() == row.want.has_value());
  if (place && row.want) BOOST_TEST((*place == *row.want));
}

BOOST_AUTO_TEST_CASE(what_was_written_is_read_again) {
  for (const KeyPlace& place : {tpm(), token(), with(simulated, tpm())}) {
    const DeviceKey written = key_in(place);
    const auto read = read_device_key(write_device_key(written));
    BOOST_REQUIRE_MESSAGE(read, place_text(place));
    BOOST_TEST((read->place == place));
    BOOST_TEST((read->tpm_name == written.tpm_name));
    BOOST_TEST(as_text(read->master.view()) == as_text(written.master.view()));
    BOOST_TEST((read->stored.binding == written.stored.binding));
    BOOST_TEST((read->stored.public_key == written.stored.public_key));
    BOOST_TEST((read->stored.blob == written.stored.blob));
  }
}

BOOST_DATA_TEST_CASE(what_is_not_whole_is_no_key, data::make(kDamages), row) {
  std::string text = write_device_key(key_in(tpm()));
  const std::size_t at = text.find(row.from);
  BOOST_REQUIRE(at != std::string::npos);
  text.replace(at, row.from.size(), row.to);
  BOOST_TEST(!read_device_key(text));
}

BOOST_AUTO_TEST_CASE(who_asks_for_the_same_key_shares_its_device) {
  const std::string text = write_device_key(key_in(tpm()));
  const auto load = [&] {
    return signer_of(std::make_shared<const DeviceKey>(read_device_key(text).value()));
  };
  const auto first = load();
  BOOST_TEST(load().get() == first.get());
  BOOST_TEST(signer_of(std::make_shared<const DeviceKey>(key_in(tpm()))).get() != first.get());
}

BOOST_AUTO_TEST_SUITE_END()
