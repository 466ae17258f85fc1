#include "sdk/audit/log_verifier.hpp"

#include <algorithm>
#include <deque>
#include <future>
#include <utility>

#include "sdk/audit/exported_line.hpp"
#include "sdk/audit/merkle.hpp"

namespace chancery::audit {
namespace {

using Kind = LogFault::Kind;

constexpr std::size_t kLongestLine = 4 * 1024 * 1024;

/// A line with what can be told of it alone.
struct HashedLine {
  enum class Kind : std::uint8_t { kEntry, kEditedEntry, kHeader, kCheckpoint, kMalformed };
  Kind kind = Kind::kMalformed;
  std::uint64_t sequence = 0;  // of an entry
  Sha256Digest leaf{};         // of an entry, computed
  std::string text{};          // a header's origin, a checkpoint's note
};

HashedLine hash_line(std::string_view line) {
  const auto parsed = parse_exported_line(line);
  if (!parsed) return {};
  if (const auto* entry = std::get_if<ExportedEntry>(&*parsed)) {
    const Sha256Digest leaf = leaf_hash(as_bytes(entry->entry));
    const auto kind = leaf == entry->leaf ? HashedLine::Kind::kEntry : HashedLine::Kind::kEditedEntry;
    return {kind, entry->sequence, leaf, {}};
  }
  if (const auto* header = std::get_if<ExportHeader>(&*parsed))
    return {HashedLine::Kind::kHeader, 0, {}, header->origin};
  return {HashedLine::Kind::kCheckpoint, 0, {}, std::get<ExportedCheckpoint>(*parsed).note};
}

using Block = std::vector<HashedLine>;

Block hash_block(const std::string& lines) {
  Block block;
  std::string_view rest = lines;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    block.push_back(hash_line(rest.substr(0, end)));
    rest.remove_prefix(std::min(end, rest.size() - 1) + 1);
  }
  return block;
}

/// Cuts what is read into blocks of whole lines.
class Lines {
 public:
  Lines(const ReadMore& read, std::size_t block) : read_(read), block_(block) {}

  /// \return whole lines, each with its line feed but perhaps the last of all; empty at the end
  Result<std::string> next() {
    std::string block = std::exchange(rest_, {});
    std::size_t end = std::string::npos;
    while (!is_over_ && end == std::string::npos) {
      if (block.size() > kLongestLine) {
        return Error{ErrorCode::kMalformed, "a line of the log is longer than any entry: is this an export?"};
      }
      CHANCERY_TRY(append_to(block));
      end = block.rfind('\n');
    }
    if (is_over_) return block;
    rest_ = block.substr(end + 1);
    block.resize(end + 1);
    return block;
  }

 private:
  Status append_to(std::string& block) {
    const std::size_t size = block.size();
    block.resize(size + block_);
    const auto got = read_(std::span(block).subspan(size));
    block.resize(size + (got ? *got : 0));
    if (!got) return got.error();
    is_over_ = *got == 0;
    return {};
  }

  const ReadMore& read_;
  const std::size_t block_;
  std::string rest_;
  bool is_over_ = false;
};

/// Puts the lines in order, and holds each checkpoint against the tree.
class Walk {
 public:
  Walk(const LogTerms& terms, LogReport& report) : terms_(terms), report_(report), held_(terms.held) {
    std::ranges::sort(held_, {}, [](const Checkpoint& checkpoint) { return checkpoint.tree.size; });
    next_held_ = held_.begin();
  }

  /// \return whether to go on
  bool take(const HashedLine& line) {
    ++line_;
    switch (line.kind) {
      case HashedLine::Kind::kMalformed:
        return fail(Kind::kMalformed, tree_.size() + 1);
      case HashedLine::Kind::kHeader:
        return take_header(line.text);
      case HashedLine::Kind::kEntry:
      case HashedLine::Kind::kEditedEntry:
        return take_entry(line);
      case HashedLine::Kind::kCheckpoint:
        return take_checkpoint(line.text);
    }
    return false;
  }

  void finish() {
    line_ = 0;
    if (!has_header_) {
      fail(Kind::kMalformed, 1);
    } else if (next_held_ != held_.end()) {
      fail(next_held_->origin == report_.origin ? Kind::kTruncated : Kind::kReplaced, tree_.size() + 1);
    }
  }

 private:
  bool fail(Kind kind, std::uint64_t first, std::uint64_t last) {
    report_.fault = LogFault{kind, first, last, line_};
    return false;
  }
  bool fail(Kind kind, std::uint64_t entry) { return fail(kind, entry, entry); }

  bool take_header(const std::string& origin) {
    if (std::exchange(has_header_, true)) return fail(Kind::kMalformed, tree_.size() + 1);
    report_.origin = origin;
    const bool is_the_log =
        std::ranges::all_of(terms_.keys, [&](const NoteKey& key) { return key.name == origin; });
    return is_the_log ? meet_held() : fail(Kind::kReplaced, 1);
  }

  bool take_entry(const HashedLine& line) {
    if (!has_header_) return fail(Kind::kMalformed, 1);
    const std::uint64_t expected = tree_.size() + 1;
    if (line.sequence > expected) return fail(Kind::kMissing, expected);
    if (line.sequence < expected) return fail(Kind::kMisplaced, expected);
    if (line.kind == HashedLine::Kind::kEditedEntry) return fail(Kind::kEdited, expected);
    tree_.append(line.leaf);
    report_.entries = tree_.size();
    return meet_held();
  }

  bool take_checkpoint(const std::string& note) {
    const auto opened = open_checkpoint(note, terms_.keys);
    if (!opened) return fail(Kind::kCheckpoint, after_last_good(), std::max(after_last_good(), tree_.size()));
    if (opened->origin != report_.origin) return fail(Kind::kReplaced, 1);
    const std::uint64_t size = opened->tree.size;
    if (size < last_good_) return fail(Kind::kMalformed, size);
    if (size > tree_.size()) return fail(Kind::kMissing, after_last_good(), size);
    if (size < tree_.size() || opened->tree.root != tree_.root())
      return fail(Kind::kAltered, after_last_good(), std::max(after_last_good(), tree_.size()));
    last_good_ = size;
    report_.newest = *opened;
    ++report_.checkpoints;
    return true;
  }

  // What others hold counts as soon as the tree has its size. One that the tree does not have is a fork, if the log's
  // own checkpoints up to here are good: all of them are by its keys.
  bool meet_held() {
    for (; next_held_ != held_.end() && next_held_->tree.size == tree_.size(); ++next_held_) {
      if (next_held_->origin != report_.origin) return fail(Kind::kReplaced, 1);
      if (next_held_->tree.root == tree_.root()) {
        last_good_ = std::max(last_good_, next_held_->tree.size);
        continue;
      }
      return fail(Kind::kForked, after_last_good(), std::max(after_last_good(), tree_.size()));
    }
    return true;
  }

  std::uint64_t after_last_good() const noexcept { return last_good_ + 1; }

  const LogTerms& terms_;
  LogReport& report_;
  std::vector<Checkpoint> held_;
  std::vector<Checkpoint>::const_iterator next_held_;
  Frontier tree_;
  std::uint64_t line_ = 0;
  std::uint64_t last_good_ = 0;  // entries up to here are those that were signed
  bool has_header_ = false;
};

}  // namespace

std::string_view log_fault_name(Kind kind) noexcept {
  switch (kind) {
    case Kind::kMalformed:
      return "malformed";
    case Kind::kReplaced:
      return "replaced";
    case Kind::kEdited:
      return "edited";
    case Kind::kMissing:
      return "missing";
    case Kind::kMisplaced:
      return "misplaced";
    case Kind::kAltered:
      return "altered";
    case Kind::kTruncated:
      return "truncated";
    case Kind::kForked:
      return "forked";
    case Kind::kCheckpoint:
      return "checkpoint";
  }
  return "";
}

Result<LogReport> verify_log(const ReadMore& read, const LogTerms& terms) {
  if (terms.keys.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "name a key of the log: without one its checkpoints prove nothing"};
  }
  LogReport report;
  Walk walk(terms, report);
  Lines lines(read, terms.block);
  std::deque<std::future<Block>> hashing;
  bool is_read = false;
  while (!report.fault) {
    while (!is_read && hashing.size() < terms.threads + 1) {
      CHANCERY_ASSIGN(std::string block, lines.next());
      is_read = block.empty();
      if (!is_read) hashing.push_back(std::async(std::launch::async, hash_block, std::move(block)));
    }
    if (hashing.empty()) break;
    const Block block = hashing.front().get();
    hashing.pop_front();
    for (const HashedLine& line : block) {
      if (!walk.take(line)) break;
    }
  }
  if (!report.fault) walk.finish();
  return report;
}

}  // namespace chancery::audit
