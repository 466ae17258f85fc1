// `chancery audit verify` and `chancery trace` on exported logs, without a daemon; and the same logs before a verifier that
// has nothing of ours.
#include <array>
#include <cstdio>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <sys/wait.h>

#include "sdk/audit/entry_proof.hpp"
#include "sdk/json/reader.hpp"
#include "tests/integration/cli/chancery_process.hpp"
#include "tests/unit/sdk/exported_log.hpp"

namespace {

using namespace chancery;
using audit::ExportedLog;
using chancery::testing::Chancery;
using chancery::testing::Run;

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string issued(int number, const std::string& token, const std::string& parent) {
  const std::string ids = parent.empty() ? "" : "\"parent\":\"" + parent + "\",";
  return R"({"action":"token.delegate","at":)" + std::to_string(1790000000 + number) +
         R"(,"details":{"authority":{}},"ids":{)" + ids + "\"token\":\"" + token + R"("},"outcome":"done"})";
}

// A grant, two delegations and seven other entries; checkpoints behind 5 and 10.
struct Story {
  Story() {
    log.add(issued(1, "t-grant", ""));
    log.add(issued(2, "t-desk", "t-grant"));
    log.add(issued(3, "t-helper", "t-desk"));
    for (std::uint64_t i = 4; i <= 10; ++i) {
      log.add(audit::some_entry(i));
      if (i % 5 == 0) notes.push_back(log.add_checkpoint());
    }
    keys = chancery.file("audit.keys", *audit::verifier_key(log.key()) + "\n");
  }
  [[nodiscard]] std::string file() const { return chancery.file("log.jsonl", log.text()); }
  [[nodiscard]] Run verify(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"audit", "verify", file(), "--key", keys};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return chancery.run(arguments);
  }
  // A proof that entry 3 stands in the tree of the last checkpoint.
  [[nodiscard]] audit::EntryProof proof() const;

  ExportedLog log;
  std::vector<std::string> notes;
  Chancery chancery;
  std::string keys;
};

audit::EntryProof Story::proof() const {
  std::vector<Sha256Digest> leaves;
  for (const std::string& line : log.lines) {
    const auto parsed = audit::parse_exported_line(std::string_view(line).substr(0, line.size() - 1));
    if (const auto* entry = std::get_if<audit::ExportedEntry>(&*parsed)) leaves.push_back(entry->leaf);
  }
  const auto subtree = [&](const audit::Subtree& part) -> Result<Sha256Digest> {
    audit::Frontier frontier;
    const std::size_t size = std::size_t{1} << part.level;
    for (std::size_t i = 0; i < size; ++i) frontier.append(leaves[part.index * size + i]);
    return frontier.root();
  };
  return {issued(3, "t-helper", "t-desk"), 2, *audit::inclusion_proof(2, 10, subtree), notes.back()};
}

/// What the verifier of tests/integration/audit says.
Run independent_verifier(const std::string& key, const std::string& file) {
  const std::string command = "/usr/bin/python3 '" + std::string(CHANCERY_SOURCE_DIR) +
                              "/tests/integration/audit/verify_audit.py' '" + key + "' '" + file + "' 2>&1";
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  BOOST_REQUIRE(pipe != nullptr);
  Run run;
  std::array<char, 4096> buffer;
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    run.out.append(buffer.data(), got);
  run.exit = WEXITSTATUS(::pclose(pipe));
  return run;
}

void edit(std::string& line, std::string_view what, std::string_view by) {
  const std::size_t at = line.find(what);
  BOOST_REQUIRE(at != std::string::npos);
  line.replace(at, what.size(), by);
}

struct Tampering {
  const char* name;
  std::function<void(Story&)> tamper;
  const char* found;
};
std::ostream& operator<<(std::ostream& out, const Tampering& tampering) { return out << tampering.name; }

const std::vector<Tampering> kTamperings{
    {"edited", [](Story& story) { edit(story.log.lines[3], "t-desk", "t-deck"); },
     "entry 3 is not what was logged"},
    {"deleted", [](Story& story) { story.log.lines.erase(story.log.lines.begin() + 4); },
     "entry 4 is not where it belongs"},
    {"inserted",
     [](Story& story) { story.log.lines.insert(story.log.lines.begin() + 4, story.log.lines[2]); },
     "something else stands where entry 4 belongs"},
    {"reordered", [](Story& story) { std::swap(story.log.lines[1], story.log.lines[2]); },
     "entry 1 is not where it belongs"},
    {"edited with its hash",
     [](Story& story) {
       const std::string entry = audit::some_entry(99);
       story.log.lines[8] = audit::exported_entry({entry, 7, audit::leaf_hash(as_bytes(entry))});
     },
     "one of the entries 6 to 10 is the first that is not what was signed"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(audit_logs)

BOOST_AUTO_TEST_CASE(a_sound_log_exits_0_and_says_how_far_it_is_signed) {
  const Story story;
  const Run run = story.verify();
  BOOST_TEST(run.exit == 0, run.err);
  BOOST_TEST(run.out.starts_with("SOUND\n"), run.out);
  BOOST_TEST(contains(run.out, "entry 10"), run.out);
  const Run json = story.verify({"--format", "json"});
  const auto document = json::Document::parse(json.out);
  BOOST_REQUIRE(document);
  BOOST_TEST(document->root().find("sound")->boolean().value());
  BOOST_TEST(document->root().find("signed_to")->integer().value() == 10);
}

BOOST_AUTO_TEST_CASE(a_log_on_standard_input_is_judged_alike) {
  const Story story;
  const Run run = story.chancery.run({"audit", "verify", "-", "--key", story.keys}, story.log.text());
  BOOST_TEST(run.exit == 0, run.err);
  BOOST_TEST(run.out.starts_with("SOUND\n"), run.out);
}

BOOST_DATA_TEST_CASE(a_tampered_log_exits_1_and_names_the_first_bad_entry,
                     boost::unit_test::data::make(kTamperings), tampering) {
  Story story;
  tampering.tamper(story);
  const Run run = story.verify();
  BOOST_TEST(run.exit == 1, run.err);
  BOOST_TEST(run.out.starts_with("TAMPERED"), run.out);
  BOOST_TEST(contains(run.out, tampering.found), run.out);
  const Run independent = independent_verifier(*audit::verifier_key(story.log.key()), story.file());
  BOOST_TEST(independent.exit == 1, independent.out);
}

BOOST_AUTO_TEST_CASE(a_cut_log_shows_against_a_checkpoint_that_was_kept) {
  Story story;
  const std::string kept = story.chancery.file("kept.note", story.notes.back());
  story.log.lines.resize(7);  // the header, five entries and their checkpoint
  BOOST_TEST(story.verify().exit == 0);
  const Run run = story.verify({"--checkpoint", kept});
  BOOST_TEST(run.exit == 1, run.err);
  BOOST_TEST(contains(run.out, "the log ends before entry 6"), run.out);
}

BOOST_AUTO_TEST_CASE(another_logs_key_and_no_key_are_told_apart) {
  const Story story, other;
  const std::string foreign = other.chancery.file("foreign.keys", *audit::verifier_key(other.log.key()));
  const Run run = story.chancery.run({"audit", "verify", story.file(), "--key", foreign});
  BOOST_TEST(run.exit == 1, run.err);
  BOOST_TEST(contains(run.out, "not by the log's key"), run.out);
  const Run none = story.chancery.run({"audit", "verify", story.file(), "--key", "nonsense"});
  BOOST_TEST(none.exit == 2);
  BOOST_TEST(contains(none.err, "--key nonsense: not a verifier key"), none.err);
  BOOST_TEST(story.chancery.run({"audit", "verify", "/nonexistent", "--key", story.keys}).exit == 2);
}

BOOST_AUTO_TEST_CASE(a_log_without_a_checkpoint_is_undecided) {
  Story story;
  story.log.lines.resize(5);
  const Run run = story.verify();
  BOOST_TEST(run.exit == 2, run.err);
  BOOST_TEST(run.out.starts_with("UNSIGNED"), run.out);
}

BOOST_AUTO_TEST_CASE(the_proof_of_an_entry_is_checked_anywhere) {
  const Story story;
  const std::string text = audit::write_entry_proof(story.proof());
  const std::string good = story.chancery.file("good.tlog-proof", text);
  const Run run = story.chancery.run({"audit", "verify", good, "--key", story.keys});
  BOOST_TEST(run.exit == 0, run.err);
  BOOST_TEST(contains(run.out, "3 of 10"), run.out);
  BOOST_TEST(contains(run.out, "t-helper"), run.out);

  audit::EntryProof altered = story.proof();
  edit(altered.entry, "t-helper", "t-hacker");
  const std::string bad = story.chancery.file("bad.tlog-proof", audit::write_entry_proof(altered));
  const Run denied = story.chancery.run({"audit", "verify", bad, "--key", story.keys});
  BOOST_TEST(denied.exit == 1);
  BOOST_TEST(contains(denied.err, "does not lead from this entry"), denied.err);

  const std::string key = *audit::verifier_key(story.log.key());
  const Run independent = independent_verifier(key, good);
  BOOST_TEST(independent.exit == 0, independent.out);
  BOOST_TEST(contains(independent.out, "sound: entry 3 of 10: token.delegate"), independent.out);
  BOOST_TEST(independent_verifier(key, bad).exit == 1);
}

BOOST_AUTO_TEST_CASE(an_independent_verifier_agrees_about_a_sound_log) {
  const Story story;
  const Run run = independent_verifier(*audit::verifier_key(story.log.key()), story.file());
  BOOST_TEST(run.exit == 0, run.out);
  BOOST_TEST(contains(run.out, "sound: 10 entries, signed to entry 10"), run.out);
}

BOOST_AUTO_TEST_CASE(a_trace_through_an_exported_log_needs_no_daemon) {
  const Story story;
  const Run run = story.chancery.run({"trace", "t-desk", "--log", story.file()});
  BOOST_TEST(run.exit == 0, run.err);
  BOOST_TEST(contains(run.out, "where it came from\n  1  2026-09-21T14:13:21Z  token.delegate"), run.out);
  BOOST_TEST(contains(run.out, "what came of it\n    3  "), run.out);
  const Run unknown = story.chancery.run({"trace", "t-nobody", "--log", story.file()});
  BOOST_TEST(unknown.exit == 1);
  BOOST_TEST(contains(unknown.err, "no entry of the log names it"), unknown.err);
}

BOOST_AUTO_TEST_SUITE_END()
