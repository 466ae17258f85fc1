// The real daemon on disks that fill up, that nobody may write to any more, that do not keep what they were given, and
// whose pages are damaged under it: nothing is issued without its entry, what asks no disk goes on, readiness says what is
// wrong, and when the disk is well again so is the daemon, without a restart.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/audit_client.hpp>

#include "daemon/store/sqlite.hpp"
#include "daemon/store/state_space.hpp"
#include "tests/integration/daemon/failing_folder.hpp"
#include "tests/integration/daemon/scrape.hpp"
#include "tests/integration/daemon/small_disk.hpp"
#include "tests/integration/daemon/spending_daemon.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

struct OwnMounts {
  void setup() { have_own_mounts(); }
};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Who was told what while grants were asked for without end.
struct Told {
  std::set<std::string> granted;  ///< principals
  std::set<std::string> refused;
  std::set<std::string> reasons;
};

/// Asks for grants, each for a principal of its own, from several threads at once, until it is ended.
class Askers {
 public:
  explicit Askers(const DaemonProcess& daemon) {
    for (int i = 0; i < 3; ++i) threads_.emplace_back([this, &daemon, i] { ask(daemon, i); });
  }
  ~Askers() { (void)end(); }

  Told end() {
    stop_ = true;
    threads_.clear();
    return told_;
  }
  [[nodiscard]] std::size_t granted() const {
    return locked([this] { return told_.granted.size(); });
  }
  [[nodiscard]] std::size_t refused() const {
    return locked([this] { return told_.refused.size(); });
  }

 private:
  template <typename Read>
  std::size_t locked(Read read) const {
    const std::lock_guard guard(mutex_);
    return read();
  }

  void ask(const DaemonProcess& daemon, int asker) {
    const Client client = daemon.client();
    for (int i = 0; !stop_; ++i) {
      api::CreateGrant request = grant_to("orchestrator");
      request.principal = "user:" + std::to_string(asker) + "." + std::to_string(i) + ".";
      const auto grant = client.grant(request);
      const std::lock_guard guard(mutex_);
      (grant ? told_.granted : told_.refused).insert(request.principal);
      if (!grant) told_.reasons.insert(grant.error().code);
    }
  }

  mutable std::mutex mutex_;
  Told told_;
  std::atomic<bool> stop_ = false;
  std::vector<std::jthread> threads_;
};

/// A daemon, and what is looked at of one whose disk fails.
struct Watched : SpendingDaemon {
  /// Signs a checkpoint at its start and then when it is told to.
  explicit Watched(const std::function<void(DaemonProcess&)>& before = [](DaemonProcess&) {})
      : SpendingDaemon("[audit]\ncheckpoint_interval = \"1h\"\n", before) {}

  /// A request that leaves something on the disk. \return the problem; none when it was done
  struct Request {
    const char* name;
    std::function<std::optional<ClientError>()> send;
  };

  template <typename T>
  static std::optional<ClientError> problem_of(const ClientResult<T>& result) {
    return result ? std::nullopt : std::optional(result.error());
  }

  // Behind the first checkpoint, so that another one has something to sign.
  api::Authorize undecided_payment() const {
    const Client client = daemon.client();
    BOOST_REQUIRE(eventually([&] { return AuditClient(client).checkpoint().has_value(); }));
    return answered(payment(chain, 1));
  }
  api::Authorize waiting = undecided_payment();

  std::vector<Request> requests(const std::string& name) const {
    return {{"agent",
             [=, this] { return problem_of(daemon.client().create_agent(agent_of(name, ::geteuid()))); }},
            {"grant", [this] { return problem_of(daemon.client().grant(grant_to("orchestrator"))); }},
            {"proof",
             [this] {
               return problem_of(daemon.client().prove({chain, "GET", "https://a.example/", std::nullopt}));
             }},
            {"decision", [this] { return problem_of(daemon.client().authorize(waiting)); }},
            {"rotation", [this] { return problem_of(daemon.client().rotate_agent("orchestrator")); }},
            {"checkpoint",
             [this] {
               const Client client = daemon.client();
               return problem_of(AuditClient(client).make_checkpoint());
             }},
            {"backup", [this] { return problem_of(daemon.client().create_backup()); }}};
  }

  void expect_refused(const std::string& what) const {
    for (int round = 0; round < 2; ++round) {  // nor the second time, as though the first had come through
      for (const Request& request : requests("during")) {
        const auto problem = request.send();
        BOOST_TEST_REQUIRE(problem.has_value(), request.name);
        BOOST_TEST(problem->status == 503, request.name << ": " << problem->document);
        BOOST_TEST(problem->code == "store_unavailable", request.name << ": " << problem->document);
      }
    }
    const auto grant = daemon.client().grant(grant_to("orchestrator"));
    BOOST_REQUIRE(!grant);
    BOOST_TEST(contains(grant.error().detail, what), grant.error().detail);
  }

  void expect_done() const {
    for (const Request& request : requests("after")) {
      const auto problem = request.send();
      BOOST_TEST(!problem.has_value(), request.name << ": " << (problem ? problem->document : ""));
    }
    BOOST_TEST(spend(granted(), 1) == "permit");
  }

  /// Without a restart, and behind one.
  void expect_well() {
    expect_ready();
    expect_done();
    expect_verifiable_log();
    BOOST_TEST(daemon.stop() == 0);
    daemon.start();
    expect_ready();
  }

  /// What asks no disk.
  void expect_verification() const {
    const Client client = daemon.client();
    BOOST_TEST(answered(client.verify({chain, {}, {}})).outcome == "valid");
    BOOST_TEST(!answered(client.jwks()).keys.empty());
  }

  void expect_unready(const std::string& what) const {
    std::string json;
    const bool is_told = eventually([&] {
      json = answered(daemon.client().readiness()).json;
      return contains(json, "\"store: ") && contains(json, what);
    });
    BOOST_TEST(is_told, json);
  }
  void expect_ready() const {
    std::string json;
    BOOST_TEST(eventually([&] {
                 const api::Readiness readiness = answered(daemon.client().readiness());
                 json = readiness.json;
                 return readiness.ready;
               }),
               json);
  }

  double figure(const char* name) const { return metric(scrape(daemon), name).value_or(-1); }

  std::vector<api::AuditEntry> whole_log() const {
    const Client client = daemon.client();
    std::vector<api::AuditEntry> log;
    for (;;) {
      const auto page = answered(AuditClient(client).entries({.after = log.size(), .limit = 1000}));
      if (page.entries.empty()) return log;
      for (const api::AuditEntry& entry : page.entries) {
        BOOST_TEST_REQUIRE(entry.number == log.size() + 1);
        log.push_back(entry);
      }
    }
  }
  /// From the first entry to the last, with the programs that an auditor would use.
  void expect_verifiable_log() const {
    const ProgramResult exported = run_here({"audit", "export", "--sign"});
    BOOST_REQUIRE_MESSAGE(exported.exit_status == 0, exported.output);
    const std::string log = (daemon.folder() / "log.jsonl").string();
    const std::string keys = (daemon.folder() / "audit.keys").string();
    std::ofstream(log) << exported.output;
    std::ofstream(keys) << run_here({"audit", "keys"}).output;
    const ProgramResult verified = run({"audit", "verify", log, "--key", keys});
    BOOST_TEST(verified.exit_status == 0, verified.output);
  }
  /// Each grant that was answered has one entry, and no other has any.
  void expect_entries_of(const Told& told, bool may_have_more = false) const {
    std::multiset<std::string> recorded;
    for (const api::AuditEntry& entry : whole_log()) {
      const std::size_t at = entry.json.find("\"user:");
      const bool is_grant =
          contains(entry.json, R"("action":"token.grant")") && contains(entry.json, R"("outcome":"done")");
      if (!is_grant || at == std::string::npos) continue;
      recorded.insert(entry.json.substr(at + 1, entry.json.find('"', at + 1) - at - 1));
    }
    for (const std::string& principal : told.granted) BOOST_TEST(recorded.count(principal) == 1U, principal);
    for (const std::string& principal : told.refused)
      BOOST_TEST(recorded.count(principal) <= (may_have_more ? 1U : 0U), principal);
  }

  /// What a fault that begins and ends while grants are asked for leaves behind.
  void expect_nothing_lost(const std::function<void()>& begin, const std::function<void()>& end) const {
    Askers askers(daemon);
    BOOST_REQUIRE(eventually([&] { return askers.granted() > 10; }));
    begin();
    const std::size_t refused = askers.refused();
    BOOST_REQUIRE(eventually([&] { return askers.refused() > refused + 20; }));
    end();
    const std::size_t granted = askers.granted();
    BOOST_REQUIRE(eventually([&] { return askers.granted() > granted + 10; }));
    const Told told = askers.end();
    BOOST_TEST(told.reasons == std::set<std::string>{"store_unavailable"}, boost::test_tools::per_element());
    expect_entries_of(told);
    expect_verifiable_log();
  }
};

// --- a disk that is full

constexpr std::uint64_t kDiskSize = 12U << 20;

// Before the daemon that is placed on it.
template <typename Disk>
struct Place {
  std::optional<Disk> disk;
};

struct FullDisk : Place<SmallDisk>, Watched {
  FullDisk() : Watched([this](DaemonProcess& made) { disk.emplace(made.state(), kDiskSize); }) {}
  ~FullDisk() {
    daemon.kill();
    disk.reset();
  }
};

// --- a disk that fails

struct FailingDisk : Place<FailingFolder>, Watched {
  FailingDisk()
      : Watched([this](DaemonProcess& made) { disk.emplace(made.state(), made.folder() / "files"); }) {}
  ~FailingDisk() {
    disk->set(FolderFault::kNone);
    daemon.kill();
    disk.reset();
  }
};

struct FaultCase {
  const char* name;
  FolderFault fault;
  const char* what;  // is said of it
};
std::ostream& operator<<(std::ostream& out, const FaultCase& c) { return out << c.name; }
constexpr std::array kFaults{FaultCase{"read-only", FolderFault::kReadOnly, "is read-only"},
                             FaultCase{"syncs fail", FolderFault::kSyncFails, "did not confirm"}};

// --- damaged pages

struct DamagedDisk : Watched {
  using Watched::Watched;

  static std::int64_t first_page(store::Database& database, const std::string& object) {
    auto root = database.query("SELECT rootpage FROM sqlite_schema WHERE name = ?");
    BOOST_REQUIRE(root);
    const auto row = root->bind(std::string_view(object)).step();
    BOOST_REQUIRE(row);
    BOOST_REQUIRE(*row);
    return root->number(0);
  }

  /// Overwrites the first page of a table or index in the file, and has the daemon read it again.
  void damage(const std::string& object) const {
    constexpr std::int64_t kPageSize = 4096;
    const auto file = daemon.state() / "chancery.db";
    auto database = store::Database::open(file);
    BOOST_REQUIRE(database);
    BOOST_REQUIRE(database->execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    const std::int64_t page = first_page(*database, object);
    {
      std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
      out.seekp((page - 1) * kPageSize);
      BOOST_REQUIRE(out.write(std::string(kPageSize, '\xA5').data(), kPageSize).flush());
    }
    BOOST_REQUIRE(database->execute("BEGIN IMMEDIATE; PRAGMA user_version = 11; COMMIT"));
  }

  void expect_refused_as_damaged() const {
    for (const Request& request : requests("during")) {
      if (std::string_view(request.name) == "backup") continue;  // which reads all of it by itself
      const auto problem = request.send();
      BOOST_TEST_REQUIRE(problem.has_value(), request.name);
      BOOST_TEST(problem->status == 503, request.name << ": " << problem->document);
      BOOST_TEST(problem->code == "store_corrupt", request.name << ": " << problem->document);
    }
  }

  std::string backup() const { return (daemon.folder() / "backup").string(); }
};

/// A page, and who reads it.
struct DamageCase {
  const char* object;
  std::optional<ClientError> (*read)(const DamagedDisk& daemon);
};
std::ostream& operator<<(std::ostream& out, const DamageCase& c) { return out << c.object; }
constexpr std::array kDamages{
    DamageCase{"agents",
               [](const DamagedDisk& on) { return Watched::problem_of(on.daemon.client().agents()); }},
    DamageCase{
        "agents_name",
        [](const DamagedDisk& on) { return Watched::problem_of(on.daemon.client().agent("orchestrator")); }},
    DamageCase{"keys",
               [](const DamagedDisk& on) {
                 return Watched::problem_of(on.daemon.client().agent_keys("orchestrator"));
               }},
    DamageCase{"audit",
               [](const DamagedDisk& on) {
                 const Client client = on.daemon.client();
                 return Watched::problem_of(AuditClient(client).entries());
               }},
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(OwnMounts);

BOOST_AUTO_TEST_SUITE(disk_faults)

BOOST_FIXTURE_TEST_CASE(a_full_disk_closes_the_daemon_until_there_is_room, FullDisk) {
  expect_ready();
  BOOST_TEST(figure("chancery_state_free_bytes") > double{store::kLeastFreeOctets});
  BOOST_TEST(figure("chancery_state_size_bytes") == double{kDiskSize});
  disk->fill();
  expect_refused("is full: free some space");
  expect_unready("is full: free some space");
  expect_verification();
  BOOST_TEST(figure("chancery_state_free_bytes") < double{store::kLeastFreeOctets});
  BOOST_TEST(figure("chancery_audit_failures_total") > 0);
  BOOST_TEST(!whole_log().empty());  // reading goes on

  disk->free();
  expect_well();
}

BOOST_FIXTURE_TEST_CASE(a_disk_that_fills_up_under_load_loses_and_doubles_nothing, FullDisk) {
  expect_nothing_lost([this] { disk->fill(); }, [this] { disk->free(); });
}

BOOST_FIXTURE_TEST_CASE(a_full_disk_is_named_at_the_start, FullDisk) {
  BOOST_TEST(daemon.stop() == 0);
  disk->fill();
  const DaemonProcess::Ending ending = daemon.start_and_fail();
  BOOST_TEST(ending.exit_status == 1);
  BOOST_TEST(contains(ending.output, "free some space"), ending.output);
  disk->free();
  daemon.start();
  expect_ready();
  expect_done();
  expect_verifiable_log();
}

BOOST_DATA_TEST_CASE_F(FailingDisk, a_disk_that_fails_closes_the_daemon_until_it_is_well,
                       boost::unit_test::data::make(kFaults), c) {
  expect_ready();
  disk->set(c.fault);
  expect_refused(c.what);
  expect_unready(c.what);
  expect_verification();
  BOOST_TEST(figure("chancery_audit_failures_total") > 0);
  disk->set(FolderFault::kNone);
  expect_well();
}

BOOST_DATA_TEST_CASE_F(FailingDisk, a_disk_that_fails_under_load_loses_and_doubles_nothing,
                       boost::unit_test::data::make(kFaults), c) {
  expect_nothing_lost([&] { disk->set(c.fault); }, [&] { disk->set(FolderFault::kNone); });
}

// What was refused then may have come onto the disk all the same, and has its entry if so.
BOOST_DATA_TEST_CASE_F(FailingDisk, what_was_answered_is_there_though_the_daemon_is_killed_on_a_failing_disk,
                       boost::unit_test::data::make(kFaults), c) {
  Askers askers(daemon);
  BOOST_REQUIRE(eventually([&] { return askers.granted() > 20; }));
  disk->set(c.fault);
  const std::size_t refused = askers.refused();
  BOOST_REQUIRE(eventually([&] { return askers.refused() > refused + 5; }));
  const Told told = askers.end();
  daemon.kill();
  disk->set(FolderFault::kNone);
  daemon.start();
  expect_ready();
  expect_entries_of(told, true);
  expect_verifiable_log();
}

BOOST_FIXTURE_TEST_CASE(a_folder_that_nobody_may_write_to_is_named_at_the_start, FailingDisk) {
  BOOST_TEST(daemon.stop() == 0);
  disk->set(FolderFault::kReadOnly);
  const DaemonProcess::Ending ending = daemon.start_and_fail();
  BOOST_TEST(ending.exit_status == 1);
  BOOST_TEST(contains(ending.output, "writable"), ending.output);
}

BOOST_DATA_TEST_CASE_F(DamagedDisk, a_damaged_page_closes_the_daemon_for_good,
                       boost::unit_test::data::make(kDamages), c) {
  expect_ready();
  damage(c.object);
  const auto problem = c.read(*this);
  BOOST_TEST_REQUIRE(problem.has_value());
  BOOST_TEST(problem->status == 503, problem->document);
  BOOST_TEST(problem->code == "store_corrupt", problem->document);
  expect_unready("docs/operations/recovery.md (store_corrupt)");
  expect_refused_as_damaged();
  expect_verification();
  BOOST_TEST(figure("chancery_store_up") == 0);

  daemon.stop();
  const DaemonProcess::Ending ending = daemon.start_and_fail();
  BOOST_TEST(ending.exit_status == 1);
  BOOST_TEST(contains(ending.output, "`chancery restore` puts a backup in its place"), ending.output);
  BOOST_TEST(contains(ending.output, "docs/operations/recovery.md"), ending.output);
}

BOOST_FIXTURE_TEST_CASE(a_backup_puts_a_damaged_database_right, DamagedDisk) {
  const ProgramResult made = run_here({"backup", backup()});
  BOOST_REQUIRE_MESSAGE(made.exit_status == 0, made.output);
  damage("agents");
  BOOST_TEST(!daemon.client().agents());
  BOOST_TEST(run_here({"backup", backup() + ".2"}).exit_status != 0);
  daemon.stop();
  const ProgramResult restored = run({"restore", backup(), "--state", daemon.state().string()});
  BOOST_REQUIRE_MESSAGE(restored.exit_status == 0, restored.output);
  daemon.start();
  BOOST_TEST(answered(daemon.client().agent("orchestrator")).name == "orchestrator");
  const ProgramResult accepted = run_here({"budget", "accept", "--keep-tokens"});
  BOOST_REQUIRE_MESSAGE(accepted.exit_status == 0, accepted.output);
  expect_ready();
  expect_done();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
