// The one file of the command line that names concrete backends.

#include "sdk/cli/open_device.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "hsm/pkcs11/backend.hpp"
#include "hsm/tpm/backend.hpp"

namespace chancery::cli {
namespace {

using namespace std::chrono_literals;
using Kind = KeyPlace::Kind;

constexpr const char* kName = "operator";  // the systemd credential `chancery.pin.operator` holds the PIN too
constexpr auto kPatience = 10s;

Result<OpenDevice> open_tpm(const KeyPlace& place, const SecretBytes& master, Bytes tpm_name) {
  hsm::TpmOptions options;
  options.name = kName;
  options.tcti = place.tcti;
  options.allow_simulator = place.allow_simulator;
  options.timeout = kPatience;
  options.master = SecretBytes(master.view());
  options.pinned_name = std::move(tpm_name);
  CHANCERY_ASSIGN(auto tpm, hsm::TpmBackend::open(std::move(options)));
  CHANCERY_TRY(tpm->check(std::chrono::steady_clock::now() + kPatience));
  Bytes name = tpm->storage_key_name();
  return OpenDevice{std::move(tpm), std::move(name)};
}

Result<OpenDevice> open_token(const KeyPlace& place, const SecretBytes& master) {
  hsm::Pkcs11Options options;
  options.name = kName;
  options.module = place.module;
  options.serial = place.serial;
  options.uri = place.uri;
  options.pin_file = place.pin_file;
  options.allow_simulator = place.allow_simulator;
  options.sessions = 1;
  options.timeout = kPatience;
  options.master = SecretBytes(master.view());
  CHANCERY_ASSIGN(auto token, hsm::Pkcs11Backend::open(std::move(options)));
  CHANCERY_TRY(token->check(std::chrono::steady_clock::now() + kPatience));
  return OpenDevice{std::move(token), {}};
}

Result<OpenDevice> open(const KeyPlace& place, const SecretBytes& master, Bytes tpm_name) {
  switch (place.kind) {
    case Kind::kTpm:
      return open_tpm(place, master, std::move(tpm_name));
    case Kind::kPkcs11:
      return open_token(place, master);
    case Kind::kFile:
      break;
  }
  return Error{ErrorCode::kInternal, "a file is no device"};
}

/// What the backends say to whoever runs a daemon, in words for whoever typed a command.
struct Wording {
  ErrorCode code;
  const char* of_tpm;
  const char* of_token;
};

constexpr std::array kWordings{
    Wording{ErrorCode::kDeviceUnavailable,
            "the TPM that has the key is not there, or this user may not use it: with /dev/tpmrm0, be in its "
            "group, mostly tss",
            "the token that has the key is not there: put it in"},
    Wording{ErrorCode::kDeviceTimeout,
            "the TPM does not answer: is it stopped, or does another program hold it?",
            "the token does not answer: look at its module's own log"},
    Wording{
        ErrorCode::kWrongDevice,
        "this is not the TPM in which the key was made, or it was cleared: use the key on the machine where "
        "it was made, or make another context with `chancery init --as`",
        "this is another token"},
    Wording{
        ErrorCode::kKeyLost,
        "the TPM does not open this key, or its file was changed: make another context with `chancery init "
        "--as`",
        "the token does not have this key any more, or its file was changed: make another context with "
        "`chancery init --as`"},
    Wording{ErrorCode::kPinRefused, "",
            "the token refused the PIN, which was presented once: before the next command see that it is not "
            "locked or expired, and correct the PIN file"},
    Wording{
        ErrorCode::kDeviceLockout,
        "the TPM is locked after too many wrong authorizations: wait until it lets go of one, or have its owner "
        "clear the lockout (tpm2_dictionarylockout --clear-lockout)",
        "the token's PIN is locked: unlock it with the vendor's tool and correct the PIN file before the next "
        "command"},
    Wording{ErrorCode::kSimulatorRefused,
            "this TPM is a simulator, whose keys are software: take it knowingly, with --allow-simulator",
            "this token is a simulator, whose keys are software: take it knowingly, with --allow-simulator"},
};

}  // namespace

Error for_people(const Error& error, Kind kind) {
  const auto* found = std::ranges::find(kWordings, error.code, &Wording::code);
  if (found == kWordings.end()) return error;
  return {error.code, kind == Kind::kTpm ? found->of_tpm : found->of_token, error.native};
}

Result<OpenDevice> open_device(const KeyPlace& place, const SecretBytes& master, Bytes tpm_name) {
  auto device = open(place, master, std::move(tpm_name));
  if (!device) return for_people(device.error(), place.kind);
  return device;
}

}  // namespace chancery::cli
