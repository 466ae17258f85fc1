#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <chancery/bytes.hpp>

#include "attest/evidence/refusal.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::attest {

/// One agent as it was measured: its executable and its manifest.
struct AgentMeasurement {
  std::uint64_t seq = 0;  ///< from 1, one after the other
  std::chrono::sys_seconds at{};
  std::string agent;  ///< its id, 1 to 128 octets
  Sha256Digest executable{};
  Sha256Digest manifest{};

  friend bool operator==(const AgentMeasurement&, const AgentMeasurement&) = default;
};

/// What a daemon measured into its TPM since the index was made, in order.
using MeasurementLog = std::vector<AgentMeasurement>;

/// {"agent", "at" (seconds), "executable_sha256", "manifest_sha256" (hexadecimal), "seq"}
[[nodiscard]] json::Node to_node(const AgentMeasurement& entry);

/// What goes into the TPM for an entry: SHA-256 of its JCS form.
[[nodiscard]] Sha256Digest digest_of(const AgentMeasurement& entry);

/// Reads an array of entries, in whatever form it is written.
/// \return the log, or kLogParse: a member is missing, unknown or of another form, or a number was left out
[[nodiscard]] Judged<MeasurementLog> read_measurement_log(const json::Value& array);

/// What the index holds after these entries: H(old ‖ digest) for each, with SHA-256 from zero.
[[nodiscard]] Sha256Digest replay(const MeasurementLog& log);

}  // namespace chancery::attest
