#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/attestation_client.hpp>

namespace chancery {

// Carries between a host's daemon and its verifier, which need not reach each other. Both may be the same daemon. Nothing
// that is carried is secret, and nothing is judged on the way.

/// Enrols a host: its identity goes to the verifier, the verifier's challenge is activated by the host's device, and the
/// answer goes back.
/// \param name     of the host at its verifier, like an agent's
/// \param backend  of the host's daemon, whose device is to be enrolled
/// \return the host as the verifier knows it from then on, which may be "waiting" for its operator
[[nodiscard]] ClientResult<api::AttestedHost> enroll_host(const AttestationClient& host,
                                                          const AttestationClient& verifier,
                                                          std::string_view name, std::string_view backend);

/// A key of an enrolled host, about which a verifier is to judge.
struct KeyToAttest {
  std::string host;     ///< the host's name at its verifier
  std::string jkt;      ///< the key's thumbprint
  std::string backend;  ///< that has it: what was measured into its device goes along; empty: nothing does
  std::string leaf;     ///< a token's compact form, to whose use now the statements are bound; empty: to none
};

/// Makes evidence for a key, which is not judged yet: a certification, a quote of PCRs where the verifier asks for one,
/// and what was measured into the device, if anything was and the caller may ask for it.
[[nodiscard]] ClientResult<api::Evidence> make_key_evidence(const AttestationClient& host,
                                                            const AttestationClient& verifier,
                                                            const KeyToAttest& key);

/// The same, and has the verifier judge it.
[[nodiscard]] ClientResult<api::Attested> attest_key(const AttestationClient& host,
                                                     const AttestationClient& verifier,
                                                     const KeyToAttest& key);

/// A chain with what is known of its keys.
struct ChainBundle {
  /// A holder of a token of whose key the daemon gave no result, and its reason.
  struct Unattested {
    Thumbprint key;
    ClientError why;
  };
  std::string json;                    ///< `{"chain": […], "attestation_results": […]}`
  std::vector<Unattested> unattested;  ///< each key once
};

/// Puts a chain and a verifier's results about its holders together. Nothing is verified: that is for who gets the bundle.
/// \return the bundle; kMalformed for a token that cannot be read, and what kept the daemon from answering at all
[[nodiscard]] ClientResult<ChainBundle> bundle(const AttestationClient& verifier,
                                               std::span<const std::string> chain);

}  // namespace chancery
