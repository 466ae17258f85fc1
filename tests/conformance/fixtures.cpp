#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <boost/test/unit_test.hpp>

#include "hsm/pkcs11/backend.hpp"
#include "hsm/pkcs11/module.hpp"
#include "hsm/tpm/backend.hpp"
#include "simulators/faults/tcti_swapping.hpp"
#include "simulators/memory/memory_backend.hpp"
#include "simulators/softhsm/softhsm.hpp"
#include "simulators/swtpm/swtpm.hpp"
#include "tests/conformance/backend_fixture.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::conformance {
namespace {

simulators::Swtpm start_swtpm() {
  auto tpm = simulators::Swtpm::start();
  BOOST_REQUIRE(tpm);
  return *std::move(tpm);
}

class TpmFixture final : public BackendFixture {
 public:
  explicit TpmFixture(hsm::SessionKind sessions) : sessions_(sessions), tpm_(start_swtpm()) { reopen(); }

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
    options.kill_switch = hsm::KillSwitchOptions{operator_key_.public_key(), 1};
    auto opened = hsm::TpmBackend::open(std::move(options));
    BOOST_REQUIRE(opened);
    backend_ = *std::move(opened);
  }

  void restart_device() override {
    tpm_.kill();
    BOOST_REQUIRE(tpm_.restart());
  }

  const SigningKey* operator_key() const override { return &operator_key_; }

  void clear_device() override {
    backend_.reset();
    BOOST_REQUIRE(tpm_.clear());
    reopen();
  }

 private:
  static SigningKey new_key() {
    auto key = SigningKey::generate(Algorithm::kES256);
    BOOST_REQUIRE(key);
    return *std::move(key);
  }

  const hsm::SessionKind sessions_;
  const SigningKey operator_key_ = new_key();
  simulators::Swtpm tpm_;
  std::unique_ptr<hsm::KeyBackend> backend_;
};

/// A token of some PKCS#11 module. What derives from it makes the token and says where it is.
class TokenFixture : public BackendFixture {
 public:
  hsm::KeyBackend& backend() override { return *backend_; }

  void reopen() override {
    backend_.reset();
    hsm::Pkcs11Options options = where();
    options.name = "hsm";
    options.allow_simulator = true;
    options.key_cache = 16;  // small, so that a rotation over many agents finds keys anew
    options.master = SecretBytes(Bytes(32, 0x5a));
    auto opened = hsm::Pkcs11Backend::open(std::move(options));
    BOOST_REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().what));
    backend_ = *std::move(opened);
  }

 protected:
  [[nodiscard]] virtual hsm::Pkcs11Options where() const = 0;
  void close() { backend_.reset(); }

 private:
  std::unique_ptr<hsm::KeyBackend> backend_;
};

class SoftHsmFixture final : public TokenFixture {
 public:
  /// \param isolated  whether the module is in a process of its own
  explicit SoftHsmFixture(bool isolated) : is_isolated_(isolated), store_(create()) {
    store_.use_in_this_process();
    auto token = store_.add_token("conformance");
    BOOST_REQUIRE(token);
    token_ = *std::move(token);
    reopen();
  }
  ~SoftHsmFixture() override { close(); }

  // As its user: one whom the token lets in may remove all that it has.
  void clear_device() override {
    close();
    {
      const auto module = hsm::Module::load(simulators::SoftHsm::module());
      BOOST_REQUIRE(module);
      const CK_FUNCTION_LIST& call = (*module)->functions();
      const auto found = (*module)->find_token({{}, {}, {}, token_.serial});
      BOOST_REQUIRE(found);
      const ByteView pin = as_bytes(simulators::SoftHsm::kPin);
      CK_SESSION_HANDLE session = 0;
      BOOST_REQUIRE(call.C_OpenSession(found->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                       &session) == CKR_OK);
      BOOST_REQUIRE(call.C_Login(session, CKU_USER, hsm::mutable_octets(pin), pin.size()) == CKR_OK);
      std::array<CK_OBJECT_HANDLE, 16> objects{};
      CK_ULONG count = 0;
      BOOST_REQUIRE(call.C_FindObjectsInit(session, nullptr, 0) == CKR_OK);
      BOOST_REQUIRE(call.C_FindObjects(session, objects.data(), objects.size(), &count) == CKR_OK);
      BOOST_REQUIRE(call.C_FindObjectsFinal(session) == CKR_OK);
      for (CK_ULONG i = 0; i < count; ++i) BOOST_REQUIRE(call.C_DestroyObject(session, objects[i]) == CKR_OK);
      BOOST_REQUIRE(call.C_CloseSession(session) == CKR_OK);
    }
    reopen();
  }

 private:
  static simulators::SoftHsm create() {
    auto store = simulators::SoftHsm::create();
    BOOST_REQUIRE(store);
    return *std::move(store);
  }

  hsm::Pkcs11Options where() const override {
    hsm::Pkcs11Options options;
    options.module = simulators::SoftHsm::module();
    options.serial = token_.serial;
    options.pin_file = token_.pin_file;
    options.isolate = is_isolated_;
    options.owner_program = CHANCERY_BINARY_DIR "/chanceryd";
    return options;
  }

  const bool is_isolated_;
  simulators::SoftHsm store_;
  simulators::SoftToken token_;
};

/// tpm2-pkcs11 over a swtpm: a module that has nothing in common with SoftHSM. Its tokens all have the serial
/// number 0000000000000000, so they are told apart by label. It leaves every key that it made or used in the
/// TPM, as a resource manager allows.
class Tpm2Pkcs11Fixture final : public TokenFixture {
 public:
  Tpm2Pkcs11Fixture() : tpm_(start_swtpm()), resources_(tpm_.socket()) {
    ::setenv("TPM2_PKCS11_STORE", folder_.path().c_str(), 1);
    ::setenv("TPM2_PKCS11_TCTI", resources_.tcti().c_str(), 1);
    ::setenv("TSS2_LOG", "all+none", 0);
    ::setenv("TPM2_PKCS11_LOG_LEVEL", "0", 0);
    std::ofstream(pin_file()) << kPin;
    std::filesystem::permissions(pin_file(), std::filesystem::perms::owner_read);
    initialize();
    reopen();
  }
  ~Tpm2Pkcs11Fixture() override { close(); }

  void clear_device() override { BOOST_FAIL("its store would outlive what it refers to"); }

 private:
  static constexpr std::string_view kPin = "731905";
  static constexpr const char* kModule = "/usr/lib/x86_64-linux-gnu/libtpm2_pkcs11.so.1";

  [[nodiscard]] std::filesystem::path pin_file() const { return folder_.path() / "pin"; }

  hsm::Pkcs11Options where() const override {
    hsm::Pkcs11Options options;
    options.module = kModule;
    options.uri = "pkcs11:token=conformance;model=SW%20%20%20TPM";
    options.pin_file = pin_file();
    return options;
  }

  // As its security officer: the first slot is always one that has no token yet.
  static void initialize() {
    const auto module = hsm::Module::load(kModule);
    BOOST_REQUIRE_MESSAGE(module, (module ? "" : module.error().what));
    const CK_FUNCTION_LIST& call = (*module)->functions();
    std::string label = "conformance";
    label.resize(32, ' ');
    CK_UTF8CHAR* const pin = hsm::mutable_octets(as_bytes(kPin));
    CK_SLOT_ID slot = 0;
    CK_ULONG count = 1;
    CK_SESSION_HANDLE session = 0;
    BOOST_REQUIRE(call.C_GetSlotList(CK_TRUE, &slot, &count) == CKR_OK);
    BOOST_REQUIRE(call.C_InitToken(slot, pin, kPin.size(), hsm::mutable_octets(as_bytes(label))) == CKR_OK);
    BOOST_REQUIRE(call.C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session) ==
                  CKR_OK);
    BOOST_REQUIRE(call.C_Login(session, CKU_SO, pin, kPin.size()) == CKR_OK);
    BOOST_REQUIRE(call.C_InitPIN(session, pin, kPin.size()) == CKR_OK);
    BOOST_REQUIRE(call.C_Logout(session) == CKR_OK);
    BOOST_REQUIRE(call.C_CloseSession(session) == CKR_OK);
  }

  simulators::Swtpm tpm_;
  simulators::SwappingTpm resources_;
  testing::TemporaryFolder folder_;
};

class MemoryFixture final : public BackendFixture {
 public:
  hsm::KeyBackend& backend() override { return backend_; }
  void reopen() override {}
  void clear_device() override {
    backend_.exchange_device();
    BOOST_REQUIRE(backend_.adopt([](ByteView) { return Status{}; }));
  }

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
std::unique_ptr<BackendFixture> make_tpm2_pkcs11() { return std::make_unique<Tpm2Pkcs11Fixture>(); }
std::unique_ptr<BackendFixture> make_softhsm() { return std::make_unique<SoftHsmFixture>(false); }
std::unique_ptr<BackendFixture> make_softhsm_isolated() { return std::make_unique<SoftHsmFixture>(true); }
std::unique_ptr<BackendFixture> make_memory() { return std::make_unique<MemoryFixture>(); }

}  // namespace chancery::conformance
