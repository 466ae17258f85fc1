#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "hsm/pkcs11/cryptoki.hpp"

struct PKCS11_ctx_st;

namespace chancery::hsm {

/// Which token is meant; what is empty is not compared.
struct TokenSelector {
  std::string token;  ///< its label
  std::string manufacturer;
  std::string model;
  std::string serial;
};

/// What a token says of itself.
struct TokenFacts {
  std::string label;
  std::string manufacturer;
  std::string model;
  std::string serial;
  std::string firmware;
  bool emulated = false;
  std::vector<Algorithm> algorithms;
  bool seals = false;  ///< makes AES keys, and encrypts and decrypts with them by GCM
  bool operator==(const TokenFacts&) const = default;
};

/// A token that is present now.
struct FoundToken {
  CK_SLOT_ID slot = 0;
  CK_FLAGS flags = 0;
  TokenFacts facts;
};

/// What a token tells of its state at one moment. Numbers as the standard has them.
struct TokenCondition {
  CK_FLAGS flags = 0;
  std::uint64_t sessions = 0;  ///< of this process; may be CK_UNAVAILABLE_INFORMATION
  std::uint64_t max_sessions = 0;
  std::vector<CK_MECHANISM_TYPE> mechanisms;  ///< of those that matter here
};

/// A PKCS#11 module, loaded, initialized and finalized by libp11. Its state is the process's, by the
/// standard: two tokens of one module share it, and it is finalized with the last owner. Thread-safe.
///
/// The slots are not libp11's: PKCS11_update_slots of 0.4.12 crashes when there are two, and
/// PKCS11_release_all_slots closes all sessions with all tokens, of whoever has them.
class Module {
 public:
  /// Loads the module, or shares it with whoever has it already.
  /// \param path  absolute; not writable by everybody, since it is code
  /// \return the module; kFileUnreadable when it cannot be loaded, kFilePermissions, kDeviceError when it
  ///         refuses to start
  [[nodiscard]] static Result<std::shared_ptr<Module>> load(const std::filesystem::path& path);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// Looks through the slots in which there is a token.
  /// \return the one token that matches; kDeviceUnavailable when there is none, kInvalidArgument when there
  ///         are several, or a device error
  [[nodiscard]] Result<FoundToken> find_token(const TokenSelector& selector) const;

  /// Asks the one token that matches; the same errors.
  [[nodiscard]] Result<TokenCondition> condition(const TokenSelector& selector) const;

  /// The module does its own locking.
  [[nodiscard]] const CK_FUNCTION_LIST& functions() const noexcept { return *functions_; }

 private:
  Module() = default;

  [[nodiscard]] Status open(const std::filesystem::path& path);
  [[nodiscard]] Result<std::vector<CK_SLOT_ID>> slots() const;
  [[nodiscard]] Result<std::pair<CK_SLOT_ID, CK_TOKEN_INFO>> find_slot(const TokenSelector& selector) const;
  [[nodiscard]] Result<FoundToken> describe(CK_SLOT_ID slot, const CK_TOKEN_INFO& info) const;

  void* library_ = nullptr;
  CK_FUNCTION_LIST* functions_ = nullptr;
  PKCS11_ctx_st* context_ = nullptr;
  bool is_loaded_ = false;
};

}  // namespace chancery::hsm
