// Keys behind gates, as the daemon's metrics and log see them.

#include <fstream>
#include <iterator>

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "daemon/service/observed_backend.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"
#include "tests/unit/hsm/gate_fixture.hpp"

namespace chancery::tests {
namespace {

std::uint64_t signatures_of(const service::ObservedBackend& backend) {
  std::uint64_t all = 0;
  for (const std::uint64_t count : backend.signing().read().counts) all += count;
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(observed_gates)

BOOST_AUTO_TEST_CASE(signatures_behind_a_gate_are_timed_and_told_as_others_are) {
  const testing::TemporaryFolder folder;
  const auto file = folder.path() / "log";
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const telemetry::Log log({.level = telemetry::Level::kTrace, .descriptor = descriptor});
  const simulators::Swtpm tpm = hsm::start_swtpm();
  service::ObservedBackend backend("tpm", hsm::open_backend(hsm::options_for(tpm.tcti())), &log);
  const hsm::Gate gate(1, 1);
  hsm::GatedKeys* const gated = backend.gated_keys();
  BOOST_REQUIRE(gated != nullptr);

  const hsm::StoredKey key = hsm::required(gated->create({"daemon", "g1"}, gate.policy, hsm::far_away()));
  const auto judged = attest::judge_gated_key(hsm::required(gated->public_area(key)), gate.policy);
  BOOST_REQUIRE(judged);
  const ByteView message = as_bytes(hsm::kToken);
  BOOST_TEST(!gated->sign(key, gate.policy, message, {}, hsm::far_away()));
  const std::vector<hsm::PolicySignature> approved{hsm::approve(gate.keys[0], judged->name)};
  BOOST_TEST(gated->sign(key, gate.policy, message, approved, hsm::far_away()).has_value());

  BOOST_TEST(signatures_of(backend) == 2u);
  std::ifstream in(file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  BOOST_TEST(text.find("warning a device's command failed error=forbidden") != std::string::npos, text);
  BOOST_TEST(
      text.find("debug   device backend=tpm command=sign_gated owner=daemon key_id=g1") != std::string::npos,
      text);
  ::close(descriptor);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
