#pragma once

#include <cstddef>
#include <optional>

#include <chancery/bytes.hpp>

#include "attest/evidence/measurement_log.hpp"
#include "attest/evidence/refusal.hpp"
#include "attest/verify/enrolled_host.hpp"

namespace chancery::attest {

/// What a host says that it measured.
struct MeasurementEvidence {
  StatementOctets statement;  ///< TPM2_NV_Certify by the AK, over the nonce
  Bytes index_public;         ///< TPMS_NV_PUBLIC of the index
  MeasurementLog log;
};

/// Measurements that the host's TPM holds.
struct AttestedMeasurements {
  Bytes index_name;      ///< the same as long as nobody makes the index anew
  Sha256Digest value{};  ///< that the log leads to
  HostState state;
};

/// Judges what a host measured, in this order:
/// 1. the index can be read (kMalformed) and only ever extends, with SHA-256, by its own auth value
///    (kIndexKind);
/// 2. the statement, as check_statement() has it, by the host's AK below its EK (kAkAttributes … kAkName);
/// 3. it is about that index (kName) and the whole of it (kIndexPart);
/// 4. the log leads to what the index holds (kLogReplay);
/// 5. the TPM's time did not go back since it was seen last (kRollback).
/// The log says what the host's daemon measured. It says nothing about a daemon that lies, and whoever has the
/// TPM's owner hierarchy can remove the index and make it anew: compare with what was seen before, by
/// check_continues(). Pure and thread-safe; one verification of a signature.
[[nodiscard]] Judged<AttestedMeasurements> check_measurements(const MeasurementEvidence& evidence,
                                                              const EnrolledHost& host, ByteView nonce);

/// What a statement of TPM2_NV_Certify says that an index holds; nothing of it is judged.
/// \return nothing for another statement, or an index of another size
[[nodiscard]] std::optional<Sha256Digest> certified_value(ByteView attest);

/// What a verifier keeps of measurements that it accepted.
struct SeenMeasurements {
  std::size_t entries = 0;
  Sha256Digest value{};
};

/// Whether a log begins with what was seen before. \return kLogReplay: the index was made anew, or an entry was
/// changed
[[nodiscard]] Judged<void> check_continues(const SeenMeasurements& seen, const MeasurementLog& log);

}  // namespace chancery::attest
