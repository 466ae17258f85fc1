// `chancery approval`: what waits for a person, and what that person would approve.

#include <iterator>
#include <memory>
#include <utility>

#include <chancery/approval_client.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/approval_document.hpp"
#include "sdk/cli/approval_text.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/wire/approval_messages.hpp"

namespace chancery::cli {
namespace {

constexpr std::size_t kPage = 1000;

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
  show_request(output, approval, document->root());
  return ExitCode::kSuccess;
}

using Asked = ClientResult<api::Approval>;

Checked<ExitCode> show_answer(Context& context, const std::string& id, const Asked& approval) {
  if (!approval) return failure(approval.error());
  if (approval->id != id)
    return failure(
        Error{ErrorCode::kBadResponse, "the daemon answered with another request than was asked for"});
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

// What tells one from another among many; the document says it exactly.
std::string outline_of(const api::Approval& approval) {
  std::string out;
  for (const auto& [name, amount] : approval.amounts) out += "  " + name + " " + amount;
  return approval.risk.empty() ? out : out + "  " + approval.risk + " risk";
}

Checked<ExitCode> list(Context& context, const std::string& state) {
  CHANCERY_ASSIGN(std::vector<api::Approval> approvals, all_approvals(context, state == "all" ? "" : state));
  if (context.output.json()) {
    context.output.document(wire::write(api::ApprovalPage{std::move(approvals), {}}));
    return ExitCode::kSuccess;
  }
  if (approvals.empty())
    context.output.line(state == "pending" ? "Nothing waits for an approval." : "There are none.");
  for (const api::Approval& approval : approvals) {
    context.output.line(printable(approval.id) + "  " + printable(approval.tool) + "  for " +
                        printable(approval.principal) + "  " + printable(times_text(approval)) +
                        printable(outline_of(approval)));
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
  CLI::App* group = app.add_subcommand("approval", "What waits for a person (operator, approver)");
  group->require_subcommand(1);
  const auto state = std::make_shared<std::string>("pending");
  CLI::App* all = group->add_subcommand("list", "List what waits, the first that was asked for first");
  all->add_option("--state", *state,
                  "pending (default), approved, denied, cancelled, expired, used, lapsed or all")
      ->check(
          CLI::IsMember({"pending", "approved", "denied", "cancelled", "expired", "used", "lapsed", "all"}));
  all->callback([state, &chosen] { chosen = [state](Context& context) { return list(context, *state); }; });
  add_one(*group, chosen, "show",
          "Show what would be approved, and its SHA-256; once it has ended, what became of it", show);
  add_one(*group, chosen, "cancel", "End what waits: it can be approved no more", cancel);
}

}  // namespace chancery::cli
