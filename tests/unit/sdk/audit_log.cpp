#include <functional>
#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/hex.hpp"
#include "tests/unit/sdk/exported_log.hpp"

using namespace chancery;
using namespace chancery::audit;

namespace bdata = boost::unit_test::data;
using Kind = LogFault::Kind;

namespace {

// Twelve entries; checkpoints behind 5, 10 and 12. Line 0 is the header, entries 1 to 5 are lines 1 to 5.
struct Story {
  Story() {
    for (std::uint64_t i = 1; i <= 12; ++i) {
      log.add(some_entry(i));
      if (i == 5) at_5 = log.add_checkpoint();
      if (i == 10) at_10 = log.add_checkpoint();
      if (i == 12) at_12 = log.add_checkpoint();
    }
  }
  [[nodiscard]] std::size_t line_of(std::uint64_t entry) const {
    return entry + (entry > 5 ? 1 : 0) + (entry > 10 ? 1 : 0);
  }
  ExportedLog log;
  std::string at_5, at_10, at_12;
};

LogReport judge(const std::string& text, const NoteKey& key, std::vector<Checkpoint> held = {}) {
  const auto report = verify_log(reading(text), {.keys = {key}, .held = std::move(held)});
  BOOST_REQUIRE(report);
  return *report;
}

std::string edited(std::string line, std::string_view what, std::string_view by) {
  const std::size_t at = line.find(what);
  BOOST_REQUIRE(at != std::string::npos);
  return line.replace(at, what.size(), by);
}

// What somebody writes who alters an entry and knows the format.
std::string rehashed(const std::string& entry, std::uint64_t sequence) {
  return exported_entry({entry, sequence, leaf_hash(as_bytes(entry))});
}

std::string numbered(const std::string& line, std::uint64_t sequence) {
  const auto parsed = *parse_exported_line(std::string_view(line).substr(0, line.size() - 1));
  ExportedEntry entry = std::get<ExportedEntry>(parsed);
  entry.sequence = sequence;
  return exported_entry(entry);
}

struct Tampering {
  const char* name;
  std::function<void(Story&)> tamper;
  Kind kind;
  std::uint64_t first, last;
};
std::ostream& operator<<(std::ostream& out, const Tampering& tampering) { return out << tampering.name; }

void erase_line(Story& story, std::size_t line) {
  story.log.lines.erase(story.log.lines.begin() + static_cast<std::ptrdiff_t>(line));
}

const std::vector<Tampering> kTamperings{
    {"an entry is edited", [](Story& s) { s.log.lines[3] = edited(s.log.lines[3], "grant", "grand"); },
     Kind::kEdited, 3, 3},
    {"an entry is edited with its hash", [](Story& s) { s.log.lines[3] = rehashed(some_entry(99), 3); },
     Kind::kAltered, 1, 5},
    {"an entry between checkpoints is edited with its hash",
     [](Story& s) { s.log.lines[s.line_of(7)] = rehashed(some_entry(99), 7); }, Kind::kAltered, 6, 10},
    {"an entry's hash is edited",
     [](Story& s) { s.log.lines[2] = edited(s.log.lines[2], "\"leaf\":\"", "\"leaf\":\"0000"); },
     Kind::kMalformed, 2, 2},
    {"an entry is deleted", [](Story& s) { erase_line(s, s.line_of(8)); }, Kind::kMissing, 8, 8},
    {"the first entry is deleted", [](Story& s) { erase_line(s, 1); }, Kind::kMissing, 1, 1},
    {"an entry is deleted and the others renumbered",
     [](Story& s) {
       erase_line(s, s.line_of(8));
       s.log.lines[s.line_of(8)] = numbered(s.log.lines[s.line_of(8)], 8);
       s.log.lines[s.line_of(9)] = numbered(s.log.lines[s.line_of(9)], 9);
     },
     Kind::kMissing, 6, 10},
    {"an entry is inserted twice",
     [](Story& s) { s.log.lines.insert(s.log.lines.begin() + 4, s.log.lines[3]); }, Kind::kMisplaced, 4, 4},
    {"an entry is inserted and the others renumbered",
     [](Story& s) {
       s.log.lines.insert(s.log.lines.begin() + 3, rehashed(some_entry(99), 3));
       for (std::size_t i = 4; i <= 6; ++i) s.log.lines[i] = numbered(s.log.lines[i], i);
     },
     Kind::kAltered, 1, 6},
    {"two entries change places", [](Story& s) { std::swap(s.log.lines[2], s.log.lines[3]); }, Kind::kMissing,
     2, 2},
    {"two entries change places and numbers",
     [](Story& s) {
       std::swap(s.log.lines[2], s.log.lines[3]);
       s.log.lines[2] = numbered(s.log.lines[2], 2);
       s.log.lines[3] = numbered(s.log.lines[3], 3);
     },
     Kind::kAltered, 1, 5},
    {"the last entry is cut off", [](Story& s) { erase_line(s, s.line_of(12)); }, Kind::kMissing, 11, 12},
    {"a checkpoint is altered",
     [](Story& s) { s.log.lines[6] = edited(s.log.lines[6], "\\n5\\n", "\\n6\\n"); }, Kind::kCheckpoint, 1,
     5},
    {"a checkpoint is by another key",
     [](Story& s) { s.log.add_checkpoint(*SigningKey::generate(Algorithm::kES256)); }, Kind::kCheckpoint, 13,
     13},
    {"checkpoints change places", [](Story& s) { std::swap(s.log.lines[6], s.log.lines.back()); },
     Kind::kMissing, 1, 12},
    {"a checkpoint stands behind a later entry", [](Story& s) { std::swap(s.log.lines[6], s.log.lines[7]); },
     Kind::kAltered, 1, 6},
    {"a line is none of a log", [](Story& s) { s.log.lines[4] = "{}\n"; }, Kind::kMalformed, 4, 4},
    {"an empty line", [](Story& s) { s.log.lines.insert(s.log.lines.begin() + 4, "\n"); }, Kind::kMalformed,
     4, 4},
    {"a second header", [](Story& s) { s.log.lines.push_back(s.log.lines[0]); }, Kind::kMalformed, 13, 13},
    {"no header", [](Story& s) { erase_line(s, 0); }, Kind::kMalformed, 1, 1},
    {"another log's header",
     [](Story& s) { s.log.lines[0] = exported_header("chancery.example.org/audit/fedcba9876543210"); },
     Kind::kReplaced, 1, 1},
    {"another log altogether", [](Story& s) { s.log = ExportedLog("other.example.org/audit/1"); },
     Kind::kReplaced, 1, 1},
    {"the last line is cut", [](Story& s) { s.log.lines.back().resize(40); }, Kind::kMalformed, 13, 13},
    {"nothing is left", [](Story& s) { s.log.lines.clear(); }, Kind::kMalformed, 1, 1},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(exported_logs)

BOOST_AUTO_TEST_CASE(a_log_as_it_was_written_is_sound) {
  const Story story;
  for (const std::size_t piece : {1u, 7u, 1000u, 1'000'000u}) {
    const std::string text = story.log.text();
    const auto report = verify_log(reading(text, piece), {.keys = {story.log.key()}});
    BOOST_REQUIRE(report);
    BOOST_TEST(report->is_sound());
    BOOST_TEST(report->entries == 12u);
    BOOST_TEST(report->checkpoints == 3u);
    BOOST_TEST(report->newest->tree.size == 12u);
    BOOST_TEST(report->unsigned_entries() == 0u);
    BOOST_TEST(report->origin == ExportedLog::kOrigin);
  }
}

BOOST_AUTO_TEST_CASE(entries_behind_the_newest_checkpoint_are_counted) {
  Story story;
  story.log.add(some_entry(13));
  story.log.add(some_entry(14));
  const LogReport report = judge(story.log.text(), story.log.key());
  BOOST_TEST(report.is_sound());
  BOOST_TEST(report.unsigned_entries() == 2u);
}

BOOST_AUTO_TEST_CASE(a_log_without_a_checkpoint_proves_nothing) {
  ExportedLog log;
  log.add(some_entry(1));
  const LogReport report = judge(log.text(), log.key());
  BOOST_TEST(!report.fault.has_value());
  BOOST_TEST(!report.is_sound());
  BOOST_TEST(report.unsigned_entries() == 1u);
}

BOOST_AUTO_TEST_CASE(a_log_that_spans_many_blocks_is_judged_in_order) {
  ExportedLog log;
  const std::string filling(3000, 'x');
  for (std::uint64_t i = 1; i <= 4000; ++i) {
    log.add(R"({"action":")" + filling + R"(","n":)" + std::to_string(i) + "}");
    if (i % 500 == 0) log.add_checkpoint();
  }
  BOOST_TEST(judge(log.text(), log.key()).checkpoints == 8u);
  log.lines[3000] = edited(log.lines[3000], "\"n\":", "\"m\":");
  const auto fault = judge(log.text(), log.key()).fault;
  BOOST_REQUIRE(fault.has_value());
  BOOST_TEST((fault->kind == Kind::kEdited));
  BOOST_TEST(fault->first == 2995u);  // one header and five checkpoints stand before it
  BOOST_TEST(fault->line == 3001u);
}

BOOST_DATA_TEST_CASE(the_first_bad_entry_is_named, bdata::make(kTamperings), tampering) {
  Story story;
  const NoteKey key = story.log.key();
  tampering.tamper(story);
  const auto fault = judge(story.log.text(), key).fault;
  BOOST_REQUIRE(fault.has_value());
  BOOST_TEST(log_fault_name(fault->kind) == log_fault_name(tampering.kind));
  BOOST_TEST(fault->first == tampering.first);
  BOOST_TEST(fault->last == tampering.last);
}

BOOST_AUTO_TEST_CASE(a_log_that_ends_before_a_held_checkpoint_is_truncated) {
  Story story;
  const NoteKey key = story.log.key();
  const Checkpoint held = *open_checkpoint(story.at_12, std::vector{key});
  story.log.lines.resize(8);  // up to entry 6
  BOOST_TEST(judge(story.log.text(), key).is_sound());
  const auto fault = judge(story.log.text(), key, {held}).fault;
  BOOST_REQUIRE(fault.has_value());
  BOOST_TEST((*fault == LogFault{Kind::kTruncated, 7, 7, 0}));
}

BOOST_AUTO_TEST_CASE(a_log_that_parts_from_a_held_checkpoint_is_forked) {
  // One key signs two logs that agree up to entry 5.
  Story story;
  const NoteKey key = story.log.key();
  const std::vector<Checkpoint> held{*open_checkpoint(story.at_5, std::vector{key}),
                                     *open_checkpoint(story.at_10, std::vector{key})};
  ExportedLog other;
  for (std::uint64_t i = 1; i <= 12; ++i) {
    other.add(some_entry(i == 7 ? 99 : i));
    if (i == 5 || i == 12) other.add_checkpoint(story.log.secret());
  }
  BOOST_TEST(judge(other.text(), key).is_sound());
  const auto fault = judge(other.text(), key, held).fault;
  BOOST_REQUIRE(fault.has_value());
  BOOST_TEST((fault->kind == Kind::kForked));
  BOOST_TEST(fault->first == 6u);
  BOOST_TEST(fault->last == 10u);
  BOOST_TEST(judge(story.log.text(), key, held).is_sound());
}

BOOST_AUTO_TEST_CASE(a_rotated_key_signs_on) {
  Story story;
  const SigningKey next = *SigningKey::generate(Algorithm::kES256);
  story.log.add(some_entry(13));
  story.log.add_checkpoint(next);
  const NoteKey former = story.log.key();
  const NoteKey key{former.name, next.public_key()};
  const std::string text = story.log.text();
  const auto report = verify_log(reading(text), {.keys = {former, key}});
  BOOST_REQUIRE(report);
  BOOST_TEST(report->is_sound());
  BOOST_TEST(report->newest->tree.size == 13u);
}

BOOST_AUTO_TEST_CASE(without_a_key_nothing_is_judged) {
  const Story story;
  const std::string text = story.log.text();
  BOOST_TEST((verify_log(reading(text), {}).error().code == ErrorCode::kInvalidArgument));
}

BOOST_AUTO_TEST_CASE(what_reading_says_is_passed_on) {
  const Story story;
  const ReadMore broken = [](std::span<char>) -> Result<std::size_t> {
    return Error{ErrorCode::kFileUnreadable, "the disk is gone"};
  };
  BOOST_TEST((verify_log(broken, {.keys = {story.log.key()}}).error().code == ErrorCode::kFileUnreadable));
}

BOOST_AUTO_TEST_CASE(a_line_has_one_form) {
  const std::string good = exported_entry({some_entry(1), 10, leaf_hash(as_bytes(some_entry(1)))});
  const std::string line = good.substr(0, good.size() - 1);
  BOOST_REQUIRE(parse_exported_line(line));
  const auto entry = std::get<ExportedEntry>(*parse_exported_line(line));
  BOOST_TEST(entry.sequence == 10u);
  BOOST_TEST(entry.entry == some_entry(1));
  for (const std::string& bad :
       {std::string(), line + " ", " " + line, line.substr(1), edited(line, ":10}", ":010}"),
        edited(line, ":10}", ":}"), edited(line, ":10}", ":0}"),
        edited(line, ":10}", ":99999999999999999999}"), edited(line, ",\"leaf\"", ", \"leaf\""),
        std::string(R"({"checkpoint":1})"), std::string(R"({"format":"chancery-audit-2","origin":"a"})"),
        std::string(R"({"origin":"a","format":"chancery-audit-1"})"),
        std::string(R"({"checkpoint":"a","origin":"a"})")}) {
    BOOST_TEST(!parse_exported_line(bad), bad);
  }
}

BOOST_AUTO_TEST_SUITE_END()
