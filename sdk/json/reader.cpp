#include "sdk/json/reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <vector>

#include <locale.h>
#include <stdlib.h>

#include "sdk/base/utf8.hpp"
#include "sdk/json/number.hpp"

namespace chancery::json {
namespace {

constexpr Error kSyntax{ErrorCode::kMalformed, "not JSON (RFC 8259): fix the syntax"};
constexpr Error kEncoding{ErrorCode::kMalformed,
                          "not JSON: strings must be valid UTF-8 without lone surrogates"};
constexpr Error kTooDeep{ErrorCode::kMalformed, "JSON is nested too deeply: use at most 64 levels"};
constexpr Error kTooMany{ErrorCode::kMalformed, "JSON holds too many values"};
constexpr Error kUnsafe{ErrorCode::kMalformed,
                        "a number is beyond 2^53-1: use numbers that binary64 holds exactly"};
constexpr Error kNotFinite{ErrorCode::kNonFinite,
                           "a number is not finite: NaN, Infinity and overflow have no JSON form"};
constexpr Error kDuplicate{ErrorCode::kDuplicateMember,
                           "an object names a member twice: name each member once"};

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t octet) { out += static_cast<char>(octet); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

// What a string octet means to the reader; one table look-up an octet keeps the common case short.
enum class Octet : std::uint8_t { kPlain, kQuote, kEscape, kControl, kMultibyte };

constexpr auto kOctets = [] {
  std::array<Octet, 256> table{};
  for (std::size_t c = 0; c < table.size(); ++c) {
    table[c] = c == '"'    ? Octet::kQuote
               : c == '\\' ? Octet::kEscape
               : c < 0x20  ? Octet::kControl
               : c >= 0x80 ? Octet::kMultibyte
                           : Octet::kPlain;
  }
  return table;
}();

Octet octet_class(char c) noexcept { return kOctets[static_cast<unsigned char>(c)]; }

}  // namespace

bool utf16_less(std::string_view a, std::string_view b) noexcept {
  const auto [x, y] = std::ranges::mismatch(a, b);
  if (x == a.end() || y == b.end()) return x == a.end() && y != b.end();
  const auto p = static_cast<unsigned char>(*x);
  const auto q = static_cast<unsigned char>(*y);
  // UTF-8 sorts by code point. UTF-16 differs in one place: surrogate pairs (UTF-8 leads F0..F4) come
  // before U+E000..U+FFFF (leads EE, EF).
  if (p >= 0xF0 && (q == 0xEE || q == 0xEF)) return true;
  if (q >= 0xF0 && (p == 0xEE || p == 0xEF)) return false;
  return p < q;
}

std::optional<bool> Value::boolean() const noexcept {
  return kind_ == Kind::kBool ? std::optional(bool_) : std::nullopt;
}
std::optional<double> Value::number() const noexcept {
  return kind_ == Kind::kNumber ? std::optional(number_) : std::nullopt;
}
std::optional<std::int64_t> Value::integer() const noexcept {
  if (kind_ != Kind::kNumber || std::abs(number_) > kMaxSafeInteger || number_ != std::trunc(number_)) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(number_);
}
std::optional<std::string_view> Value::string() const noexcept {
  return kind_ == Kind::kString ? std::optional(std::string_view(text_, count_)) : std::nullopt;
}
std::span<const Value> Value::items() const noexcept {
  return kind_ == Kind::kArray ? std::span(items_, count_) : std::span<const Value>();
}
std::span<const Member> Value::members() const noexcept {
  return kind_ == Kind::kObject ? std::span(members_, count_) : std::span<const Member>();
}
bool Value::has_only(std::initializer_list<std::string_view> names) const noexcept {
  return is(Kind::kObject) && std::ranges::all_of(members(), [&](const Member& member) {
           return std::ranges::find(names, member.name) != names.end();
         });
}

const Value* Value::find(std::string_view name) const noexcept {
  for (const Member& member : members()) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

/// Recursive descent over one text. Values of an open container wait on a stack and are copied, together,
/// into the arena when it closes, so that a container's children are contiguous.
class Reader {
 public:
  Reader(std::string_view text, const Limits& limits, Document& document)
      : p_(text.data()), end_(text.data() + text.size()), limits_(limits), document_(document) {}

  Status run() {
    skip_space();
    Value root;
    CHANCERY_TRY(read_value(root, 0));
    skip_space();
    if (p_ != end_) return kSyntax;
    document_.root_ = store(std::span<const Value>(&root, 1)).data();
    document_.canonical_ = canonical_;
    return {};
  }

 private:
  template <typename T>
  std::span<const T> store(std::span<const T> from) {
    if (from.empty()) return {};
    auto* to = static_cast<T*>(document_.arena_->allocate(from.size_bytes(), alignof(T)));
    std::uninitialized_copy(from.begin(), from.end(), to);
    return {to, from.size()};
  }

  [[nodiscard]] char peek() const noexcept { return p_ != end_ ? *p_ : '\0'; }

  void skip_space() noexcept {
    while (p_ != end_ && is_space(*p_)) {
      canonical_ = false;
      ++p_;
    }
  }

  bool take(std::string_view literal) noexcept {
    if (static_cast<std::size_t>(end_ - p_) < literal.size() ||
        std::memcmp(p_, literal.data(), literal.size()) != 0) {
      return false;
    }
    p_ += literal.size();
    return true;
  }

  Status read_value(Value& out, std::size_t depth) {
    if (++values_ > limits_.max_values) return kTooMany;
    const char* const start = p_;
    CHANCERY_TRY(read_kind(out, depth));
    out.source_ = std::string_view(start, static_cast<std::size_t>(p_ - start));
    return {};
  }

  Status read_kind(Value& out, std::size_t depth) {
    switch (peek()) {
      case '{':
        return read_object(out, depth + 1);
      case '[':
        return read_array(out, depth + 1);
      case '"':
        return read_string(out);
      case 't':
        return read_literal(out, "true", Value::Kind::kBool, true);
      case 'f':
        return read_literal(out, "false", Value::Kind::kBool, false);
      case 'n':
        return read_literal(out, "null", Value::Kind::kNull, false);
      default:
        return read_number(out);
    }
  }

  Status read_literal(Value& out, std::string_view literal, Value::Kind kind, bool truth) {
    if (!take(literal)) return kSyntax;
    out.kind_ = kind;
    out.bool_ = truth;
    return {};
  }

  Status read_string(Value& out) {
    CHANCERY_ASSIGN(const std::string_view text, read_text());
    out.kind_ = Value::Kind::kString;
    out.text_ = text.data();
    out.count_ = static_cast<std::uint32_t>(text.size());
    return {};
  }

  // A view of the source where the string has no escapes, of the arena where it has.
  Result<std::string_view> read_text() {
    if (peek() != '"') return kSyntax;
    const char* const start = ++p_;
    while (p_ != end_) {
      switch (octet_class(*p_)) {
        case Octet::kPlain:
          ++p_;
          break;
        case Octet::kQuote: {
          const std::string_view text(start, static_cast<std::size_t>(p_ - start));
          ++p_;
          return text;
        }
        case Octet::kMultibyte:
          CHANCERY_TRY(step_multibyte());
          break;
        case Octet::kEscape:
          return read_escaped_text(start);
        case Octet::kControl:
          return kSyntax;
      }
    }
    return kSyntax;
  }

  Status step_multibyte() {
    const std::size_t length = decode_utf8({p_, end_}).size;
    if (length == 0) return kEncoding;
    p_ += length;
    return {};
  }

  Result<std::string_view> read_escaped_text(const char* start) {
    std::string text(start, p_);
    while (p_ != end_) {
      const char* const from = p_;
      switch (octet_class(*p_)) {
        case Octet::kPlain:
          text += *p_++;
          break;
        case Octet::kQuote: {
          ++p_;
          const auto kept = store(std::span<const char>(text));
          return std::string_view(kept.data(), kept.size());
        }
        case Octet::kMultibyte:
          CHANCERY_TRY(step_multibyte());
          text.append(from, p_);
          break;
        case Octet::kEscape:
          CHANCERY_TRY(read_escape(text));
          break;
        case Octet::kControl:
          return kSyntax;
      }
    }
    return kSyntax;
  }

  Status read_escape(std::string& text) {
    ++p_;
    if (p_ == end_) return kSyntax;
    constexpr std::string_view kLetters = "\"\\bfnrt/";
    constexpr std::string_view kMeanings = "\"\\\b\f\n\r\t/";
    const char letter = *p_++;
    if (letter == 'u') return read_unicode_escape(text);
    const std::size_t index = kLetters.find(letter);
    if (index == std::string_view::npos) return kSyntax;
    if (letter == '/') canonical_ = false;
    text += kMeanings[index];
    return {};
  }

  Status read_unicode_escape(std::string& text) {
    const char* const digits = p_;
    CHANCERY_ASSIGN(std::uint32_t code, read_four_hex_digits());
    if (code >= 0xDC00 && code <= 0xDFFF) return kEncoding;
    if (code >= 0xD800 && code <= 0xDBFF) {
      if (!take("\\u")) return kEncoding;
      CHANCERY_ASSIGN(const std::uint32_t low, read_four_hex_digits());
      if (low < 0xDC00 || low > 0xDFFF) return kEncoding;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(text, code);
    // RFC 8785 section 3.2.2.2: \u00xx, lower case, only for control characters without a short form.
    const bool short_form = code == '\b' || code == '\f' || code == '\n' || code == '\r' || code == '\t';
    const bool upper_case = std::any_of(digits, digits + 4, [](char c) { return c >= 'A' && c <= 'F'; });
    if (code >= 0x20 || short_form || upper_case) canonical_ = false;
    return {};
  }

  Result<std::uint32_t> read_four_hex_digits() {
    if (end_ - p_ < 4) return kSyntax;
    std::uint32_t code = 0;
    const auto parsed = std::from_chars(p_, p_ + 4, code, 16);
    if (parsed.ec != std::errc() || parsed.ptr != p_ + 4) return kSyntax;
    p_ += 4;
    return code;
  }

  Status read_number(Value& out) {
    const char* const start = p_;
    if (take("NaN") || take("Infinity") || take("-Infinity")) return kNotFinite;
    if (peek() == '-') ++p_;
    const char* const digits = p_;
    if (!skip_digits() || (*digits == '0' && p_ - digits > 1)) return kSyntax;
    out.kind_ = Value::Kind::kNumber;
    if (peek() != '.' && peek() != 'e' && peek() != 'E' && p_ - digits <= 15) {
      return finish_short_integer(out, start, digits);
    }
    if (peek() == '.') {
      ++p_;
      if (!skip_digits()) return kSyntax;
    }
    if (peek() == 'e' || peek() == 'E') {
      ++p_;
      if (peek() == '+' || peek() == '-') ++p_;
      if (!skip_digits()) return kSyntax;
    }
    return finish_number(out, start);
  }

  bool skip_digits() noexcept {
    const char* const start = p_;
    while (p_ != end_ && is_digit(*p_)) ++p_;
    return p_ != start;
  }

  // Up to fifteen digits are exact, and canonical unless they say minus zero.
  Status finish_short_integer(Value& out, const char* start, const char* digits) {
    std::int64_t magnitude = 0;
    for (const char* c = digits; c != p_; ++c) magnitude = magnitude * 10 + (*c - '0');
    const bool negative = start != digits;
    if (negative && magnitude == 0) canonical_ = false;
    out.number_ = static_cast<double>(negative ? -magnitude : magnitude);
    return {};
  }

  Status finish_number(Value& out, const char* start) {
    double value = 0;
    const auto parsed = std::from_chars(start, p_, value);
    if (parsed.ec == std::errc::result_out_of_range) {
      // from_chars says the same of overflow and of underflow to zero, and leaves `value` alone. The locale
      // of the process, which may write fractions with a comma, has no say here.
      static const locale_t c_locale = newlocale(LC_ALL_MASK, "C", nullptr);
      value = strtod_l(std::string(start, p_).c_str(), nullptr, c_locale);
      if (!std::isfinite(value)) return kNotFinite;
    }
    if (std::abs(value) > kMaxSafeInteger && !limits_.allow_unsafe_integers) return kUnsafe;
    if (!is_canonical_number({start, static_cast<std::size_t>(p_ - start)}, value)) canonical_ = false;
    out.number_ = value;
    return {};
  }

  Status read_array(Value& out, std::size_t depth) {
    if (depth > limits_.max_depth) return kTooDeep;
    ++p_;
    const std::size_t base = open_values_.size();
    skip_space();
    if (peek() == ']') {
      ++p_;
    } else {
      for (;;) {
        Value item;
        CHANCERY_TRY(read_value(item, depth));
        open_values_.push_back(item);
        CHANCERY_ASSIGN(const bool more, read_separator(']'));
        if (!more) break;
      }
    }
    const auto items = store(std::span<const Value>(open_values_).subspan(base));
    open_values_.resize(base);
    out.kind_ = Value::Kind::kArray;
    out.items_ = items.data();
    out.count_ = static_cast<std::uint32_t>(items.size());
    return {};
  }

  Status read_object(Value& out, std::size_t depth) {
    if (depth > limits_.max_depth) return kTooDeep;
    ++p_;
    const std::size_t base = open_members_.size();
    bool ascending = true;
    skip_space();
    if (peek() == '}') {
      ++p_;
    } else {
      for (;;) {
        Member member;
        CHANCERY_TRY(read_member(member, depth));
        if (open_members_.size() > base && !utf16_less(open_members_.back().name, member.name))
          ascending = false;
        open_members_.push_back(member);
        CHANCERY_ASSIGN(const bool more, read_separator('}'));
        if (!more) break;
      }
    }
    const auto members = store(std::span<const Member>(open_members_).subspan(base));
    open_members_.resize(base);
    if (!ascending) {
      canonical_ = false;
      if (has_duplicate(members)) return kDuplicate;
    }
    out.kind_ = Value::Kind::kObject;
    out.members_ = members.data();
    out.count_ = static_cast<std::uint32_t>(members.size());
    return {};
  }

  Status read_member(Member& member, std::size_t depth) {
    CHANCERY_ASSIGN(member.name, read_text());
    skip_space();
    if (peek() != ':') return kSyntax;
    ++p_;
    skip_space();
    return read_value(member.value, depth);
  }

  // After an element: true at a comma (and past it), false at `close` (and past it).
  Result<bool> read_separator(char close) {
    skip_space();
    const char c = peek();
    if (p_ == end_ || (c != ',' && c != close)) return kSyntax;
    ++p_;
    if (c == close) return false;
    skip_space();
    return true;
  }

  static bool has_duplicate(std::span<const Member> members) {
    std::vector<std::string_view> names;
    names.reserve(members.size());
    for (const Member& member : members) names.push_back(member.name);
    std::ranges::sort(names);
    return std::ranges::adjacent_find(names) != names.end();
  }

  const char* p_;
  const char* end_;
  const Limits& limits_;
  Document& document_;
  std::vector<Value> open_values_;
  std::vector<Member> open_members_;
  std::size_t values_ = 0;
  bool canonical_ = true;
};

Result<Document> Document::parse_borrowed(std::string_view text, const Limits& limits) {
  Document document;
  // A first block in proportion to the text takes nearly every document in one allocation.
  document.arena_ =
      std::make_unique<std::pmr::monotonic_buffer_resource>(std::max<std::size_t>(512, text.size() * 3));
  CHANCERY_TRY(Reader(text, limits, document).run());
  return document;
}

Result<Document> Document::parse(std::string text, const Limits& limits) {
  auto kept = std::make_unique<std::string>(std::move(text));
  CHANCERY_ASSIGN(Document document, parse_borrowed(*kept, limits));
  document.text_ = std::move(kept);
  return document;
}

}  // namespace chancery::json
