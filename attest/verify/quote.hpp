#pragma once

#include <optional>

#include "attest/evidence/pcr.hpp"
#include "attest/evidence/refusal.hpp"
#include "attest/verify/statement.hpp"

namespace chancery::attest {

/// The PCRs that a quote is about, as the verifier asked and the host answered; borrowed.
struct QuotedPcrs {
  PcrSelection selection;       ///< what was asked for
  PcrValues values;             ///< what the host says the values are
  std::optional<ByteView> log;  ///< of events; must replay to the values of the PCRs that it extends
};

/// Judges what a quote is about, in this order: the selection is the one that was asked for (kPcrSelection); every
/// selected value is there (kPcrMissing); their digest is the one quoted, with the hash of the signature (kPcrDigest); the
/// log can be read (kLogParse) and agrees with the values (kLogReplay).
/// \param statement  as check_statement() accepted it, of the type TPM_ST_ATTEST_QUOTE
[[nodiscard]] Judged<void> check_quoted(const Statement& statement, const QuotedPcrs& pcrs);

}  // namespace chancery::attest
