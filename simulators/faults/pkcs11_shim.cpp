// A PKCS#11 module that passes every call to another one and fails as its plan says. Loaded by whoever is to
// be tested; it has no other part of Chancery in it.

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>

#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <sys/mman.h>
#include <unistd.h>

#include "simulators/faults/pkcs11_faults.hpp"

namespace chancery::simulators {
namespace {

using namespace std::chrono_literals;
using enum Pkcs11Call;

CK_FUNCTION_LIST* real = nullptr;
Pkcs11FaultPlan* plan = nullptr;
CK_FUNCTION_LIST wrapped;

bool take_one(std::atomic<std::uint64_t>& count) {
  std::uint64_t left = count;
  while (left > 0 && !count.compare_exchange_weak(left, left - 1)) {
  }
  return left > 0;
}

void wait_as_planned(Pkcs11FaultPlan::Fault& fault) {
  ++fault.waiting;
  std::this_thread::sleep_for(std::chrono::milliseconds(fault.delay_ms));
  while (fault.is_held != 0) std::this_thread::sleep_for(1ms);
  --fault.waiting;
}

// What a token that is not there answers to anything that concerns a session.
constexpr bool needs_token(Pkcs11Call call) {
  return call != kInitialize && call != kFinalize && call != kGetSlotList && call != kGetSlotInfo;
}

/// The code to return instead of calling the module.
std::optional<CK_RV> intercept(Pkcs11Call call) {
  Pkcs11FaultPlan::Fault& fault = plan->faults[static_cast<std::size_t>(call)];
  ++fault.calls;
  if (take_one(fault.crashes)) std::abort();
  if (fault.delay_ms != 0 || fault.is_held != 0) wait_as_planned(fault);
  if (take_one(fault.times)) return fault.code;
  if (plan->is_token_absent == 0 || !needs_token(call)) return std::nullopt;
  return call == kOpenSession || call == kGetTokenInfo ? CKR_TOKEN_NOT_PRESENT : CKR_DEVICE_REMOVED;
}

/// What stands in the place of a function of the module: the plan's faults around `Obey`.
template <Pkcs11Call Call, auto Member, auto Obey>
struct Wrapper;
template <Pkcs11Call Call, typename... Arguments, CK_RV (*CK_FUNCTION_LIST::*Member)(Arguments...), auto Obey>
struct Wrapper<Call, Member, Obey> {
  static CK_RV call(Arguments... arguments) {
    if (const auto code = intercept(Call)) return *code;
    const CK_RV rv = Obey(arguments...);
    if (take_one(plan->faults[static_cast<std::size_t>(Call)].late_crashes)) std::abort();
    return rv;
  }
};

template <Pkcs11Call Call, auto Member, auto Obey>
void install() {
  wrapped.*Member = &Wrapper<Call, Member, Obey>::call;
}
template <Pkcs11Call Call, auto Member>
void install() {
  install<Call, Member, [](auto... arguments) { return (real->*Member)(arguments...); }>();
}

// A token that was pulled out forgets its sessions; the module is told so when it is next looked for.
CK_RV list_slots(CK_BBOOL present, CK_SLOT_ID* slots, CK_ULONG* count) {
  if (plan->is_token_absent == 0) return real->C_GetSlotList(present, slots, count);
  CK_ULONG all = 0;
  real->C_GetSlotList(CK_TRUE, nullptr, &all);
  std::array<CK_SLOT_ID, 64> ids{};
  all = ids.size();
  real->C_GetSlotList(CK_TRUE, ids.data(), &all);
  for (CK_ULONG i = 0; i < all; ++i) real->C_CloseAllSessions(ids[i]);
  plan->sessions = 0;
  *count = 0;
  return CKR_OK;
}

CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  const CK_RV rv = real->C_GetTokenInfo(slot, info);
  if (rv != CKR_OK) return rv;
  info->flags |= plan->token_flags;
  if (plan->claims_hardware != 0) std::memset(info->model, 'H', sizeof info->model);
  return rv;
}

CK_RV slot_info(CK_SLOT_ID slot, CK_SLOT_INFO* info) {
  const CK_RV rv = real->C_GetSlotInfo(slot, info);
  if (rv == CKR_OK && plan->claims_hardware != 0) info->flags |= CKF_HW_SLOT;
  return rv;
}

CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  const CK_OBJECT_HANDLE other = plan->other_key;
  return real->C_SignInit(session, mechanism, other == 0 ? key : other);
}

CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void* application, CK_NOTIFY notify,
                   CK_SESSION_HANDLE* session) {
  const std::uint64_t limit = plan->session_limit;
  if (++plan->sessions > limit && limit != 0) {
    --plan->sessions;
    return CKR_SESSION_COUNT;
  }
  const CK_RV rv = real->C_OpenSession(slot, flags, application, notify, session);
  if (rv != CKR_OK) --plan->sessions;
  return rv;
}

CK_RV close_session(CK_SESSION_HANDLE session) {
  const CK_RV rv = real->C_CloseSession(session);
  if (rv == CKR_OK) --plan->sessions;
  return rv;
}

CK_RV get_attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                     CK_ULONG count) {
  const CK_RV rv = real->C_GetAttributeValue(session, object, attributes, count);
  for (CK_ULONG i = 0; rv == CKR_OK && i < count; ++i) {
    const bool lies = attributes[i].type + 1 == plan->lying_attribute && attributes[i].ulValueLen == 1;
    if (lies) *static_cast<CK_BBOOL*>(attributes[i].pValue) ^= 1;
  }
  return rv;
}

CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG size, CK_BYTE* signature, CK_ULONG* length) {
  const CK_RV rv = real->C_Sign(session, data, size, signature, length);
  if (rv == CKR_OK && signature != nullptr && take_one(plan->corrupted_signatures)) signature[0] ^= 1;
  return rv;
}

void install_wrappers() {
  wrapped = *real;
  install<kInitialize, &CK_FUNCTION_LIST::C_Initialize>();
  install<kFinalize, &CK_FUNCTION_LIST::C_Finalize>();
  install<kGetSessionInfo, &CK_FUNCTION_LIST::C_GetSessionInfo>();
  install<kLogin, &CK_FUNCTION_LIST::C_Login>();
  install<kFindObjectsInit, &CK_FUNCTION_LIST::C_FindObjectsInit>();
  install<kFindObjects, &CK_FUNCTION_LIST::C_FindObjects>();
  install<kGenerateKeyPair, &CK_FUNCTION_LIST::C_GenerateKeyPair>();
  install<kDestroyObject, &CK_FUNCTION_LIST::C_DestroyObject>();
  install<kGenerateKey, &CK_FUNCTION_LIST::C_GenerateKey>();
  install<kEncryptInit, &CK_FUNCTION_LIST::C_EncryptInit>();
  install<kEncrypt, &CK_FUNCTION_LIST::C_Encrypt>();
  install<kDecryptInit, &CK_FUNCTION_LIST::C_DecryptInit>();
  install<kDecrypt, &CK_FUNCTION_LIST::C_Decrypt>();
  install<kGetSlotList, &CK_FUNCTION_LIST::C_GetSlotList, list_slots>();
  install<kGetSlotInfo, &CK_FUNCTION_LIST::C_GetSlotInfo, slot_info>();
  install<kGetTokenInfo, &CK_FUNCTION_LIST::C_GetTokenInfo, token_info>();
  install<kSignInit, &CK_FUNCTION_LIST::C_SignInit, sign_init>();
  install<kOpenSession, &CK_FUNCTION_LIST::C_OpenSession, open_session>();
  install<kCloseSession, &CK_FUNCTION_LIST::C_CloseSession, close_session>();
  install<kGetAttributeValue, &CK_FUNCTION_LIST::C_GetAttributeValue, get_attributes>();
  install<kSign, &CK_FUNCTION_LIST::C_Sign, sign>();
}

bool load_real() {
  const char* const path = std::getenv(kFaultsModuleVariable);
  void* const library = path == nullptr ? nullptr : ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return false;
  const auto list = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  return list != nullptr && list(&real) == CKR_OK;
}

bool map_plan() {
  const char* const path = std::getenv(kFaultsPlanVariable);
  const int fd = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  void* const memory = ::mmap(nullptr, sizeof(Pkcs11FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (memory == MAP_FAILED) return false;
  plan = static_cast<Pkcs11FaultPlan*>(memory);
  return true;
}

}  // namespace
}  // namespace chancery::simulators

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
  using namespace chancery::simulators;
  if (real == nullptr || plan == nullptr) {
    if (!map_plan() || !load_real()) return CKR_GENERAL_ERROR;
    install_wrappers();
  }
  *list = &wrapped;
  return CKR_OK;
}
