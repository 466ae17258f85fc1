#include "sdk/verify/receipt.hpp"

#include <algorithm>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/jws.hpp"

namespace chancery {
namespace {

constexpr std::string_view kType = "chancery-receipts+jwt";
constexpr json::Limits kLimits{.max_depth = 8, .max_values = 1024};

constexpr Error kNoReceipt{
    ErrorCode::kMalformed,
    "not a receipt: give what the runtime answers to GET /v1/receipts/PERMIT, {\"receipt\": {…}, \"signed\": \"…\"}"};
constexpr Error kNoList{ErrorCode::kMalformed, "`signed` is no signed list of receipts"};

constexpr Error false_receipt(const char* what) { return {ErrorCode::kSignatureInvalid, what}; }

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Copies members that must be texts.
class Texts {
 public:
  explicit Texts(const json::Value& object) : object_(object) {}

  void take(std::string_view name, std::string& into) {
    const json::Value* const member = object_.find(name);
    const auto text = member == nullptr ? std::nullopt : member->string();
    is_whole_ = is_whole_ && text && !text->empty();
    if (text) into = *text;
  }
  [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }

 private:
  const json::Value& object_;
  bool is_whole_ = true;
};

Result<Receipt> read_members(const json::Value& object) {
  Receipt receipt;
  Texts texts(object);
  texts.take("permit", receipt.permit);
  texts.take("runtime", receipt.runtime);
  texts.take("tool", receipt.tool);
  texts.take("status", receipt.status);
  texts.take("token", receipt.token);
  texts.take("decision", receipt.decision);
  texts.take("key", receipt.key);
  texts.take("arguments_sha256", receipt.arguments_sha256);
  texts.take("result_sha256", receipt.result_sha256);
  const json::Value* const at = object.find("at");
  const bool has_forms =
      is_hex(receipt.permit, 32) && is_hex(receipt.arguments_sha256, 64) && is_hex(receipt.result_sha256, 64);
  const bool has_no_more = object.has_only({"arguments_sha256", "at", "decision", "key", "permit",
                                            "result_sha256", "runtime", "status", "token", "tool"});
  if (!texts.is_whole() || !has_forms || !has_no_more) return kNoReceipt;
  if (at == nullptr || !at->integer()) return kNoReceipt;
  receipt.at = *at->integer();
  receipt.digest = hex_encode(sha256(as_bytes(json::to_jcs(object))));
  return receipt;
}

Status verify_signature_of(const Jws& jws, std::span<const Thumbprint> signers) {
  const json::Value& header = jws.header.root();
  const json::Value* const type = header.find("typ");
  if (type == nullptr || type->string() != kType) return kNoList;
  const HeaderKey signer = header_key(header);
  if (!signer.key) return kNoList;
  if (std::ranges::find(signers, signer.key->thumbprint()) == signers.end())
    return false_receipt("the receipt is signed by a key that is none of the runtime's");
  if (jws.verifies_under(*signer.key)) return {};
  return false_receipt("the signature does not verify: the list was altered, or somebody else signed it");
}

Status verify_list(const json::Value& list, const Receipt& receipt) {
  const json::Value* const issuer = list.find("iss");
  const json::Value* const at = list.find("iat");
  const json::Value* const receipts = list.find("receipts");
  if (issuer == nullptr || at == nullptr || !at->integer() || receipts == nullptr) return kNoList;
  if (issuer->string() != receipt.runtime)
    return false_receipt("the receipt is one runtime's, and what is signed another's");
  if (*at->integer() < receipt.at) return false_receipt("the signature is older than what it would be about");
  const bool is_listed = std::ranges::any_of(
      receipts->items(), [&](const json::Value& hash) { return hash.string() == receipt.digest; });
  if (is_listed) return {};
  return false_receipt(
      "the receipt is not among those that are signed: it was altered, or the signature is another's");
}

}  // namespace

Result<Receipt> read_receipt(std::string_view document) {
  if (document.size() > kMaxReceiptSize)
    return Error{ErrorCode::kTooLarge, "a receipt has at most 128 KiB: is this one?"};
  CHANCERY_ASSIGN(const json::Document read, json::Document::parse_borrowed(document, kLimits));
  const json::Value* const receipt = read.root().find("receipt");
  if (receipt == nullptr || !read.root().has_only({"receipt", "signed"})) return kNoReceipt;
  CHANCERY_ASSIGN(Receipt out, read_members(*receipt));
  const json::Value* const jws = read.root().find("signed");
  if (jws != nullptr && !jws->string()) return kNoReceipt;
  if (jws != nullptr) out.jws = *jws->string();
  return out;
}

Status verify_receipt(const Receipt& receipt, std::span<const Thumbprint> signers) {
  if (receipt.jws.empty())
    return Error{ErrorCode::kMalformed, "the receipt is not signed yet: ask the runtime again in a moment"};
  CHANCERY_ASSIGN(const Jws jws, Jws::parse(receipt.jws));
  CHANCERY_TRY(verify_signature_of(jws, signers));
  return verify_list(jws.payload.root(), receipt);
}

}  // namespace chancery
