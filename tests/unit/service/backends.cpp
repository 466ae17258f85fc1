// What the operator is told of the key backends and of the process.

#include <fstream>

#include <sys/stat.h>

#include "daemon/service/process.hpp"
#include "sdk/wire/messages.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

using rest::Response;

api::Backend backend_of(const Response& response) {
  BOOST_REQUIRE_MESSAGE(response.status == 200, response.body);
  const auto backend = wire::read_backend(response.body);
  BOOST_REQUIRE(backend);
  return *backend;
}

struct Asked : OfficeFixture {
  api::Backend show() { return backend_of(call("GET", "/v1/backends/memory", "", kOperatorUid)); }
  std::vector<api::Backend> list() {
    const Response response = call("GET", "/v1/backends", "", kOperatorUid);
    BOOST_REQUIRE_MESSAGE(response.status == 200, response.body);
    return wire::read_backend_list(response.body)->backends;
  }
};

hsm::Fact fact_of(const service::WatchedFile& file) { return service::process_facts({file}).at(1); }

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_backend_is_described_to_the_operator, Asked) {
  create_story_agents();
  BOOST_REQUIRE(call("DELETE", "/v1/agents/lookup", "", kOperatorUid).status == 200);
  const api::Backend backend = show();
  BOOST_TEST(backend.name == "memory");
  BOOST_TEST(backend.type == "memory");
  BOOST_TEST(backend.emulated);
  BOOST_TEST(backend.state == "ok");
  BOOST_TEST(backend.advice.empty());
  BOOST_TEST(backend.native.empty());
  BOOST_TEST((backend.algorithms == std::vector<std::string>{"ES256", "Ed25519"}));
  BOOST_TEST(backend.is_default);
  BOOST_TEST(backend.is_issuer);
  BOOST_TEST(backend.agent_keys == 2);
  BOOST_REQUIRE(backend.facts.size() == 1u);
  BOOST_TEST(backend.facts.front().severity == "warn");
}

BOOST_FIXTURE_TEST_CASE(a_list_has_each_backend_without_its_facts, Asked) {
  api::Backend shown = show();
  shown.facts.clear();
  BOOST_TEST((list() == std::vector<api::Backend>{shown}));
}

BOOST_FIXTURE_TEST_CASE(a_backend_that_does_not_serve_says_why_and_what_to_do, Asked) {
  device().fail_with(Error{ErrorCode::kDeviceLockout, "wait, or reset it", 0x921});
  for (const api::Backend& backend : {show(), list().at(0)}) {
    BOOST_TEST(backend.state == "device_lockout");
    BOOST_TEST(backend.advice == "wait, or reset it");
    BOOST_TEST(backend.native == "0x921");
    BOOST_TEST(backend.facts.empty());
  }
}

// One that is silent until its deadline takes its share of the time and no more.
BOOST_FIXTURE_TEST_CASE(a_silent_backend_leaves_the_others_their_time, OfficeFixture) {
  service::Backends backends;
  auto silent = std::make_unique<simulators::MemoryBackend>("silent");
  simulators::MemoryBackend* const slow = silent.get();
  backends.add("silent", std::move(silent));
  backends.add("other", std::make_unique<simulators::MemoryBackend>("other"));
  service::Office office{store(),
                         backends,
                         this->office().life,
                         this->office().issuer,
                         this->office().trust,
                         this->office().readiness,
                         this->office().proofs,
                         this->office().joins,
                         this->office().nonces,
                         this->office().spending,
                         this->office().statuses,
                         this->office().attestation,
                         this->office().audit,
                         this->office().webhook,
                         this->office().approvals_webhook,
                         this->office().backups,
                         this->office().vault,
                         this->office().permits,
                         this->office().issuers,
                         this->office().approvals,
                         this->office().approvers,
                         this->office().gates,
                         this->office().gated,
                         Published<service::Policy>(*this->office().policy.current())};
  rest::Router router(office);
  std::optional<hsm::Deadline> given;
  slow->while_checking([&] { given = slow->last_deadline(); });
  rest::Request request;
  request.method = "GET";
  request.path = "/v1/backends";
  request.peer.credentials.emplace().uid = kOperatorUid;
  request.received_at = kNow;
  request.deadline = std::chrono::steady_clock::now() + std::chrono::hours(3);
  const Response response = router.handle(request);
  BOOST_TEST(response.status == 200, response.body);
  BOOST_REQUIRE(given);
  BOOST_TEST((*given < request.deadline - std::chrono::hours(1)));
}

BOOST_FIXTURE_TEST_CASE(only_the_operator_on_the_socket_is_told, Asked) {
  create_agent("support", kSupportUid);
  for (const char* path : {"/v1/backends", "/v1/backends/memory", "/v1/backends/none", "/v1/process"}) {
    BOOST_TEST(call("GET", path, "", kSupportUid).status == 403, path);
    BOOST_TEST(call("GET", path, "", std::nullopt).status == 401, path);
  }
  BOOST_TEST(call("GET", "/v1/backends/none", "", kOperatorUid).status == 404);
  BOOST_TEST(member(call("GET", "/v1/backends/none", "", kOperatorUid), "code") == "not_found");
}

BOOST_FIXTURE_TEST_CASE(the_process_tells_of_its_memory_and_core_dumps, Asked) {
  const auto process = wire::read_process(call("GET", "/v1/process", "", kOperatorUid).body);
  BOOST_REQUIRE(process);
  std::vector<std::string> names;
  for (const api::Fact& fact : process->facts) names.push_back(fact.name);
  BOOST_TEST((names == std::vector<std::string>{"uptime", "memory locking", "core dumps", "budgets"}));
  BOOST_TEST(process->facts[2].severity == "bad");  // a test's process may be dumped
}

BOOST_FIXTURE_TEST_CASE(a_watched_file_is_judged_by_its_permissions, OfficeFixture) {
  const std::filesystem::path path = database().parent_path() / "secret";
  service::WatchedFile file{"secret", path, 077, hsm::Fact::Severity::kBad, "give it mode 0600", false};
  BOOST_TEST((fact_of(file).severity == hsm::Fact::Severity::kBad));  // it is not there
  file.may_be_missing = true;
  BOOST_TEST((fact_of(file).severity == hsm::Fact::Severity::kOk));
  std::ofstream(path) << "x";
  for (const mode_t mode : {0600, 0400}) {
    BOOST_REQUIRE(::chmod(path.c_str(), mode) == 0);
    BOOST_TEST((fact_of(file).severity == hsm::Fact::Severity::kOk), mode);
  }
  for (const mode_t mode : {0640, 0604, 0620, 0601}) {
    BOOST_REQUIRE(::chmod(path.c_str(), mode) == 0);
    const hsm::Fact fact = fact_of(file);
    BOOST_TEST((fact.severity == hsm::Fact::Severity::kBad), mode);
    BOOST_TEST(std::string_view(fact.advice) == "give it mode 0600");
  }
}

BOOST_FIXTURE_TEST_CASE(a_watched_folder_may_be_reached_through_a_link_and_a_file_may_not, OfficeFixture) {
  const std::filesystem::path folder = database().parent_path() / "state", link = folder.string() + ".link";
  std::filesystem::create_directory(folder);
  std::filesystem::create_symlink(folder, link);
  const service::WatchedFile file{"state folder",      link, 077, hsm::Fact::Severity::kBad,
                                  "give it mode 0700", false};
  BOOST_REQUIRE(::chmod(folder.c_str(), 0700) == 0);
  BOOST_TEST((fact_of(file).severity == hsm::Fact::Severity::kOk));
  BOOST_REQUIRE(::chmod(folder.c_str(), 0750) == 0);
  BOOST_TEST((fact_of(file).severity == hsm::Fact::Severity::kBad));

  std::ofstream(folder / "secret") << "x";
  BOOST_REQUIRE(::chmod((folder / "secret").c_str(), 0600) == 0);
  std::filesystem::create_symlink(folder / "secret", folder / "secret.link");
  BOOST_TEST(
      (fact_of({"secret", folder / "secret.link", 077, hsm::Fact::Severity::kBad, "", false}).severity ==
       hsm::Fact::Severity::kBad));
}

}  // namespace chancery::tests
