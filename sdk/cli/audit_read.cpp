#include <chrono>
#include <memory>
#include <thread>

#include <chancery/audit_client.hpp>

#include "sdk/audit/merkle.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/cli/audit_commands.hpp"
#include "sdk/cli/json_text.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/audit_messages.hpp"

namespace chancery::cli {
namespace {

struct TailArguments {
  std::size_t count = 20;
  std::string ref;
  bool follow = false;
};

Checked<void> show_page(Output& output, const api::AuditPage& page) {
  for (const api::AuditEntry& entry : page.entries) {
    if (output.json()) {
      output.document(json::to_jcs(
          json::Node::object({{"entry", json::Node::canonical(entry.json)}, {"sequence", entry.number}})));
      continue;
    }
    CHANCERY_ASSIGN(const audit::Entry read, read_entry(entry));
    output.line(entry_line(read));
  }
  return {};
}

// Until the daemon is gone, or whoever follows has seen enough.
Checked<ExitCode> follow(Context& context, const AuditClient& client, api::AuditQuery query) {
  constexpr std::chrono::seconds kPause{1};
  for (;;) {
    const auto page = client.entries(query);
    if (!page) return failure(page.error());
    CHANCERY_TRY(show_page(context.output, *page));
    if (!context.output.flush()) return ExitCode::kUndecided;
    if (!page->entries.empty()) query.after = page->entries.back().number;
    if (page->entries.size() < query.limit) std::this_thread::sleep_for(kPause);
  }
}

Checked<ExitCode> tail(Context& context, const TailArguments& arguments) {
  const auto client = connect(context);
  if (!client) return client.error();
  const AuditClient log(*client);
  const auto page = log.entries({.limit = arguments.count, .ref = arguments.ref, .is_tail = true});
  if (!page) return failure(page.error());
  CHANCERY_TRY(show_page(context.output, *page));
  if (!arguments.follow) return ExitCode::kSuccess;
  const std::uint64_t after = page->entries.empty() ? page->size : page->entries.back().number;
  return follow(context, log, {.after = after, .limit = 1000, .ref = arguments.ref});
}

std::string place_of(const api::ProvedAuditEntry& proved) {
  if (!proved.checkpoint) return "in no checkpoint yet";
  return "in the checkpoint of " + std::to_string(proved.checkpoint->size) + " entries";
}

Checked<ExitCode> show(Context& context, const std::string& number) {
  CHANCERY_ASSIGN(const std::uint64_t wanted, read_entry_number(number));
  const auto client = connect(context);
  if (!client) return client.error();
  const auto proved = AuditClient(*client).entry(wanted);
  if (!proved) return failure(proved.error());
  if (context.output.json()) {
    context.output.document(wire::write(*proved));
    return ExitCode::kSuccess;
  }
  CHANCERY_ASSIGN(const audit::Entry entry, read_entry(proved->entry));
  context.output.line(context.output.paint(Colour::kBold, "entry " + number));
  context.output.lines(indented_json(entry.value()), "  ");
  context.output.field("leaf", hex_encode(audit::leaf_hash(as_bytes(proved->entry.json))));
  context.output.field("proved", place_of(*proved));
  return ExitCode::kSuccess;
}

void add_tail(CLI::App& audit, Command& chosen) {
  const auto arguments = std::make_shared<TailArguments>();
  CLI::App* command = audit.add_subcommand("tail", "The log's last entries");
  command->add_option("-n,--lines", arguments->count, "how many, 1 to 1000 (20)")->check(CLI::Range(1, 1000));
  command->add_option("--ref", arguments->ref,
                      "only those that name this token, decision, request, key, agent, principal or task");
  command->add_flag("-f,--follow", arguments->follow, "go on with what is added");
  command->footer("Example:\n  chancery audit tail --ref user:alice@example.org");
  command->callback(
      [arguments, &chosen] { chosen = [arguments](Context& context) { return tail(context, *arguments); }; });
}

void add_show(CLI::App& audit, Command& chosen) {
  const auto number = std::make_shared<std::string>();
  CLI::App* command = audit.add_subcommand("show", "One entry as it stands in the log");
  command->add_option("NUMBER", *number, "the entry, from 1")->required();
  command->callback(
      [number, &chosen] { chosen = [number](Context& context) { return show(context, *number); }; });
}

}  // namespace

void add_audit_reading(CLI::App& audit, Command& chosen) {
  add_tail(audit, chosen);
  add_show(audit, chosen);
}

}  // namespace chancery::cli
