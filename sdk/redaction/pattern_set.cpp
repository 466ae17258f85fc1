#include "sdk/redaction/pattern_set.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include <re2/re2.h>

#include "sdk/redaction/character_set.hpp"
#include "sdk/redaction/secret_patterns.hpp"

namespace chancery::redaction {
namespace {

constexpr int kMostFinds = 1000;
constexpr std::size_t kMarkHead = 3;  // octets by which marks are looked for

using Encoding = re2::RE2::Options::Encoding;

re2::RE2::Options quiet(Encoding encoding) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_encoding(encoding);
  return options;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Five bits an octet: letters whatever their case, digits, and classes of what marks have besides.
constexpr std::array<std::uint16_t, 256> kClasses = [] {
  std::array<std::uint16_t, 256> classes{};
  for (char c = 'a'; c <= 'z'; ++c) {
    classes[static_cast<std::size_t>(c)] = static_cast<std::uint16_t>(c - 'a' + 1);
    classes[static_cast<std::size_t>(c - 'a' + 'A')] = static_cast<std::uint16_t>(c - 'a' + 1);
  }
  for (char c = '0'; c <= '9'; ++c) classes[static_cast<std::size_t>(c)] = 27;
  for (const char c : std::string_view("_=")) classes[static_cast<std::size_t>(c)] = 28;
  for (const char c : std::string_view("-~")) classes[static_cast<std::size_t>(c)] = 29;
  for (const char c : std::string_view(":/.")) classes[static_cast<std::size_t>(c)] = 30;
  for (const char c : std::string_view("?&;")) classes[static_cast<std::size_t>(c)] = 31;
  return classes;
}();

constexpr std::size_t kCodes = 1u << (5 * kMarkHead);

// The code of the last three octets.
class Code {
 public:
  void take(char c) { code_ = (code_ << 5 | kClasses[static_cast<unsigned char>(c)]) & (kCodes - 1); }
  [[nodiscard]] std::size_t value() const { return code_; }

 private:
  std::size_t code_ = 0;
};

template <typename Work>
void for_each_word(std::string_view words, Work work) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    work(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
}

bool has_digit(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return kDigits.has(c); });
}

}  // namespace

struct PatternSet::Table {
  // Each octet is a character, so that a secret does not end at one that is no UTF-8.
  struct Pattern {
    explicit Pattern(const SecretPattern& from)
        : pattern(&from),
          search(piece(from.expression), quiet(Encoding::EncodingLatin1)),
          groups(1 + std::min(search.NumberOfCapturingGroups(), 2)),
          before(from.before),
          run(from.run),
          begins_word(from.expression.find("\\b") != std::string_view::npos) {
      if (!search.ok()) std::abort();  // the table is tested
    }

    const SecretPattern* pattern;
    re2::RE2 search;
    int groups;
    CharacterSet before;
    CharacterSet run;
    bool begins_word;
  };

  struct Mark {
    std::string_view text;
    std::uint16_t pattern = 0;
    std::uint16_t next = 0;  // of the same head; its index and one
  };

  struct Found {
    Extent secret;
    std::size_t end = 0;  // of the match
  };

  Table();
  [[nodiscard]] bool stands_at(std::string_view text, std::size_t at, const Mark& mark) const;
  [[nodiscard]] std::optional<Found> match(std::string_view text, std::size_t begin,
                                           const Pattern& pattern) const;
  [[nodiscard]] std::optional<Found> match_around(std::string_view text, std::size_t mark, std::size_t from,
                                                  const Pattern& pattern) const;

  std::vector<std::unique_ptr<Pattern>> patterns;
  std::vector<Mark> marks;
  std::bitset<kCodes> has_head;
  std::vector<std::uint16_t> heads;  // by code: a mark's index and one
};

PatternSet::Table::Table() : heads(kCodes) {
  for (const SecretPattern& from : secret_patterns()) {
    const auto index = static_cast<std::uint16_t>(patterns.size());
    patterns.push_back(std::make_unique<Pattern>(from));
    for_each_word(from.marks, [&](std::string_view text) {
      if (text.size() < kMarkHead) std::abort();
      Code code;
      for (const char c : text.substr(0, kMarkHead)) code.take(c);
      marks.push_back({text, index, heads[code.value()]});
      heads[code.value()] = static_cast<std::uint16_t>(marks.size());
      has_head.set(code.value());
    });
  }
}

bool PatternSet::Table::stands_at(std::string_view text, std::size_t at, const Mark& mark) const {
  const std::string_view here = text.substr(at, mark.text.size());
  if (patterns[mark.pattern]->pattern->marks_case == SecretPattern::Case::kExact) return here == mark.text;
  return std::ranges::equal(here, mark.text, [](char a, char b) { return lower(a) == b; });
}

std::optional<PatternSet::Table::Found> PatternSet::Table::match(std::string_view text, std::size_t begin,
                                                                 const Pattern& pattern) const {
  std::array<re2::StringPiece, 3> found;
  if (!pattern.search.Match(piece(text), begin, text.size(), re2::RE2::ANCHOR_START, found.data(),
                            pattern.groups))
    return std::nullopt;
  const auto at = [&](const char* place) { return static_cast<std::size_t>(place - text.data()); };
  const std::size_t end = begin + found[0].size();
  Extent secret{begin, end};
  if (pattern.groups > 1 && found[1].data() != nullptr) secret.begin = at(found[1].data()) + found[1].size();
  if (pattern.groups > 2 && found[2].data() != nullptr) secret.end = at(found[2].data());
  if (pattern.pattern->wants_digit && !has_digit(text.substr(secret.begin, secret.size())))
    return std::nullopt;
  return Found{secret, end};
}

// The leftmost match whose mark this is.
std::optional<PatternSet::Table::Found> PatternSet::Table::match_around(std::string_view text,
                                                                        std::size_t mark, std::size_t from,
                                                                        const Pattern& pattern) const {
  std::size_t begin = mark;
  const std::size_t least = std::max(from, mark - std::min(mark, pattern.pattern->most_before));
  while (begin > least && pattern.before.has(text[begin - 1])) --begin;
  for (; begin < mark; ++begin) {
    const bool is_within_word =
        begin > 0 && kWordCharacters.has(text[begin - 1]) && kWordCharacters.has(text[begin]);
    if (pattern.begins_word && is_within_word) continue;
    if (const auto found = match(text, begin, pattern)) return found;
  }
  return match(text, mark, pattern);
}

PatternSet::PatternSet() : table_(std::make_unique<const Table>()) {}
PatternSet::~PatternSet() = default;

void PatternSet::find(std::string_view text, std::vector<Hit>& out) const {
  std::vector<std::size_t> resume;  // by pattern: where it may match again
  Code code;
  for (std::size_t i = 0; i < text.size(); ++i) {
    code.take(text[i]);
    if (!table_->has_head[code.value()] || i + 1 < kMarkHead) continue;
    const std::size_t at = i + 1 - kMarkHead;
    for (std::uint16_t next = table_->heads[code.value()]; next != 0; next = table_->marks[next - 1].next) {
      const Table::Mark& mark = table_->marks[next - 1];
      if (!table_->stands_at(text, at, mark)) continue;
      if (resume.empty()) resume.resize(table_->patterns.size());
      if (at < resume[mark.pattern]) continue;
      const Table::Pattern& pattern = *table_->patterns[mark.pattern];
      const auto found = table_->match_around(text, at, resume[mark.pattern], pattern);
      resume[mark.pattern] = found ? std::max(found->end, at + 1) : pattern.run.end_of_run(text, at);
      if (!found || found->secret.size() == 0) continue;
      if (text.substr(found->secret.begin, found->secret.size()) == kRedacted) continue;
      out.push_back({HitKind::kPattern, std::string(pattern.pattern->name), found->secret, {}});
    }
  }
}

struct ConfiguredPatterns::Search {
  explicit Search(std::string_view expression) : search(piece(expression), quiet(Encoding::EncodingUTF8)) {
    if (!search.ok()) std::abort();  // they were checked
  }
  const re2::RE2 search;
};

ConfiguredPatterns::ConfiguredPatterns(std::span<const std::string> expressions) {
  for (const std::string& expression : expressions)
    searches_.push_back(std::make_unique<const Search>(expression));
}
ConfiguredPatterns::~ConfiguredPatterns() = default;

Status ConfiguredPatterns::check(std::string_view expression) {
  const re2::RE2 search(piece(expression), quiet(Encoding::EncodingUTF8));
  if (!search.ok()) {
    return Error{
        ErrorCode::kConfigInvalid,
        "a pattern to redact is a regular expression that RE2 takes (no look-around, no back references)"};
  }
  if (re2::RE2::PartialMatch("", search))
    return Error{ErrorCode::kConfigInvalid, "a pattern to redact must not match the empty text"};
  return {};
}

void ConfiguredPatterns::find(std::string_view text, std::vector<Hit>& out) const {
  for (const auto& search : searches_) {
    std::size_t at = 0;
    re2::StringPiece found;
    for (int finds = 0; at <= text.size(); ++finds) {
      if (!search->search.Match(piece(text), at, text.size(), re2::RE2::UNANCHORED, &found, 1)) break;
      const auto begin = static_cast<std::size_t>(found.data() - text.data());
      const std::size_t end = finds == kMostFinds ? text.size() : begin + found.size();
      if (end > begin) out.push_back({HitKind::kConfigured, "configured", {begin, end}, {}});
      at = end + (found.empty() ? 1 : 0);
      if (finds == kMostFinds) break;
    }
  }
}

}  // namespace chancery::redaction
