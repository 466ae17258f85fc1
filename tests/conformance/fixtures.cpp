#include <boost/test/unit_test.hpp>

#include "hsm/pkcs11/backend.hpp"
#include "hsm/tpm/backend.hpp"
#include "simulators/memory/memory_backend.hpp"
#include "simulators/softhsm/softhsm.hpp"
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

class SoftHsmFixture final : public BackendFixture {
 public:
  SoftHsmFixture() : store_(create()) {
    store_.use_in_this_process();
    auto token = store_.add_token("conformance");
    BOOST_REQUIRE(token);
    token_ = *std::move(token);
    reopen();
  }

  hsm::KeyBackend& backend() override { return *backend_; }

  void reopen() override {
    backend_.reset();
    hsm::Pkcs11Options options;
    options.name = "hsm";
    options.module = simulators::SoftHsm::module();
    options.serial = token_.serial;
    options.pin_file = token_.pin_file;
    options.allow_simulator = true;
    options.key_cache = 16;  // small, so that a rotation over many agents finds keys anew
    options.master = SecretBytes(Bytes(32, 0x5a));
    auto opened = hsm::Pkcs11Backend::open(std::move(options));
    BOOST_REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().what));
    backend_ = *std::move(opened);
  }

 private:
  static simulators::SoftHsm create() {
    auto store = simulators::SoftHsm::create();
    BOOST_REQUIRE(store);
    return *std::move(store);
  }

  simulators::SoftHsm store_;
  simulators::SoftToken token_;
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
std::unique_ptr<BackendFixture> make_softhsm() { return std::make_unique<SoftHsmFixture>(); }
std::unique_ptr<BackendFixture> make_memory() { return std::make_unique<MemoryFixture>(); }

}  // namespace chancery::conformance
