#include <memory>

#include <chancery/audit_client.hpp>

#include "sdk/audit/checkpoint.hpp"
#include "sdk/audit/entry_proof.hpp"
#include "sdk/cli/audit_commands.hpp"
#include "sdk/cli/files.hpp"

namespace chancery::cli {
namespace {

constexpr std::size_t kLongestNote = 64 * 1024;

struct ProveArguments {
  std::string number;
  std::vector<std::string> keys;
  std::string checkpoint;  ///< a file
};

// What the daemon says itself counts for something only to whoever has compared it with what it was given elsewhere.
Checked<std::vector<audit::NoteKey>> keys_of(Context& context, const AuditClient& log,
                                             const std::vector<std::string>& arguments) {
  if (!arguments.empty()) return read_note_keys(arguments);
  const auto published = log.keys();
  if (!published) return failure(published.error());
  std::vector<audit::NoteKey> keys;
  for (const api::AuditKey& key : published->keys) {
    const auto parsed = audit::parse_verifier_key(key.verifier_key);
    if (!parsed) return failure(Error{ErrorCode::kBadResponse, "the daemon publishes a key that is none"});
    keys.push_back(*parsed);
  }
  context.output.note(
      "checked with the keys that the daemon itself publishes: give --key with one that you keep");
  return keys;
}

// A proof for a checkpoint that somebody kept: the daemon must find the entry in that tree.
Checked<audit::EntryProof> prove_in(const AuditClient& log, std::uint64_t number, const std::string& file,
                                    std::span<const audit::NoteKey> keys) {
  CHANCERY_ASSIGN(const std::string note, read_input(file, kLongestNote));
  const auto checkpoint = audit::open_checkpoint(note, keys);
  if (!checkpoint) return failure(checkpoint.error(), file);
  const auto entry = log.entry(number);
  if (!entry) return failure(entry.error());
  const auto inclusion = log.inclusion(number, checkpoint->tree.size);
  if (!inclusion) return failure(inclusion.error());
  return audit::EntryProof{entry->entry.json, number - 1, inclusion->path, note};
}

Checked<audit::EntryProof> prove_now(const AuditClient& log, std::uint64_t number) {
  auto entry = log.entry(number);
  if (!entry) return failure(entry.error());
  if (!entry->checkpoint) {
    const auto made = log.make_checkpoint();
    if (!made) return failure(made.error());
    entry = log.entry(number);
    if (!entry) return failure(entry.error());
  }
  if (!entry->checkpoint || !entry->inclusion)
    return failure(Error{ErrorCode::kBadResponse, "the daemon has no checkpoint with this entry"});
  return audit::EntryProof{entry->entry.json, number - 1, entry->inclusion->path, entry->checkpoint->note};
}

// A proof that does not hold is not handed out: whoever gets it would only find that out later.
Checked<ExitCode> prove(Context& context, const ProveArguments& arguments) {
  CHANCERY_ASSIGN(const std::uint64_t number, read_entry_number(arguments.number));
  const auto client = connect(context);
  if (!client) return client.error();
  const AuditClient log(*client);
  CHANCERY_ASSIGN(const std::vector<audit::NoteKey> keys, keys_of(context, log, arguments.keys));
  const auto proof = arguments.checkpoint.empty() ? prove_now(log, number)
                                                  : prove_in(log, number, arguments.checkpoint, keys);
  if (!proof) return proof.error();
  const auto checked = audit::check_entry_proof(*proof, keys);
  if (!checked) {
    Failure broken = failure(checked.error(), "entry " + arguments.number);
    broken.exit = ExitCode::kDenied;
    return broken;
  }
  std::string text = audit::write_entry_proof(*proof);
  text.pop_back();
  context.output.line(text);
  return ExitCode::kSuccess;
}

}  // namespace

void add_audit_proving(CLI::App& audit, Command& chosen) {
  const auto arguments = std::make_shared<ProveArguments>();
  CLI::App* command =
      audit.add_subcommand("prove", "A proof that an entry stands in the log, for others to check");
  command->add_option("NUMBER", arguments->number, "the entry, from 1")->required();
  command->add_option("--key", arguments->keys,
                      "the log's key that you keep, or a file with such (repeatable)");
  command->add_option("--checkpoint", arguments->checkpoint,
                      "a file with the checkpoint to prove it in; else the newest");
  command->footer(
      "The answer is a text in the format of C2SP tlog-proof with the entry in it; `chancery audit verify` checks it\n"
      "anywhere. It is checked before it is written.\n\n"
      "Example:\n  chancery audit prove 17 > entry.tlog-proof");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return prove(context, *arguments); };
  });
}

}  // namespace chancery::cli
