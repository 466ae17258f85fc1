#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/custody.hpp>
#include <chancery/result.hpp>

#include "attest/evidence/measurement_log.hpp"
#include "daemon/store/store.hpp"

namespace chancery::store {

enum class HostState : std::uint8_t {
  kWaiting,      ///< has proved that it has its EK, and the operator has not said what that is worth
  kEnrolled,     ///< its evidence counts
  kQuarantined,  ///< was seen to be two, or an old copy of itself: nothing that it says counts
};

/// "waiting", "enrolled" or "quarantined".
[[nodiscard]] std::string_view host_state_name(HostState state) noexcept;

/// A TPM's time and firmware as it last said them (TPMS_CLOCK_INFO), and when that was.
struct HostSeen {
  std::uint64_t clock_ms = 0;
  std::uint32_t reset_count = 0;
  std::uint32_t restart_count = 0;
  bool is_safe = false;
  std::uint64_t firmware = 0;
  sys_seconds at{};
  bool operator==(const HostSeen&) const = default;
};

/// A machine with a TPM, as it was enrolled with this daemon as verifier (docs/protocol/attestation.md).
struct Host {
  std::string name;     ///< unique
  std::string backend;  ///< the daemon's own backend that it is the TPM of; empty: another machine's
  HostState state = HostState::kWaiting;
  std::string reason{};            ///< why it is quarantined
  std::optional<Custody> worth{};  ///< of a key that it certifies; none while it waits
  std::string endorsement;         ///< how its EK came to be believed: "root", "pinned", "first-use"
  std::string ek_name;             ///< Name of its EK, hexadecimal; unique
  Bytes ek_public;                 ///< this and the next two: TPMT_PUBLIC
  Bytes ak_public;
  Bytes srk_public;
  std::string ek_fingerprint;  ///< of the EK's certificate, else of its public area; hexadecimal
  std::string manufacturer;    ///< as the EK's certificate has it; empty when it says nothing
  HostSeen first_seen{};
  HostSeen last_seen{};
  std::uint64_t measured = 0;    ///< how many of its measurements were seen
  std::string measured_value{};  ///< what its index held then, 64 hexadecimal digits; empty: none was seen
  bool operator==(const Host&) const = default;
};

/// An attestation result that a daemon gives out with chains.
struct HeldResult {
  Thumbprint key;      ///< that it is about
  std::string issuer;  ///< the verifier's URL; of one key and issuer the newest is held
  std::string host;    ///< of ours, whose evidence it is about; empty for others' results and PKCS#11 claims
  Custody custody = Custody::kSoftware;
  sys_seconds evidence_at{};
  sys_seconds expires_at{};
  std::string compact;  ///< `eat+jwt`
  bool operator==(const HeldResult&) const = default;
};

/// Remembers hosts, what was found out about keys, and the wrapped attestation keys of the daemon's own TPMs.
/// Thread-safe. Errors common to all: the store's (see Store). Mutations return the sequence of their audit entry.
class HostBook {
 public:
  virtual ~HostBook() = default;

  /// kConflict when the name is taken or the EK is known: one EK enrols once.
  virtual Result<std::uint64_t> add(const Host& host, const AuditEntry& audit) = 0;
  /// The operator says what a waiting host is worth. kNotFound; kConflict when it does not wait.
  virtual Result<std::uint64_t> approve(std::string_view name, Custody worth, const AuditEntry& audit) = 0;
  /// Ends whatever a host has proved: its results are given out no more. kNotFound.
  virtual Result<std::uint64_t> quarantine(std::string_view name, std::string_view reason,
                                           const AuditEntry& audit) = 0;
  /// Forgets a host and its results, so that it may enrol anew. kNotFound.
  virtual Result<std::uint64_t> remove(std::string_view name, const AuditEntry& audit) = 0;
  /// Remembers a TPM's time, unless a later one is remembered already.
  virtual Status saw(std::string_view name, const HostSeen& seen) = 0;

  /// Remembers how far a host's measurements were seen, unless more of them were.
  virtual Status saw_measurements(std::string_view name, std::uint64_t entries, std::string_view value) = 0;

  virtual Result<Host> host(std::string_view name) = 0;
  virtual Result<Host> host_by_ek(std::string_view ek_name) = 0;
  virtual Result<Host> host_of_backend(std::string_view backend) = 0;
  /// At most kMaxPage, by name.
  /// \param after  name of the last of the page before; empty for the first page
  virtual Result<std::vector<Host>> hosts(std::size_t limit, std::string_view after) = 0;

  /// Records a result before it is given to anybody. kForbidden when its host is not enrolled (any more), kConflict
  /// when the key was attested by another host.
  virtual Result<std::uint64_t> record(const HeldResult& result, const AuditEntry& audit) = 0;
  /// Of all issuers, those that have not expired.
  virtual Result<std::vector<HeldResult>> results(const Thumbprint& key, sys_seconds now) = 0;
  /// Forgets the results of an issuer: nobody can verify them any more.
  virtual Status forget_results(std::string_view issuer) = 0;
  /// Of these only those about the daemon's own devices, which can be made anew.
  virtual Status forget_own_results(std::string_view issuer) = 0;
  virtual Status prune(sys_seconds now) = 0;

  /// What was measured into the device of a backend, in order.
  virtual Result<attest::MeasurementLog> measurements(std::string_view backend) = 0;
  /// kConflict when an entry of that number is there.
  virtual Result<std::uint64_t> add_measurement(std::string_view backend,
                                                const attest::AgentMeasurement& entry,
                                                const AuditEntry& audit) = 0;
  virtual Result<std::uint64_t> forget_measurements(std::string_view backend, const AuditEntry& audit) = 0;

  /// The wrapped attestation key of a backend's TPM; empty when none is kept.
  virtual Result<Bytes> attestation_key(std::string_view backend) = 0;
  /// In place of one that was kept before.
  virtual Status keep_attestation_key(std::string_view backend, ByteView blob) = 0;
};

}  // namespace chancery::store
