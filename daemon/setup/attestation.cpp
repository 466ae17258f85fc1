#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <tuple>
#include <vector>

#include "attest/verify/endorsement.hpp"
#include "daemon/setup/options.hpp"
#include "sdk/base/hex.hpp"

namespace chancery::setup {
namespace {

using Certificates = std::vector<attest::Certificate>;

Result<std::string> content_of(const std::filesystem::path& file, const char* what) {
  std::ifstream in(file, std::ios::binary);
  std::string content(std::istreambuf_iterator<char>(in), {});
  return in ? Result<std::string>(std::move(content)) : Error{ErrorCode::kFileUnreadable, what};
}

// Sorted, so that what is refused is the same each time.
Result<std::vector<std::filesystem::path>> files_in(const std::filesystem::path& folder, const char* what) {
  std::vector<std::filesystem::path> files;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  if (failed) return Error{ErrorCode::kFileUnreadable, what};
  std::ranges::sort(files);
  return files;
}

/// \param path  a file, or a folder of them; empty: none
/// \param what  that it cannot be read, and which option it is
Result<Certificates> certificates(const std::filesystem::path& path, const char* what) {
  Certificates all;
  if (path.empty()) return all;
  std::vector<std::filesystem::path> files{path};
  if (std::error_code failed; std::filesystem::is_directory(path, failed)) {
    CHANCERY_ASSIGN(files, files_in(path, what));
  }
  for (const std::filesystem::path& file : files) {
    CHANCERY_ASSIGN(const std::string content, content_of(file, what));
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

Result<attest::Endorsers> endorsers(const config::AttestationConfig& config) {
  attest::Endorsers out;
  CHANCERY_ASSIGN(out.roots, certificates(config.ek_roots, "[attestation] ek_roots cannot be read"));
  CHANCERY_ASSIGN(out.intermediates,
                  certificates(config.ek_intermediates, "[attestation] ek_intermediates cannot be read"));
  CHANCERY_ASSIGN(out.emulator_roots,
                  certificates(config.emulator_roots, "[attestation] emulator_roots cannot be read"));
  CHANCERY_ASSIGN(out.pins, pins(config.ek_pins));
  out.first_use = config.first_use;
  return out;
}

}  // namespace

Result<service::AttestationOptions> attestation(const config::Config& config) {
  const config::AttestationConfig& chosen = config.attestation;
  service::AttestationOptions options;
  CHANCERY_ASSIGN(options.endorsers, endorsers(chosen));
  CHANCERY_ASSIGN(options.token_vendors.roots,
                  certificates(chosen.token_roots, "[attestation] token_roots cannot be read"));
  options.policy.id = "chancery:none";  // results name what was applied
  if (!chosen.policy.empty()) {
    CHANCERY_ASSIGN(const std::string toml, content_of(chosen.policy, "[attestation] policy cannot be read"));
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
