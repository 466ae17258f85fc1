// What the daemon tells of its requests and devices, and what it keeps back.

#include <fstream>
#include <iterator>

#include <fcntl.h>

#include "daemon/service/observed_backend.hpp"
#include "daemon/telemetry/request_scope.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using rest::Response;

/// A log that can be read.
class ReadableLog {
 public:
  [[nodiscard]] const telemetry::Log& log() const { return log_; }
  [[nodiscard]] std::string text() const {
    std::ifstream in(file_);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  testing::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "log";
  int descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  telemetry::Log log_{{.level = telemetry::Level::kTrace, .descriptor = descriptor_}};
};

std::shared_ptr<telemetry::Redactor> redactor_of(const std::vector<std::string>& patterns) {
  return std::make_shared<telemetry::Redactor>(patterns);
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(error_answers_are_redacted_and_good_ones_are_not, OfficeFixture) {
  office().redactor = redactor_of({"JSON", "orchestrator"});
  const Response refused = call("POST", "/v1/agents", "{", kOperatorUid);
  BOOST_REQUIRE(refused.status == 400);
  BOOST_TEST(refused.body.find("JSON") == std::string::npos);
  BOOST_TEST(refused.body.find("[redacted]") != std::string::npos, refused.body);
  create_agent("orchestrator", kOrchestratorUid);
  BOOST_TEST(call("GET", "/v1/agents/orchestrator", "", kOperatorUid).body.find("orchestrator") !=
             std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_route_is_told_with_its_caller_for_debugging, OfficeFixture) {
  const ReadableLog readable;
  office().log = &readable.log();
  BOOST_REQUIRE(call("GET", "/v1/agents/nobody?x=secret", "", kOperatorUid).status == 404);
  const std::string text = readable.text();
  BOOST_TEST(text.find("route method=GET route=/v1/agents/{name} caller=uid:1000 status=404 us=") !=
                 std::string::npos,
             text);
  BOOST_TEST(text.find("secret") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_signature_that_fails_is_told_with_its_request) {
  const ReadableLog readable;
  auto memory = std::make_unique<simulators::MemoryBackend>();
  simulators::MemoryBackend& device = *memory;
  service::ObservedBackend backend("tpm", std::move(memory), &readable.log());
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  const auto key = backend.create({"support", "k1"}, Algorithm::kES256, deadline);
  BOOST_REQUIRE(key);
  BOOST_REQUIRE(backend.sign(*key, as_bytes("m"), deadline));
  device.fail_with(Error{ErrorCode::kDeviceUnavailable, "away"});
  const telemetry::RequestMark mark{"r1", "", "refund"};
  const telemetry::RequestScope scope(mark);
  BOOST_REQUIRE(!backend.sign(*key, as_bytes("m"), deadline));
  const std::string text = readable.text();
  BOOST_TEST(
      text.find("debug   device backend=tpm command=sign owner=support key_id=k1") != std::string::npos,
      text);
  BOOST_TEST(text.find("warning a device's command failed error=device_unavailable what=away request_id=r1 "
                       "task=refund backend=tpm command=sign owner=support key_id=k1") != std::string::npos,
             text);
  std::uint64_t signatures = 0;
  for (const std::uint64_t count : backend.signing().read().counts) signatures += count;
  BOOST_TEST(signatures == 2u);
}

}  // namespace chancery::tests
