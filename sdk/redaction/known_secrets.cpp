#include "sdk/redaction/known_secrets.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <tuple>
#include <utility>

#include "sdk/base/cleanse.hpp"
#include "sdk/redaction/character_set.hpp"
#include "sdk/redaction/digit_runs.hpp"
#include "sdk/redaction/escapes.hpp"

namespace chancery::redaction {
namespace {

using Found = SecretPrints::Found;

constexpr int kMostLayers = 3;
constexpr std::size_t kShortestLine = 32;  // of a key in PEM: the last line may be too short to be anybody's

// What no text has but for tabs and line ends.
constexpr CharacterSet kControls{std::string_view("\0-\x08\x0B\x0C\x0E-\x1F\x7F", 9)};

std::string_view without_space_around(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

// Octets of a wrong division into octets are as good as random, and nothing is written in them: mostly their beginning says so.
bool is_readable(std::string_view text) {
  constexpr std::size_t kChunk = 64;
  std::size_t controls = 0;
  std::size_t beyond_ascii = 0;
  for (std::size_t at = 0; at < text.size(); at += kChunk) {
    for (const char c : text.substr(at, kChunk)) {
      controls += kControls.has(c) ? 1 : 0;
      beyond_ascii += static_cast<unsigned char>(c) >> 7;
    }
    if (controls * 32 > text.size() || beyond_ascii * 4 > text.size()) return false;
  }
  return true;
}

/// One look at a text.
class Look {
 public:
  Look(const SecretPrints& prints, bool forms) : prints_(prints), forms_(forms) {}

  /// What is found in `text` below so many layers of encoding.
  [[nodiscard]] std::vector<Found> find(std::string_view text, int layers) const;

 private:
  void find_escaped(std::string_view text, Escapes kind, int layers, std::vector<Found>& out) const;
  void find_in_digits(std::string_view text, Digits kind, int layers, std::vector<Found>& out) const;

  const SecretPrints& prints_;
  bool forms_;
};

std::vector<Found> Look::find(std::string_view text, int layers) const {
  if (text.size() < prints_.shortest()) return {};
  std::vector<Found> found = prints_.find_all(text);
  if (layers == 0) return found;
  for (const Escapes kind : {Escapes::kPercent, Escapes::kBackslash, Escapes::kEntity})
    find_escaped(text, kind, layers, found);
  // Without a `+` the same comes out as of kPercent.
  if (forms_ && text.find('+') != std::string_view::npos) find_escaped(text, Escapes::kForm, layers, found);
  for (const Digits kind : {Digits::kBase64, Digits::kHex}) find_in_digits(text, kind, layers, found);
  return found;
}

// Around an escape there may be a secret in digits: two for each octet.
void Look::find_escaped(std::string_view text, Escapes kind, int layers, std::vector<Found>& out) const {
  EscapedParts parts(text, kind, 2 * prints_.longest() + 8);
  for (View view; parts.next(view);) {
    for (const Found& one : find(view.text(), layers - 1))
      out.push_back({view.origin(one.extent), one.label});
  }
}

void Look::find_in_digits(std::string_view text, Digits kind, int layers, std::vector<Found>& out) const {
  const std::size_t bits = kind == Digits::kBase64 ? 6 : 4;
  DigitRuns runs(text, kind, prints_.shortest() * 8 / bits);
  std::string decoded;
  for (DigitRun run; runs.next(run);) {
    for (std::size_t phase = 0; phase < run.phases(); ++phase) {
      run.decode(phase, decoded);
      const bool is_worth_more = layers > 1 && is_readable(decoded);
      for (const Found& one : is_worth_more ? find(decoded, layers - 1) : prints_.find_all(decoded))
        out.push_back({run.origin(one.extent, phase), one.label});
    }
  }
}

// The lines of a key in PEM: what has nothing but digits of base64.
template <typename Work>
void for_each_key_line(std::string_view text, Work work) {
  constexpr CharacterSet kLine{"A-Za-z0-9+/="};
  if (text.find("-----BEGIN") == std::string_view::npos) return;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = without_space_around(text.substr(0, end));
    if (line.size() >= kShortestLine && kLine.end_of_run(line, 0) == line.size()) work(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

Result<KnownSecrets::Handle> KnownSecrets::add(ByteView secret, std::string name) {
  const std::string_view text = without_space_around(as_text(secret));
  if (text.size() < kShortest)
    return Error{ErrorCode::kInvalidArgument,
                 "a secret of less than four octets cannot be told from other text"};
  if (text.size() > kLongest)
    return Error{ErrorCode::kTooLarge,
                 "a secret to be redacted has at most 16384 octets: name the part that is secret"};
  const std::unique_lock lock(mutex_);
  const auto known = std::ranges::find(names_, name);
  const auto label = static_cast<std::uint32_t>(known - names_.begin());
  if (known == names_.end()) names_.push_back(std::move(name));
  Handle handle;
  const auto add_print = [&](std::string_view part) {
    handle.forwards_.push_back(prints_.add(part, label));
    std::string backwards(part.rbegin(), part.rend());
    handle.backwards_.push_back(backwards_.add(backwards, label));
    cleanse(backwards);
  };
  add_print(text);
  some_has_space_ = some_has_space_ || text.find(' ') != std::string_view::npos;
  for_each_key_line(text, add_print);
  return handle;
}

void KnownSecrets::remove(const Handle& handle) {
  const std::unique_lock lock(mutex_);
  for (const SecretPrints::Handle& print : handle.forwards_) prints_.remove(print);
  for (const SecretPrints::Handle& print : handle.backwards_) backwards_.remove(print);
}

void KnownSecrets::find(std::string_view text, std::vector<Hit>& out) const {
  const std::shared_lock lock(mutex_);
  if (prints_.empty()) return;
  const Look look(prints_, some_has_space_);
  std::vector<Found> found = look.find(text, kMostLayers);
  for (const Found& one : backwards_.find_all(text)) found.push_back(one);
  const auto order = [](const Found& one) { return std::tuple(one.extent.begin, one.extent.end, one.label); };
  std::ranges::sort(found, {}, order);
  // Not that of ranges: clang 14 does not take what it returns.
  const auto same = [&](const Found& a, const Found& b) { return order(a) == order(b); };
  found.erase(std::unique(found.begin(), found.end(), same), found.end());
  for (const Found& one : found) out.push_back({HitKind::kKnown, names_[one.label], one.extent, {}});
}

std::size_t KnownSecrets::longest() const {
  const std::shared_lock lock(mutex_);
  return prints_.longest();
}

}  // namespace chancery::redaction
