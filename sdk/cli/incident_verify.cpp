#include <memory>
#include <utility>

#include <chancery/trust.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/audit_commands.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/cli/incident_commands.hpp"
#include "sdk/cli/key_set_input.hpp"
#include "sdk/cli/trust_file.hpp"
#include "sdk/incident/records.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::cli {
namespace {

using incident::Bundle;
using incident::Evidence;
using incident::Finding;
using incident::Report;
using json::Node;
using wire::array_of;

struct VerifyArguments {
  std::string file;
  std::vector<std::string> keys;
  std::vector<std::string> trust;
};

// --- for programs

Node finding_node(const Finding& finding) {
  Node node = Node::object({{"fault", incident::fault_name(finding.fault)}, {"meaning", finding.what}});
  if (!finding.subject.empty()) node.set("subject", finding.subject);
  return node;
}

std::string to_json(const Bundle& bundle, const Report& report) {
  const Evidence& evidence = bundle.evidence;
  Node node = Node::object({{"sound", report.is_sound()},
                            {"agent", evidence.agent},
                            {"opened_at", evidence.opened_at},
                            {"origin", evidence.log},
                            {"signed_to", report.signed_to},
                            {"sha256", bundle.digest},
                            {"entries", report.entries},
                            {"tokens", report.tokens},
                            {"chains", report.chains},
                            {"unverified_chains", report.unverified_chains},
                            {"decisions", report.decisions},
                            {"unlogged_decisions", report.unlogged_decisions},
                            {"receipts", report.receipts},
                            {"unlogged_receipts", report.unlogged_receipts},
                            {"attestation_results", report.results},
                            {"unverified_attestation_results", report.unverified_results},
                            {"damaged", evidence.damaged},
                            {"frozen", evidence.frozen.has_value()},
                            {"revoked", evidence.revoked.has_value()}});
  node.set("cut", array_of(evidence.cut, [](const std::string& what) { return Node(what); }));
  node.set("reached", array_of(evidence.reached, incident::reach_node));
  node.set("found", array_of(report.findings, finding_node));
  return json::to_jcs(node);
}

// --- for people

std::string counted(std::uint64_t good, const char* what, std::uint64_t open, const char* why) {
  std::string text = std::to_string(good) + " " + what;
  if (open > 0) text += ", " + std::to_string(open) + " " + why;
  return text;
}

std::string reach_text(const incident::Reach& reach) {
  std::string text = reach.kind + " " + reach.name;
  if (!reach.scope.empty()) text += " (" + reach.scope + ")";
  text += ": " + std::to_string(reach.count) + (reach.count == 1 ? " time" : " times");
  return text + ", last " + utc_text(static_cast<double>(reach.last_at));
}

void show_findings(Output& output, const Report& report) {
  constexpr std::size_t kMostShown = 20;
  std::size_t shown = 0;
  for (const Finding& finding : report.findings) {
    if (shown++ == kMostShown) {
      output.field("and",
                   std::to_string(report.findings.size() - kMostShown) + " more: --format json shows all");
      return;
    }
    const std::string subject = finding.subject.empty() ? "" : finding.subject + ": ";
    output.field(incident::fault_name(finding.fault), subject + finding.what);
  }
}

void show_state(Output& output, const Evidence& evidence) {
  output.field("agent", evidence.agent + " (" + evidence.agent_id + ")");
  output.field("opened", utc_text(static_cast<double>(evidence.opened_at)));
  if (!evidence.reason.empty()) output.field("reason", evidence.reason);
  output.field("frozen", evidence.frozen ? "since " + utc_text(static_cast<double>(evidence.frozen->since)) +
                                               ", by " + evidence.frozen->enforcement
                                         : std::string("no"));
  output.field("revoked", evidence.revoked ? "by act " + std::to_string(*evidence.revoked)
                                           : std::string("not when it was opened"));
}

void show_counts(Output& output, const Evidence& evidence, const Report& report) {
  output.field("log", evidence.log + ", signed to entry " + std::to_string(report.signed_to));
  output.field("entries", std::to_string(report.entries) + " in it");
  output.field("keys", std::to_string(evidence.keys.size()));
  output.field("tokens", std::to_string(report.tokens) + ", " +
                             counted(report.chains, "chains verify", report.unverified_chains,
                                     "not checked: give --trust, or what is above is not here"));
  output.field("decisions", counted(report.decisions, "by their approvers' keys, as logged",
                                    report.unlogged_decisions, "signed, and without their entry here"));
  output.field("receipts",
               counted(report.receipts, "as logged", report.unlogged_receipts, "without their entry here"));
  output.field("attestation", evidence.attestation.empty()
                                  ? std::string("nothing is known of its keys")
                                  : counted(report.results, "results verify", report.unverified_results,
                                            "not checked: give --trust with the verifier's keys"));
  for (const std::string& what : evidence.cut) output.field("cut", "there are older " + what);
  if (evidence.damaged > 0)
    output.field("damaged", std::to_string(evidence.damaged) + " records of the store could not be read");
}

// --- the command

/// What trust files give.
struct Anchors {
  TrustSnapshot trust;
  std::vector<VerifyKey> verifiers;
};

Checked<Anchors> load_anchors(const std::vector<std::string>& files) {
  CHANCERY_ASSIGN(TrustConfig config, load_trust(files, environment));
  std::vector<PublicKey> known;
  for (const TrustAnchor& anchor : config.anchors)
    known.insert(known.end(), anchor.attestation_verifiers.begin(), anchor.attestation_verifiers.end());
  Anchors out;
  if (!known.empty()) {
    CHANCERY_ASSIGN(out.verifiers, verify_keys(known, files.front()));
  }
  out.trust = TrustSnapshot(std::move(config));
  return out;
}

Checked<ExitCode> verify(Context& context, const VerifyArguments& arguments) {
  CHANCERY_ASSIGN(const std::vector<audit::NoteKey> keys, read_note_keys(arguments.keys));
  CHANCERY_ASSIGN(const std::string text, read_input(arguments.file, incident::kMaxBundle));
  const auto bundle = incident::read_bundle(text);
  if (!bundle) return failure(bundle.error(), arguments.file);
  Anchors anchors;
  incident::Terms terms;
  terms.keys = keys;
  if (!arguments.trust.empty()) {
    CHANCERY_ASSIGN(anchors, load_anchors(arguments.trust));
    terms.trust = &anchors.trust;
    terms.verifiers = anchors.verifiers;
  }
  const Report report = incident::judge(*bundle, terms);
  show_incident(context.output, *bundle, report);
  return report.is_sound() ? ExitCode::kSuccess : ExitCode::kDenied;
}

}  // namespace

void show_incident(Output& output, const Bundle& bundle, const Report& report) {
  if (output.json()) return output.document(to_json(bundle, report));
  output.line(report.is_sound() ? output.paint(Colour::kGreen, "SOUND")
                                : output.paint(Colour::kRed, "NOT SOUND") +
                                      "\tnothing of it is to be believed before that is explained");
  show_findings(output, report);
  show_state(output, bundle.evidence);
  show_counts(output, bundle.evidence, report);
  for (const incident::Reach& reach : bundle.evidence.reached) output.field("reached", reach_text(reach));
}

void add_incident_verify(CLI::App& incident, Command& chosen) {
  const auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* command = incident.add_subcommand("verify", "Check a bundle of an incident, without the daemon");
  command->add_option("FILE", arguments->file, "from `incident open`; - for standard input")->required();
  command
      ->add_option("--key,--vkey", arguments->keys,
                   "the log's key, or a file with its keys, as `chancery audit keys` shows them (repeatable)")
      ->required();
  command->add_option(
      "--trust", arguments->trust,
      "a trust file: chains are verified under its anchors, and attestation under their verifiers "
      "(repeatable)");
  command->footer(
      "The log's key has signed a tree that comprises every entry of the bundle, and the one that has the bundle's hash.\n"
      "Tokens are held against their ids and anchors, decisions against their approvers' keys, receipts and decisions\n"
      "against their entries.\n\n"
      "Exit status: 0 when all that holds; 1 when something does not; 2 when it cannot be read.\n\n"
      "Example:\n  chancery incident verify support.incident.json --key audit.keys --trust trust.json");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return verify(context, *arguments); };
  });
}

}  // namespace chancery::cli
