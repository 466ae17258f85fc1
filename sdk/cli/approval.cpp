// `chancery approval`: calls of tools that wait for a person, and what that person would approve.

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <utility>

#include <chancery/approval_client.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/approval_document.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/wire/approval_messages.hpp"

namespace chancery::cli {
namespace {

constexpr std::size_t kPage = 1000;

/// What people read of a document, in this order, besides tool, times, id, arguments and debits. With these it is all that
/// read_document() knows.
constexpr std::array<std::pair<std::string_view, const char*>, 15> kFields{{
    {"description", "description"},
    {"risk", "risk"},
    {"scope", "scope"},
    {"principal", "on behalf of"},
    {"agent", "agent"},
    {"client_id", "called"},
    {"key", "agent's key"},
    {"session_key", "session key"},
    {"token", "token"},
    {"credential", "credential"},
    {"audience", "audience"},
    {"uri", "address"},
    {"runtime", "asked by"},
    {"arguments_sha256", "args' SHA-256"},
    {"typ", "document"},
}};

std::string time_text(std::int64_t time) { return utc_text(static_cast<double>(time)); }

std::string text_of(const json::Value& value) {
  const auto text = value.string();
  return text ? std::string(*text) : json::to_jcs(value);
}

std::string times_text(const api::Approval& approval) {
  if (approval.ended_at) return approval.state + " " + time_text(*approval.ended_at);
  return approval.state + " until " + time_text(approval.expires_at);
}

// Each member on a line of its own, as JSON: what is text and what a number must not be guessed.
void show_members(Output& output, const json::Value* object, const char* title) {
  if (object == nullptr || object->members().empty()) return output.field(title, "none");
  output.line("  " + std::string(title));
  for (const json::Member& member : object->members())
    output.line("    " + printable(member.name) + " = " + printable(json::to_jcs(member.value)));
}

// Of what stands in the document nothing is taken from elsewhere: that is what would be approved.
void show_document(Output& output, const api::Approval& approval, const json::Value& root) {
  const auto time_of = [&](const char* name) { return time_text(*root.find(name)->integer()); };
  output.line(output.paint(Colour::kBold, printable(text_of(*root.find("tool")))) + "  " +
              printable(approval.state) + " until " + time_of("expires_at"));
  output.field("id", text_of(*root.find("id")));
  show_members(output, root.find("arguments"), "arguments");
  show_members(output, root.find("debits"), "would spend");
  for (const auto& [name, label] : kFields) {
    if (const json::Value* const value = root.find(name)) output.field(label, text_of(*value));
  }
  output.field("asked for", time_of("asked_at"));
  output.field("sha256", approval.sha256);
}

// There is nothing to approve in it any more.
void show_ended(Output& output, const api::Approval& approval) {
  output.line(output.paint(Colour::kBold, printable(approval.tool)) + "  " + printable(times_text(approval)));
  output.field("id", approval.id);
  output.field("on behalf of", approval.principal);
  output.field("agent's key", approval.key);
  output.field("asked for", time_text(approval.asked_at));
  output.field("sha256", approval.sha256);
  output.field("document", "kept only while the call waits");
}

Checked<ExitCode> show_as_json(Output& output, const api::Approval& approval) {
  if (!approval.document.empty()) {
    if (const Status checked = check_document(approval); !checked) return failure(checked.error());
  }
  output.document(wire::write(approval));
  return ExitCode::kSuccess;
}

Checked<ExitCode> show_approval(Output& output, const api::Approval& approval) {
  if (output.json()) return show_as_json(output, approval);
  if (approval.ended_at) {
    show_ended(output, approval);
    return ExitCode::kSuccess;
  }
  const auto document = read_document(approval);
  if (!document) return failure(document.error());
  show_document(output, approval, document->root());
  return ExitCode::kSuccess;
}

using Asked = ClientResult<api::Approval>;

Checked<ExitCode> show_answer(Context& context, const std::string& id, const Asked& approval) {
  if (!approval) return failure(approval.error());
  if (approval->id != id)
    return failure(
        Error{ErrorCode::kBadResponse, "the daemon answered with another call than was asked for"});
  return show_approval(context.output, *approval);
}

Checked<ExitCode> show(Context& context, const std::string& id) {
  const auto client = connect(context);
  if (!client) return client.error();
  return show_answer(context, id, ApprovalClient(*client).approval(id));
}

Checked<ExitCode> cancel(Context& context, const std::string& id) {
  const auto client = connect(context);
  if (!client) return client.error();
  return show_answer(context, id, ApprovalClient(*client).cancel(id));
}

Checked<std::vector<api::Approval>> all_approvals(const Context& context, const std::string& state) {
  const auto client = connect(context);
  if (!client) return client.error();
  std::vector<api::Approval> out;
  api::ApprovalQuery query{state, {}, kPage};
  do {
    auto page = ApprovalClient(*client).approvals(query);
    if (!page) return failure(page.error());
    out.insert(out.end(), std::make_move_iterator(page->approvals.begin()),
               std::make_move_iterator(page->approvals.end()));
    query.after = page->next;
  } while (!query.after.empty());
  return out;
}

Checked<ExitCode> list(Context& context, const std::string& state) {
  CHANCERY_ASSIGN(std::vector<api::Approval> approvals, all_approvals(context, state == "all" ? "" : state));
  if (context.output.json()) {
    context.output.document(wire::write(api::ApprovalPage{std::move(approvals), {}}));
    return ExitCode::kSuccess;
  }
  if (approvals.empty())
    context.output.line(state == "pending" ? "No call waits for an approval." : "There are none.");
  for (const api::Approval& approval : approvals) {
    context.output.line(printable(approval.id) + "  " + printable(approval.tool) + "  for " +
                        printable(approval.principal) + "  " + printable(times_text(approval)));
  }
  return ExitCode::kSuccess;
}

void add_one(CLI::App& group, Command& chosen, const char* name, const char* help,
             Checked<ExitCode> (*run)(Context& context, const std::string& id)) {
  const auto id = std::make_shared<std::string>();
  CLI::App* command = group.add_subcommand(name, help);
  command->add_option("ID", *id, "the approval's id, as `chancery approval list` shows it")->required();
  command->callback(
      [id, run, &chosen] { chosen = [id, run](Context& context) { return run(context, *id); }; });
}

}  // namespace

void add_approval(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("approval", "Calls of tools that wait for a person (operator)");
  group->require_subcommand(1);
  const auto state = std::make_shared<std::string>("pending");
  CLI::App* all =
      group->add_subcommand("list", "List the calls that wait, the first that was asked for first");
  all->add_option("--state", *state, "pending (default), cancelled, expired or all")
      ->check(CLI::IsMember({"pending", "cancelled", "expired", "all"}));
  all->callback([state, &chosen] { chosen = [state](Context& context) { return list(context, *state); }; });
  add_one(*group, chosen, "show",
          "Show what would be approved, and its SHA-256; once it has ended, what became of it", show);
  add_one(*group, chosen, "cancel", "End a call that waits: it can be approved no more", cancel);
}

}  // namespace chancery::cli
