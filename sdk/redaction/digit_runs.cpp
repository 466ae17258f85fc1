#include "sdk/redaction/digit_runs.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "sdk/redaction/character_set.hpp"

namespace chancery::redaction {
namespace {

constexpr CharacterSet kBase64Digits{"A-Za-z0-9+/_-"};
constexpr CharacterSet kWithinBase64{"A-Za-z0-9+/_\r\n-"};
constexpr CharacterSet kWithinHex{"0-9a-fA-F: -"};
constexpr CharacterSet kIndent{" \t"};
constexpr CharacterSet kBeforeIndent{" \t\n"};

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

char octet_of(std::uint32_t bits) { return static_cast<char>(static_cast<unsigned char>(bits & 0xFF)); }

// Four digits are three octets; of what is left behind them two are one, and three are two.
void decode_base64(std::span<const std::uint8_t> digits, std::string& out) {
  out.resize(digits.size() * 6 / 8);
  char* to = out.data();
  const auto digit = [&](std::size_t i, int shift) { return std::uint32_t{digits[i]} << shift; };
  for (; digits.size() >= 4; digits = digits.subspan(4)) {
    const std::uint32_t group = digit(0, 18) | digit(1, 12) | digit(2, 6) | digit(3, 0);
    *to++ = octet_of(group >> 16);
    *to++ = octet_of(group >> 8);
    *to++ = octet_of(group);
  }
  if (digits.size() >= 2) *to++ = octet_of(digit(0, 2) | digit(1, 0) >> 4);
  if (digits.size() == 3) *to++ = octet_of(digit(1, 4) | digit(2, 0) >> 2);
}

void decode_hex(std::span<const std::uint8_t> digits, std::string& out) {
  out.resize(digits.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = octet_of(std::uint32_t{digits[2 * i]} << 4 | digits[2 * i + 1]);
}

}  // namespace

void DigitRun::begin(Digits kind) {
  kind_ = kind;
  parts_.clear();
  values_.clear();
}

void DigitRun::add(std::string_view text, const Extent& part) {
  const Values& values = kind_ == Digits::kBase64 ? kBase64Values : kHexValues;
  const std::size_t first = values_.size();
  parts_.push_back({first, part.begin});
  values_.resize(first + part.size());
  for (std::size_t i = 0; i < part.size(); ++i)
    values_[first + i] = values[static_cast<unsigned char>(text[part.begin + i])];
}

std::size_t DigitRun::place(std::size_t digit) const {
  const auto behind = std::ranges::upper_bound(parts_, digit, {}, &Part::first);
  const Part& part = *(behind - 1);
  return part.begin + (digit - part.first);
}

void DigitRun::decode(std::size_t phase, std::string& out) const {
  const auto digits = std::span(values_).subspan(std::min(phase, values_.size()));
  if (kind_ == Digits::kBase64) return decode_base64(digits, out);
  decode_hex(digits, out);
}

Extent DigitRun::origin(const Extent& octets, std::size_t phase) const {
  const std::size_t width = bits();
  const std::size_t first = phase + octets.begin * 8 / width;
  const std::size_t last = phase + (octets.end * 8 - 1) / width;
  return {place(first), place(last) + 1};
}

bool DigitRuns::next(DigitRun& run) {
  const CharacterSet& digits = kind_ == Digits::kBase64 ? kBase64Digits : kHexDigits;
  while (skip()) {
    if (!digits.has(text_[at_])) {
      ++at_;
      continue;
    }
    run.begin(kind_);
    if (kind_ == Digits::kBase64 ? take_base64(run) : take_hex(run)) return true;
  }
  return false;
}

// From behind: of a run each octet may be within one, so that the last that may not ends the look. No octet is looked at twice.
bool DigitRuns::skip() {
  while (text_.size() - at_ >= least_) {
    const std::size_t end = at_ + least_;
    const std::size_t begin = std::max(at_, seen_);
    std::size_t back = end;
    while (back > begin && may_be_within(back - 1)) --back;
    seen_ = std::max(seen_, end);
    if (back <= begin) return true;
    at_ = back;
  }
  return false;
}

// A digit, or a part of what may stand between two.
bool DigitRuns::may_be_within(std::size_t at) const {
  const char c = text_[at];
  if (kind_ == Digits::kHex) return kWithinHex.has(c);
  return kWithinBase64.has(c) || (kIndent.has(c) && at > 0 && kBeforeIndent.has(text_[at - 1]));
}

bool DigitRuns::take_base64(DigitRun& run) {
  std::size_t end = kBase64Digits.end_of_run(text_, at_);
  run.add(text_, {at_, end});
  for (std::size_t gap = break_size(text_, end); gap > 0; gap = break_size(text_, end)) {
    const std::size_t next = kBase64Digits.end_of_run(text_, end + gap);
    if (next == end + gap) break;
    run.add(text_, {end + gap, next});
    end = next;
  }
  at_ = end;
  return run.size() >= least_;
}

// All digits one behind the other, or in pairs with the same separator between each two.
bool DigitRuns::take_hex(DigitRun& run) {
  const std::size_t end = kHexDigits.end_of_run(text_, at_);
  const std::size_t begin = std::exchange(at_, end);
  if (end - begin >= least_) {
    run.add(text_, {begin, end});
    return true;
  }
  if (end - begin < 2 || end == text_.size() || !is_separator(text_[end])) return false;
  const std::size_t behind = end_of_pairs(end - 2);
  at_ = std::max(end, behind - 2);  // the last pair may be the beginning of another run
  if ((behind - end) / 3 * 2 + 2 < least_) return false;
  for (std::size_t pair = end - 2; pair < behind; pair += 3) run.add(text_, {pair, pair + 2});
  return true;
}

// Where pairs end of which the first is at `at`, and the first separator behind it.
std::size_t DigitRuns::end_of_pairs(std::size_t at) const {
  const char separator = text_[at + 2];
  for (at += 2; at < text_.size() && text_[at] == separator && is_pair(text_, at + 1);) at += 3;
  return at;
}

}  // namespace chancery::redaction
