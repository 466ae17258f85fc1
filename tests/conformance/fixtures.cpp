#include <boost/test/unit_test.hpp>

#include "hsm/tpm/backend.hpp"
#include "simulators/memory/memory_backend.hpp"
#include "simulators/swtpm/swtpm.hpp"
#include "tests/conformance/backend_fixture.hpp"

namespace chancery::conformance {
namespace {

class TpmFixture final : public BackendFixture {
 public:
  explicit TpmFixture(hsm::SessionKind sessions) : sessions_(sessions), tpm_(start()) { reopen(); }

  hsm::KeyBackend& backend() override { return *backend_; }

  void reopen() override {
    backend_.reset();
    hsm::TpmOptions options;
    options.name = "tpm";
    options.tcti = tpm_.tcti();
    options.allow_simulator = true;
    options.sessions = sessions_;
    options.key_cache = 16;  // small, so that a rotation over many agents passes through Load too
    options.master = SecretBytes(Bytes(32, 0x5a));
    auto opened = hsm::TpmBackend::open(std::move(options));
    BOOST_REQUIRE(opened);
    backend_ = *std::move(opened);
  }

 private:
  static simulators::Swtpm start() {
    auto tpm = simulators::Swtpm::start();
    BOOST_REQUIRE(tpm);
    return *std::move(tpm);
  }

  const hsm::SessionKind sessions_;
  simulators::Swtpm tpm_;
  std::unique_ptr<hsm::KeyBackend> backend_;
};

class MemoryFixture final : public BackendFixture {
 public:
  hsm::KeyBackend& backend() override { return backend_; }
  void reopen() override {}

 private:
  simulators::MemoryBackend backend_;
};

}  // namespace

std::unique_ptr<BackendFixture> make_tpm_encrypted() {
  return std::make_unique<TpmFixture>(hsm::SessionKind::kEncrypted);
}
std::unique_ptr<BackendFixture> make_tpm_plain() {
  return std::make_unique<TpmFixture>(hsm::SessionKind::kPlain);
}
std::unique_ptr<BackendFixture> make_memory() { return std::make_unique<MemoryFixture>(); }

}  // namespace chancery::conformance
