#pragma once

#include <cstdint>

#include <chancery/bytes.hpp>
#include <chancery/custody.hpp>

#include "attest/evidence/public_area.hpp"
#include "attest/evidence/refusal.hpp"
#include "attest/verify/statement.hpp"

namespace chancery::attest {

/// A TPM's time (TPMS_CLOCK_INFO, TPM 2.0 Part 2, 10.11.1) and firmware, as a statement by an AK of the endorsement
/// hierarchy has them in plain.
struct HostState {
  std::uint64_t clock_ms = 0;
  std::uint32_t reset_count = 0;
  std::uint32_t restart_count = 0;
  bool is_safe = false;  ///< the clock was not set back since it was told last
  std::uint64_t firmware = 0;

  friend bool operator==(const HostState&, const HostState&) = default;
};

[[nodiscard]] HostState state_of(const Statement& statement);

/// Whether a state may follow one that was seen before. \return kRollback
[[nodiscard]] Judged<void> check_order(const HostState& before, const HostState& after);

/// What a verifier knows of a host since it enrolled.
struct EnrolledHost {
  PublicArea ek;
  PublicArea ak;   ///< a child of the EK
  PublicArea srk;  ///< the parent of agents' keys, in the owner hierarchy
  /// What a certified key of it is worth: kTpmCertified, or kTpmCertifiedEmulated for a simulator's EK.
  Custody worth = Custody::kTpmCertifiedEmulated;
  HostState first_seen;
  HostState last_seen;
};

/// A signed statement, owned.
struct StatementOctets {
  Bytes attest;     ///< TPMS_ATTEST
  Bytes signature;  ///< TPMT_SIGNATURE
};

/// A host's AK, to judge what it signs.
class HostSigner {
 public:
  /// \return kAkAttributes for an AK that is none
  [[nodiscard]] static Judged<HostSigner> of(const EnrolledHost& host);

  /// As check_statement() has it, by the host's AK below its EK.
  [[nodiscard]] Judged<Statement> check(const StatementOctets& octets, TPM2_ST type, ByteView nonce) const {
    return check_statement(key_, {octets.attest, octets.signature, nonce, parent_}, type);
  }

 private:
  HostSigner(AttestationKey key, Bytes parent) : key_(std::move(key)), parent_(std::move(parent)) {}

  AttestationKey key_;
  Bytes parent_;  // the EK's qualified name
};

}  // namespace chancery::attest
