#include "hsm/pkcs11/condition.hpp"

#include <algorithm>
#include <string>

namespace chancery::hsm {
namespace {

using enum Fact::Severity;

constexpr CK_FLAGS kErrorState = 0x01000000;  // CKF_ERROR_STATE, which the header lacks

Fact judge_vendor(const TokenFacts& identity) {
  const std::string value = identity.manufacturer + " " + identity.model + ", firmware " + identity.firmware;
  if (!identity.emulated) return {"vendor", value};
  return {"vendor", value + ", a simulator", kWarn,
          "its keys are in software: use a hardware token for anything that matters"};
}

Fact judge_state(CK_FLAGS flags) {
  if ((flags & kErrorState) != 0) {
    return {"token", "in an error state", kBad, "the token failed its self-test: restart it, or replace it"};
  }
  if ((flags & CKF_TOKEN_INITIALIZED) == 0) {
    return {"token", "not initialized", kBad, "initialize the token and its user PIN with its own tools"};
  }
  if ((flags & CKF_WRITE_PROTECTED) != 0) {
    return {"token", "write-protected", kBad, "no key can be made or destroyed: lift the write protection"};
  }
  if ((flags & CKF_LOGIN_REQUIRED) == 0) {
    return {"token", "initialized, no login required", kWarn,
            "whoever reaches the token may use its keys: have it require a login"};
  }
  return {"token", "initialized, login required"};
}

Fact judge_pin(CK_FLAGS flags) {
  if ((flags & CKF_USER_PIN_LOCKED) != 0) {
    return {"PIN", "locked", kBad, "unlock it as the token's security officer, then restart the daemon"};
  }
  if ((flags & CKF_USER_PIN_INITIALIZED) == 0) {
    return {"PIN", "not set", kBad, "set the user PIN with the token's own tools"};
  }
  if ((flags & CKF_USER_PIN_FINAL_TRY) != 0) {
    return {"PIN", "one try left", kBad,
            "the daemon does not take it: log in once with the token's own tools, and correct the PIN file"};
  }
  if ((flags & CKF_USER_PIN_TO_BE_CHANGED) != 0) {
    return {"PIN", "to be changed", kWarn,
            "set a new PIN with the token's own tools, then correct the PIN file"};
  }
  if ((flags & CKF_USER_PIN_COUNT_LOW) != 0) {
    return {"PIN", "a wrong one was presented", kWarn,
            "find out who did: the count ends with the next right one"};
  }
  return {"PIN", "set, all tries left"};
}

bool is_told(std::uint64_t count) {
  return count != CK_UNAVAILABLE_INFORMATION && count != CK_EFFECTIVELY_INFINITE;
}

Fact judge_sessions(const TokenCondition& is) {
  if (!is_told(is.sessions) || !is_told(is.max_sessions))
    return {"sessions", "the token does not say how many"};
  const std::string value =
      std::to_string(is.sessions) + " of " + std::to_string(is.max_sessions) + " open by this process";
  if (is.sessions < is.max_sessions) return {"sessions", value};
  return {"sessions", value, kWarn, "none is free: fewer max_sessions leave room for other programs"};
}

Fact judge_mechanisms(const TokenCondition& is) {
  std::string value;
  const auto add = [&](CK_MECHANISM_TYPE mechanism, const char* name) {
    const bool has = std::ranges::find(is.mechanisms, mechanism) != is.mechanisms.end();
    if (has) value.append(value.empty() ? "" : ", ").append(name);
    return has;
  };
  const bool generates = add(CKM_EC_KEY_PAIR_GEN, "EC_KEY_PAIR_GEN");
  const bool signs = add(CKM_ECDSA, "ECDSA");
  add(CKM_EC_EDWARDS_KEY_PAIR_GEN, "EC_EDWARDS_KEY_PAIR_GEN");
  add(CKM_EDDSA, "EDDSA");
  if (generates && signs) return {"mechanisms", value};
  return {"mechanisms", value.empty() ? "none of those needed" : value, kBad,
          "the token does not make P-256 keys and sign with them: use another one"};
}

}  // namespace

std::vector<Fact> judge(const TokenCondition& condition, const TokenFacts& identity) {
  return {judge_vendor(identity), judge_state(condition.flags), judge_pin(condition.flags),
          judge_sessions(condition), judge_mechanisms(condition)};
}

}  // namespace chancery::hsm
