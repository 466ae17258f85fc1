#include "hsm/pkcs11/module.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>

#include <dlfcn.h>
#include <libp11.h>
#include <sys/stat.h>

#include "hsm/pkcs11/check.hpp"

namespace chancery::hsm {
namespace {

// Modules that this process has initialized: a second C_Initialize would fail, and the first C_Finalize
// would end both users.
struct LoadedModules {
  std::mutex mutex;
  std::map<std::filesystem::path, std::weak_ptr<Module>> by_path;
};

LoadedModules& loaded_modules() {
  static LoadedModules modules;
  return modules;
}

// libp11 leaves the module's code in OpenSSL's error queue.
Status check_libp11(int result, const char* what) {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  if (result == 0) return {};
  const bool is_from_module = error != 0 && ERR_GET_LIB(error) == ERR_get_CKR_code();
  if (is_from_module) return check_pkcs11(static_cast<CK_RV>(ERR_GET_REASON(error)), what);
  return Error{ErrorCode::kDeviceError, what, error};
}

Status check_file(const std::filesystem::path& path) {
  struct stat status {};
  if (!path.is_absolute() || ::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return Error{ErrorCode::kFileUnreadable, "the PKCS#11 module is missing: name its file with `module`"};
  }
  if ((status.st_mode & S_IWOTH) != 0) {
    return Error{ErrorCode::kFilePermissions,
                 "everybody may write to the PKCS#11 module, which is code: take that permission away"};
  }
  return {};
}

// Fixed fields are filled up with spaces, by some modules with zeros.
std::string text_of(std::span<const CK_UTF8CHAR> field) {
  const std::string_view text = as_text(field);
  const std::size_t last = text.find_last_not_of(std::string_view(" \0", 2));
  return std::string(text.substr(0, last == std::string_view::npos ? 0 : last + 1));
}

bool matches(std::string_view wanted, std::span<const CK_UTF8CHAR> found) {
  return wanted.empty() || wanted == text_of(found);
}

bool matches(const TokenSelector& selector, const CK_TOKEN_INFO& token) {
  return matches(selector.token, token.label) && matches(selector.manufacturer, token.manufacturerID) &&
         matches(selector.model, token.model) && matches(selector.serial, token.serialNumber);
}

std::vector<CK_MECHANISM_TYPE> mechanisms_of(const CK_FUNCTION_LIST& functions, CK_SLOT_ID slot) {
  std::vector<CK_MECHANISM_TYPE> mechanisms;
  CK_ULONG count = 0;
  if (functions.C_GetMechanismList(slot, nullptr, &count) != CKR_OK) return {};
  mechanisms.resize(count);
  if (functions.C_GetMechanismList(slot, mechanisms.data(), &count) != CKR_OK) return {};
  mechanisms.resize(count);
  return mechanisms;
}

bool matters(CK_MECHANISM_TYPE mechanism) {
  constexpr std::array kMatter{CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EDDSA};
  return std::ranges::find(kMatter, mechanism) != kMatter.end();
}

// Says what of itself a token can do.
void describe_abilities(const CK_FUNCTION_LIST& functions, CK_SLOT_ID slot, TokenFacts& facts) {
  // Only what is listed is asked about: modules complain on the standard error output of anything else.
  const std::vector<CK_MECHANISM_TYPE> listed = mechanisms_of(functions, slot);
  const auto offers = [&](CK_MECHANISM_TYPE mechanism, CK_FLAGS uses) {
    CK_MECHANISM_INFO info{};
    return std::ranges::find(listed, mechanism) != listed.end() &&
           functions.C_GetMechanismInfo(slot, mechanism, &info) == CKR_OK && (info.flags & uses) == uses;
  };
  if (offers(CKM_ECDSA, CKF_SIGN) && offers(CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR)) {
    facts.algorithms.push_back(Algorithm::kES256);
  }
  if (offers(CKM_EDDSA, CKF_SIGN) && offers(CKM_EC_EDWARDS_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR)) {
    facts.algorithms.push_back(Algorithm::kEd25519);
  }
  facts.seals = offers(CKM_AES_KEY_GEN, CKF_GENERATE) && offers(CKM_AES_GCM, CKF_ENCRYPT | CKF_DECRYPT);
}

// SoftHSM claims no hardware; tpm2-pkcs11 does, and names what the TPM says of itself.
bool is_emulated(CK_FLAGS slot_flags, const TokenFacts& facts) {
  return (slot_flags & CKF_HW_SLOT) == 0 || facts.model.starts_with("SoftHSM") ||
         facts.model.find("SW   TPM") != std::string::npos;
}

}  // namespace

Result<std::shared_ptr<Module>> Module::load(const std::filesystem::path& path) {
  LoadedModules& loaded = loaded_modules();
  const std::lock_guard lock(loaded.mutex);
  if (auto module = loaded.by_path[path].lock()) return module;
  const std::shared_ptr<Module> module(new Module);
  CHANCERY_TRY(module->open(path));
  loaded.by_path[path] = module;
  return module;
}

Status Module::open(const std::filesystem::path& path) {
  CHANCERY_TRY(check_file(path));
  library_ = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  const auto list = library_ == nullptr
                        ? nullptr
                        : reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library_, "C_GetFunctionList"));
  if (list == nullptr || list(&functions_) != CKR_OK || functions_ == nullptr) {
    return Error{ErrorCode::kFileUnreadable,
                 "the PKCS#11 module cannot be loaded: name a library of this architecture with `module`"};
  }
  context_ = PKCS11_CTX_new();
  if (context_ == nullptr) return Error{ErrorCode::kInternal, "libp11 has no memory"};
  // Initializes the module with CKF_OS_LOCKING_OK, without which it could not be used from several threads.
  CHANCERY_TRY(check_libp11(PKCS11_CTX_load(context_, path.c_str()),
                            "the PKCS#11 module refuses to start: look at its own log"));
  is_loaded_ = true;
  return {};
}

Module::~Module() {
  if (is_loaded_) PKCS11_CTX_unload(context_);
  if (context_ != nullptr) PKCS11_CTX_free(context_);
  if (library_ != nullptr) ::dlclose(library_);
  ERR_clear_error();
}

Result<std::vector<CK_SLOT_ID>> Module::slots() const {
  constexpr const char* kWhat = "the PKCS#11 module does not list its slots: look at its own log";
  std::vector<CK_SLOT_ID> slots;
  CK_RV rv = CKR_BUFFER_TOO_SMALL;
  // A token may be put in between the two calls.
  while (rv == CKR_BUFFER_TOO_SMALL) {
    CK_ULONG count = 0;
    CHANCERY_TRY(check_pkcs11(functions_->C_GetSlotList(CK_TRUE, nullptr, &count), kWhat));
    slots.resize(count);
    if (count == 0) return slots;
    rv = functions_->C_GetSlotList(CK_TRUE, slots.data(), &count);
    if (rv == CKR_OK) slots.resize(count);
  }
  CHANCERY_TRY(check_pkcs11(rv, kWhat));
  return slots;
}

Result<FoundToken> Module::find_token(const TokenSelector& selector) const {
  CHANCERY_ASSIGN(const auto found, find_slot(selector));
  return describe(found.first, found.second);
}

Result<TokenCondition> Module::condition(const TokenSelector& selector) const {
  CHANCERY_ASSIGN(const auto found, find_slot(selector));
  const CK_TOKEN_INFO& info = found.second;
  std::vector<CK_MECHANISM_TYPE> mechanisms = mechanisms_of(*functions_, found.first);
  std::erase_if(mechanisms, [](CK_MECHANISM_TYPE mechanism) { return !matters(mechanism); });
  return TokenCondition{info.flags, info.ulSessionCount, info.ulMaxSessionCount, std::move(mechanisms)};
}

Result<std::pair<CK_SLOT_ID, CK_TOKEN_INFO>> Module::find_slot(const TokenSelector& selector) const {
  CHANCERY_ASSIGN(const std::vector<CK_SLOT_ID> present, slots());
  std::optional<std::pair<CK_SLOT_ID, CK_TOKEN_INFO>> found;
  for (const CK_SLOT_ID slot : present) {
    CK_TOKEN_INFO info{};
    // A slot that does not answer may be another's: ours is missed below if it was that one.
    if (functions_->C_GetTokenInfo(slot, &info) != CKR_OK || !matches(selector, info)) continue;
    if (found) {
      return Error{ErrorCode::kInvalidArgument, "several tokens match: say which one by its serial number"};
    }
    found.emplace(slot, info);
  }
  if (found) return *found;
  return Error{ErrorCode::kDeviceUnavailable,
               "no such token is there: it is sought again at the next request", CKR_TOKEN_NOT_PRESENT};
}

Result<FoundToken> Module::describe(CK_SLOT_ID slot, const CK_TOKEN_INFO& info) const {
  CK_SLOT_INFO slot_info{};
  CHANCERY_TRY(check_pkcs11(functions_->C_GetSlotInfo(slot, &slot_info),
                            "the token's slot does not describe itself: look at the module's own log"));
  FoundToken token;
  token.slot = slot;
  token.flags = info.flags;
  token.facts.label = text_of(info.label);
  token.facts.manufacturer = text_of(info.manufacturerID);
  token.facts.model = text_of(info.model);
  token.facts.serial = text_of(info.serialNumber);
  token.facts.firmware =
      std::to_string(info.firmwareVersion.major) + "." + std::to_string(info.firmwareVersion.minor);
  token.facts.emulated = is_emulated(slot_info.flags, token.facts);
  describe_abilities(*functions_, slot, token.facts);
  return token;
}

}  // namespace chancery::hsm
