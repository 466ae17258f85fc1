#include "sdk/redaction/digit_runs.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "sdk/redaction/character_set.hpp"

namespace chancery::redaction {
namespace {

constexpr CharacterSet kBase64Digits{"A-Za-z0-9+/_-"};

using Values = std::array<std::uint8_t, 256>;

constexpr Values kHexValues = [] {
  Values values{};
  for (std::uint8_t i = 0; i < 10; ++i) values[std::size_t{'0'} + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i)
    values[std::size_t{'a'} + i] = values[std::size_t{'A'} + i] = static_cast<std::uint8_t>(10 + i);
  return values;
}();

constexpr Values kBase64Values = [] {
  Values values{};
  for (std::uint8_t i = 0; i < 26; ++i) {
    values[std::size_t{'A'} + i] = i;
    values[std::size_t{'a'} + i] = static_cast<std::uint8_t>(26 + i);
  }
  for (std::uint8_t i = 0; i < 10; ++i) values[std::size_t{'0'} + i] = static_cast<std::uint8_t>(52 + i);
  values['+'] = values['-'] = 62;
  values['/'] = values['_'] = 63;
  return values;
}();

// How many octets at `at` may stand between two digits: a line's end, and what indents the next line.
std::size_t break_size(std::string_view text, std::size_t at) {
  std::size_t end = at;
  if (end < text.size() && text[end] == '\r') ++end;
  if (end >= text.size() || text[end] != '\n') return 0;
  ++end;
  while (end < text.size() && (text[end] == ' ' || text[end] == '\t')) ++end;
  return end - at;
}

bool is_separator(char c) { return c == ':' || c == '-' || c == ' '; }

bool is_pair(std::string_view text, std::size_t at) {
  return at + 1 < text.size() && kHexDigits.has(text[at]) && kHexDigits.has(text[at + 1]);
}

// Pairs of digits with one separator between each two, beginning at `at`.
std::vector<std::size_t> separated_pairs(std::string_view text, std::size_t at) {
  std::vector<std::size_t> places;
  if (!is_pair(text, at)) return places;
  const char separator = at + 2 < text.size() ? text[at + 2] : 'x';
  if (!is_separator(separator)) return places;
  places = {at, at + 1};
  for (at += 2; at < text.size() && text[at] == separator && is_pair(text, at + 1); at += 3) {
    places.push_back(at + 1);
    places.push_back(at + 2);
  }
  return places;
}

std::vector<std::size_t> range(std::size_t begin, std::size_t end) {
  std::vector<std::size_t> places(end - begin);
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = begin + i;
  return places;
}

void add_hex_runs(std::string_view text, std::size_t least, std::vector<DigitRun>& out) {
  for (std::size_t at = 0; at < text.size();) {
    if (!kHexDigits.has(text[at])) {
      ++at;
      continue;
    }
    const std::size_t end = kHexDigits.end_of_run(text, at);
    if (end - at >= least) {
      out.emplace_back(Digits::kHex, range(at, end));
    } else if (end - at >= 2 && end < text.size() && is_separator(text[end])) {
      std::vector<std::size_t> places = separated_pairs(text, end - 2);
      const std::size_t behind = places.empty() ? end : places.back() + 1;
      if (places.size() >= least) out.emplace_back(Digits::kHex, std::move(places));
      at = std::max(end, behind - 2);  // the last pair may be the beginning of another run
      continue;
    }
    at = end;
  }
}

void add_base64_runs(std::string_view text, std::size_t least, std::vector<DigitRun>& out) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    at = kBase64Digits.end_of_run(text, at);
    std::size_t digits = at - begin;
    if (digits == 0) {
      ++at;
      continue;
    }
    // Mostly a run ends within its line, and where its digits stand needs not be written down one by one.
    std::vector<Extent> lines{{begin, at}};
    for (std::size_t gap = break_size(text, at); gap > 0; gap = break_size(text, at)) {
      const std::size_t next = kBase64Digits.end_of_run(text, at + gap);
      if (next == at + gap) break;
      lines.push_back({at + gap, next});
      digits += next - (at + gap);
      at = next;
    }
    if (digits < least) continue;
    std::vector<std::size_t> places;
    places.reserve(digits);
    for (const Extent& line : lines) {
      for (std::size_t i = line.begin; i < line.end; ++i) places.push_back(i);
    }
    out.emplace_back(Digits::kBase64, std::move(places));
  }
}

}  // namespace

std::string DigitRun::decode(std::string_view text, std::size_t phase) const {
  const Values& values = kind_ == Digits::kBase64 ? kBase64Values : kHexValues;
  const std::size_t width = bits();
  std::string out;
  out.reserve(places_.size() * width / 8);
  std::uint32_t pending = 0;
  std::size_t pending_bits = 0;
  for (std::size_t i = phase; i < places_.size(); ++i) {
    pending = (pending << width | values[static_cast<unsigned char>(text[places_[i]])]) & 0xFFFF;
    pending_bits += width;
    if (pending_bits < 8) continue;
    pending_bits -= 8;
    out.push_back(static_cast<char>(static_cast<unsigned char>(pending >> pending_bits & 0xFF)));
  }
  return out;
}

Extent DigitRun::origin(const Extent& octets, std::size_t phase) const {
  const std::size_t width = bits();
  const std::size_t first = phase + octets.begin * 8 / width;
  const std::size_t last = phase + (octets.end * 8 - 1) / width;
  return {places_[first], places_[last] + 1};
}

std::vector<DigitRun> digit_runs(std::string_view text, Digits kind, std::size_t least) {
  std::vector<DigitRun> out;
  if (kind == Digits::kBase64) {
    add_base64_runs(text, least, out);
  } else {
    add_hex_runs(text, least, out);
  }
  return out;
}

}  // namespace chancery::redaction
