#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/custody.hpp>

namespace chancery::api {

// The messages around attestation (docs/protocol/attestation.md), as values. Structures of a TPM are octets: base64url in
// JSON, but for the values of PCRs, which people compare and which are hexadecimal.

/// Indices by bank, such as "sha256".
using PcrSelection = std::map<std::string, std::set<std::uint32_t>>;
using PcrValues = std::map<std::string, std::map<std::uint32_t, Bytes>>;

/// A statement as a TPM signed it.
struct TpmStatement {
  Bytes attest;     ///< TPMS_ATTEST
  Bytes signature;  ///< TPMT_SIGNATURE
};

struct PcrQuote {
  TpmStatement statement;
  PcrValues values;
};

/// Who a host's TPM says that it is.
struct HostIdentity {
  Bytes ek_certificate;  ///< DER; empty: the manufacturer put none into the TPM
  Bytes ek_public;       ///< this and the next two: TPMT_PUBLIC
  Bytes ak_public;
  Bytes srk_public;
};

struct EnrollHost {
  std::string name;  ///< [a-z0-9][a-z0-9._-]{0,62}
  HostIdentity identity;
};

struct AskChallenge {
  std::string host;  ///< an enrolled host's name
};

/// What a verifier asks of a host, to be answered once and soon.
struct AttestationChallenge {
  std::string id;
  Bytes nonce;        ///< over which every statement of the answer is to be
  PcrSelection pcrs;  ///< that are to be quoted; empty: none
  Bytes id_object;    ///< this and the next: a credential to be activated, of an enrolment; else empty
  Bytes encrypted_secret;
  std::int64_t expires_at = 0;
};

struct Activation {
  Bytes secret;    ///< from the credential
  PcrQuote quote;  ///< by the attestation key, over the nonce
};

/// Asks a daemon what its device says of a key of its agents' or its own.
struct CertifyKey {
  Bytes nonce;  ///< at most 64 octets
  std::string
      leaf;  ///< a token's compact form: the statements are about its use now, over SHA-256(leaf ‖ nonce)
  PcrSelection pcrs;
};

struct KeyEvidence {
  Bytes key_public;            ///< TPMT_PUBLIC
  TpmStatement certification;  ///< TPM2_Certify by the attestation key, over the nonce
  std::optional<PcrQuote> quote;
  /// TPMS_CREATION_DATA of a key behind a gate, where the certification is TPM2_CertifyCreation; empty of any other.
  Bytes creation_data{};
};

/// Asks a daemon what it has measured into a device.
struct CertifyMeasurements {
  Bytes nonce;  ///< at most 64 octets
};

/// An agent as it was measured.
struct MeasuredAgent {
  std::int64_t seq = 0;  ///< from 1, one after the other
  std::int64_t at = 0;
  std::string agent;              ///< its id
  std::string executable_sha256;  ///< this and the next: 64 hexadecimal digits
  std::string manifest_sha256;
  bool operator==(const MeasuredAgent&) const = default;
};

/// What was measured into a TPM's index that only extends, and what the TPM says of it.
struct Measurements {
  TpmStatement statement;  ///< TPM2_NV_Certify by the attestation key, over the nonce
  Bytes index_public;      ///< TPMS_NV_PUBLIC
  std::vector<MeasuredAgent> log;
};

/// The answer to a challenge: exactly one of `activation` and `key`.
struct Evidence {
  std::string challenge;  ///< its id
  std::optional<Activation> activation;
  std::optional<KeyEvidence> key;
  std::optional<Measurements> measurements{};  ///< beside a key, over the same nonce
  std::string
      leaf{};  ///< of a key's: the token that the statements are bound to, as CertifyKey has it; empty: none
};

/// A host as its verifier knows it.
struct AttestedHost {
  std::string name;
  std::string backend;      ///< of the daemon's own; empty: another machine
  std::string state;        ///< "waiting", "enrolled", "quarantined"
  std::string reason;       ///< why it is quarantined
  std::string custody;      ///< level of a key that it certifies; empty while it waits
  std::string endorsement;  ///< how its EK is believed: "root", "pinned", "first-use"
  std::string ek;           ///< fingerprint of the EK's certificate, else of its public area
  std::string manufacturer;
  std::string firmware;  ///< a decimal number
  std::uint32_t reset_count = 0;
  std::uint32_t restart_count = 0;
  bool is_clock_safe = false;
  std::int64_t measurements = 0;  ///< that were seen of it
  std::int64_t enrolled_at = 0;
  std::int64_t last_seen_at = 0;
  bool operator==(const AttestedHost&) const = default;
};

struct AttestedHostList {
  std::vector<AttestedHost> hosts;
  std::string next;  ///< give as `after` for the next page; empty at the end
};

/// The operator says what a host that waits is worth.
struct ApproveHost {
  Custody custody = Custody::kTpmCertifiedEmulated;  ///< kTpmCertified or kTpmCertifiedEmulated
};

/// What came of evidence.
struct Attested {
  AttestedHost host;
  std::string result;  ///< `eat+jwt` about the key; empty for an enrolment
};

/// What is known of a key: one result a verifier.
struct AttestationResults {
  std::vector<std::string> results;  ///< `eat+jwt`
};

}  // namespace chancery::api
