#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/redaction/hit.hpp"

namespace chancery::redaction {

/// How single characters are written otherwise than as themselves.
enum class Escapes : std::uint8_t {
  kPercent,    ///< `%2F`, either case of digits
  kForm,       ///< the same, and `+` for a space
  kBackslash,  ///< JSON, C and shells: `\u002f`, `\x2f`, `\057`, `\n`, `\/`; surrogates in pairs
  kEntity,     ///< HTML and XML: `&#47;`, `&#x2f;`, `&sol;`
};

/// A decoded part of a text, which knows where each octet came from.
class View {
 public:
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// Where in the text that was decoded the octets of a part of text() stand, with each character of theirs as a whole.
  [[nodiscard]] Extent origin(const Extent& extent) const {
    return {place(extent.begin).begin, place(extent.end - 1).end};
  }

  void clear();
  /// Adds octets that stand as they are from `begin` on.
  void add_plain(std::string_view octets, std::size_t begin);
  /// Adds octets for which there is an escape at `origin`.
  void add_escaped(std::string_view octets, const Extent& origin);

 private:
  struct Piece {
    std::size_t first = 0;  // octet in text_
    Extent origin{};
    bool is_escape = false;
  };

  [[nodiscard]] Extent place(std::size_t octet) const;

  std::string text_;
  std::vector<Piece> pieces_;
};

/// Decodes the parts of a text in which there are escapes of a kind, one layer of them, each part with as many octets
/// around it: what a secret can have of characters that are no escapes. A text without escapes costs one look at it, and of
/// no text more than twice its octets are decoded.
class EscapedParts {
 public:
  EscapedParts(std::string_view text, Escapes kind, std::size_t around)
      : text_(text), kind_(kind), around_(around) {}

  /// Makes `view` the next part. \return false when there is none
  [[nodiscard]] bool next(View& view);

 private:
  [[nodiscard]] std::size_t next_escape(std::size_t at) const;

  std::string_view text_;
  Escapes kind_;
  std::size_t around_;
  std::size_t at_ = 0;
};

/// The octets that the escape at the front of `text` stands for.
struct Unescaped {
  std::size_t size = 0;  ///< of the escape; 0 when there is none
  std::string octets{};
};
[[nodiscard]] Unescaped unescape(std::string_view text, Escapes kind);

}  // namespace chancery::redaction
