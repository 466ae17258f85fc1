#pragma once

#include <cstddef>
#include <string_view>

#include <chancery/api_vault.hpp>
#include <chancery/result.hpp>

#include "daemon/service/office.hpp"

namespace chancery::service {

// The use cases of the vault, for operators: values go in, and none comes out. See docs/operations/vault.md.

/// The shortest value that is taken: what is shorter could not be redacted. And the longest.
inline constexpr std::size_t kShortestCredential = 4;
inline constexpr std::size_t kLongestCredential = 16 * 1024;

/// A value for a credential: of a new one the first, which is active at once; of one that is there the next, which waits
/// unless no other is active. kForbidden, kInvalidArgument (what describes it, or the value), kConflict (another description
/// than it has, or a version that waits already), kKeyLost and the device's errors.
[[nodiscard]] Result<api::Credential> put_credential(Office& office, const CallContext& context,
                                                     const api::PutCredential& message);
/// The next value, active at once. kForbidden, kNotFound, kInvalidArgument (value), kConflict, and as above.
[[nodiscard]] Result<api::Credential> rotate_credential(Office& office, const CallContext& context,
                                                        std::string_view name,
                                                        const api::RotateCredential& message);
/// Makes the version that waits the active one. kForbidden, kNotFound, kConflict.
[[nodiscard]] Result<api::Credential> activate_credential_version(Office& office, const CallContext& context,
                                                                  std::string_view name,
                                                                  const api::ActivateCredential& message);
/// Describes a credential anew, and seals its values for that. kForbidden, kNotFound, kInvalidArgument, kConflict, kKeyLost
/// and the device's errors.
[[nodiscard]] Result<api::Credential> change_credential(Office& office, const CallContext& context,
                                                        std::string_view name,
                                                        const api::ChangeCredential& message);
/// Erases values for good. kForbidden, kNotFound, kConflict when there is nothing to erase.
[[nodiscard]] Result<api::Credential> revoke_credential(Office& office, const CallContext& context,
                                                        std::string_view name,
                                                        const api::RevokeCredential& message);
/// kForbidden, kNotFound.
[[nodiscard]] Result<api::Credential> show_credential(Office& office, const CallContext& context,
                                                      std::string_view name);
/// \param limit  1 to kMaxPage
/// \param after  the `next` of the page before, or empty
[[nodiscard]] Result<api::CredentialPage> list_credentials(Office& office, const CallContext& context,
                                                           std::size_t limit, std::string_view after);
/// Forgets the vault's key and with it every value: for a device that is gone. kForbidden.
[[nodiscard]] Result<api::VaultReset> reset_vault(Office& office, const CallContext& context);

}  // namespace chancery::service
