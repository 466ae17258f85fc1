#include "sdk/cli/attestation_text.hpp"

#include <chancery/hop_custody.hpp>

#include "sdk/base/printable.hpp"

namespace chancery::cli {
namespace {

std::string instant(std::chrono::sys_seconds at) {
  return utc_text(static_cast<double>(at.time_since_epoch().count()));
}

std::string instant(std::int64_t at) { return utc_text(static_cast<double>(at)); }

std::string endorsement_text(const std::string& endorsement) {
  if (endorsement == "root") return "root: the EK's certificate leads to a root that the verifier trusts";
  if (endorsement == "pinned") return "pinned: the verifier's operator named this EK";
  if (endorsement == "first-use") return "first-use: nothing but the verifier's operator speaks for this EK";
  return endorsement;
}

std::string counts_text(std::uint32_t resets, std::uint32_t restarts, bool is_clock_safe) {
  return std::to_string(resets) + " resets, " + std::to_string(restarts) + " restarts" +
         (is_clock_safe ? "" : ", clock not saved in an orderly way");
}

}  // namespace

void show_custody_level(Output& output, std::string_view level) {
  const auto custody = parse_custody(level);
  if (!custody) return output.field("custody", level);
  const bool is_real = satisfies(*custody, CustodyRequirement::kHardware);
  output.line("  " + output.paint(is_real ? Colour::kGreen : Colour::kYellow, printable(level)) + ": " +
              std::string(custody_meaning(*custody)));
}

void show_host(Output& output, const api::AttestedHost& host) {
  output.line(output.paint(Colour::kBold, printable(host.name)));
  if (!host.custody.empty()) show_custody_level(output, host.custody);
  output.field("state", host.reason.empty() ? host.state : host.state + ": " + host.reason);
  output.field("endorsement", endorsement_text(host.endorsement));
  output.field("EK", host.ek);
  if (!host.manufacturer.empty()) output.field("manufacturer", host.manufacturer);
  if (!host.backend.empty()) output.field("backend", host.backend + " of the verifier's own daemon");
  output.field("firmware", host.firmware);
  output.field("TPM", counts_text(host.reset_count, host.restart_count, host.is_clock_safe));
  if (host.measurements > 0) output.field("measurements", std::to_string(host.measurements) + " seen");
  output.field("enrolled", instant(host.enrolled_at));
  output.field("last seen", instant(host.last_seen_at));
}

void show_result(Output& output, const AttestationResult& result) {
  show_custody_level(output, custody_name(result.custody));
  output.field("key", result.key.text());
  output.field("verifier", result.issuer);
  output.field("policy", result.policy);
  output.field("evidence of", instant(result.evidence_at));
  output.field("counts until", instant(result.expires_at));
  if (result.ek_fingerprint.empty()) return;
  output.field("EK", result.ek_fingerprint);
  if (!result.endorsement.empty()) output.field("endorsement", endorsement_text(result.endorsement));
  if (!result.manufacturer.empty()) output.field("manufacturer", result.manufacturer);
  output.field("firmware", std::to_string(result.firmware));
  output.field("TPM", counts_text(result.reset_count, result.restart_count, result.is_clock_safe));
}

}  // namespace chancery::cli
