#include "daemon/runtime/schema/pattern.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <re2/re2.h>

#include "sdk/base/printable.hpp"

namespace chancery::schema {
namespace {

constexpr std::int64_t kMemory = 1 << 20;  // octets for one program and its state cache

// ECMA-262 WhiteSpace and LineTerminator, in a class; and all the others.
constexpr std::string_view kSpaces =
    "\\t-\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
constexpr std::string_view kNoSpaces =
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}"
    "\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}";
constexpr std::string_view kAnything = "\\x{0}-\\x{10ffff}";

// General categories by their long names and aliases (Unicode PropertyValueAliases); RE2 has the short ones.
constexpr std::array<std::pair<std::string_view, std::string_view>, 40> kCategories{{
    {"Letter", "L"},
    {"Cased_Letter", "LC"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"},
    {"Close_Punctuation", "Pe"},
    {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"},
    {"Other_Punctuation", "Po"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Private_Use", "Co"},
}};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string escaped(std::uint32_t code) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), code, 16).ptr;
  return "\\x{" + std::string(digits.data(), end) + "}";
}

using Step = Result<void, PatternError>;

/// Walks one expression and writes it anew.
class Translation {
 public:
  explicit Translation(std::string_view ecma) : rest_(ecma) {}

  Result<std::string, PatternError> run() {
    while (!rest_.empty()) CHANCERY_TRY(take_part());
    return std::move(out_);
  }

 private:
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  Step take_part() {
    if (take("\\")) return take_escape(false);
    if (take("[")) return take_class();
    if (take("(")) return take_group();
    if (take(".")) {
      out_ += "[^\\n\\r\\x{2028}\\x{2029}]";
      return {};
    }
    out_ += rest_.front();
    rest_.remove_prefix(1);
    return {};
  }

  Step take_group() {
    if (take("?:")) {
      out_ += "(?:";
    } else if (rest_.starts_with("?=") || rest_.starts_with("?!") || rest_.starts_with("?<=") ||
               rest_.starts_with("?<!")) {
      return PatternError{
          "it looks ahead or behind, which cannot be matched in linear time: write it without"};
    } else if (take("?<")) {
      const std::size_t end = rest_.find('>');
      if (end == std::string_view::npos) return PatternError{"a group's name has no end"};
      rest_.remove_prefix(end + 1);
      out_ += "(?:";
    } else if (rest_.starts_with("?")) {
      return PatternError{"a group begins with ? in a form that ECMA-262 does not have"};
    } else {
      out_ += "(?:";  // nobody asks for what a group matched
    }
    return {};
  }

  Step take_class() {
    const bool negated = take("^");
    if (take("]")) {
      // Nothing, or anything at all. To RE2 the bracket would be a member of the class.
      out_ += (negated ? "[" : "[^") + std::string(kAnything) + "]";
      return {};
    }
    out_ += negated ? "[^" : "[";
    while (!take("]")) {
      if (rest_.empty()) return PatternError{"a class has no end: write ]"};
      if (take("\\")) {
        CHANCERY_TRY(take_escape(true));
      } else if (take("[")) {
        out_ += "\\[";  // RE2 would take [: for the name of a class
      } else {
        out_ += rest_.front();
        rest_.remove_prefix(1);
      }
    }
    out_ += "]";
    return {};
  }

  Step take_escape(bool in_class) {
    if (rest_.empty()) return PatternError{"it ends with a backslash"};
    const char c = rest_.front();
    rest_.remove_prefix(1);
    switch (c) {
      case 'd':
      case 'D':
      case 'w':
      case 'W':
      case 't':
      case 'n':
      case 'v':
      case 'f':
      case 'r':
        out_ += {'\\', c};
        return {};
      case 's':
        out_ += in_class ? std::string(kSpaces) : "[" + std::string(kSpaces) + "]";
        return {};
      case 'S':
        out_ += in_class ? std::string(kNoSpaces) : "[" + std::string(kNoSpaces) + "]";
        return {};
      case 'b':
        out_ += in_class ? "\\x{8}" : "\\b";
        return {};
      case 'B':
        if (in_class) break;
        out_ += "\\B";
        return {};
      case 'c':
        return take_control();
      case 'x':
        return take_code(2);
      case 'u':
        return take_unicode();
      case 'p':
      case 'P':
        return take_property(c);
      default:
        return take_identity(c);
    }
    return PatternError{"\\B has no meaning in a class"};
  }

  Step take_identity(char c) {
    if (c == '0' && (rest_.empty() || !is_digit(rest_.front()))) {
      out_ += "\\x{0}";
      return {};
    }
    if (c == 'k' || is_digit(c)) {
      return PatternError{
          "it refers back to a group, which cannot be matched in linear time: write it without"};
    }
    if (is_letter(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80) {
      return PatternError{"ECMA-262 has no such escape: take the backslash away"};
    }
    out_ += {'\\', c};
    return {};
  }

  Step take_control() {
    if (rest_.empty() || !is_letter(rest_.front())) return PatternError{"\\c wants a letter behind it"};
    out_ += escaped(static_cast<std::uint32_t>(rest_.front()) % 32);
    rest_.remove_prefix(1);
    return {};
  }

  std::optional<std::uint32_t> take_hex(std::size_t digits) {
    if (digits == 0 || rest_.size() < digits) return std::nullopt;
    std::uint32_t code = 0;
    const auto [end, failure] = std::from_chars(rest_.data(), rest_.data() + digits, code, 16);
    if (failure != std::errc{} || end != rest_.data() + digits) return std::nullopt;
    rest_.remove_prefix(digits);
    return code;
  }

  Step take_code(std::size_t digits) {
    const auto code = take_hex(digits);
    if (!code) return PatternError{"\\x and \\u want hexadecimal digits behind them: two, and four"};
    out_ += escaped(*code);
    return {};
  }

  Step take_unicode() {
    if (take("{")) {
      const std::size_t end = rest_.find('}');
      const auto code = end == std::string_view::npos || end > 6 ? std::nullopt : take_hex(end);
      if (!code || !take("}") || *code > 0x10FFFF) return PatternError{"\\u{...} names no code point"};
      out_ += escaped(*code);
      return {};
    }
    auto code = take_hex(4);
    if (code && *code >= 0xD800 && *code < 0xDC00 && take("\\u")) {
      const auto low = take_hex(4);
      if (!low || *low < 0xDC00 || *low > 0xDFFF) return PatternError{"a surrogate stands alone"};
      code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
    }
    if (!code) return PatternError{"\\u wants four hexadecimal digits behind it"};
    if (*code >= 0xD800 && *code <= 0xDFFF) return PatternError{"a surrogate stands alone"};
    out_ += escaped(*code);
    return {};
  }

  Step take_property(char c) {
    const std::size_t end = rest_.find('}');
    if (!take("{") || end == std::string_view::npos)
      return PatternError{"\\p wants a property's name in braces"};
    std::string_view name = rest_.substr(0, end - 1);
    rest_.remove_prefix(end);
    const std::size_t equals = name.find('=');
    if (equals != std::string_view::npos) name.remove_prefix(equals + 1);
    const auto found =
        std::ranges::find(kCategories, name, &std::pair<std::string_view, std::string_view>::first);
    if (found != kCategories.end()) name = found->second;
    if (name == "LC") return PatternError{"\\p{LC} is not known here: write Lu, Ll and Lt"};
    out_ += std::string{'\\', c} + "{" + std::string(name) + "}";
    return {};
  }

  std::string_view rest_;
  std::string out_;
};

}  // namespace

Result<std::string, PatternError> to_re2_syntax(std::string_view ecma) { return Translation(ecma).run(); }

Result<Pattern, PatternError> Pattern::compile(std::string_view ecma) {
  CHANCERY_ASSIGN(const std::string syntax, to_re2_syntax(ecma));
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kMemory);
  auto matcher = std::make_shared<const re2::RE2>(syntax, options);
  if (!matcher->ok()) return PatternError{"it cannot be matched here: " + printable(matcher->error())};
  Pattern pattern;
  pattern.source_ = std::string(ecma);
  pattern.matcher_ = std::move(matcher);
  return pattern;
}

bool Pattern::found_in(std::string_view text) const {
  return re2::RE2::PartialMatch({text.data(), text.size()}, *matcher_);
}

}  // namespace chancery::schema
