#include "sdk/redaction/escapes.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "sdk/base/percent.hpp"
#include "sdk/redaction/character_set.hpp"

namespace chancery::redaction {
namespace {

constexpr CharacterSet kFormOpeners{"%+"};
constexpr std::uint32_t kNoCharacter = 0x110000;

std::optional<std::uint32_t> digit(char c, std::uint32_t base) {
  std::uint32_t value = base;
  if (c >= '0' && c <= '9') value = static_cast<std::uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') value = static_cast<std::uint32_t>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') value = static_cast<std::uint32_t>(c - 'A') + 10;
  return value < base ? std::optional(value) : std::nullopt;
}

struct Number {
  std::uint32_t value = 0;
  std::size_t digits = 0;
};

Number leading_number(std::string_view text, std::uint32_t base, std::size_t most) {
  Number number;
  while (number.digits < std::min(most, text.size())) {
    const auto next = digit(text[number.digits], base);
    if (!next) break;
    number.value = number.value * base + *next;
    ++number.digits;
  }
  return number;
}

std::string utf8(std::uint32_t character) {
  const auto octet = [](std::uint32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
  if (character < 0x80) return {octet(character)};
  const auto last = [&](int shift) { return octet(0x80 | (character >> shift & 0x3F)); };
  if (character < 0x800) return {octet(0xC0 | character >> 6), last(0)};
  if (character < 0x10000) return {octet(0xE0 | character >> 12), last(6), last(0)};
  return {octet(0xF0 | character >> 18), last(12), last(6), last(0)};
}

Unescaped unescape_percent(std::string_view text) {
  const auto octet = decode_escape(text);
  if (!octet) return {};
  return {3, std::string(1, *octet)};
}

// \param text  behind `\u`
Unescaped unescape_utf16(std::string_view text) {
  const Number first = leading_number(text, 16, 4);
  if (first.digits != 4) return {};
  if (first.value < 0xD800 || first.value > 0xDFFF) return {6, utf8(first.value)};
  if (first.value > 0xDBFF || text.substr(4, 2) != "\\u") return {};
  const Number second = leading_number(text.substr(6), 16, 4);
  if (second.digits != 4 || second.value < 0xDC00 || second.value > 0xDFFF) return {};
  return {12, utf8(0x10000 + ((first.value - 0xD800) << 10) + (second.value - 0xDC00))};
}

Unescaped unescape_backslash(std::string_view text) {
  if (text.size() < 2 || text[0] != '\\') return {};
  constexpr std::string_view kLetters = "bfnrt";
  constexpr std::string_view kControls = "\b\f\n\r\t";
  if (const std::size_t at = kLetters.find(text[1]); at != std::string_view::npos)
    return {2, std::string(1, kControls[at])};
  if (text[1] == 'u') return unescape_utf16(text.substr(2));
  if (text[1] == 'x') {
    const Number number = leading_number(text.substr(2), 16, 2);
    if (number.digits != 2) return {};
    return {4, std::string(1, static_cast<char>(static_cast<unsigned char>(number.value)))};
  }
  if (const Number number = leading_number(text.substr(1), 8, 3); number.digits > 0) {
    if (number.digits != 3 || number.value > 0xFF) return {};
    return {4, std::string(1, static_cast<char>(static_cast<unsigned char>(number.value)))};
  }
  const bool is_punctuation = text[1] > ' ' && text[1] < 0x7F && !is_unreserved(text[1]);
  if (!is_punctuation && text[1] != '-' && text[1] != '.' && text[1] != '_' && text[1] != '~') return {};
  return {2, std::string(1, text[1])};
}

constexpr std::array<std::pair<std::string_view, char>, 37> kEntities{{
    {"amp", '&'},    {"lt", '<'},       {"gt", '>'},     {"quot", '"'},   {"apos", '\''},  {"nbsp", ' '},
    {"Tab", '\t'},   {"NewLine", '\n'}, {"excl", '!'},   {"num", '#'},    {"dollar", '$'}, {"percnt", '%'},
    {"lpar", '('},   {"rpar", ')'},     {"ast", '*'},    {"midast", '*'}, {"plus", '+'},   {"comma", ','},
    {"period", '.'}, {"sol", '/'},      {"colon", ':'},  {"semi", ';'},   {"equals", '='}, {"quest", '?'},
    {"commat", '@'}, {"lsqb", '['},     {"lbrack", '['}, {"bsol", '\\'},  {"rsqb", ']'},   {"rbrack", ']'},
    {"Hat", '^'},    {"lowbar", '_'},   {"grave", '`'},  {"lcub", '{'},   {"verbar", '|'}, {"vert", '|'},
    {"rcub", '}'},
}};

Unescaped unescape_entity(std::string_view text) {
  if (text.size() < 3 || text[0] != '&') return {};
  if (text[1] == '#') {
    const bool is_hex = text[2] == 'x' || text[2] == 'X';
    const std::size_t begin = is_hex ? 3 : 2;
    constexpr std::size_t kMostDigits = 9;  // leading zeros; what is more would not fit into 32 bits
    const Number number = is_hex ? leading_number(text.substr(begin), 16, 8)
                                 : leading_number(text.substr(begin), 10, kMostDigits);
    if (number.digits == 0 || number.value >= kNoCharacter) return {};
    const std::size_t end = begin + number.digits;
    return {end + (end < text.size() && text[end] == ';' ? 1 : 0), utf8(number.value)};
  }
  constexpr std::size_t kLongestName = 8;
  const std::size_t end = text.substr(0, kLongestName + 2).find(';');
  if (end == std::string_view::npos) return {};
  const std::string_view name = text.substr(1, end - 1);
  const auto* const entity = std::ranges::find(kEntities, name, [](const auto& pair) { return pair.first; });
  if (entity == kEntities.end()) return {};
  return {end + 1, std::string(1, entity->second)};
}

// Where in `text` an escape of a kind may begin; its size when nowhere.
std::size_t find_opener(std::string_view text, Escapes kind) {
  const auto first = [&](char opener) { return std::min(text.find(opener), text.size()); };
  switch (kind) {
    case Escapes::kPercent:
      return first('%');
    case Escapes::kBackslash:
      return first('\\');
    case Escapes::kEntity:
      return first('&');
    case Escapes::kForm:
      break;
  }
  const auto* const found = std::ranges::find_if(text, [&](char c) { return kFormOpeners.has(c); });
  return static_cast<std::size_t>(found - text.begin());
}

}  // namespace

Unescaped unescape(std::string_view text, Escapes kind) {
  switch (kind) {
    case Escapes::kForm:
      if (text.starts_with('+')) return {1, " "};
      return unescape_percent(text);
    case Escapes::kPercent:
      return unescape_percent(text);
    case Escapes::kBackslash:
      return unescape_backslash(text);
    case Escapes::kEntity:
      return unescape_entity(text);
  }
  return {};
}

void View::clear() {
  text_.clear();
  pieces_.clear();
}

void View::add_plain(std::string_view octets, std::size_t begin) {
  if (octets.empty()) return;
  pieces_.push_back({text_.size(), {begin, begin + octets.size()}, false});
  text_.append(octets);
}

void View::add_escaped(std::string_view octets, const Extent& origin) {
  pieces_.push_back({text_.size(), origin, true});
  text_.append(octets);
}

Extent View::place(std::size_t octet) const {
  const Piece& piece = *(std::ranges::upper_bound(pieces_, octet, {}, &Piece::first) - 1);
  if (piece.is_escape) return piece.origin;
  const std::size_t at = piece.origin.begin + (octet - piece.first);
  return {at, at + 1};
}

std::size_t EscapedParts::next_escape(std::size_t at) const {
  for (at += find_opener(text_.substr(at), kind_); at < text_.size();
       at += 1 + find_opener(text_.substr(at + 1), kind_)) {
    if (unescape(text_.substr(at), kind_).size > 0) return at;
  }
  return std::string_view::npos;
}

bool EscapedParts::next(View& view) {
  view.clear();
  std::size_t last = next_escape(at_);
  if (last == std::string_view::npos) {
    at_ = text_.size();
    return false;
  }
  const std::size_t begin = std::max(at_, last - std::min(last, around_));
  view.add_plain(text_.substr(begin, last - begin), begin);
  std::size_t at = last;
  while (at < text_.size() && at < last + around_) {
    const std::string_view plain = text_.substr(at, last + around_ - at);
    const std::size_t size = find_opener(plain, kind_);
    view.add_plain(plain.substr(0, size), at);
    at += size;
    if (size == plain.size()) continue;  // it has ended
    const Unescaped escape = unescape(text_.substr(at), kind_);
    if (escape.size > 0) {
      view.add_escaped(escape.octets, {at, at + escape.size});
      at = last = at + escape.size;
    } else {
      view.add_plain(text_.substr(at, 1), at);
      ++at;
    }
  }
  at_ = last;
  return true;
}

}  // namespace chancery::redaction
