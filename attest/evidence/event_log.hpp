#pragma once

#include <cstdint>
#include <vector>

#include <chancery/bytes.hpp>

#include "attest/evidence/pcr.hpp"
#include "attest/evidence/refusal.hpp"

namespace chancery::attest {

/// One measurement: which PCR it went into, and as what in each bank.
struct Measurement {
  PcrIndex pcr = 0;
  std::map<Hash, Bytes> digests;
};

/// What a log says was measured since the start, in order.
struct EventLog {
  std::size_t records = 0;  ///< also those that measure nothing
  std::vector<Measurement> measurements;
  std::uint8_t start_locality = 0;  ///< the last octet of PCR 0 before its first measurement
};

/// Reads a firmware's log (TCG PC Client Platform Firmware Profile 1.06, 10): with SHA-1 digests only, or crypto agile.
/// Which one it is it says itself. EV_NO_ACTION measures nothing; a StartupLocality or an H-CRTM event says what PCR 0
/// began with.
/// \return the log, or kLogParse: a record is incomplete, or has a digest of an algorithm that was not declared
[[nodiscard]] Judged<EventLog> read_event_log(ByteView octets);

/// Reads a log of the Linux Integrity Measurement Architecture, as text or binary; templates ima, ima-ng and ima-sig.
/// \return the log, or kLogParse; kLogReplay when a template hash is not that of its own record
[[nodiscard]] Judged<EventLog> read_ima_text(ByteView octets);
[[nodiscard]] Judged<EventLog> read_ima_binary(ByteView octets);

/// The values that the log leads to, of the PCRs that it extends.
[[nodiscard]] PcrValues replay(const EventLog& log);

/// Whether the log leads to the values that are known, of the PCRs and banks that it extends. \return kLogReplay
[[nodiscard]] Judged<void> check_replay(const EventLog& log, const PcrValues& known);

}  // namespace chancery::attest
