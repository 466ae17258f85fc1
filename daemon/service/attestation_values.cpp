#include <string>

#include "daemon/service/attestation.hpp"

namespace chancery::service {

Error refused(const attest::Refusal& refusal) {
  return {ErrorCode::kEvidenceRefused, refusal.what, static_cast<std::uint64_t>(refusal.check)};
}

std::string_view refused_check(const Error& error) {
  if (error.code != ErrorCode::kEvidenceRefused) return {};
  return attest::check_name(static_cast<attest::Check>(error.native));
}

attest::StatementOctets octets_of(const api::TpmStatement& statement) {
  return {statement.attest, statement.signature};
}

// A bank that nobody knows is none that was asked for: the verifier misses its values.
attest::PcrValues values_of(const api::PcrValues& values) {
  attest::PcrValues out;
  for (const auto& [bank, pcrs] : values) {
    const auto hash = attest::Hash::named(bank);
    if (!hash) continue;
    for (const auto& [index, value] : pcrs) out[*hash].emplace(index, value);
  }
  return out;
}

Result<attest::PcrSelection> selection_of(const api::PcrSelection& selection) {
  attest::PcrSelection out;
  for (const auto& [bank, indices] : selection) {
    const auto hash = attest::Hash::named(bank);
    if (!hash) {
      return Error{ErrorCode::kInvalidArgument,
                   "`pcrs` names a bank that is none: use \"sha256\" or another hash of the TCG's registry"};
    }
    out[*hash].insert(indices.begin(), indices.end());
  }
  return out;
}

api::PcrSelection write_selection(const attest::PcrSelection& selection) {
  api::PcrSelection out;
  for (const auto& [bank, indices] : selection) {
    out[std::string(bank.name())].insert(indices.begin(), indices.end());
  }
  return out;
}

api::TpmStatement write_statement(const hsm::SignedAttest& statement) {
  return {statement.attest, statement.signature};
}

api::PcrQuote write_quote(const hsm::PcrQuote& quote) {
  api::PcrQuote out{write_statement(quote.statement), {}};
  for (const auto& [bank, pcrs] : quote.values) {
    out.values[std::string(bank.name())].insert(pcrs.begin(), pcrs.end());
  }
  return out;
}

Result<attest::EnrolledHost> enrolled(const store::Host& host, const store::HostSeen& last_seen) {
  const auto area = [](ByteView octets) {
    return attest::PublicArea::parse(octets, attest::PublicArea::Form::kBare);
  };
  const auto state = [](const store::HostSeen& seen) {
    return attest::HostState{seen.clock_ms, seen.reset_count, seen.restart_count, seen.is_safe,
                             seen.firmware};
  };
  const auto ek = area(host.ek_public);
  const auto ak = area(host.ak_public);
  const auto srk = area(host.srk_public);
  if (!ek || !ak || !srk) {
    return Error{ErrorCode::kStoreCorrupt, "a host's record is damaged: remove the host and enrol it anew"};
  }
  return attest::EnrolledHost{*ek,
                              *ak,
                              *srk,
                              host.worth.value_or(Custody::kTpmCertifiedEmulated),
                              state(host.first_seen),
                              state(last_seen)};
}

store::HostSeen seen(const attest::HostState& state, std::chrono::sys_seconds at) {
  return {state.clock_ms, state.reset_count, state.restart_count, state.is_safe, state.firmware, at};
}

api::AttestedHost describe_host(const store::Host& host) {
  api::AttestedHost out;
  out.name = host.name;
  out.backend = host.backend;
  out.state = store::host_state_name(host.state);
  out.reason = host.reason;
  if (host.worth) out.custody = custody_name(*host.worth);
  out.endorsement = host.endorsement;
  out.ek = host.ek_fingerprint;
  out.manufacturer = host.manufacturer;
  out.firmware = std::to_string(host.last_seen.firmware);
  out.reset_count = host.last_seen.reset_count;
  out.restart_count = host.last_seen.restart_count;
  out.is_clock_safe = host.last_seen.is_safe;
  out.measurements = static_cast<std::int64_t>(host.measured);
  out.enrolled_at = host.first_seen.at.time_since_epoch().count();
  out.last_seen_at = host.last_seen.at.time_since_epoch().count();
  return out;
}

}  // namespace chancery::service
