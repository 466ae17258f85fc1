#pragma once

#include <string_view>

#include <chancery/api_approvals.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "daemon/service/office.hpp"
#include "daemon/store/approver_book.hpp"

namespace chancery::service {

// Who may decide, and by which keys (docs/protocol/approvals.md).

/// For how long an authorization may be carried to the daemon.
inline constexpr std::chrono::hours kAuthorizationLife{1};

/// With active keys alone. kForbidden.
[[nodiscard]] Result<api::ApproverList> list_approvers(Office& office, const CallContext& context);

/// With all keys. kForbidden, kNotFound.
[[nodiscard]] Result<api::Approver> show_approver(Office& office, const CallContext& context,
                                                  std::string_view principal);

/// Enrols a key: the first on the word of the operator's process on the socket, each later one by the signature of an
/// approver who is enrolled, whoever brings it; where a gate names who has no key yet, the operator brings it. See ApproverBook::enroll()
/// for who signs for whom.
/// \return kForbidden, kUnauthenticated (no authorization, and no process on the socket), kConflict, kNotFound; kMalformed and the like
///         for document and JWS; kInvalidArgument (another document, audience or time), kSignatureInvalid, kProofRefused;
///         kSpendingHalted in an older copy of the store
[[nodiscard]] Result<api::Approver> enroll_approver(Office& office, const CallContext& context,
                                                    const api::EnrollApprover& message);

/// Ends a key: for the operator, or by the signature of an active key of the same person, whoever brings it. What it decided and was
/// not used yet lapses.
/// \param jkt  thumbprint
/// \return whose it was; kForbidden, kUnauthenticated (neither a caller nor an authorization), kInvalidArgument (thumbprint, reason, and
///         as above), kNotFound, kConflict
[[nodiscard]] Result<api::Approver> revoke_approver_key(Office& office, const CallContext& context,
                                                        std::string_view jkt,
                                                        const api::RevokeApproverKey& message);

/// Which gates there are, as they are configured. kForbidden.
[[nodiscard]] Result<api::GateList> list_gates(const Office& office, const CallContext& context);

/// Who signed something.
struct ApproverSigner {
  store::ApproverKey key;
  PublicKey public_key;
};

/// The active key of that person by this thumbprint. kForbidden, kStoreCorrupt.
[[nodiscard]] Result<ApproverSigner> require_signer(const Office& office, const Thumbprint& key,
                                                    std::string_view principal);

/// Whether what was signed by a passkey, or not by one, is by a key of that kind. kForbidden.
[[nodiscard]] Status require_kind(const ApproverSigner& signer, bool by_passkey);

}  // namespace chancery::service
