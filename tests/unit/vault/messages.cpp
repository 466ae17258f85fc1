// The vault's messages as JSON, both ways, and base64 of secrets.

#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/base64.hpp"
#include "sdk/wire/vault_messages.hpp"
#include "tests/unit/daemon/store_records.hpp"

namespace chancery::wire::testing {
namespace {

using store::testing::must;
using store::testing::refusal;

constexpr const char* kNotBase64[] = {"A",    "AA",   "AAA",   "A===",     "AA=A", "AB==", "AAB=",
                                      "AA-_", "AA A", "AAAA=", "AA==AA==", "====", "=",    "AAAA\n"};

}  // namespace

BOOST_AUTO_TEST_SUITE(vault_messages)

BOOST_AUTO_TEST_CASE(every_octet_of_a_secret_comes_back_from_base64) {
  for (std::size_t size = 0; size < 70; ++size) {
    Bytes octets(size);
    for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<std::uint8_t>(i * 37 + size);
    const SecretBytes back = must(base64_decode_secret(base64_encode(octets)));
    BOOST_TEST((Bytes(back.view().begin(), back.view().end()) == octets));
  }
}

BOOST_DATA_TEST_CASE(what_is_no_base64_is_no_secret, boost::unit_test::data::make(kNotBase64), text) {
  BOOST_TEST((refusal(base64_decode_secret(text)) == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(a_put_comes_back_as_it_was_written) {
  api::PutCredential message;
  message.name = "psp";
  message.value = SecretBytes(as_bytes("a\"value\n\0with all kinds"));
  message.type = "api_key";
  message.scope = "payments.refund";
  message.tools = {"refund", "refund-status"};
  message.owner = "payments";
  message.environment = "production";
  message.rotate_on_hit = true;
  message.expires_at = 1'900'000'000;
  const api::PutCredential back = must(read_put_credential(write(message)));
  BOOST_TEST(back.name == message.name);
  BOOST_TEST(as_text(back.value.view()) == as_text(message.value.view()));
  BOOST_TEST(back.type == message.type);
  BOOST_TEST(back.scope == message.scope);
  BOOST_TEST(back.tools == message.tools, boost::test_tools::per_element());
  BOOST_TEST(back.owner == message.owner);
  BOOST_TEST(back.environment == message.environment);
  BOOST_TEST(back.rotate_on_hit);
  BOOST_TEST((back.expires_at == message.expires_at));
}

BOOST_AUTO_TEST_CASE(a_change_says_what_it_changes_and_nothing_else) {
  api::ChangeCredential message;
  message.owner = "";
  message.rotate_on_hit = false;
  const api::ChangeCredential back = must(read_change_credential(write(message)));
  BOOST_TEST((back.owner == message.owner));
  BOOST_TEST((back.rotate_on_hit == message.rotate_on_hit));
  BOOST_TEST(!back.type);
  BOOST_TEST(!back.scope);
  BOOST_TEST(!back.tools);
  BOOST_TEST(!back.environment);
}

BOOST_AUTO_TEST_CASE(an_activation_drains_ten_minutes_unless_it_says_otherwise) {
  BOOST_TEST((must(read_activate_credential("{}")).drain == std::chrono::minutes(10)));
  BOOST_TEST((must(read_activate_credential(R"({"drain_s":0})")).drain == std::chrono::seconds(0)));
  BOOST_TEST((must(read_activate_credential(R"({"drain_s":604800})")).drain == std::chrono::hours(168)));
  BOOST_TEST((refusal(read_activate_credential(R"({"drain_s":604801})")) == ErrorCode::kMalformed));
  BOOST_TEST((refusal(read_activate_credential(R"({"drain_s":-1})")) == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(a_page_comes_back_as_it_was_written) {
  api::Credential credential;
  credential.id = std::string(32, 'a');
  credential.name = "psp";
  credential.type = "api_key";
  credential.scope = "payments.refund";
  credential.tools = {"refund"};
  credential.environment = "production";
  credential.rotate_on_hit = true;
  credential.created_at = 1'800'000'000;
  api::CredentialVersion version;
  version.number = 1;
  version.state = "retiring";
  version.created_at = 1'800'000'000;
  version.expires_at = 1'900'000'000;
  version.activated_at = 1'800'000'001;
  version.retire_at = 1'800'000'600;
  version.last_used_at = 1'800'000'002;
  version.uses = 7;
  version.open_uses = 2;
  credential.versions = {version};
  const api::CredentialPage back =
      must(read_credential_page(write(api::CredentialPage{{credential}, "psp"})));
  BOOST_TEST_REQUIRE(back.credentials.size() == 1U);
  BOOST_TEST((back.credentials.front() == credential));
  BOOST_TEST(back.next == "psp");
}

BOOST_AUTO_TEST_CASE(a_reset_is_confirmed_by_its_words_alone) {
  must(read_confirmation(write_confirmation()));
  for (const char* said : {"{}", R"({"confirm":"yes"})", R"({"confirm":true})", "", "[]"})
    BOOST_TEST(!read_confirmation(said));
}

BOOST_AUTO_TEST_CASE(what_an_issuer_makes_is_put_without_a_value) {
  api::PutCredential message;
  message.name = "orders-db";
  message.issuer = "shop";
  message.scope = "orders.read";
  message.tools = {"list-orders"};
  const std::string written = write(message);
  BOOST_TEST(written.find("value") == std::string::npos);
  const api::PutCredential back = must(read_put_credential(written));
  BOOST_TEST(back.issuer == "shop");
  BOOST_TEST(back.value.empty());
  BOOST_TEST((refusal(read_put_credential(R"({"name":"orders-db"})")) == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(issuers_come_back_as_they_were_written) {
  api::CredentialIssuerList list;
  list.issuers.push_back({"shop", "postgres_role", "ready", {}, {}, {}, false});
  list.issuers.push_back({"calendar", "oauth_grant", "needs_consent", 1'800'000'000, "credential_expired",
                          "nobody has consented yet", true});
  BOOST_TEST((must(read_credential_issuer_list(write(list))).issuers == list.issuers));
  BOOST_TEST((must(read_credential_issuer(write(list.issuers[1]))) == list.issuers[1]));
}

BOOST_AUTO_TEST_CASE(a_consent_comes_back_as_it_was_written) {
  BOOST_TEST(must(read_begin_consent(write(api::BeginConsent{4711}))).port == 4711);
  BOOST_TEST(must(read_begin_consent("{}")).port == 0);
  for (const char* const text : {R"({"port":0})", R"({"port":65536})", R"({"port":"80"})", R"({"other":1})"})
    BOOST_TEST((refusal(read_begin_consent(text)) == ErrorCode::kMalformed), text);
  const auto begun = must(read_begun_consent(write(api::BegunConsent{"https://login.example.org/a?b=c", 7})));
  BOOST_TEST(begun.authorization_url == "https://login.example.org/a?b=c");
  BOOST_TEST(begun.expires_at == 7);
  const auto finish =
      must(read_finish_consent(write(api::FinishConsent{SecretBytes(as_bytes("state=a&code=b"))})));
  BOOST_TEST(as_text(finish.query.view()) == "state=a&code=b");
  for (const char* const text : {"{}", R"({"query":"*"})", R"({"query":"YQ==","code":"b"})"})
    BOOST_TEST((refusal(read_finish_consent(text)) == ErrorCode::kMalformed), text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::wire::testing
