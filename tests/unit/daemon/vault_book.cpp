// What every book of credentials must do.

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite_vault_book.hpp"
#include "tests/unit/daemon/folder_octets.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::store::testing {
namespace {

using chancery::testing::TemporaryFolder;
using std::chrono::seconds;
using enum ErrorCode;

constexpr sys_seconds kNow{seconds{10'000}};
constexpr sys_seconds kLater = kNow + seconds(600);
const std::string kId(32, 'a');

Envelope envelope_of(std::uint8_t octet) { return {Bytes(60, octet), Bytes(90, octet)}; }

CredentialVersion version_of(std::int64_t number, VersionState state) {
  CredentialVersion version;
  version.number = number;
  version.state = state;
  version.created_at = kNow;
  if (state == VersionState::kActive) version.activated_at = kNow;
  return version;
}

Credential credential_named(const std::string& name, const std::string& id) {
  Credential credential;
  credential.id = id;
  credential.name = name;
  credential.type = "api_key";
  credential.scope = "payments.refund";
  credential.tools = {"refund", "refund-status"};
  credential.owner = "payments";
  credential.environment = "production";
  credential.created_at = kNow;
  credential.rotate_on_hit = true;
  credential.versions.push_back(version_of(1, VersionState::kActive));
  return credential;
}

struct Book {
  Book() { must(book->add(credential_named("psp", kId), envelope_of(1), entry("credential.put"))); }

  Credential read(sys_seconds now = kNow) { return must(book->find("psp", now)); }
  Result<std::uint64_t> put(VersionState state = VersionState::kPending) {
    const Credential now = read();
    const auto number = static_cast<std::int64_t>(now.versions.size()) + 1;
    return book->add_version(
        now, {version_of(number, state), envelope_of(static_cast<std::uint8_t>(number)), kLater},
        entry("credential.put"));
  }
  Result<std::uint64_t> activate() {
    return book->activate(read(), kNow, kLater, entry("credential.activate"));
  }
  Result<std::uint64_t> revoke(std::int64_t version) {
    return book->revoke(read(), version, kNow, entry("credential.revoke"));
  }
  Result<std::uint64_t> use(const std::string& id, sys_seconds until = kLater) {
    const Credential now = read();
    return book->take_use(now, {now.id, now.version_in(VersionState::kActive)->number, id, until}, kNow,
                          entry("credential.release"));
  }
  void retire_idle(sys_seconds now) {
    for (const RetiringVersion& version : must(book->idle(now)))
      must(book->retire(version, now, entry("credential.retire")));
  }
  std::vector<VersionState> states() {
    std::vector<VersionState> out;
    for (const CredentialVersion& version : read().versions) out.push_back(version.state);
    return out;
  }
  void reopen() {
    book.reset();
    book = make_sqlite_vault_book(must(Journal::open(folder.path())));
  }

  TemporaryFolder folder;
  std::unique_ptr<VaultBook> book = make_sqlite_vault_book(must(Journal::open(folder.path())));
};

using enum VersionState;
using States = std::vector<VersionState>;

}  // namespace

BOOST_AUTO_TEST_SUITE(vault_book)

// --- the vault's key

BOOST_FIXTURE_TEST_CASE(there_is_one_vault_key_and_it_survives_a_restart, Book) {
  BOOST_TEST(!must(book->key()));
  const SealedVaultKey key{"tpm0", std::string(32, 'k'), Bytes(200, 7), kNow};
  must(book->keep_key(key, entry("vault.create")));
  BOOST_TEST((refusal(book->keep_key(key, entry("vault.create"))) == kConflict));
  reopen();
  BOOST_TEST((must(book->key()) == key));
}

BOOST_FIXTURE_TEST_CASE(a_reset_forgets_the_key_and_revokes_everything, Book) {
  must(book->keep_key({"tpm0", "k", Bytes(200, 7), kNow}, entry("vault.create")));
  must(put());
  must(use("u1"));
  const Credential before = read();
  must(book->reset(kNow, entry("vault.reset")));
  BOOST_TEST(!must(book->key()));
  BOOST_TEST((states() == States{kRevoked, kRevoked}));
  BOOST_TEST(read().versions.front().open_uses == 0U);
  BOOST_TEST((refusal(book->activate(before, kNow, kLater, entry("x"))) == kConflict));
}

// --- credentials

BOOST_FIXTURE_TEST_CASE(a_credential_comes_back_as_it_was_put_also_after_a_restart, Book) {
  Credential want = credential_named("psp", kId);
  want.revision = 1;
  BOOST_TEST((read() == want));
  BOOST_TEST((must(book->envelope(kId, 1)) == envelope_of(1)));
  reopen();
  BOOST_TEST((read() == want));
}

BOOST_FIXTURE_TEST_CASE(an_expiry_is_kept_with_its_version, Book) {
  Credential credential = credential_named("short", std::string(32, 'b'));
  credential.versions.front().expires_at = kLater;
  must(book->add(credential, envelope_of(1), entry("x")));
  BOOST_TEST((must(book->find("short", kNow)).versions.front().expires_at == kLater));
}

BOOST_FIXTURE_TEST_CASE(a_name_is_taken_once, Book) {
  const auto again = book->add(credential_named("psp", std::string(32, 'b')), envelope_of(1), entry("x"));
  BOOST_TEST((refusal(again) == kConflict));
}

BOOST_FIXTURE_TEST_CASE(what_is_not_there_is_not_found, Book) {
  BOOST_TEST((refusal(book->find("psq", kNow)) == kNotFound));
  BOOST_TEST((refusal(book->envelope(kId, 2)) == kNotFound));
  BOOST_TEST((refusal(revoke(2)) == kNotFound));
}

BOOST_FIXTURE_TEST_CASE(a_list_goes_on_behind_a_name, Book) {
  must(book->add(credential_named("crm", std::string(32, 'b')), envelope_of(1), entry("x")));
  must(book->add(credential_named("sql", std::string(32, 'c')), envelope_of(1), entry("x")));
  const auto names = [&](std::size_t limit, std::string_view after) {
    std::string out;
    for (const Credential& credential : must(book->list(limit, after, kNow))) out += credential.name + " ";
    return out;
  };
  BOOST_TEST(names(2, "") == "crm psp ");
  BOOST_TEST(names(2, "psp") == "sql ");
  BOOST_TEST((refusal(book->list(0, "", kNow)) == kInvalidArgument));
  BOOST_TEST((refusal(book->list(1001, "", kNow)) == kInvalidArgument));
}

// --- versions

BOOST_FIXTURE_TEST_CASE(a_second_value_waits_until_it_is_activated, Book) {
  must(put());
  BOOST_TEST((states() == States{kActive, kPending}));
  must(activate());
  BOOST_TEST((states() == States{kRetiring, kActive}));
  BOOST_TEST((read().versions[0].retire_at == kLater));
  BOOST_TEST((read().versions[1].activated_at == kNow));
}

BOOST_FIXTURE_TEST_CASE(one_version_is_pending_at_a_time, Book) {
  must(put());
  BOOST_TEST((refusal(put()) == kConflict));
  must(revoke(2));
  must(put());
  BOOST_TEST((states() == States{kActive, kRevoked, kPending}));
}

BOOST_FIXTURE_TEST_CASE(nothing_is_activated_when_nothing_is_pending, Book) {
  BOOST_TEST((refusal(activate()) == kConflict));
  BOOST_TEST((states() == States{kActive}));
}

BOOST_FIXTURE_TEST_CASE(a_version_that_is_active_at_once_makes_the_former_one_retire, Book) {
  must(put(kActive));
  BOOST_TEST((states() == States{kRetiring, kActive}));
}

BOOST_FIXTURE_TEST_CASE(two_versions_serve_at_a_time_and_no_third_one, Book) {
  must(use("u1"));
  must(put(kActive));
  BOOST_TEST((refusal(put(kActive)) == kConflict));
  must(put());
  BOOST_TEST((refusal(activate()) == kConflict));
  must(book->end_use("u1"));
  must(activate());
  BOOST_TEST((states() == States{kRevoked, kRetiring, kActive}));
}

BOOST_FIXTURE_TEST_CASE(a_retiring_version_ends_when_no_use_holds_it, Book) {
  must(use("u1"));
  must(use("u2"));
  must(put(kActive));
  retire_idle(kNow);
  BOOST_TEST((states() == States{kRetiring, kActive}));
  must(book->end_use("u1"));
  retire_idle(kNow);
  BOOST_TEST((states() == States{kRetiring, kActive}));
  must(book->end_use("u2"));
  retire_idle(kNow);
  BOOST_TEST((states() == States{kRevoked, kActive}));
}

BOOST_FIXTURE_TEST_CASE(a_retiring_version_ends_with_its_time_though_it_is_used, Book) {
  must(use("u1", kLater + seconds(600)));
  must(put(kActive));
  retire_idle(kLater - seconds(1));
  BOOST_TEST((states() == States{kRetiring, kActive}));
  BOOST_TEST(must(book->idle(kLater)).front().open_uses == 1U);
  retire_idle(kLater);
  BOOST_TEST((states() == States{kRevoked, kActive}));
}

BOOST_FIXTURE_TEST_CASE(a_use_that_nobody_ends_holds_nothing_beyond_its_time, Book) {
  must(use("u1", kNow + seconds(60)));
  must(put(kActive));
  BOOST_TEST(must(book->idle(kNow + seconds(59))).empty());
  BOOST_TEST(must(book->idle(kNow + seconds(60))).size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_version_that_came_into_use_again_is_not_retired, Book) {
  must(put(kActive));
  RetiringVersion version = must(book->idle(kNow)).front();
  retire_idle(kNow);
  BOOST_TEST((refusal(book->retire(version, kNow, entry("x"))) == kConflict));
}

BOOST_FIXTURE_TEST_CASE(what_is_revoked_has_no_envelope_and_stays_revoked, Book) {
  must(put());
  must(revoke(0));
  BOOST_TEST((states() == States{kRevoked, kRevoked}));
  BOOST_TEST((refusal(book->envelope(kId, 1)) == kNotFound));
  BOOST_TEST((refusal(revoke(1)) == kConflict));
  BOOST_TEST((refusal(revoke(0)) == kConflict));
  BOOST_TEST((read().versions.front().revoked_at == kNow));
}

BOOST_FIXTURE_TEST_CASE(what_was_revoked_stands_in_no_file_any_more, Book) {
  Envelope planted{Bytes(60, 1), Bytes()};
  const std::string canary = "canary-of-a-sealed-value-0123456789";
  planted.value.assign(canary.begin(), canary.end());
  must(book->add_version(read(), {version_of(2, kPending), planted, {}}, entry("x")));
  BOOST_TEST(stands_in_files(folder.path(), canary));
  must(revoke(2));
  BOOST_TEST(!stands_in_files(folder.path(), canary));
}

// --- changes

BOOST_FIXTURE_TEST_CASE(a_change_writes_what_it_says_and_the_envelopes, Book) {
  must(put());
  Credential changed = read();
  changed.type = "password";
  changed.scope = "crm.read";
  changed.tools = {"lookup"};
  changed.owner.clear();
  changed.environment = "staging";
  changed.rotate_on_hit = false;
  must(book->change(read(), changed, {{1, envelope_of(8)}, {2, envelope_of(9)}}, entry("x")));
  ++changed.revision;
  BOOST_TEST((read() == changed));
  BOOST_TEST((must(book->envelope(kId, 1)) == envelope_of(8)));
  BOOST_TEST((must(book->envelope(kId, 2)) == envelope_of(9)));
}

BOOST_FIXTURE_TEST_CASE(whoever_has_read_what_is_no_more_changes_nothing, Book) {
  const Credential before = read();
  must(put());
  const std::vector<Result<std::uint64_t>> late{
      book->add_version(before, {version_of(2, kPending), envelope_of(2), {}}, entry("x")),
      book->change(before, before, {{1, envelope_of(8)}}, entry("x")),
      book->activate(before, kNow, kLater, entry("x")),
      book->revoke(before, 0, kNow, entry("x")),
      book->take_use(before, {kId, 1, "u1", kLater}, kNow, entry("x")),
  };
  for (const auto& done : late) BOOST_TEST((refusal(done) == kConflict));
  BOOST_TEST((states() == States{kActive, kPending}));
  BOOST_TEST(read().versions.front().uses == 0U);
  BOOST_TEST((must(book->envelope(kId, 1)) == envelope_of(1)));
}

// --- uses

BOOST_FIXTURE_TEST_CASE(a_use_is_counted_and_open_until_it_ends, Book) {
  must(use("u1"));
  CredentialVersion version = read().versions.front();
  BOOST_TEST(version.uses == 1U);
  BOOST_TEST(version.open_uses == 1U);
  BOOST_TEST((version.last_used_at == kNow));
  BOOST_TEST(read(kLater).versions.front().open_uses == 0U);
  must(book->end_use("u1"));
  must(book->end_use("u1"));
  BOOST_TEST(read().versions.front().open_uses == 0U);
  BOOST_TEST(read().versions.front().uses == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_use_has_an_id_of_its_own, Book) {
  must(use("u1"));
  BOOST_TEST((refusal(use("u1")) == kConflict));
  BOOST_TEST(read().versions.front().uses == 1U);
}

BOOST_FIXTURE_TEST_CASE(only_the_active_version_is_used, Book) {
  must(put());
  const Credential now = read();
  BOOST_TEST((refusal(book->take_use(now, {kId, 2, "u1", kLater}, kNow, entry("x"))) == kConflict));
}

BOOST_FIXTURE_TEST_CASE(uses_are_forgotten_with_their_time, Book) {
  must(use("u1"));
  must(book->prune(kLater - seconds(1)));
  BOOST_TEST(read().versions.front().open_uses == 1U);
  must(book->prune(kLater));
  BOOST_TEST(read().versions.front().open_uses == 0U);
  must(use("u1"));
}

BOOST_FIXTURE_TEST_CASE(counts_tell_versions_by_state_and_the_oldest_active_one, Book) {
  Credential older = credential_named("crm", std::string(32, 'b'));
  older.versions.front().created_at = kNow - seconds(100);
  must(book->add(older, envelope_of(1), entry("x")));
  must(use("u1"));
  must(put(kActive));
  must(put());
  const VaultCounts counts = must(book->counts());
  BOOST_TEST(counts.active == 2U);
  BOOST_TEST(counts.retiring == 1U);
  BOOST_TEST(counts.pending == 1U);
  BOOST_TEST(counts.revoked == 0U);
  BOOST_TEST((counts.oldest_active == kNow - seconds(100)));
}

// --- the audit log

BOOST_FIXTURE_TEST_CASE(nothing_changes_without_an_audit_entry, Book) {
  BOOST_TEST((refusal(book->revoke(read(), 0, kNow, {})) == kInvalidArgument));
  BOOST_TEST((states() == States{kActive}));
}

BOOST_FIXTURE_TEST_CASE(of_many_who_activate_at_once_one_does, Book) {
  must(put());
  const Credential before = read();
  std::atomic<int> done = 0;
  {
    std::vector<std::jthread> operators;
    for (int i = 0; i < 16; ++i) {
      operators.emplace_back([&] {
        const auto activated = book->activate(before, kNow, kLater, entry("credential.activate"));
        done += activated ? 1 : 0;
      });
    }
  }
  BOOST_TEST(done == 1);
  BOOST_TEST((states() == States{kRetiring, kActive}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
