#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

namespace chancery::json {

struct Member;

/// One value of a parsed document. Borrows from the Document, which must outlive it. The accessors answer
/// "nothing" for another kind, so that a wrong type and an absent member read the same way.
class Value {
 public:
  enum class Kind : std::uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] bool is(Kind kind) const noexcept { return kind_ == kind; }

  [[nodiscard]] std::optional<bool> boolean() const noexcept;
  [[nodiscard]] std::optional<double> number() const noexcept;
  /// A number without a fraction within ±(2^53-1).
  [[nodiscard]] std::optional<std::int64_t> integer() const noexcept;
  [[nodiscard]] std::optional<std::string_view> string() const noexcept;
  [[nodiscard]] std::span<const Value> items() const noexcept;
  [[nodiscard]] std::span<const Member> members() const noexcept;
  /// The member of that name; nullptr when there is none, or this is not an object.
  [[nodiscard]] const Value* find(std::string_view name) const noexcept;
  /// Whether this is an object without other members than these.
  [[nodiscard]] bool has_only(std::initializer_list<std::string_view> names) const noexcept;

  /// The octets of the document that this value was read from; its JCS form if the document is canonical.
  [[nodiscard]] std::string_view source() const noexcept { return source_; }

 private:
  friend class Reader;
  Kind kind_ = Kind::kNull;
  bool bool_ = false;
  std::uint32_t count_ = 0;
  union {
    double number_ = 0;
    const char* text_;
    const Value* items_;
    const Member* members_;
  };
  std::string_view source_;
};

struct Member {
  std::string_view name;
  Value value;
};

struct Limits {
  std::size_t max_depth = 64;          ///< nested arrays and objects
  std::size_t max_values = 1u << 18;   ///< values in all; a value costs some 40 octets of memory
  bool allow_unsafe_integers = false;  ///< accept integers beyond ±(2^53-1) (rounded to binary64)
};

/// A JSON text (RFC 8259), read strictly and within bounds: UTF-8 only, no duplicate members, no lone
/// surrogates, numbers finite. In the same pass it is told whether the text is its own JCS form (RFC 8785).
///
/// Move-only. Thread-safe once parsed.
class Document {
 public:
  /// Reads `text` and keeps it.
  /// \return the document, or kMalformed (syntax, UTF-8, a limit, an unsafe integer), kNonFinite (NaN,
  ///         Infinity, a literal beyond binary64), kDuplicateMember
  [[nodiscard]] static Result<Document> parse(std::string text, const Limits& limits = {});

  /// The same for a text that the caller keeps alive, unchanged, as long as the document.
  [[nodiscard]] static Result<Document> parse_borrowed(std::string_view text, const Limits& limits = {});

  [[nodiscard]] const Value& root() const noexcept { return *root_; }
  [[nodiscard]] bool canonical() const noexcept { return canonical_; }

 private:
  friend class Reader;
  Document() = default;

  std::unique_ptr<std::string> text_;  // on the heap: views into it survive a move
  std::unique_ptr<std::pmr::monotonic_buffer_resource> arena_;
  const Value* root_ = nullptr;
  bool canonical_ = true;
};

/// Order of member names in JCS: by UTF-16 code units (RFC 8785 section 3.2.3), for valid UTF-8.
[[nodiscard]] bool utf16_less(std::string_view a, std::string_view b) noexcept;

}  // namespace chancery::json
