#include "sdk/redaction/body.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <zlib.h>

namespace chancery::redaction {
namespace {

constexpr Error kUnknownEncoding{
    ErrorCode::kUnsupportedAlgorithm,
    "the answer's Content-Encoding cannot be read: ask for it with `Accept-Encoding: gzip, identity`"};
constexpr Error kBroken{ErrorCode::kMalformed, "the answer is not what its Content-Encoding says"};
constexpr Error kTooMuch{ErrorCode::kTooLarge,
                         "the answer is larger than is allowed: ask for less, or raise the limit"};

/// Owns zlib's state.
class Inflation {
 public:
  explicit Inflation(int window_bits) { good_ = ::inflateInit2(&stream_, window_bits) == Z_OK; }
  ~Inflation() {
    if (good_) ::inflateEnd(&stream_);
  }
  Inflation(const Inflation&) = delete;
  Inflation& operator=(const Inflation&) = delete;

  /// One stream at the front of `input`, which is left with what is behind it.
  [[nodiscard]] Status decode(std::string_view& input, std::size_t max_octets, std::string& out);

 private:
  z_stream stream_{};
  bool good_ = false;
};

Status Inflation::decode(std::string_view& input, std::size_t max_octets, std::string& out) {
  if (!good_) return Error{ErrorCode::kInternal, "zlib could not begin: is memory short?"};
  std::array<unsigned char, 32 * 1024> buffer{};
  constexpr std::size_t kPiece = std::size_t{1} << 30;  // zlib counts in 32 bits
  for (;;) {
    const std::size_t given = std::min(input.size(), kPiece);
    // zlib reads through this pointer only, whatever its type says.
    stream_.next_in = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(input.data()));
    stream_.avail_in = static_cast<uInt>(given);
    stream_.next_out = buffer.data();
    stream_.avail_out = static_cast<uInt>(buffer.size());
    const int state = ::inflate(&stream_, Z_NO_FLUSH);
    if (state != Z_OK && state != Z_STREAM_END) return kBroken;
    input.remove_prefix(given - stream_.avail_in);
    const std::size_t made = buffer.size() - stream_.avail_out;
    if (made > max_octets - out.size()) return kTooMuch;
    out.append(reinterpret_cast<const char*>(buffer.data()), made);
    if (state == Z_STREAM_END) return {};
    if (input.empty() && made < buffer.size()) return kBroken;  // it ended too soon
  }
}

constexpr int kGzip = 16 + MAX_WBITS;
constexpr int kZlib = MAX_WBITS;
constexpr int kBare = -MAX_WBITS;

// RFC 1952 section 2.2: members one behind the other.
Result<std::string> gunzip(std::string_view body, std::size_t max_octets) {
  std::string out;
  do {
    Inflation inflation(kGzip);
    CHANCERY_TRY(inflation.decode(body, max_octets, out));
  } while (!body.empty());
  return out;
}

Result<std::string> inflate_with(int window_bits, std::string_view body, std::size_t max_octets) {
  std::string out;
  Inflation inflation(window_bits);
  CHANCERY_TRY(inflation.decode(body, max_octets, out));
  if (!body.empty()) return kBroken;
  return out;
}

Result<std::string> inflate_any(std::string_view body, std::size_t max_octets) {
  auto out = inflate_with(kZlib, body, max_octets);
  if (out || out.error().code != ErrorCode::kMalformed) return out;
  return inflate_with(kBare, body, max_octets);
}

std::string trimmed_lower(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ' || c == '\t') continue;
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return out;
}

std::vector<std::string> encodings_of(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string name = trimmed_lower(list.substr(0, end));
    if (!name.empty()) out.push_back(std::move(name));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return out;
}

}  // namespace

Result<std::string> decode_body(std::string_view content_encoding, std::string_view body,
                                const BodyLimits& limits) {
  constexpr std::size_t kMostEncodings = 2;
  std::vector<std::string> encodings = encodings_of(content_encoding);
  std::erase(encodings, "identity");
  if (encodings.size() > kMostEncodings) return kUnknownEncoding;
  if (body.size() > limits.max_octets) return kTooMuch;
  std::string decoded(body);
  // In the order in which they were applied.
  for (auto encoding = encodings.rbegin(); encoding != encodings.rend(); ++encoding) {
    const bool is_gzip = *encoding == "gzip" || *encoding == "x-gzip";
    if (!is_gzip && *encoding != "deflate") return kUnknownEncoding;
    CHANCERY_ASSIGN(decoded,
                    is_gzip ? gunzip(decoded, limits.max_octets) : inflate_any(decoded, limits.max_octets));
  }
  return decoded;
}

Result<Redacted> redact_body(const SecretFinder& finder, std::string_view content_encoding,
                             std::string_view body, const FieldPaths& fields, const BodyLimits& limits) {
  CHANCERY_ASSIGN(const std::string decoded, decode_body(content_encoding, body, limits));
  return finder.redact_json(decoded, fields);
}

}  // namespace chancery::redaction
