// A daemon whose disk is full, takes no writes or does not sync: nothing that must be on it is answered, and it goes on when the disk does.

#include <array>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/daemon/faulty_disk.hpp"
#include "tests/unit/service/enforcement_fixture.hpp"

namespace chancery::tests {
namespace {

using rest::Response;
using store::testing::DiskFault;
using store::testing::FaultyDisk;

struct Request {
  const char* path;
  const char* body;
  std::uint32_t uid;
};

// Each leaves something in the store; CHAIN and PROOF were made while the disk was well.
constexpr std::array kRequests{
    Request{"/v1/agents", R"({"name":"NAME","selectors":{"uid":77}})", kOperatorUid},
    Request{
        "/v1/grants",
        R"({"principal":"user:a","agent":"support","audience":"https://a","scopes":["crm.read"],"lifetime_s":60})",
        kOperatorUid},
    Request{"/v1/delegations", R"({"chain":CHAIN,"to":"support","scopes":["crm.read"]})", kOrchestratorUid},
    Request{"/v1/proofs", R"({"chain":CHAIN,"htm":"GET","htu":"https://a/"})", kOrchestratorUid},
    Request{
        "/v1/authorize",
        R"({"chain":CHAIN,"proof":"PROOF","method":"POST","uri":"https://api.example.org/refunds",)"
        R"("audience":"https://api.example.org","action":{"scope":"payments.refund","params":{"amount":10}}})",
        kOperatorUid},
    Request{"/v1/revocations", R"({"agent":"lookup"})", kOperatorUid},
    Request{"/v1/audit/checkpoints", "", kOperatorUid},
    Request{"/v1/backups", "{}", kOperatorUid},
};

struct FaultCase {
  const char* name;
  DiskFault fault;
};
std::ostream& operator<<(std::ostream& out, const FaultCase& c) { return out << c.name; }
constexpr std::array kFaults{FaultCase{"no space", DiskFault::kFull},
                             FaultCase{"nobody may write", DiskFault::kReadOnly},
                             FaultCase{"nothing is synced", DiskFault::kSyncFails}};

// Before everything that has its files there.
struct Disk {
  FaultyDisk disk;
};

struct Failing : Disk, EnforcementFixture {
  std::string chain = budget_chain();
  std::string proof = proof_of(chain, kOrchestratorUid);

  Response send(const Request& request, const std::string& name) {
    std::string body = request.body;
    for (const auto& [what, value] :
         {std::pair<std::string, std::string>{"CHAIN", chain}, {"PROOF", proof}, {"NAME", name}}) {
      const std::size_t at = body.find(what);
      if (at != std::string::npos) body.replace(at, what.size(), value);
    }
    return call("POST", request.path, body, request.uid);
  }
};

}  // namespace

BOOST_DATA_TEST_CASE_F(Failing, nothing_is_answered_that_is_not_on_the_disk,
                       boost::unit_test::data::make(kFaults), c) {
  const auto before = store().counts();
  BOOST_REQUIRE(before);
  disk.set(c.fault);
  for (int i = 0; i < 2; ++i) {  // nor the second time, as though the first had come through
    for (const Request& request : kRequests) {
      const Response failed = send(request, "during");
      BOOST_TEST(failed.status == 503, request.path << ": " << failed.body);
      BOOST_TEST(member(failed, "code") == "store_unavailable", request.path);
    }
  }
  BOOST_TEST(call("GET", "/v1/agents", "", kOperatorUid).status == 200);
  disk.set(DiskFault::kNone);
  const auto after = store().counts();
  BOOST_REQUIRE(after);
  BOOST_TEST(after->tokens == before->tokens);
  BOOST_TEST(after->active_agents == before->active_agents);
  for (const Request& request : kRequests) {
    const Response answered = send(request, "after");
    BOOST_TEST(answered.status / 100 == 2, request.path << ": " << answered.body);
  }
}

}  // namespace chancery::tests
