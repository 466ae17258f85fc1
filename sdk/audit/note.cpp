#include "sdk/audit/note.hpp"

#include <algorithm>
#include <optional>

#include "sdk/base/base64.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/base/utf8.hpp"
#include "sdk/crypto/ecdsa_der.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery::audit {
namespace {

constexpr std::uint8_t kEcdsa = 0x02;
constexpr std::string_view kSignatureMark = "\u2014 ";
constexpr std::size_t kMaxNote = 64 * 1024;
constexpr std::size_t kMaxSignatures = 64;

constexpr Error kMalformedNote{
    ErrorCode::kMalformed,
    "not a signed note: text, an empty line, then lines of an em dash, a name and a signature in base64"};
constexpr Error kMalformedKey{
    ErrorCode::kMalformed,
    "not a verifier key of ECDSA: NAME+KEYID+BASE64, as `chancery audit keys` prints it"};
constexpr Error kWrongSignature{
    ErrorCode::kSignatureInvalid,
    "the signature does not verify: the text was altered, or another key has the same name and id"};
constexpr Error kNotSigned{ErrorCode::kSignatureInvalid,
                           "no signature of a key that was named: is this the right key, and the right log?"};

// What stands before the point of every key on P-256 in a SubjectPublicKeyInfo (RFC 5480): the two OIDs, and that the
// point comes uncompressed.
constexpr std::array<std::uint8_t, 27> kP256Prefix{0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                                   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                                   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
using SubjectPublicKeyInfo = std::array<std::uint8_t, kP256Prefix.size() + 64>;

Result<SubjectPublicKeyInfo> subject_public_key_info(const PublicKey& key) {
  if (key.algorithm() != Algorithm::kES256) {
    return Error{ErrorCode::kUnsupportedAlgorithm, "a key that signs notes is for ES256"};
  }
  SubjectPublicKeyInfo info;
  auto end = std::ranges::copy(kP256Prefix, info.begin()).out;
  end = std::ranges::copy(key.x(), end).out;
  std::ranges::copy(key.y(), end);
  return info;
}

Result<PublicKey> key_of(ByteView info) {
  const bool is_p256 = info.size() == SubjectPublicKeyInfo{}.size() &&
                       std::ranges::equal(info.first(kP256Prefix.size()), kP256Prefix);
  if (!is_p256) return kMalformedKey;
  std::array<std::uint8_t, 32> x, y;
  std::ranges::copy(info.subspan(kP256Prefix.size(), 32), x.begin());
  std::ranges::copy(info.last(32), y.begin());
  const PublicKey key = PublicKey::p256(x, y);
  CHANCERY_TRY(check_point(key));
  return key;
}

NoteKeyId id_of(const SubjectPublicKeyInfo& info) noexcept {
  const Sha256Digest digest = sha256(info);
  NoteKeyId id;
  std::ranges::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

bool is_unicode_space(std::uint32_t c) noexcept {
  return c <= 0x20 || c == 0x7f || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
         c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

template <typename Allows>
bool consists_of(std::string_view text, Allows allows) noexcept {
  while (!text.empty()) {
    const CodePoint next = decode_utf8(text);
    if (next.size == 0 || !allows(next.value)) return false;
    text.remove_prefix(next.size);
  }
  return true;
}

bool is_key_name(std::string_view name) noexcept {
  return !name.empty() && consists_of(name, [](std::uint32_t c) { return c != '+' && !is_unicode_space(c); });
}

/// One signature of a note, not judged yet.
struct NoteSignature {
  std::string_view name;
  NoteKeyId id;
  Bytes der;
};

Result<NoteSignature> parse_signature(std::string_view line) {
  if (!line.starts_with(kSignatureMark)) return kMalformedNote;
  line.remove_prefix(kSignatureMark.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || !is_key_name(line.substr(0, space))) return kMalformedNote;
  const auto octets = base64_decode(line.substr(space + 1));
  if (!octets || octets->size() <= NoteKeyId{}.size()) return kMalformedNote;
  NoteSignature signature{line.substr(0, space), {}, {}};
  std::ranges::copy_n(octets->begin(), signature.id.size(), signature.id.begin());
  signature.der.assign(octets->begin() + signature.id.size(), octets->end());
  return signature;
}

bool is_by(const NoteSignature& signature, const NoteKey& key) noexcept {
  const auto id = note_key_id(key.key);
  return id && signature.name == key.name && signature.id == *id;
}

bool verifies(const NoteSignature& signature, const NoteKey& key, std::string_view text) noexcept {
  const auto raw = ecdsa_raw_from_der(signature.der);
  return raw && verify_signature(key.key, sha256(as_bytes(text)), as_bytes(text), *raw);
}

}  // namespace

// --- keys

Result<NoteKeyId> note_key_id(const PublicKey& key) {
  CHANCERY_ASSIGN(const SubjectPublicKeyInfo info, subject_public_key_info(key));
  return id_of(info);
}

Result<std::string> verifier_key(const NoteKey& key) {
  if (!is_key_name(key.name)) {
    return Error{ErrorCode::kInvalidArgument,
                 "the name of a key that signs notes is not empty and has neither spaces nor `+`"};
  }
  CHANCERY_ASSIGN(const SubjectPublicKeyInfo info, subject_public_key_info(key.key));
  Bytes typed{kEcdsa};
  typed.insert(typed.end(), info.begin(), info.end());
  return key.name + "+" + hex_encode(id_of(info)) + "+" + base64_encode(typed);
}

Result<NoteKey> parse_verifier_key(std::string_view text) {
  const std::size_t first = text.find('+');
  const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) return kMalformedKey;
  const std::string_view name = text.substr(0, first);
  const auto id = hex_decode_exactly<4>(text.substr(first + 1, second - first - 1));
  const auto typed = base64_decode(text.substr(second + 1));
  if (!is_key_name(name) || !id || !typed || typed->empty()) return kMalformedKey;
  if (typed->front() != kEcdsa) {
    return Error{ErrorCode::kUnsupportedAlgorithm, "the verifier key is not of type 0x02, ECDSA"};
  }
  CHANCERY_ASSIGN(const PublicKey key, key_of(ByteView(*typed).subspan(1)));
  CHANCERY_ASSIGN(const NoteKeyId computed, note_key_id(key));
  if (computed != *id) return kMalformedKey;
  return NoteKey{std::string(name), key};
}

// --- notes

bool may_be_noted(std::string_view text) noexcept {
  return text.ends_with('\n') && consists_of(text, [](std::uint32_t c) { return c >= 0x20 || c == '\n'; });
}

Result<std::string> signature_line(const NoteKey& key, const Signature& signature) {
  if (!is_key_name(key.name)) return Error{ErrorCode::kInvalidArgument, "no name that may sign a note"};
  CHANCERY_ASSIGN(const NoteKeyId id, note_key_id(key.key));
  EcdsaDer der;
  const std::size_t size = ecdsa_der_from_raw(signature, der);
  Bytes octets(id.begin(), id.end());
  octets.insert(octets.end(), der.begin(), der.begin() + static_cast<std::ptrdiff_t>(size));
  return std::string(kSignatureMark) + key.name + " " + base64_encode(octets) + "\n";
}

Result<std::string_view> open_note(std::string_view note, std::span<const NoteKey> keys) {
  const std::size_t separator = note.rfind("\n\n");
  if (note.size() > kMaxNote || separator == std::string_view::npos || !note.ends_with('\n')) {
    return kMalformedNote;
  }
  const std::string_view text = note.substr(0, separator + 1);
  std::string_view lines = note.substr(separator + 2);
  if (!may_be_noted(text) || lines.empty()) return kMalformedNote;
  bool is_signed = false;
  for (std::size_t count = 0; !lines.empty(); ++count) {
    const std::size_t end = lines.find('\n');
    CHANCERY_ASSIGN(const NoteSignature signature, parse_signature(lines.substr(0, end)));
    lines.remove_prefix(end + 1);
    if (count == kMaxSignatures) return kMalformedNote;
    for (const NoteKey& key : keys) {
      if (!is_by(signature, key)) continue;
      if (!verifies(signature, key, text)) return kWrongSignature;
      is_signed = true;
    }
  }
  if (!is_signed) return kNotSigned;
  return text;
}

}  // namespace chancery::audit
