#include "sdk/incident/judge.hpp"

#include <array>
#include <utility>

#include "sdk/audit/checkpoint.hpp"
#include "sdk/audit/entry.hpp"
#include "sdk/audit/merkle.hpp"
#include "sdk/incident/judged_records.hpp"
#include "sdk/incident/reach.hpp"

namespace chancery::incident {
namespace {

constexpr std::array<std::string_view, 12> kFaultNames{"checkpoint", "opening", "digest",      "entry",
                                                       "key",        "token",   "chain",       "request",
                                                       "decision",   "receipt", "attestation", "reach"};

bool is_in(const audit::TreeHead& tree, const LoggedEntry& entry, const std::vector<Sha256Digest>& path) {
  return entry.number > 0 &&
         audit::proves_inclusion(audit::leaf_hash(as_bytes(entry.json)), entry.number - 1, tree, path);
}

// The entry by which the log knows the bundle: without it anybody could write one around entries that are in the log.
void judge_opening(const Bundle& bundle, const audit::TreeHead& tree, Report& report) {
  const auto say = [&](Fault fault, const char* what) {
    report.findings.push_back({fault, std::to_string(bundle.proof.opening.number), what});
  };
  if (!is_in(tree, bundle.proof.opening, bundle.proof.opening_path))
    return say(Fault::kOpening, "the entry that opens the incident is not in what the checkpoint signs");
  const auto entry = audit::Entry::parse(bundle.proof.opening.number, bundle.proof.opening.json);
  if (!entry || entry->action() != "incident.open" || entry->outcome() != "done")
    return say(Fault::kOpening, "the entry is none that opens an incident");
  if (entry->text("agent") != bundle.evidence.agent || entry->id("agent_id") != bundle.evidence.agent_id)
    return say(Fault::kOpening, "the entry opens an incident of another agent's");
  if (entry->id("incident") != bundle.digest)
    say(Fault::kDigest, "the evidence is not what was collected: the log has another hash of it");
}

void judge_entry(const Bundle& bundle, std::size_t at, const audit::TreeHead& tree, Report& report) {
  const LoggedEntry& entry = bundle.evidence.entries[at];
  const auto say = [&](const char* what) {
    report.findings.push_back({Fault::kEntry, std::to_string(entry.number), what});
  };
  if (at > 0 && entry.number <= bundle.evidence.entries[at - 1].number)
    return say("the entry does not stand in the order of the log");
  if (entry.number > bundle.evidence.size) return say("the entry is later than the evidence");
  if (!is_in(tree, entry, bundle.proof.paths[at]))
    return say("the entry is not in what the checkpoint signs: it was altered, or never logged");
  ++report.entries;
}

void judge_log(const Bundle& bundle, const Terms& terms, Report& report) {
  const auto checkpoint = audit::open_checkpoint(bundle.proof.checkpoint, terms.keys);
  if (!checkpoint) {
    report.findings.push_back({Fault::kCheckpoint, {}, checkpoint.error().what});
    return;
  }
  if (checkpoint->origin != bundle.evidence.log) {
    report.findings.push_back(
        {Fault::kCheckpoint, checkpoint->origin, "the checkpoint is another log's than the evidence names"});
  }
  report.signed_to = checkpoint->tree.size;
  judge_opening(bundle, checkpoint->tree, report);
  for (std::size_t i = 0; i < bundle.evidence.entries.size(); ++i)
    judge_entry(bundle, i, checkpoint->tree, report);
}

std::vector<audit::Entry> parse_entries(const Evidence& evidence, Report& report) {
  std::vector<audit::Entry> out;
  for (const LoggedEntry& each : evidence.entries) {
    auto entry = audit::Entry::parse(each.number, each.json);
    if (entry) {
      out.push_back(*std::move(entry));
    } else {
      report.findings.push_back({Fault::kEntry, std::to_string(each.number), entry.error().what});
    }
  }
  return out;
}

void judge_reach(const Evidence& evidence, Report& report) {
  const auto reached = reached_by(evidence);
  if (reached && *reached == evidence.reached) return;
  report.findings.push_back(
      {Fault::kReach, {}, "what is said to have been reached is not what entries and tokens say"});
}

}  // namespace

std::string_view fault_name(Fault fault) noexcept { return kFaultNames[static_cast<std::size_t>(fault)]; }

Report judge(const Bundle& bundle, const Terms& terms) {
  Report report;
  judge_log(bundle, terms, report);
  const std::vector<audit::Entry> entries = parse_entries(bundle.evidence, report);
  const EntryIndex index(entries);
  judge_keys(bundle.evidence, report);
  judge_tokens(bundle.evidence, terms, report);
  judge_requests(bundle.evidence, index, report);
  judge_calls(bundle.evidence, index, report);
  judge_attestation(bundle.evidence, terms, report);
  judge_reach(bundle.evidence, report);
  return report;
}

}  // namespace chancery::incident
