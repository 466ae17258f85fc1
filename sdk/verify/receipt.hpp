#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

namespace chancery {

/// The longest document with a receipt that is looked at, in octets.
inline constexpr std::size_t kMaxReceiptSize = 128 * 1024;

/// A receipt of a tool call, as it says of itself (docs/protocol/runtime.md): nothing of it is true before verify_receipt().
struct Receipt {
  std::string permit;   ///< 32 hexadecimal digits
  std::string runtime;  ///< SPIFFE ID
  std::string tool;
  std::string status;            ///< "done", "error", "failed" or "refused"
  std::string token;             ///< id of the token that the call was made with
  std::string decision;          ///< id
  std::string key;               ///< thumbprint of the agent's key
  std::string arguments_sha256;  ///< 64 hexadecimal digits, as the next
  std::string result_sha256;
  std::int64_t at = 0;  ///< seconds since 1970
  std::string
      digest;  ///< SHA-256 of the receipt in JCS, 64 hexadecimal digits: what is signed, and stands in the audit log
  std::string jws;  ///< compact, over a list of such; empty: it is not signed yet
};

/// Reads `{"receipt": {…}, "signed": "JWS"}`, as the runtime answers it.
/// \return kMalformed, kTooLarge, and what json::Document::parse() says
[[nodiscard]] Result<Receipt> read_receipt(std::string_view document);

/// Whether the runtime's key signed that receipt: the signature is over a list of the runtime's in which its hash stands, by one of
/// these keys, and no older than what it is about. Whether the call was made, the audit log says: its `tool.result` of that permit
/// must have the same hash as `receipt`. Pure.
/// \param signers  the runtime's keys, as somebody says who knows them
/// \return kMalformed for what is no signed list of receipts, kSignatureInvalid for every other that does not count
[[nodiscard]] Status verify_receipt(const Receipt& receipt, std::span<const Thumbprint> signers);

}  // namespace chancery
