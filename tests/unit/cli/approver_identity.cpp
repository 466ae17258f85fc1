// Who decides on this machine: what is kept of it, and how its key is replaced.

#include "sdk/cli/approver_identity.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/approval_decision.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::cli::testing {
namespace {

constexpr const char* kBob = "user:bob@example.org";

struct Settings {
  Settings() { ::setenv("XDG_CONFIG_HOME", folder.path().c_str(), 1); }
  ~Settings() { ::unsetenv("XDG_CONFIG_HOME"); }
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;
  [[nodiscard]] std::filesystem::path file(const char* name) const {
    return folder.path() / "chancery" / "approver" / name;
  }
  chancery::testing::TemporaryFolder folder;
  Output output{Output::Options{}};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(approver_identities)

BOOST_FIXTURE_TEST_CASE(an_approver_is_found_as_kept, Settings) {
  BOOST_TEST(!approver_of({}).has_value());
  const auto made = approver_or_new(output, kBob, {});
  BOOST_REQUIRE(made.has_value());
  const auto kept = approver_of({});
  BOOST_REQUIRE(kept.has_value());
  BOOST_TEST(kept->principal == kBob);
  BOOST_TEST(kept->key.thumbprint() == made->key.thumbprint());
  using std::filesystem::perms;
  const perms open = perms::group_all | perms::others_all;
  BOOST_TEST(((std::filesystem::status(file("key.pem")).permissions() & open) == perms::none));
}

// Interrupted or not, a second try goes on with the key that there is.
BOOST_FIXTURE_TEST_CASE(a_second_enrolment_takes_the_same_key, Settings) {
  const auto first = approver_or_new(output, kBob, {});
  const auto second = approver_or_new(output, kBob, {});
  BOOST_REQUIRE((first && second));
  BOOST_TEST(first->key.thumbprint() == second->key.thumbprint());
  const auto other = approver_or_new(output, "user:eve@example.org", {});
  BOOST_REQUIRE(!other.has_value());
  BOOST_TEST(other.error().code == "conflict");
  BOOST_TEST(approver_of({})->principal == kBob);
}

BOOST_FIXTURE_TEST_CASE(options_name_another_approver_and_key, Settings) {
  const auto kept = approver_or_new(output, kBob, {});
  BOOST_REQUIRE(kept.has_value());
  auto other = KeptKey::make(KeyPlace{});
  const std::string path = (folder.path() / "other.pem").string();
  BOOST_REQUIRE(other->save(path).has_value());
  const auto by_key = approver_of({"", path});
  BOOST_REQUIRE(by_key.has_value());
  BOOST_TEST(by_key->principal == kBob);
  BOOST_TEST(by_key->key.thumbprint() == other->thumbprint());
  const auto by_both = approver_of({"user:eve@example.org", path});
  BOOST_REQUIRE(by_both.has_value());
  BOOST_TEST(by_both->principal == "user:eve@example.org");
}

constexpr std::array kNoPrincipals{"", "group:ops", "user: bob", "user:\nbob"};
BOOST_DATA_TEST_CASE_F(Settings, nobody_decides_without_a_name, boost::unit_test::data::make(kNoPrincipals),
                       name) {
  BOOST_TEST(!approver_or_new(output, name, {}).has_value());
  BOOST_TEST(!std::filesystem::exists(file("key.pem")));
}

BOOST_FIXTURE_TEST_CASE(a_next_key_takes_the_place_of_the_one_before, Settings) {
  const auto before = approver_or_new(output, kBob, {});
  const auto next = next_key_or_new(output, {}, {});
  BOOST_REQUIRE((before && next));
  BOOST_TEST(next->thumbprint() != before->key.thumbprint());
  // Until it takes that place the key that is enrolled decides, and the same one comes again.
  BOOST_TEST(approver_of({})->key.thumbprint() == before->key.thumbprint());
  BOOST_TEST(next_key_or_new(output, {}, {})->thumbprint() == next->thumbprint());
  BOOST_REQUIRE(take_next_key().has_value());
  BOOST_TEST(approver_of({})->key.thumbprint() == next->thumbprint());
  BOOST_TEST(!std::filesystem::exists(file("next.pem")));
  BOOST_TEST(!take_next_key().has_value());
}

// The file of a key in a device has another name: between the end of the one and the other's place there is no key.
BOOST_FIXTURE_TEST_CASE(an_interrupted_replacement_is_finished, Settings) {
  BOOST_REQUIRE(approver_or_new(output, kBob, {}).has_value());
  const auto next = next_key_or_new(output, {}, {});
  BOOST_REQUIRE(next.has_value());
  BOOST_REQUIRE(std::filesystem::remove(file("key.pem")));
  const auto kept = approver_of({});
  BOOST_REQUIRE(kept.has_value());
  BOOST_TEST(kept->key.thumbprint() == next->thumbprint());
  BOOST_TEST(std::filesystem::exists(file("key.pem")));
  BOOST_TEST(!std::filesystem::exists(file("next.pem")));
}

BOOST_FIXTURE_TEST_CASE(groups_are_named_once_and_in_order, Settings) {
  const auto bob = approver_or_new(output, kBob, {});
  BOOST_REQUIRE(bob.has_value());
  const Enrolment enrolment = enrolment_of(kBob, {"ops", "finance", "ops"}, bob->key);
  BOOST_TEST((enrolment.groups == std::vector<std::string>{"finance", "ops"}));
  BOOST_TEST(enrolment.kind == "file");
  const auto read = read_enrolment(enrolment_document(enrolment));
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((*read == enrolment));
}

BOOST_FIXTURE_TEST_CASE(an_authorization_is_of_the_document_for_one_daemon, Settings) {
  const auto bob = approver_or_new(output, kBob, {});
  BOOST_REQUIRE(bob.has_value());
  const std::chrono::sys_seconds now{std::chrono::seconds(1'800'000'000)};
  const auto jws = authorize_document(*bob, "{}", "https://chancery.example", now);
  BOOST_REQUIRE(jws.has_value());
  const auto read = read_enrolment_authorization(*jws);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(read->approver == kBob);
  BOOST_TEST(read->audience == "https://chancery.example");
  BOOST_TEST(read->document_sha256 == hex_encode(sha256(as_bytes("{}"))));
  BOOST_TEST((read->issued_at == now));
  BOOST_TEST(verify_enrolment_authorization(*jws, bob->key.holder().public_key(), std::nullopt).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::cli::testing
