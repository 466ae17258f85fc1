#include <cerrno>
#include <memory>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "sdk/audit/entry_proof.hpp"
#include "sdk/audit/log_verifier.hpp"
#include "sdk/base/descriptor.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/cli/audit_commands.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/cli/json_text.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

using audit::LogFault;
using audit::LogReport;
using json::Node;

constexpr std::size_t kLongestNote = 64 * 1024;
constexpr std::size_t kLongestProof = 4 * 1024 * 1024;
constexpr std::string_view kProofBegins = "c2sp.org/tlog-proof@";

struct VerifyArguments {
  std::string file;
  std::vector<std::string> keys;
  std::vector<std::string> held;
};

// --- what was found, in words

std::string entries_text(const LogFault& fault) {
  if (fault.first == fault.last) return "entry " + std::to_string(fault.first);
  return "one of the entries " + std::to_string(fault.first) + " to " + std::to_string(fault.last);
}

std::string meaning(const LogFault& fault) {
  using enum LogFault::Kind;
  const std::string where = entries_text(fault);
  switch (fault.kind) {
    case kMalformed:
      return "the file is no log from line " + std::to_string(fault.line) + " on, where " + where +
             " belongs";
    case kReplaced:
      return "this is another log than the one whose key was given: " + where +
             " is the first that is not its own";
    case kEdited:
      return where + " is not what was logged: it was edited";
    case kMissing:
      return fault.first == fault.last ? where + " is not where it belongs: it was deleted, or moved"
                                       : where + " was deleted, as the first: less is left than was signed";
    case kMisplaced:
      return "something else stands where " + where + " belongs: it was inserted, or moved";
    case kAltered:
      return where + " is the first that is not what was signed";
    case kTruncated:
      return "the log ends before " + where + ", which a checkpoint that you keep comprises";
    case kForked:
      return where +
             " is the first that differs from the log of which you keep a checkpoint: the log was forked";
    case kCheckpoint:
      return "a checkpoint behind " + where + " is not by the log's key";
  }
  return where;
}

Node to_node(const LogFault& fault) {
  return Node::object({{"fault", audit::log_fault_name(fault.kind)},
                       {"first", fault.first},
                       {"last", fault.last},
                       {"line", fault.line},
                       {"meaning", meaning(fault)}});
}

std::string to_json(const LogReport& report) {
  Node node = Node::object({{"sound", report.is_sound()},
                            {"origin", report.origin},
                            {"entries", report.entries},
                            {"checkpoints", report.checkpoints},
                            {"unsigned", report.unsigned_entries()}});
  if (report.newest) node.set("signed_to", report.newest->tree.size);
  if (report.fault) node.set("found", to_node(*report.fault));
  return json::to_jcs(node);
}

void show(Output& output, const LogReport& report) {
  if (report.fault) {
    output.line(output.paint(Colour::kRed, "TAMPERED") + "\t" + printable(meaning(*report.fault)));
  } else if (report.is_sound()) {
    output.line(output.paint(Colour::kGreen, "SOUND"));
  } else {
    output.line(output.paint(Colour::kYellow, "UNSIGNED") +
                "\tthere is no checkpoint in it: nothing is proved");
  }
  output.field("log", report.origin);
  output.field("entries read", std::to_string(report.entries));
  if (report.fault && report.fault->line != 0) output.field("line", std::to_string(report.fault->line));
  output.field("checkpoints", std::to_string(report.checkpoints));
  if (report.newest) output.field("signed to", "entry " + std::to_string(report.newest->tree.size));
  if (report.unsigned_entries() > 0 && !report.fault)
    output.field("not signed", "the last " + std::to_string(report.unsigned_entries()));
}

// --- a log

Checked<std::vector<audit::Checkpoint>> read_held(const VerifyArguments& arguments,
                                                  std::span<const audit::NoteKey> keys) {
  std::vector<audit::Checkpoint> held;
  for (const std::string& file : arguments.held) {
    CHANCERY_ASSIGN(const std::string note, read_input(file, kLongestNote));
    const auto checkpoint = audit::open_checkpoint(note, keys);
    if (!checkpoint) return failure(checkpoint.error(), file);
    held.push_back(*checkpoint);
  }
  return held;
}

Result<std::size_t> read_some(int file, std::span<char> buffer) {
  for (;;) {
    const ssize_t got = ::read(file, buffer.data(), buffer.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR)
      return Error{ErrorCode::kFileUnreadable, "cannot be read", static_cast<std::uint64_t>(errno)};
  }
}

/// What was read to see what it is, and then the rest of the file.
class Input {
 public:
  static Checked<Input> open(const std::string& path) {
    Input input;
    if (path != "-") input.file_ = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (path != "-" && !input.file_)
      return failure({ErrorCode::kFileUnreadable, "cannot be read", static_cast<std::uint64_t>(errno)}, path);
    input.begin_.resize(kProofBegins.size());
    std::size_t filled = 0;
    while (filled < input.begin_.size()) {
      const auto got = read_some(input.number(), std::span(input.begin_).subspan(filled));
      if (!got) return failure(got.error(), path);
      if (*got == 0) break;
      filled += *got;
    }
    input.begin_.resize(filled);
    return input;
  }

  [[nodiscard]] bool begins_with(std::string_view text) const { return begin_.starts_with(text); }

  Result<std::size_t> read(std::span<char> buffer) {
    if (begin_.empty()) return read_some(number(), buffer);
    const std::size_t size = std::min(buffer.size(), begin_.size());
    std::copy_n(begin_.begin(), size, buffer.begin());
    begin_.erase(0, size);
    return size;
  }

 private:
  [[nodiscard]] int number() const { return file_ ? file_.get() : STDIN_FILENO; }

  Descriptor file_;
  std::string begin_;
};

Checked<ExitCode> verify_log(Context& context, Input input, const VerifyArguments& arguments,
                             std::vector<audit::NoteKey> keys) {
  audit::LogTerms terms;
  CHANCERY_ASSIGN(terms.held, read_held(arguments, keys));
  terms.keys = std::move(keys);
  terms.threads = std::max(1u, std::thread::hardware_concurrency());
  const auto report = audit::verify_log([&](std::span<char> buffer) { return input.read(buffer); }, terms);
  if (!report) return failure(report.error(), arguments.file);
  if (context.output.json()) {
    context.output.document(to_json(*report));
  } else {
    show(context.output, *report);
  }
  if (report->fault) return ExitCode::kDenied;
  return report->is_sound() ? ExitCode::kSuccess : ExitCode::kUndecided;
}

// --- one entry

Checked<std::string> read_rest(Input& input, const std::string& name) {
  std::string text;
  std::vector<char> buffer(64 * 1024);
  for (;;) {
    const auto got = input.read(buffer);
    if (!got) return failure(got.error(), name);
    if (*got == 0) return text;
    text.append(buffer.data(), *got);
    if (text.size() > kLongestProof)
      return failure({ErrorCode::kTooLarge, "is too large for a proof of one entry"}, name);
  }
}

void show(Context& context, const audit::EntryProof& proof, const audit::Checkpoint& checkpoint) {
  Output& output = context.output;
  const auto entry = json::Document::parse_borrowed(proof.entry);
  if (output.json()) {
    Node node = Node::object({{"sound", true},
                              {"origin", checkpoint.origin},
                              {"sequence", proof.index + 1},
                              {"signed_to", checkpoint.tree.size}});
    if (entry) node.set("entry", Node::copy(entry->root()));
    return output.document(json::to_jcs(node));
  }
  output.line(output.paint(Colour::kGreen, "SOUND"));
  output.field("log", checkpoint.origin);
  output.field("entry", std::to_string(proof.index + 1) + " of " + std::to_string(checkpoint.tree.size));
  if (entry) output.lines(indented_json(entry->root()), "  ");
}

Checked<ExitCode> verify_proof(Context& context, Input input, const VerifyArguments& arguments,
                               std::span<const audit::NoteKey> keys) {
  CHANCERY_ASSIGN(const std::string text, read_rest(input, arguments.file));
  const auto proof = audit::parse_entry_proof(text);
  if (!proof) return failure(proof.error(), arguments.file);
  const auto checkpoint = audit::check_entry_proof(*proof, keys);
  if (!checkpoint) {
    Failure broken = failure(checkpoint.error(), arguments.file);
    if (checkpoint.error().code == ErrorCode::kSignatureInvalid) broken.exit = ExitCode::kDenied;
    return broken;
  }
  show(context, *proof, *checkpoint);
  return ExitCode::kSuccess;
}

Checked<ExitCode> verify(Context& context, const VerifyArguments& arguments) {
  CHANCERY_ASSIGN(std::vector<audit::NoteKey> keys, read_note_keys(arguments.keys));
  CHANCERY_ASSIGN(Input input, Input::open(arguments.file));
  if (input.begins_with(kProofBegins)) return verify_proof(context, std::move(input), arguments, keys);
  return verify_log(context, std::move(input), arguments, std::move(keys));
}

}  // namespace

void add_audit_verify(CLI::App& audit, Command& chosen) {
  const auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* command =
      audit.add_subcommand("verify", "Check an exported log, or the proof of an entry, without the daemon");
  command->add_option("FILE", arguments->file, "from `audit export` or `audit prove`; - for standard input")
      ->required();
  command->add_option("--key", arguments->keys, "the log's key, or a file with its keys (repeatable)")
      ->required();
  command->add_option(
      "--checkpoint", arguments->held,
      "a file with a checkpoint that you keep: the log must still have what that signs (repeatable)");
  command->footer(
      "Every entry must be what was logged, at its place, and part of every later checkpoint. What is wrong is named by\n"
      "its first entry; where somebody altered an entry and all that goes with it, by the checkpoints between which it\n"
      "stands. A log that was cut behind a checkpoint shows only against a checkpoint that you keep.\n\n"
      "Exit status: 0 when it is sound; 1 when it is not; 2 when nothing in it is signed, or it cannot be read.\n\n"
      "Example:\n  chancery audit verify log.jsonl --key audit.keys --checkpoint last-month.note");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return verify(context, *arguments); };
  });
}

}  // namespace chancery::cli
