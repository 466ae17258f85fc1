// The grant of an issuer in the daemon's store: what is kept, who opens it, and who does not.

#include "daemon/service/kept_grant.hpp"

#include <fstream>
#include <iterator>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/service/audit_entry.hpp"
#include "daemon/store/sqlite.hpp"
#include "daemon/store/sqlite_grant_book.hpp"
#include "daemon/store/sqlite_vault_book.hpp"
#include "sdk/base/base64.hpp"
#include "tests/unit/service/audit_texts.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

using service::KeptGrant;
using State = vault::StoredGrant::State;

constexpr std::string_view kToken = "refresh-token-canary-0123456789";

vault::StoredGrant grant_of(State state, std::uint64_t generation, std::string_view token = kToken) {
  vault::StoredGrant out;
  out.state = state;
  out.since = kNow;
  out.generation = generation;
  out.refresh_token = SecretBytes(as_bytes(token));
  return out;
}

struct Grants : OfficeFixture {
  KeptGrant kept(const std::string& issuer = "calendar") {
    return KeptGrant(*premises().books.grants, premises().vault, issuer, [] { return kNow; });
  }
  std::uint64_t put(State state, std::uint64_t generation, std::string_view token = kToken) {
    const auto next = kept().replace(grant_of(state, generation, token));
    BOOST_REQUIRE_MESSAGE(next, (next ? "" : next.error().what));
    return *next;
  }
  std::string token_of(const std::string& issuer = "calendar") {
    const auto grant = kept(issuer).load();
    BOOST_REQUIRE_MESSAGE(grant, (grant ? "" : grant.error().what));
    return std::string(as_text(grant->refresh_token.view()));
  }
  std::size_t entries(const std::string& action) { return audit_texts_of(store(), action).size(); }
  void edit(const std::string& sql) {
    auto database = store::Database::open(this->database());
    BOOST_REQUIRE(database);
    BOOST_REQUIRE(database->execute(sql.c_str()));
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(kept_grant)

BOOST_FIXTURE_TEST_CASE(there_is_none_before_anybody_consented, Grants) {
  const auto none = kept().load();
  BOOST_REQUIRE(none);
  BOOST_TEST((none->state == State::kNone));
  BOOST_TEST(none->generation == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_is_kept_is_there_for_the_next_one, Grants) {
  BOOST_TEST(put(State::kUsable, 0) == 1u);
  BOOST_TEST(token_of() == kToken);
  BOOST_TEST(put(State::kRefreshing, 1) == 2u);
  const auto grant = kept().load();
  BOOST_REQUIRE(grant);
  BOOST_TEST((grant->state == State::kRefreshing));
  BOOST_TEST((grant->since == kNow));
  BOOST_TEST(grant->generation == 2u);
}

BOOST_FIXTURE_TEST_CASE(another_one_is_not_replaced, Grants) {
  put(State::kUsable, 0);
  const auto late = kept().replace(grant_of(State::kUsable, 0, "another-token"));
  BOOST_REQUIRE(!late);
  BOOST_TEST((late.error().code == ErrorCode::kConflict));
  BOOST_TEST(token_of() == kToken);
}

BOOST_FIXTURE_TEST_CASE(one_that_has_ended_has_no_token, Grants) {
  put(State::kUsable, 0);
  put(State::kEnded, 1, "");
  const auto grant = kept().load();
  BOOST_REQUIRE(grant);
  BOOST_TEST((grant->state == State::kEnded));
  BOOST_TEST(grant->refresh_token.empty());
}

BOOST_FIXTURE_TEST_CASE(the_log_says_when_one_has_ended, Grants) {
  put(State::kUsable, 0);
  BOOST_TEST(entries("issuer.consent_end") == 0u);
  put(State::kEnded, 1, "");
  BOOST_TEST(entries("issuer.consent_end") == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_consent_that_cannot_be_recorded_is_none, Grants) {
  edit(
      "CREATE TRIGGER lost BEFORE INSERT ON audit WHEN NEW.entry LIKE '%issuer.consent%'"
      " BEGIN SELECT RAISE(ABORT, 'the test has it fail'); END");
  const auto consented = [&] {
    KeptGrant grant(
        *premises().books.grants, premises().vault, "calendar", [] { return kNow; },
        service::audit_entry("issuer.consent", kNow, {}));
    return grant.replace(grant_of(State::kUsable, 0)).has_value();
  };
  BOOST_TEST(!consented());
  BOOST_TEST((kept().load()->state == State::kNone));
  edit("DROP TRIGGER lost");
  BOOST_TEST(consented());
  BOOST_TEST(entries("issuer.consent") == 1u);
}

BOOST_FIXTURE_TEST_CASE(the_token_stands_in_no_file, Grants) {
  put(State::kUsable, 0);
  for (const auto& entry : std::filesystem::directory_iterator(database().parent_path())) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string octets{std::istreambuf_iterator<char>(in), {}};
    BOOST_TEST(octets.find(kToken) == std::string::npos, entry.path());
    BOOST_TEST(octets.find(base64_encode(as_bytes(kToken))) == std::string::npos, entry.path());
  }
}

BOOST_FIXTURE_TEST_CASE(its_state_is_known_without_the_device, Grants) {
  put(State::kUsable, 0);
  device().fail_with(Error{ErrorCode::kDeviceUnavailable, "away"});
  const std::uint64_t before = device().unsealings();
  const auto grant = kept().look();
  BOOST_REQUIRE(grant);
  BOOST_TEST((grant->state == State::kUsable));
  BOOST_TEST(grant->refresh_token.empty());
  BOOST_TEST(device().unsealings() == before);
}

namespace {

struct Edit {
  const char* what;
  const char* sql;
};
std::ostream& operator<<(std::ostream& out, const Edit& row) { return out << row.what; }

constexpr std::array kEdits{
    Edit{"another issuer", "UPDATE issuer_grants SET issuer = 'mail'"},
    Edit{"another state", "UPDATE issuer_grants SET state = 'uncertain'"},
    Edit{"another time", "UPDATE issuer_grants SET since = since + 1"},
    Edit{"another generation", "UPDATE issuer_grants SET generation = generation + 1"},
    Edit{"another key", "UPDATE issuer_grants SET data_key = value"},
    Edit{"another value", "UPDATE issuer_grants SET value = data_key"},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(Grants, what_another_hand_changed_is_not_opened, boost::unit_test::data::make(kEdits),
                       row) {
  put(State::kUsable, 0);
  edit(row.sql);
  const auto grant =
      kept(std::string_view(row.sql).find("'mail'") == std::string_view::npos ? "calendar" : "mail").load();
  BOOST_REQUIRE(!grant);
  BOOST_TEST((grant.error().code == ErrorCode::kStoreCorrupt));
}

BOOST_FIXTURE_TEST_CASE(a_copied_database_opens_nothing_on_another_machine, Grants) {
  put(State::kUsable, 0);
  const std::filesystem::path copy = database().parent_path().parent_path() / "copy";
  std::filesystem::create_directory(copy);
  std::filesystem::permissions(copy, std::filesystem::perms::owner_all);
  for (const auto& entry : std::filesystem::directory_iterator(database().parent_path())) {
    if (entry.path().filename().string().starts_with("chancery.db"))
      std::filesystem::copy(entry.path(), copy / entry.path().filename());
  }
  const auto journal = store::Journal::open(copy);
  BOOST_REQUIRE_MESSAGE(journal, (journal ? "" : journal.error().what));
  const auto credentials = store::make_sqlite_vault_book(*journal);
  const auto grants = store::make_sqlite_grant_book(*journal);
  service::Backends backends;
  backends.add("memory", std::make_unique<simulators::MemoryBackend>());
  service::Vault other(*credentials, backends, spending(), "memory", office().redactor);
  const auto grant = KeptGrant(*grants, other, "calendar", [] { return kNow; }).load();
  BOOST_REQUIRE(!grant);
  BOOST_TEST((grant.error().code == ErrorCode::kKeyLost), grant.error().what);
}

BOOST_FIXTURE_TEST_CASE(a_reset_of_the_vault_ends_it, Grants) {
  put(State::kUsable, 0);
  const auto reset = call("POST", "/v1/vault/reset", R"({"confirm":"forget all credentials"})", kOperatorUid);
  BOOST_REQUIRE_MESSAGE(reset.status == 200, reset.body);
  const auto grant = kept().load();
  BOOST_REQUIRE(grant);
  BOOST_TEST((grant->state == State::kEnded));
  BOOST_TEST(put(State::kUsable, grant->generation, "the next one") == 3u);  // under a key of its own
  BOOST_TEST(token_of() == "the next one");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
