// What is left of a secret in the memory of whoever had it sealed and opened again.

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "hsm/pkcs11/packet_socket.hpp"
#include "hsm/sealer.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/conformance/backend_fixture.hpp"
#include "tests/integration/daemon/process_memory.hpp"

namespace chancery::conformance {
namespace {

using namespace std::chrono_literals;
using hsm::PacketSocket;
using tests::Occurrence;
using tests::ProcessMemory;
namespace data = boost::unit_test::data;

constexpr std::array kKinds{
    BackendKind{"tpm, encrypted sessions", make_tpm_encrypted},
    BackendKind{"pkcs11, SoftHSM", make_softhsm},
    BackendKind{"pkcs11, SoftHSM in a process of its own", make_softhsm_isolated},
};

const hsm::KeyBinding kOwner{"daemon", "vault"};
constexpr std::size_t kSecretSize = 32;
constexpr std::array<std::uint8_t, 1> kWord{1};
constexpr int kFailed = 1;

hsm::Deadline soon() { return std::chrono::steady_clock::now() + 30s; }

bool hear(const PacketSocket& socket, std::span<std::uint8_t> octets) {
  const auto [received, size] = socket.receive(octets, true);
  return received == PacketSocket::Received::kPacket && size == octets.size();
}

/// Makes a secret, has it sealed and opened, says what it was, and ends it when it is told to. It has the device still.
int seal_and_forget(const BackendKind& kind, const PacketSocket& parent) {
  const auto fixture = kind.make();
  hsm::Sealer& sealer = *fixture->backend().sealer();
  std::array<std::uint8_t, 1> word{};
  {
    SecretBytes secret(kSecretSize);
    if (!random_bytes(secret.writable())) return kFailed;
    const auto sealed = sealer.seal(kOwner, secret, soon());
    if (!sealed) return kFailed;
    const auto opened = sealer.unseal(kOwner, *sealed, soon());
    if (!opened || !equal_constant_time(opened->view(), secret.view())) return kFailed;
    if (!parent.send(secret.view()) || !hear(parent, word)) return kFailed;
  }
  return parent.send(kWord) && hear(parent, word) ? 0 : kFailed;
}

/// A process that does so. Nobody else has had the secret before it says what it was.
class SealingProcess {
 public:
  explicit SealingProcess(const BackendKind& kind) {
    auto ends = PacketSocket::make_pair();
    BOOST_REQUIRE(ends);
    pid_ = ::fork();
    BOOST_REQUIRE(pid_ >= 0);
    if (pid_ > 0) {
      child_.emplace(std::move(ends->first));
      return;
    }
    { const PacketSocket of_parent = std::move(ends->first); }
    int result = kFailed;
    try {
      result = seal_and_forget(kind, ends->second);
    } catch (...) {  // a requirement of the fixture's, which has told of itself
    }
    ::_exit(result);
  }
  ~SealingProcess() { static_cast<void>(end()); }
  SealingProcess(const SealingProcess&) = delete;
  SealingProcess& operator=(const SealingProcess&) = delete;

  [[nodiscard]] Bytes secret() const {
    Bytes secret(kSecretSize);
    BOOST_REQUIRE_MESSAGE(hear(*child_, secret), "it sealed nothing, or opened something else");
    return secret;
  }
  void have_it_forget() const {
    std::array<std::uint8_t, 1> word{};
    BOOST_REQUIRE(child_->send(kWord));
    BOOST_REQUIRE(hear(*child_, word));
  }
  /// \return whether all went well over there
  [[nodiscard]] bool end() {
    if (!child_) return false;
    static_cast<void>(child_->send(kWord));
    child_.reset();
    int status = 0;
    return ::waitpid(pid_, &status, 0) == pid_ && status == 0;
  }

  /// Where these octets stand in its memory, or in that of a process which has a module for it. A simulated TPM is a device.
  [[nodiscard]] std::vector<Occurrence> find(ByteView octets) const {
    std::vector<Occurrence> out;
    for (const pid_t pid : tests::with_descendants(pid_)) {
      std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
      std::string name;
      if (std::getline(file, name) && name == "swtpm") continue;
      const std::vector<Occurrence> found = ProcessMemory(pid).find(octets);
      out.insert(out.end(), found.begin(), found.end());
    }
    return out;
  }
  [[nodiscard]] bool is_readable() const { return ProcessMemory(pid_).is_readable(); }

 private:
  pid_t pid_ = -1;
  std::optional<PacketSocket> child_;
};

std::string describe(const Occurrence& found) {
  std::ostringstream out;
  out << std::hex << found.address << " in " << found.mapping.begin << "-" << found.mapping.end << " "
      << found.mapping.name << found.mapping.flags;
  return out.str();
}

}  // namespace

BOOST_DATA_TEST_CASE(nothing_of_a_secret_is_left_when_it_has_ended, data::make(kKinds), kind) {
#ifdef CHANCERY_IS_SANITIZED
  BOOST_TEST_MESSAGE("skipped: the sanitizer's runtime keeps freed memory as it was");
  return;
#endif
  SealingProcess process(kind);
  const Bytes secret = process.secret();
  if (!process.is_readable()) {
    BOOST_TEST_MESSAGE("skipped: the kernel does not show the memory of another process (run as root)");
    return;
  }
  const auto present = process.find(secret);
  BOOST_TEST(!present.empty());  // what the search can find at all
  process.have_it_forget();
  // What the TPM software stack keeps of the last command is cleansed when nobody has asked for a while.
  const auto latest = std::chrono::steady_clock::now() + 30s;
  std::vector<Occurrence> left = process.find(secret);
  while (!left.empty() && std::chrono::steady_clock::now() < latest) {
    std::this_thread::sleep_for(20ms);
    left = process.find(secret);
  }
  for (const Occurrence& found : left) BOOST_ERROR(describe(found));
  BOOST_TEST(process.end());
}

}  // namespace chancery::conformance
