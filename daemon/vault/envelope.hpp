#pragma once

#include <cstdint>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/store/grant_book.hpp"
#include "daemon/store/vault_book.hpp"

namespace chancery::vault {

// How a credential's value is kept: sealed by AES-256-GCM under a data key that is its version's alone, which is sealed
// under the vault's key. The associated data of both is what the record says of itself, so that whoever edits the
// database has no credential released to others, or in place of another: it opens no more.

/// Seals a value for a version of a credential, under a data key of its own.
/// \param vault_key  32 octets
/// \return the envelope, or kCryptoFailure
[[nodiscard]] Result<store::Envelope> seal_value(const SecretBytes& vault_key,
                                                 const store::Credential& credential,
                                                 const store::CredentialVersion& version,
                                                 const SecretBytes& value);

/// Opens what seal_value() made. \return the value; kStoreCorrupt when the record is not the one that it was sealed for, or
///         the envelope is another
[[nodiscard]] Result<SecretBytes> open_value(const SecretBytes& vault_key,
                                             const store::Credential& credential,
                                             const store::CredentialVersion& version,
                                             const store::Envelope& envelope);

/// The same for the refresh token of an issuer's grant: what it was sealed for is the issuer, the state, since when, and the generation.
/// \param grant  without its envelope
[[nodiscard]] Result<store::Envelope> seal_grant(const SecretBytes& vault_key,
                                                 const store::SealedGrant& grant,
                                                 const SecretBytes& refresh_token);
/// \param grant  with its envelope \return the refresh token, or kStoreCorrupt
[[nodiscard]] Result<SecretBytes> open_grant(const SecretBytes& vault_key, const store::SealedGrant& grant);

}  // namespace chancery::vault
