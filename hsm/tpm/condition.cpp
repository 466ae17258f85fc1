#include "hsm/tpm/condition.hpp"

#include <algorithm>
#include <string>

namespace chancery::hsm {
namespace {

using enum Fact::Severity;

constexpr TPM2_HANDLE kRsa2048Certificate = 0x01C00002;
constexpr TPM2_HANDLE kEccP256Certificate = 0x01C0000A;
constexpr TPM2_HANDLE kEccP384Certificate = 0x01C00016;

// Signing needs a place for the key and one for its parent; the TPM's own work may take a third.
constexpr std::uint32_t kNeededObjects = 2;
// TPM 2.0 part 2, section 6.13 asks for three loaded sessions and 64 active ones; we keep one.
constexpr std::uint32_t kFewActiveSessions = 4;

constexpr const char* kDoesNotTell = "the TPM does not tell its state";

void take_property(TpmCondition& out, TPM2_PT property, std::uint32_t value) {
  switch (property) {
    case TPM2_PT_PERMANENT:
      out.is_locked_out = (value & TPMA_PERMANENT_INLOCKOUT) != 0;
      break;
    case TPM2_PT_HR_LOADED_AVAIL:
      out.free_loaded_sessions = value;
      break;
    case TPM2_PT_HR_ACTIVE_AVAIL:
      out.free_active_sessions = value;
      break;
    case TPM2_PT_HR_TRANSIENT_AVAIL:
      out.free_objects = value;
      break;
    case TPM2_PT_LOCKOUT_COUNTER:
      out.failed_tries = value;
      break;
    case TPM2_PT_MAX_AUTH_FAIL:
      out.max_tries = value;
      break;
    case TPM2_PT_LOCKOUT_INTERVAL:
      out.recovery_seconds = value;
      break;
    default:
      break;
  }
}

Status read_properties(TpmConnection& tpm, TpmCondition& out) {
  constexpr std::uint32_t kAllVariable = 64;
  CHANCERY_ASSIGN(const auto data,
                  tpm.capability(kDoesNotTell, TPM2_CAP_TPM_PROPERTIES, TPM2_PT_PERMANENT, kAllVariable));
  const TPML_TAGGED_TPM_PROPERTY& properties = data->data.tpmProperties;
  for (std::uint32_t i = 0; i < properties.count; ++i) {
    take_property(out, properties.tpmProperty[i].property, properties.tpmProperty[i].value);
  }
  return {};
}

Status read_certificates(TpmConnection& tpm, TpmCondition& out) {
  CHANCERY_ASSIGN(const auto data,
                  tpm.capability(kDoesNotTell, TPM2_CAP_HANDLES, kRsa2048Certificate, TPM2_MAX_CAP_HANDLES));
  const TPML_HANDLE& handles = data->data.handles;
  const auto is_there = [&](TPM2_HANDLE handle) {
    const auto* const end = handles.handle + handles.count;
    return std::find(handles.handle, end, handle) != end;
  };
  out.has_rsa_2048 = is_there(kRsa2048Certificate);
  out.has_ecc_p256 = is_there(kEccP256Certificate);
  out.has_ecc_p384 = is_there(kEccP384Certificate);
  return {};
}

Status read_clock(TpmConnection& tpm, TpmCondition& out) {
  TPMS_TIME_INFO* time = nullptr;
  CHANCERY_TRY(tpm.command("the TPM does not tell its clock", [&] {
    return Esys_ReadClock(tpm.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &time);
  }));
  const EsysOwned<TPMS_TIME_INFO> owned(time);
  out.clock_ms = time->clockInfo.clock;
  out.resets = time->clockInfo.resetCount;
  out.restarts = time->clockInfo.restartCount;
  out.is_clock_safe = time->clockInfo.safe == TPM2_YES;
  return {};
}

// --- judging

std::string number(std::uint64_t value) { return std::to_string(value); }

Fact judge_vendor(const TpmCondition& is) {
  const std::string value = is.identity.manufacturer + ", firmware " + is.identity.firmware;
  if (!is.identity.emulated) return {"vendor", value};
  return {"vendor", value + ", a simulator", kWarn,
          "its keys are in software: use a hardware TPM for anything that matters"};
}

Fact judge_lockout(const TpmCondition& is) {
  std::string value = number(is.failed_tries) + " of " + number(is.max_tries) + " failed authorizations";
  if (is.recovery_seconds > 0) value += ", one forgotten every " + number(is.recovery_seconds) + " s";
  if (is.is_locked_out) {
    return {"lockout", value + ": locked", kBad,
            "wait, or reset it with its lockout authorization (tpm2_dictionarylockout --clear-lockout); our "
            "keys are exempt, other programs' are not"};
  }
  if (is.failed_tries == 0) return {"lockout", value};
  return {"lockout", value, kWarn,
          "find the program that presents wrong authorizations: ours are exempt from this count"};
}

Fact judge_objects(const TpmCondition& is) {
  const std::string value = number(is.free_objects) + " free";
  if (is.free_objects >= kNeededObjects) return {"object slots", value};
  return {"object slots", value, is.free_objects == 0 ? kBad : kWarn,
          "another program keeps objects in the TPM: have it use /dev/tpmrm0, or flush what it left "
          "(tpm2_flushcontext --transient-object)"};
}

Fact judge_sessions(const TpmCondition& is) {
  const std::string value =
      number(is.free_loaded_sessions) + " loadable, " + number(is.free_active_sessions) + " active free";
  const bool is_full = is.free_loaded_sessions == 0 || is.free_active_sessions == 0;
  if (!is_full && is.free_active_sessions >= kFewActiveSessions) return {"session slots", value};
  return {"session slots", value, is_full ? kBad : kWarn,
          "another program leaves sessions in the TPM: end it, then flush them (tpm2_flushcontext "
          "--loaded-session, --saved-session)"};
}

Fact judge_certificates(const TpmCondition& is) {
  std::string value;
  const auto add = [&](bool has, const char* name) {
    if (has) value.append(value.empty() ? "" : ", ").append(name);
  };
  add(is.has_rsa_2048, "RSA 2048");
  add(is.has_ecc_p256, "ECC P-256");
  add(is.has_ecc_p384, "ECC P-384");
  if (!value.empty()) return {"EK certificates", value};
  return {"EK certificates", "none", kWarn,
          "nobody else can be shown which TPM this is: get the certificate from its manufacturer if that "
          "matters"};
}

Fact judge_clock(const TpmCondition& is) {
  const std::string value = number(is.clock_ms / 1000) + " s with power, " + number(is.resets) + " resets, " +
                            number(is.restarts) + " restarts";
  if (is.is_clock_safe) return {"TPM clock", value + ", safe"};
  return {"TPM clock", value + ", not safe", kWarn,
          "the TPM lost power without a shutdown, so its clock may repeat itself for about an hour: it "
          "becomes safe by itself"};
}

}  // namespace

Result<TpmCondition> read_condition(TpmConnection& tpm) {
  TpmCondition out;
  out.identity = tpm.facts();
  CHANCERY_TRY(read_properties(tpm, out));
  CHANCERY_TRY(read_certificates(tpm, out));
  CHANCERY_TRY(read_clock(tpm, out));
  return out;
}

std::vector<Fact> judge(const TpmCondition& condition) {
  return {judge_vendor(condition),   judge_lockout(condition),      judge_objects(condition),
          judge_sessions(condition), judge_certificates(condition), judge_clock(condition)};
}

}  // namespace chancery::hsm
