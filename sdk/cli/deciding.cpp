// `chancery approve` and `chancery deny`: what an approver says about a request, signed over what was shown.

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <chancery/approval_client.hpp>
#include <chancery/approval_decision.hpp>

#include "sdk/cli/approval_document.hpp"
#include "sdk/cli/approval_text.hpp"
#include "sdk/cli/approver_commands.hpp"
#include "sdk/cli/approver_identity.hpp"
#include "sdk/cli/confirmation.hpp"
#include "sdk/cli/pinned_gate.hpp"
#include "sdk/wire/approval_messages.hpp"

namespace chancery::cli {
namespace {

struct DecideArguments {
  ApprovalVerdict verdict = ApprovalVerdict::kDeny;
  std::string id;
  std::string reason;
  std::string sha256;  ///< of what was looked at before; empty: not said
  ApproverOptions approver{};
  bool is_confirmed = false;
};

/// A request as the daemon gave it, with its document read.
struct Request {
  api::Approval approval;
  json::Document document;

  [[nodiscard]] const json::Value& root() const noexcept { return document.root(); }
  [[nodiscard]] bool is_grant() const { return root().find("unsigned_token") != nullptr; }
};

Checked<Request> request_of(const Client& client, const DecideArguments& arguments) {
  auto approval = ApprovalClient(client).approval(arguments.id);
  if (!approval) return failure(approval.error());
  if (approval->id != arguments.id)
    return failure(
        Error{ErrorCode::kBadResponse, "the daemon answered with another request than was asked for"});
  if (approval->state != "pending")
    return failure(Error{ErrorCode::kConflict,
                         "this request waits for nobody any more: `chancery approval show` tells "
                         "what became of it"},
                   approval->state);
  if (!arguments.sha256.empty() && approval->sha256 != arguments.sha256)
    return failure(
        Error{ErrorCode::kConflict, "the request's document is another than the one that --sha256 names"});
  auto document = read_document(*approval);
  if (!document) return failure(document.error());
  return Request{*std::move(approval), *std::move(document)};
}

bool is_tpm_enforced(const api::Approval& approval, std::string_view gate) {
  return std::ranges::any_of(approval.gates, [&](const api::ApprovalGate& known) {
    return known.name == gate && known.enforcement == api::kTpmEnforced;
  });
}

// The gate whose key takes a signature of its own, which an approval alone does. What was pinned counts, and not what the daemon says of it now.
Checked<std::optional<PinnedGate>> gate_to_sign_for(const Request& request, const std::string& issuer,
                                                    ApprovalVerdict verdict) {
  std::optional<PinnedGate> found;
  if (!request.is_grant() || verdict != ApprovalVerdict::kApprove) return found;
  for (const json::Value& item : request.root().find("gates")->items()) {
    const std::string name(*item.find("gate")->string());
    CHANCERY_ASSIGN(std::optional<PinnedGate> pinned, pinned_gate(issuer, name));
    if (!pinned && is_tpm_enforced(request.approval, name))
      return misuse(name + ": a TPM enforces this gate: look at who opens it by `chancery gate pin " + name +
                    "` first");
    if (pinned && found)
      return misuse("the grant is behind two gates that a TPM enforces: no key can sign for both");
    if (pinned) found = std::move(pinned);
  }
  return found;
}

// A clock that is a little behind must not say that it was decided before it was asked for.
std::chrono::sys_seconds decided_at(const Request& request, std::chrono::sys_seconds now) {
  const std::chrono::seconds asked(*request.root().find("asked_at")->integer());
  return std::max(now, std::chrono::sys_seconds(asked));
}

Checked<std::string> sign_decision(const ApproverIdentity& approver, const Request& request,
                                   const DecideArguments& arguments, std::chrono::sys_seconds now) {
  const PublicKey& key = approver.key.holder().public_key();
  ApprovalDecision decision;
  decision.approver = approver.principal;
  decision.request = request.approval.id;
  decision.request_sha256 = request.approval.sha256;
  decision.reason = arguments.reason;
  decision.verdict = arguments.verdict;
  decision.issued_at = decided_at(request, now);
  decision.key = key.thumbprint();
  const std::string input = approval_decision_input(decision, key.algorithm());
  const auto signature = approver.key.holder().sign(as_bytes(input));
  if (!signature) return failure(signature.error(), "the approver's key");
  std::string jws = signed_by_key(input, *signature);
  // What the daemon would refuse is refused here, before anything is sent.
  const auto read = read_approval_decision(jws);
  if (!read) return failure(read.error());
  return jws;
}

Checked<api::DecideApproval> sign_all(const ApproverIdentity& approver, const Request& request,
                                      const DecideArguments& arguments, const std::optional<PinnedGate>& gate,
                                      std::chrono::sys_seconds now) {
  api::DecideApproval out;
  CHANCERY_ASSIGN(out.decision, sign_decision(approver, request, arguments, now));
  if (!gate) return out;
  const auto token = read_unsigned_token(request.root());
  if (!token) return failure(token.error());
  CHANCERY_ASSIGN(out.policy_signature, sign_for_gate(approver, *gate, *token));
  return out;
}

void show(Output& output, const api::DecidedApproval& decided) {
  if (output.json()) return output.document(wire::write(decided));
  output.field("request", decided.id);
  output.field("state", decided.state == "pending" ? "pending: others are needed too" : decided.state);
  output.field("enforcement", decided.enforcement);
}

std::string question_of(const DecideArguments& arguments, const ApproverIdentity& approver) {
  const char* const word = arguments.verdict == ApprovalVerdict::kApprove ? "Approve" : "Deny";
  return std::string(word) + " this as " + approver.principal;
}

Checked<std::string> issuer_of(const Client& client) {
  const auto metadata = client.metadata();
  if (!metadata) return failure(metadata.error());
  return metadata->issuer;
}

// With JSON it is a program that decides, and it has looked at the document before, or nobody has.
Checked<void> check_arguments(const DecideArguments& arguments, bool is_json) {
  if (!is_decision_reason(arguments.reason))
    return misuse("--reason is one line of at most 512 octets, without control characters");
  if (arguments.is_confirmed && arguments.sha256.empty() && arguments.verdict == ApprovalVerdict::kApprove)
    return misuse(
        "--yes approves what nobody looks at now: give --sha256, the hash of the document that was looked at");
  if (is_json && arguments.sha256.empty())
    return misuse(
        "with --format json nothing is shown: give --sha256, the hash of the document that was looked at");
  return {};
}

Checked<ExitCode> decide(Context& context, const DecideArguments& arguments) {
  CHANCERY_TRY(check_arguments(arguments, context.output.json()));
  CHANCERY_ASSIGN(const ApproverIdentity approver, approver_of(arguments.approver));
  CHANCERY_ASSIGN(const Client client, connect(context));
  CHANCERY_ASSIGN(const Request request, request_of(client, arguments));
  CHANCERY_ASSIGN(const std::string issuer, issuer_of(client));
  CHANCERY_ASSIGN(const std::optional<PinnedGate> gate, gate_to_sign_for(request, issuer, arguments.verdict));
  if (!context.output.json()) show_request(context.output, request.approval, request.root());
  if (gate && !gate->evidence)
    context.output.note(gate->policy.gate +
                        ": pinned without evidence, so that its key is in a TPM is the daemon's word");
  CHANCERY_TRY(confirm(context.output, question_of(arguments, approver), arguments.is_confirmed));
  CHANCERY_ASSIGN(const api::DecideApproval message,
                  sign_all(approver, request, arguments, gate, context.now));
  const auto decided = ApprovalClient(client).decide(request.approval.id, message);
  if (!decided) return failure(decided.error());
  show(context.output, *decided);
  return ExitCode::kSuccess;
}

CLI::App* add_verdict(CLI::App& app, Command& chosen, ApprovalVerdict verdict, const char* help) {
  const auto arguments = std::make_shared<DecideArguments>();
  arguments->verdict = verdict;
  CLI::App* command = app.add_subcommand(std::string(verdict_name(verdict)), help);
  command->add_option("ID", arguments->id, "the request's id, as `chancery approval list` shows it")
      ->required();
  command->add_option("--reason", arguments->reason, "why, for whoever asked and the audit log; one line");
  command->add_option("--sha256", arguments->sha256,
                      "decide about this document alone: what was shown before");
  add_approver_options(*command, arguments->approver);
  command->add_flag("--yes", arguments->is_confirmed, "do not ask, for scripts; to approve, with --sha256");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return decide(context, *arguments); };
  });
  return command;
}

}  // namespace

void add_deciding(CLI::App& app, Command& chosen) {
  add_verdict(app, chosen, ApprovalVerdict::kApprove,
              "Approve what waits for a person, by your own key (approver)")
      ->footer(
          "The request is shown whole, and what is signed is the hash of what was shown. If anything in it is not known to\n"
          "this program, nothing is shown, and nothing signed.\n\n"
          "Example:\n  chancery approve 5f3c1a9be0d244775f3c1a9be0d24477");
  add_verdict(app, chosen, ApprovalVerdict::kDeny, "Deny what waits for a person, by your own key (approver)")
      ->footer(
          "One denial is enough.\n\n"
          "Example:\n  chancery deny 5f3c1a9be0d244775f3c1a9be0d24477 --reason \"the invoice was paid already\"");
}

}  // namespace chancery::cli
