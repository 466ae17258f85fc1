#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include <chancery/result.hpp>

namespace chancery::simulators {

/// The functions of a PKCS#11 module that can be made to fail.
enum class Pkcs11Call : std::uint8_t {
  kInitialize,
  kFinalize,
  kGetSlotList,
  kGetSlotInfo,
  kGetTokenInfo,
  kOpenSession,
  kCloseSession,
  kGetSessionInfo,
  kLogin,
  kFindObjectsInit,
  kFindObjects,
  kGetAttributeValue,
  kGenerateKeyPair,
  kDestroyObject,
  kSignInit,
  kSign,
  kGenerateKey,
  kEncryptInit,
  kEncrypt,
  kDecryptInit,
  kDecrypt,
  kCount_,
};

/// What the shim is to do, in memory that it shares with the test: the module may be loaded by another
/// process. Zero is harmless in every field.
struct Pkcs11FaultPlan {
  struct Fault {
    std::atomic<std::uint64_t> code = 0;          ///< CKR_… to return instead of calling the module
    std::atomic<std::uint64_t> times = 0;         ///< calls that it still concerns
    std::atomic<std::uint64_t> delay_ms = 0;      ///< before every call
    std::atomic<std::uint64_t> waiting = 0;       ///< calls that are in their delay
    std::atomic<std::uint64_t> is_held = 0;       ///< calls wait until it is zero again
    std::atomic<std::uint64_t> crashes = 0;       ///< calls that end the process
    std::atomic<std::uint64_t> late_crashes = 0;  ///< calls that end it when the module has obeyed
    std::atomic<std::uint64_t> calls = 0;         ///< counted, whatever became of them
  };
  std::array<Fault, static_cast<std::size_t>(Pkcs11Call::kCount_)> faults;
  std::atomic<std::uint64_t> is_token_absent = 0;
  std::atomic<std::uint64_t> lying_attribute = 0;  ///< CKA_… whose one-octet value is turned round, plus 1
  std::atomic<std::uint64_t> corrupted_signatures = 0;  ///< signatures of which a bit is still to be changed
  std::atomic<std::uint64_t> other_key =
      0;  ///< handle of a private key that signs in the place of every other
  std::atomic<std::uint64_t> claims_hardware = 0;  ///< whether token and slot say that they are hardware
  std::atomic<std::uint64_t> session_limit = 0;    ///< sessions that the token opens at most, if not 0
  std::atomic<std::uint64_t> sessions = 0;
  std::atomic<std::uint64_t> token_flags = 0;  ///< set in what C_GetTokenInfo says
};

/// A PKCS#11 module around another one that fails on demand. Move-only; the destructor removes its folder.
/// The module is named to whoever loads it by two environment variables.
class Pkcs11Faults {
 public:
  /// \return kFileUnwritable
  [[nodiscard]] static Result<Pkcs11Faults> create();
  ~Pkcs11Faults();
  Pkcs11Faults(Pkcs11Faults&& other) noexcept;
  Pkcs11Faults& operator=(Pkcs11Faults&&) = delete;

  /// Sets the variables for modules that this process loads from now on.
  void wrap_in_this_process(const std::filesystem::path& module) const;
  /// The path of the shim, as built beside the tests.
  [[nodiscard]] static std::filesystem::path module();

  /// The next `times` calls of a function return `code`.
  void fail(Pkcs11Call call, std::uint64_t code, std::uint64_t times = 1);
  /// Every call of a function takes that much longer.
  void delay(Pkcs11Call call, std::chrono::milliseconds time);
  /// Calls of a function do not return until release().
  void hold(Pkcs11Call call);
  void release(Pkcs11Call call);
  /// The next `times` calls of a function end the process that has the module.
  void crash(Pkcs11Call call, std::uint64_t times = 1);
  /// The same after the module has done what was asked.
  void crash_late(Pkcs11Call call, std::uint64_t times = 1);
  /// Pulls the token out, with all its sessions; and puts it back.
  void remove_token();
  void return_token();
  [[nodiscard]] std::uint64_t calls(Pkcs11Call call) const;
  /// Calls that are held or delayed now.
  [[nodiscard]] std::uint64_t waiting(Pkcs11Call call) const;

  [[nodiscard]] Pkcs11FaultPlan& plan() const noexcept { return *plan_; }

 private:
  Pkcs11Faults() = default;

  [[nodiscard]] Pkcs11FaultPlan::Fault& fault(Pkcs11Call call) const;

  std::filesystem::path folder_;
  Pkcs11FaultPlan* plan_ = nullptr;
};

inline constexpr const char* kFaultsModuleVariable = "CHANCERY_FAULTS_MODULE";
inline constexpr const char* kFaultsPlanVariable = "CHANCERY_FAULTS_PLAN";

}  // namespace chancery::simulators
