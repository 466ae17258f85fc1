// What an envelope opens for, and for nothing else.

#include "daemon/vault/envelope.hpp"

#include <functional>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/daemon/store_records.hpp"

namespace chancery::vault::testing {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;
using store::Credential;
using store::CredentialVersion;
using store::testing::must;
using store::testing::refusal;

constexpr std::string_view kValue = "sk-live-0123456789abcdef";

SecretBytes key_of(std::uint8_t octet) { return SecretBytes(Bytes(32, octet)); }

struct Kept {
  Kept() {
    credential.id = std::string(32, 'a');
    credential.name = "psp";
    credential.type = "api_key";
    credential.scope = "payments.refund";
    credential.tools = {"refund"};
    credential.owner = "payments";
    credential.environment = "production";
    credential.created_at = sys_seconds(seconds(1000));
    version.number = 1;
    version.created_at = sys_seconds(seconds(1000));
    version.expires_at = sys_seconds(seconds(5000));
    envelope = must(seal_value(vault_key, credential, version, SecretBytes(as_bytes(kValue))));
  }

  [[nodiscard]] Result<SecretBytes> open() const {
    return open_value(vault_key, credential, version, envelope);
  }

  SecretBytes vault_key = key_of(7);
  Credential credential;
  CredentialVersion version;
  store::Envelope envelope;
};

struct Edit {
  const char* what;
  void (*edit)(Kept& kept);
};
std::ostream& operator<<(std::ostream& out, const Edit& edit) { return out << edit.what; }

// What somebody with the database may write there to have a value released to others, or later, or in place of another.
const Edit kEdits[] = {
    {"id", [](Kept& k) { k.credential.id = std::string(32, 'b'); }},
    {"name", [](Kept& k) { k.credential.name = "psq"; }},
    {"type", [](Kept& k) { k.credential.type = "password"; }},
    {"scope", [](Kept& k) { k.credential.scope = "payments.*"; }},
    {"another tool", [](Kept& k) { k.credential.tools = {"exfiltrate"}; }},
    {"one more tool",
     [](Kept& k) {
       k.credential.tools = {"refund", "exfiltrate"};
     }},
    {"no tool", [](Kept& k) { k.credential.tools = {}; }},
    {"owner", [](Kept& k) { k.credential.owner = "others"; }},
    {"environment", [](Kept& k) { k.credential.environment = "staging"; }},
    {"created_at", [](Kept& k) { k.credential.created_at += seconds(1); }},
    {"rotate_on_hit", [](Kept& k) { k.credential.rotate_on_hit = true; }},
    {"version", [](Kept& k) { k.version.number = 2; }},
    {"put_at", [](Kept& k) { k.version.created_at += seconds(1); }},
    {"a later expiry", [](Kept& k) { *k.version.expires_at += seconds(1); }},
    {"no expiry", [](Kept& k) { k.version.expires_at.reset(); }},
    {"vault key", [](Kept& k) { k.vault_key = key_of(8); }},
    {"first octet of the value", [](Kept& k) { k.envelope.value.front() ^= 1; }},
    {"last octet of the value", [](Kept& k) { k.envelope.value.back() ^= 1; }},
    {"first octet of the data key", [](Kept& k) { k.envelope.data_key.front() ^= 1; }},
    {"last octet of the data key", [](Kept& k) { k.envelope.data_key.back() ^= 1; }},
    {"a value cut short", [](Kept& k) { k.envelope.value.pop_back(); }},
    {"a value of eleven octets", [](Kept& k) { k.envelope.value.resize(11); }},
    {"no value", [](Kept& k) { k.envelope.value.clear(); }},
    {"no data key", [](Kept& k) { k.envelope.data_key.clear(); }},
    {"value and data key swapped", [](Kept& k) { std::swap(k.envelope.value, k.envelope.data_key); }},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(envelope)

BOOST_FIXTURE_TEST_CASE(a_value_opens_for_the_record_that_it_was_sealed_for, Kept) {
  const SecretBytes opened = must(open());
  BOOST_TEST(as_text(opened.view()) == kValue);
}

BOOST_DATA_TEST_CASE_F(Kept, a_value_opens_for_no_other_record, boost::unit_test::data::make(kEdits), row) {
  row.edit(*this);
  BOOST_TEST((refusal(open()) == ErrorCode::kStoreCorrupt));
}

// Uses, and how far a version's life is, are written with each call.
BOOST_FIXTURE_TEST_CASE(a_value_opens_whatever_became_of_its_version, Kept) {
  version.state = store::VersionState::kRetiring;
  version.uses = 7;
  version.last_used_at = version.activated_at = version.retire_at = sys_seconds(seconds(2000));
  credential.revision = 9;
  BOOST_TEST(open().has_value());
}

// Both records say the same of themselves but for what tells them apart.
BOOST_FIXTURE_TEST_CASE(envelopes_of_two_credentials_do_not_change_places, Kept) {
  Kept other;
  other.credential.id = std::string(32, 'b');
  other.credential.name = "psq";
  other.envelope =
      must(seal_value(other.vault_key, other.credential, other.version, SecretBytes(as_bytes("another"))));
  std::swap(envelope, other.envelope);
  BOOST_TEST((refusal(open()) == ErrorCode::kStoreCorrupt));
  BOOST_TEST((refusal(other.open()) == ErrorCode::kStoreCorrupt));
  std::swap(envelope.value, other.envelope.value);  // each has its own value, and the other's data key
  BOOST_TEST((refusal(open()) == ErrorCode::kStoreCorrupt));
}

BOOST_FIXTURE_TEST_CASE(the_same_value_is_sealed_anew_each_time, Kept) {
  const store::Envelope again =
      must(seal_value(vault_key, credential, version, SecretBytes(as_bytes(kValue))));
  BOOST_TEST((again.value != envelope.value));
  BOOST_TEST((again.data_key != envelope.data_key));
}

BOOST_FIXTURE_TEST_CASE(what_is_sealed_shows_nothing_of_the_value, Kept) {
  const std::string sealed(as_text(envelope.value));
  BOOST_TEST(sealed.find(kValue.substr(0, 6)) == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::vault::testing
