#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <tuple>
#include <vector>

#include "attest/verify/endorsement.hpp"
#include "daemon/setup/options.hpp"
#include "sdk/base/hex.hpp"

namespace chancery::setup {
namespace {

using Certificates = std::vector<attest::Certificate>;

/// \param option  which names a file, or a folder of them
/// \param path  its value; empty: none
/// \param what  that it cannot be read, and which option it is
Result<Certificates> certificates(PolicyFiles& files, std::string_view option,
                                  const std::filesystem::path& path, const char* what) {
  Certificates all;
  if (path.empty()) return all;
  CHANCERY_ASSIGN(const std::vector<std::string> contents, files.read_all(option, path, what));
  for (const std::string& content : contents) {
    CHANCERY_ASSIGN(Certificates of_file, attest::read_certificates(content));
    std::ranges::move(of_file, std::back_inserter(all));
  }
  return all;
}

Result<std::set<Sha256Digest>> pins(const std::vector<std::string>& texts) {
  std::set<Sha256Digest> out;
  for (const std::string& text : texts) {
    const auto digest = hex_decode_exactly<std::tuple_size_v<Sha256Digest>>(text);
    if (!digest) {
      return Error{ErrorCode::kConfigInvalid,
                   "[attestation] ek_pins are SHA-256 digests, 64 hexadecimal digits each"};
    }
    out.insert(*digest);
  }
  return out;
}

Result<attest::Endorsers> endorsers(const config::AttestationConfig& config, PolicyFiles& files) {
  attest::Endorsers out;
  CHANCERY_ASSIGN(out.roots, certificates(files, "attestation.ek_roots", config.ek_roots,
                                          "[attestation] ek_roots cannot be read"));
  CHANCERY_ASSIGN(out.intermediates,
                  certificates(files, "attestation.ek_intermediates", config.ek_intermediates,
                               "[attestation] ek_intermediates cannot be read"));
  CHANCERY_ASSIGN(out.emulator_roots, certificates(files, "attestation.emulator_roots", config.emulator_roots,
                                                   "[attestation] emulator_roots cannot be read"));
  CHANCERY_ASSIGN(out.pins, pins(config.ek_pins));
  out.first_use = config.first_use;
  return out;
}

}  // namespace

Result<service::AttestationOptions> attestation(const config::Config& config, PolicyFiles& files) {
  const config::AttestationConfig& chosen = config.attestation;
  service::AttestationOptions options;
  CHANCERY_ASSIGN(options.endorsers, endorsers(chosen, files));
  CHANCERY_ASSIGN(options.token_vendors.roots,
                  certificates(files, "attestation.token_roots", chosen.token_roots,
                               "[attestation] token_roots cannot be read"));
  options.policy.id = "chancery:none";  // results name what was applied
  if (!chosen.policy.empty()) {
    CHANCERY_ASSIGN(const std::string toml,
                    files.read("attestation.policy", chosen.policy, "[attestation] policy cannot be read"));
    CHANCERY_ASSIGN(options.policy, attest::parse_policy(toml));
  }
  options.challenges.lifetime = chosen.challenge_lifetime;
  options.result_lifetime = chosen.result_lifetime;
  if (!chosen.require.empty()) {
    options.required = parse_requirement(chosen.require);
    if (!options.required) {
      return Error{ErrorCode::kConfigInvalid,
                   "[attestation] require must be `hardware` or a level of custody, such as `tpm-certified`"};
    }
  }
  options.max_age = chosen.max_age;
  return options;
}

}  // namespace chancery::setup
