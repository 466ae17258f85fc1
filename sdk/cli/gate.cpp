// `chancery gate`: what waits for a person, who opens it, and what an approver keeps of a gate that a TPM enforces.

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <chancery/approval_client.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/cli/approver_commands.hpp"
#include "sdk/cli/confirmation.hpp"
#include "sdk/cli/gate_evidence.hpp"
#include "sdk/cli/pinned_gate.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/approver_messages.hpp"

namespace chancery::cli {
namespace {

std::string duration_text(std::int64_t seconds) { return std::to_string(seconds) + " s"; }

std::string when_text(const api::Gate& gate) {
  if (gate.when == "above") return gate.parameter + " is above " + gate.above + ", or no number";
  if (gate.when == "first_time") return "a value of " + gate.parameter + " is new";
  return gate.when == "outside_hours" ? "outside " + gate.hours : gate.when;
}

/// Of one gate; nothing when it is not pinned, and why not when the pin cannot be read.
using Pin = Checked<std::optional<PinnedGate>>;

bool is_unreadable(const Pin& pin) { return !pin && pin.error().code == error_name(ErrorCode::kMalformed); }

std::string pin_text(const api::Gate& gate, const Pin& found) {
  if (!found)
    return printable(found.error().message) +
           (is_unreadable(found) ? ": `chancery gate pin --replace` pins it anew" : "");
  const std::optional<PinnedGate>& pin = *found;
  if (!pin) return "no: `chancery gate pin` does it";
  if (!gate.key_name.empty() && gate.key_name != hex_encode(pin->key.name))
    return "with another key: of other approvers, or of before";
  return "evidence: " + evidence_text(pin->evidence);
}

void show(Output& output, const api::Gate& gate, const Pin& pin) {
  output.line(output.paint(Colour::kBold, printable(gate.name)) + "  " + printable(gate.enforcement));
  if (!gate.scopes.empty()) output.field("scopes", joined(gate.scopes));
  if (!gate.tools.empty()) output.field("tools", joined(gate.tools));
  output.field("closed", when_text(gate));
  output.field("opened by", joined(gate.approvers));
  output.field("quorum", std::to_string(gate.quorum) + ", separation " + gate.separation);
  output.field("waits", duration_text(gate.wait_s));
  output.field("good for", duration_text(gate.lifetime_s));
  if (!gate.key_name.empty()) output.field("key's Name", gate.key_name);
  if (gate.enforcement == api::kTpmEnforced) output.field("pinned", pin_text(gate, pin));
}

/// What this user has pinned of these gates. A pin that cannot be read hides no other.
Checked<std::vector<Pin>> pins_of(const Client& client, const api::GateList& gates) {
  const auto metadata = client.metadata();
  if (!metadata) return failure(metadata.error());
  std::vector<Pin> pins;
  for (const api::Gate& gate : gates.gates) pins.push_back(pinned_gate(metadata->issuer, gate.name));
  return pins;
}

json::Node pin_node(const api::Gate& gate, const Pin& pin) {
  if (!pin) return json::Node::object({{"gate", gate.name}, {"error", pin.error().code}});
  return json::Node::object({{"gate", gate.name},
                             {"key_name", hex_encode((*pin)->key.name)},
                             {"evidence", evidence_node((*pin)->evidence)}});
}

// The daemon's answer as it is, and this user's pins beside it.
std::string list_json(const api::GateList& gates, const std::vector<Pin>& pins) {
  json::Node own = json::Node::array();
  for (std::size_t i = 0; i < pins.size(); ++i) {
    if (!pins[i] || *pins[i]) own.push_back(pin_node(gates.gates[i], pins[i]));
  }
  const auto document = json::Document::parse(wire::write(gates));
  return json::to_jcs(json::Node::object(
      {{"gates", json::Node::copy(*document->root().find("gates"))}, {"pins", std::move(own)}}));
}

Checked<api::GateList> all_gates(const Client& client) {
  auto gates = ApprovalClient(client).gates();
  if (!gates) return failure(gates.error());
  return *std::move(gates);
}

Checked<ExitCode> list(Context& context) {
  CHANCERY_ASSIGN(const Client client, connect(context));
  CHANCERY_ASSIGN(const api::GateList gates, all_gates(client));
  CHANCERY_ASSIGN(const auto pins, pins_of(client, gates));
  if (context.output.json()) {
    context.output.document(list_json(gates, pins));
    return ExitCode::kSuccess;
  }
  if (gates.gates.empty())
    context.output.line("There are no gates: nothing but a tool's own declaration waits.");
  for (std::size_t i = 0; i < pins.size(); ++i) show(context.output, gates.gates[i], pins[i]);
  return ExitCode::kSuccess;
}

// --- pin

struct PinArguments {
  std::string gate;
  ApproverOptions approver{};
  EvidenceOptions evidence{};
  bool replace = false;
  bool is_confirmed = false;
};

Checked<api::Gate> gate_named(const Client& client, const std::string& name) {
  CHANCERY_ASSIGN(const api::GateList gates, all_gates(client));
  const auto gate = std::ranges::find(gates.gates, name, &api::Gate::name);
  if (gate != gates.gates.end()) return *gate;
  return failure(Error{ErrorCode::kNotFound, "no such gate: `chancery gate list` shows those that there are"},
                 name);
}

Checked<api::ApproverList> all_approvers(const Client& client) {
  auto approvers = ApprovalClient(client).approvers();
  if (!approvers) return failure(approvers.error());
  return *std::move(approvers);
}

// The daemon's list of approvers, its gate, and what follows from both: they must fit.
Checked<PinnedGate> pin_of(const Client& client, const api::Gate& gate, const api::ApproverList& approvers) {
  const std::string& name = gate.name;
  const auto metadata = client.metadata();
  if (!metadata) return failure(metadata.error());
  CHANCERY_ASSIGN(attest::GatePolicy policy, policy_of(gate, approvers.approvers));
  if (gate.key.empty())
    return failure(Error{ErrorCode::kNotFound, "the gate has no key yet: ask for a grant behind it first"},
                   name);
  const auto key = parse_jwk(gate.key);
  if (!key) return failure(key.error(), name + ": its key");
  auto pin = gate_behind(metadata->issuer, std::move(policy), *key);
  if (!pin) return failure(pin.error(), name);
  if (hex_encode(pin->key.name) == gate.key_name) return *std::move(pin);
  return failure(
      Error{ErrorCode::kBadResponse,
            "the gate's key is not behind the signatures of these approvers: it was made for others, for "
            "another quorum, or is no gated key"},
      name);
}

// By the daemon's word.
std::string owner_of(const std::string& jkt, const api::ApproverList& approvers) {
  for (const api::Approver& approver : approvers.approvers) {
    if (std::ranges::find(approver.keys, jkt, &api::ApproverKey::jkt) != approver.keys.end())
      return approver.principal;
  }
  return {};
}

std::string pin_json(const PinnedGate& pin) {
  json::Node keys = json::Node::array();
  for (const PublicKey& key : pin.policy.approvers) keys.push_back(key.thumbprint().text());
  return json::to_jcs(json::Node::object({{"issuer", pin.issuer},
                                          {"gate", pin.policy.gate},
                                          {"quorum", pin.policy.quorum},
                                          {"approvers", std::move(keys)},
                                          {"jkt", pin.key.key.thumbprint().text()},
                                          {"key_name", hex_encode(pin.key.name)},
                                          {"evidence", evidence_node(pin.evidence)}}));
}

// From the pin, since that is what is agreed to; the names stand beside for who compares.
void show_pin(Output& output, const PinnedGate& pin, const PublicKey& own,
              const api::ApproverList& approvers) {
  if (output.json()) return output.document(pin_json(pin));
  output.line(output.paint(Colour::kBold, printable(pin.policy.gate)) + "  of " + printable(pin.issuer));
  output.field("quorum",
               std::to_string(pin.policy.quorum) + " of " + std::to_string(pin.policy.approvers.size()));
  for (const PublicKey& key : pin.policy.approvers) {
    const std::string jkt = key.thumbprint().text();
    output.field("opened by", jkt + (key == own ? "  yours" : "  said to be of " + owner_of(jkt, approvers)));
  }
  output.field("key", pin.key.key.thumbprint().text());
  output.field("key's Name", hex_encode(pin.key.name));
  output.field("evidence", evidence_text(pin.evidence));
}

/// The same gate as it was pinned before; nothing when it was not, or another key may take its place, or that of a pin which says nothing.
Checked<std::optional<PinnedGate>> pinned_before(const PinnedGate& pin, bool may_replace) {
  Pin found = pinned_gate(pin.issuer, pin.policy.gate);
  if (is_unreadable(found) && may_replace) return std::optional<PinnedGate>();
  CHANCERY_ASSIGN(std::optional<PinnedGate> before, std::move(found));
  if (!before || before->key.name == pin.key.name) return before;
  if (may_replace) return std::optional<PinnedGate>();
  return failure(
      Error{ErrorCode::kConflict,
            "the gate was pinned with another key or other approvers: find out who changed it, then give "
            "--replace"},
      pin.policy.gate);
}

// What was proved before stays proved: the daemon's word takes nothing from it.
Checked<std::optional<GateEvidence>> evidence_for(const Client& client, const api::Gate& gate,
                                                  const PinnedGate& pin, const PinArguments& arguments,
                                                  std::chrono::sys_seconds now) {
  if (arguments.evidence.is_waived) return pin.evidence;
  CHANCERY_ASSIGN(GateEvidence proved, prove_gate(client, gate.key_backend, pin, arguments.evidence, now));
  return std::optional(std::move(proved));
}

Checked<ExitCode> pin(Context& context, const PinArguments& arguments) {
  CHANCERY_TRY(check_evidence_options(arguments.evidence));
  CHANCERY_ASSIGN(const ApproverIdentity approver, approver_of(arguments.approver));
  CHANCERY_ASSIGN(const Client client, connect(context));
  CHANCERY_ASSIGN(const api::ApproverList approvers, all_approvers(client));
  CHANCERY_ASSIGN(const api::Gate gate, gate_named(client, arguments.gate));
  CHANCERY_ASSIGN(PinnedGate found, pin_of(client, gate, approvers));
  const PublicKey& own = approver.key.holder().public_key();
  if (std::ranges::find(found.policy.approvers, own) == found.policy.approvers.end())
    return misuse(arguments.gate +
                  ": your key does not open this gate: of a person with several the last one does");
  CHANCERY_ASSIGN(const std::optional<PinnedGate> before, pinned_before(found, arguments.replace));
  if (before) found.evidence = before->evidence;
  CHANCERY_ASSIGN(found.evidence, evidence_for(client, gate, found, arguments, context.now));
  show_pin(context.output, found, own, approvers);
  if (before) {
    context.output.note("the gate is pinned already, with this key and these approvers");
    CHANCERY_TRY(pin_gate(found));
    return ExitCode::kSuccess;
  }
  CHANCERY_TRY(confirm(context.output, "Are these the approvers, by their own word", arguments.is_confirmed));
  CHANCERY_TRY(pin_gate(found));
  return ExitCode::kSuccess;
}

}  // namespace

void add_gate(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("gate", "What waits for a person, and who opens it");
  group->require_subcommand(1);
  group->add_subcommand("list", "List the gates, as they are configured (operator, approver)")
      ->callback([&chosen] { chosen = list; });
  const auto arguments = std::make_shared<PinArguments>();
  CLI::App* command =
      group->add_subcommand("pin", "Keep who opens a gate that a TPM enforces, and its key (approver)");
  command->add_option("GATE", arguments->gate, "its name, as `chancery gate list` shows it")->required();
  command->add_flag("--replace", arguments->replace, "in place of another key or other approvers");
  add_evidence_options(*command, arguments->evidence);
  add_approver_options(*command, arguments->approver);
  command->add_flag("--yes", arguments->is_confirmed, "do not ask");
  command->footer(
      "What `chancery approve` signs for the gate is computed from this, and from the grant's own octets: a daemon that\n"
      "names another key later gets no signature for it. Compare the thumbprints with the approvers themselves. The TPM\n"
      "itself proves that it made the key and that these approvers alone open it; whose TPMs count is for you to say.\n\n"
      "Example:\n  chancery gate pin production-grants --ek-roots tpm-vendors.pem");
  command->callback(
      [arguments, &chosen] { chosen = [arguments](Context& context) { return pin(context, *arguments); }; });
}

}  // namespace chancery::cli
