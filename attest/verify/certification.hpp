#pragma once

#include "attest/evidence/public_area.hpp"
#include "attest/evidence/refusal.hpp"
#include "attest/verify/statement.hpp"

namespace chancery::attest {

/// Whether a statement of TPM2_Certify is about this key (kName). The key's attributes are for the caller to judge.
/// \param statement  as check_statement() accepted it, of the type TPM_ST_ATTEST_CERTIFY
[[nodiscard]] Judged<void> check_certified(const Statement& statement, const PublicArea& key);

/// The same for TPM2_CertifyCreation, of the type TPM_ST_ATTEST_CREATION: it is about this key (kName), whose creation
/// data are these (kCreationHash) and well formed (kMalformed).
/// \param creation_data  TPMS_CREATION_DATA
[[nodiscard]] Judged<void> check_created(const Statement& statement, const PublicArea& key,
                                         ByteView creation_data);

}  // namespace chancery::attest
