// What the commands around the audit log have in common.

#include <charconv>

#include "sdk/base/printable.hpp"
#include "sdk/cli/audit_commands.hpp"
#include "sdk/cli/files.hpp"

namespace chancery::cli {
namespace {

constexpr std::size_t kLongestKeyFile = 64 * 1024;
constexpr std::size_t kShownId = 16;

// Tokens and keys are told apart by their beginning; `audit show` has them whole.
std::string shortened(std::string_view id) {
  return id.size() <= 2 * kShownId ? std::string(id) : std::string(id.substr(0, kShownId)) + "…";
}

std::string who(const audit::Entry& entry) {
  if (!entry.caller("client_id").empty()) return std::string(entry.caller("client_id"));
  const std::int64_t uid = entry.caller_number("uid");
  return uid < 0 ? "chanceryd" : "uid " + std::to_string(uid);
}

void append(std::string& line, std::string_view name, std::string_view value) {
  if (!value.empty()) line.append("  ").append(name).append(" ").append(value);
}

}  // namespace

Checked<std::vector<audit::NoteKey>> read_note_keys(const std::vector<std::string>& arguments) {
  std::vector<audit::NoteKey> keys;
  for (const std::string& argument : arguments) {
    std::string text = argument;
    if (is_input(argument)) {
      CHANCERY_ASSIGN(text, read_input(argument, kLongestKeyFile));
    }
    std::string_view rest = text;
    while (!trimmed(rest).empty()) {
      rest = trimmed(rest);
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const auto key = audit::parse_verifier_key(trimmed(rest.substr(0, end)));
      if (!key) return failure(key.error(), "--key " + argument);
      keys.push_back(*key);
      rest.remove_prefix(end);
    }
  }
  return keys;
}

Checked<audit::Entry> read_entry(const api::AuditEntry& entry) {
  auto read = audit::Entry::parse(entry.number, entry.json);
  if (!read) return failure(Error{ErrorCode::kBadResponse, "the daemon sent an entry that is none"});
  return *std::move(read);
}

std::string entry_line(const audit::Entry& entry) {
  std::string line = std::to_string(entry.sequence()) + "  " +
                     utc_text(static_cast<double>(entry.at().time_since_epoch().count()));
  line.append("  ").append(entry.action());
  if (!entry.outcome().empty() && entry.outcome() != "done") line.append("  ").append(entry.outcome());
  append(line, "by", who(entry));
  append(line, "for", entry.text("principal"));
  append(line, "agent", entry.text("agent"));
  for (const auto& [kind, id] : entry.ids()) append(line, kind, shortened(id));
  append(line, "task", entry.text("task"));
  return printable(line);
}

Checked<std::uint64_t> read_entry_number(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0)
    return misuse(text + ": entries are numbered from 1");
  return number;
}

}  // namespace chancery::cli
