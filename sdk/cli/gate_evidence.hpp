#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include <chancery/client.hpp>
#include <chancery/custody.hpp>

#include "sdk/cli/failure.hpp"
#include "sdk/cli/pinned_gate.hpp"

namespace chancery::cli {

/// Whom an approver believes about TPMs.
struct EvidenceOptions {
  std::vector<std::string> roots{};           ///< files of TPM vendors' roots
  std::vector<std::string> emulator_roots{};  ///< files of simulators' roots
  std::vector<std::string> intermediates{};   ///< files of authorities between EK certificates and either
  std::vector<std::string> pins{};  ///< SHA-256 of an EK's certificate or public area, in hexadecimal
  bool is_waived = false;           ///< the daemon's word is to be enough
};

/// Adds `--ek-roots`, `--emulator-roots`, `--ek-intermediates`, `--ek-pin` and `--without-evidence`.
void add_evidence_options(CLI::App& command, EvidenceOptions& options);

/// Whether the options say one thing, before anybody is asked. \return misuse
[[nodiscard]] Checked<void> check_evidence_options(const EvidenceOptions& options);

/// Has the device of a gate's key prove where that key is, and judges the proof here: by nobody's word but the device's own and that of
/// whom the options name. In this order:
/// 1. who the TPM is: its EK leads to a root or is pinned (attest::judge_ek), its attestation key is one;
/// 2. it opens a credential that only this TPM opens, for this attestation key alone, and quotes over a fresh nonce;
/// 3. over another fresh nonce its attestation key says how the gate's key was made: a gated key behind the pin's policy, made in
///    this TPM, with the pin's Name (attest::verify_gated_evidence).
/// \param backend  of the daemon's that has the key, as the gate says
/// \return what was proved; kEvidenceRefused and the check's words, files' errors, the daemon's
[[nodiscard]] Checked<GateEvidence> prove_gate(const Client& client, const std::string& backend,
                                               const PinnedGate& gate, const EvidenceOptions& options,
                                               std::chrono::sys_seconds now);

}  // namespace chancery::cli
