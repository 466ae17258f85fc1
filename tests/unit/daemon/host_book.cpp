// What every book of hosts must do.

#include <functional>
#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite_host_book.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::store::testing {
namespace {

using chancery::testing::TemporaryFolder;
using std::chrono::seconds;

constexpr sys_seconds kNow{seconds{10'000}};
const Thumbprint kKey{{7}};

Host host_named(const std::string& name) {
  Host host;
  host.name = name;
  host.state = HostState::kEnrolled;
  host.worth = Custody::kTpmCertified;
  host.endorsement = "root";
  host.ek_name = "000b" + name;
  host.ek_public = {1};
  host.ak_public = {2};
  host.srk_public = {3};
  host.ek_fingerprint = std::string(64, 'e');
  host.manufacturer = "id:49465800";
  // All 64 bits of a firmware's version may be set.
  host.first_seen = host.last_seen = {1000, 5, 1, true, 0xfedcba9876543210, kNow};
  return host;
}

HeldResult result_of(const std::string& host, const std::string& issuer = "https://verifier.example") {
  HeldResult result;
  result.key = kKey;
  result.issuer = issuer;
  result.host = host;
  result.custody = Custody::kTpmCertified;
  result.evidence_at = kNow;
  result.expires_at = kNow + seconds(3600);
  result.compact = "a.b.c";
  return result;
}

struct Book {
  std::optional<ErrorCode> error(const Result<std::uint64_t>& done) {
    return done ? std::nullopt : std::optional(done.error().code);
  }

  TemporaryFolder folder;
  std::unique_ptr<HostBook> book = make_sqlite_host_book(must(Journal::open(folder.path())));
  AuditEntry audit = entry("host");
};

}  // namespace

BOOST_AUTO_TEST_SUITE(host_book)

BOOST_FIXTURE_TEST_CASE(a_host_is_found_as_it_was_added, Book) {
  Host host = host_named("build-7");
  host.backend = "tpm";
  must(book->add(host, audit));
  BOOST_TEST((must(book->host("build-7")) == host));
  BOOST_TEST((must(book->host_by_ek(host.ek_name)) == host));
  BOOST_TEST((must(book->host_of_backend("tpm")) == host));
  BOOST_TEST((book->host("other").error().code == ErrorCode::kNotFound));
  BOOST_TEST((book->host_of_backend("").error().code == ErrorCode::kNotFound));
}

BOOST_FIXTURE_TEST_CASE(a_name_and_an_ek_belong_to_one_host, Book) {
  const Host host = host_named("build-7");
  must(book->add(host, audit));
  Host same_ek = host_named("other");
  same_ek.ek_name = host.ek_name;
  BOOST_TEST((error(book->add(same_ek, audit)) == ErrorCode::kConflict));
  Host same_name = host_named("build-7");
  same_name.ek_name = "000bff";
  BOOST_TEST((error(book->add(same_name, audit)) == ErrorCode::kConflict));
}

BOOST_FIXTURE_TEST_CASE(hosts_are_listed_by_name_page_by_page, Book) {
  for (const char* name : {"c", "a", "b"}) must(book->add(host_named(name), audit));
  const auto names = [&](std::size_t limit, const char* after) {
    std::string all;
    for (const Host& host : must(book->hosts(limit, after))) all += host.name;
    return all;
  };
  BOOST_TEST(names(2, "") == "ab");
  BOOST_TEST(names(2, "b") == "c");
  BOOST_TEST((book->hosts(0, "").error().code == ErrorCode::kInvalidArgument));
}

BOOST_FIXTURE_TEST_CASE(a_host_that_waits_is_approved_once, Book) {
  Host host = host_named("build-7");
  host.state = HostState::kWaiting;
  host.worth.reset();
  must(book->add(host, audit));
  BOOST_TEST((error(book->record(result_of("build-7"), audit)) == ErrorCode::kForbidden));
  must(book->approve("build-7", Custody::kTpmCertifiedEmulated, audit));
  const Host approved = must(book->host("build-7"));
  BOOST_TEST((approved.state == HostState::kEnrolled));
  BOOST_TEST((approved.worth == Custody::kTpmCertifiedEmulated));
  BOOST_TEST((error(book->approve("build-7", Custody::kTpmCertified, audit)) == ErrorCode::kConflict));
  BOOST_TEST((error(book->approve("other", Custody::kTpmCertified, audit)) == ErrorCode::kNotFound));
}

struct Sighting {
  const char* what;
  HostSeen seen;
  bool is_kept;
};
std::ostream& operator<<(std::ostream& out, const Sighting& row) { return out << row.what; }

const Sighting kSightings[] = {
    {"a later clock", {1001, 5, 1, true, 9, kNow + seconds(1)}, true},
    {"the same clock", {1000, 5, 1, true, 9, kNow + seconds(1)}, true},
    {"an earlier clock", {999, 5, 1, true, 9, kNow + seconds(1)}, false},
    {"another restart, whose clock is earlier", {10, 5, 2, true, 9, kNow + seconds(1)}, true},
    {"another reset, whose counts are smaller", {10, 6, 0, true, 9, kNow + seconds(1)}, true},
    {"a reset before", {5000, 4, 9, true, 9, kNow + seconds(1)}, false},
};

BOOST_DATA_TEST_CASE_F(Book, the_latest_time_of_a_tpm_is_remembered,
                       boost::unit_test::data::make(kSightings)) {
  const Host host = host_named("build-7");
  must(book->add(host, audit));
  BOOST_REQUIRE(book->saw("build-7", sample.seen));
  const Host after = must(book->host("build-7"));
  BOOST_TEST((after.last_seen == (sample.is_kept ? sample.seen : host.last_seen)));
  BOOST_TEST((after.first_seen == host.first_seen));
}

BOOST_FIXTURE_TEST_CASE(of_one_key_and_issuer_the_newest_result_is_held_until_it_expires, Book) {
  must(book->add(host_named("build-7"), audit));
  must(book->record(result_of("build-7"), audit));
  HeldResult newer = result_of("build-7");
  newer.compact = "d.e.f";
  must(book->record(newer, audit));
  const HeldResult others = result_of("", "https://other.example");
  must(book->record(others, audit));
  BOOST_TEST((must(book->results(kKey, kNow)) == std::vector{others, newer}));
  BOOST_TEST(must(book->results(kKey, newer.expires_at)).empty());
  BOOST_REQUIRE(book->prune(newer.expires_at));
  BOOST_TEST(must(book->results(kKey, kNow)).empty());
}

BOOST_FIXTURE_TEST_CASE(a_key_is_in_one_host, Book) {
  must(book->add(host_named("build-7"), audit));
  must(book->add(host_named("build-8"), audit));
  must(book->record(result_of("build-7"), audit));
  BOOST_TEST((error(book->record(result_of("build-8"), audit)) == ErrorCode::kConflict));
}

BOOST_FIXTURE_TEST_CASE(results_about_own_devices_are_forgotten_and_those_of_other_machines_kept, Book) {
  Host own = host_named("local.tpm");
  own.backend = "tpm";
  must(book->add(own, audit));
  must(book->add(host_named("build-7"), audit));
  must(book->record(result_of("local.tpm"), audit));
  HeldResult about_other = result_of("build-7");
  about_other.key = Thumbprint{{8}};
  must(book->record(about_other, audit));
  BOOST_REQUIRE(book->forget_own_results(about_other.issuer));
  BOOST_TEST(must(book->results(kKey, kNow)).empty());
  BOOST_TEST(must(book->results(about_other.key, kNow)).size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(the_results_of_one_issuer_are_forgotten, Book) {
  must(book->add(host_named("build-7"), audit));
  must(book->record(result_of("build-7"), audit));
  const HeldResult others = result_of("", "https://other.example");
  must(book->record(others, audit));
  BOOST_REQUIRE(book->forget_results("https://verifier.example"));
  BOOST_TEST((must(book->results(kKey, kNow)) == std::vector{others}));
}

/// What ends all that a host has proved.
struct Ending {
  const char* what;
  std::function<void(Book& it)> end;
};
std::ostream& operator<<(std::ostream& out, const Ending& row) { return out << row.what; }

const Ending kEndings[] = {
    {"quarantine", [](Book& it) { must(it.book->quarantine("build-7", "two of it", it.audit)); }},
    {"removal", [](Book& it) { must(it.book->remove("build-7", it.audit)); }},
};

BOOST_DATA_TEST_CASE(results_end_with_their_host, boost::unit_test::data::make(kEndings)) {
  Book it;
  must(it.book->add(host_named("build-7"), it.audit));
  must(it.book->record(result_of("build-7"), it.audit));
  must(it.book->record(result_of("", "https://other.example"), it.audit));
  sample.end(it);
  const auto left = must(it.book->results(kKey, kNow));
  BOOST_REQUIRE(left.size() == 1U);
  BOOST_TEST(left.front().issuer == "https://other.example");
  BOOST_TEST(!it.book->record(result_of("build-7"), it.audit).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_quarantine_says_why_and_an_unknown_host_has_none, Book) {
  must(book->add(host_named("build-7"), audit));
  must(book->quarantine("build-7", "two of it", audit));
  BOOST_TEST((must(book->host("build-7")).state == HostState::kQuarantined));
  BOOST_TEST(must(book->host("build-7")).reason == "two of it");
  BOOST_TEST((error(book->quarantine("other", "", audit)) == ErrorCode::kNotFound));
  BOOST_TEST((error(book->remove("other", audit)) == ErrorCode::kNotFound));
}

BOOST_FIXTURE_TEST_CASE(the_attestation_key_of_a_backend_is_kept, Book) {
  BOOST_TEST(must(book->attestation_key("tpm")).empty());
  for (const Bytes& blob : {Bytes{1, 2}, Bytes{3}}) {
    BOOST_REQUIRE(book->keep_attestation_key("tpm", blob));
    BOOST_TEST((must(book->attestation_key("tpm")) == blob));
  }
  BOOST_TEST(must(book->attestation_key("other")).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
