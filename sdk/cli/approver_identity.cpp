#include "sdk/cli/approver_identity.hpp"

#include <algorithm>
#include <utility>

#include <chancery/approval_decision.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/base/name.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/approver_jws.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::cli {
namespace {

using std::filesystem::path;

constexpr std::size_t kMostSettings = 64 * 1024;
constexpr unsigned kPrivate = 0600;
constexpr const char* kNone =
    "no approver is kept here: `chancery approver enroll PRINCIPAL` makes a key, --as and --key name another";

Checked<void> check_principal(const std::string& principal) {
  if (is_person(principal)) return {};
  return misuse(
      "a principal who approves is KIND:NAME, such as user:bob@example.org, as gates name approvers: at most 256 octets, without "
      "space, and no group");
}

// In a device, or in the file itself.
std::string file_of(const path& folder, const char* name) {
  const std::string of_device = (folder / (std::string(name) + ".json")).string();
  return is_input(of_device) ? of_device : (folder / (std::string(name) + ".pem")).string();
}

std::string new_file_of(const path& folder, const char* name, const KeptKey& key) {
  const bool is_file = key.place().kind == KeyPlace::Kind::kFile;
  return (folder / (std::string(name) + (is_file ? ".pem" : ".json"))).string();
}

Checked<std::string> kept_principal(const path& folder) {
  const std::string file = (folder / "approver.json").string();
  if (!is_input(file)) return failure(Error{ErrorCode::kNotFound, kNone});
  CHANCERY_ASSIGN(const std::string text, read_input(file, kMostSettings));
  const auto document = json::Document::parse_borrowed(text);
  if (!document) return failure(document.error(), file);
  auto principal = wire::need_text(document->root(), "principal", "an approver's settings have `principal`");
  if (!principal) return failure(principal.error(), file);
  CHANCERY_TRY(check_principal(*principal));
  return *std::move(principal);
}

// Next to no key there is one that was about to take its place, and is enrolled.
Checked<KeptKey> kept_key(const path& folder) {
  const std::string file = file_of(folder, "key");
  if (is_input(file)) return KeptKey::load(file);
  if (!is_input(file_of(folder, "next"))) return failure(Error{ErrorCode::kNotFound, kNone});
  CHANCERY_TRY(take_next_key());
  return KeptKey::load(file_of(folder, "key"));
}

Checked<KeptKey> make_key(Output& output, const path& folder, const char* name, const KeyPlace& place) {
  CHANCERY_TRY(make_private_folder(folder.parent_path()));
  CHANCERY_TRY(make_private_folder(folder));
  CHANCERY_ASSIGN(KeptKey key, KeptKey::make(place));
  const auto saved = key.save(new_file_of(folder, name, key));
  if (saved) return key;
  key.give_up(output);
  return saved.error();
}

// A key that is there stays: it may be enrolled.
Checked<KeptKey> key_or_new(Output& output, const path& folder, const char* name, const KeyOptions& options,
                            const KeyPlace& by_default) {
  CHANCERY_ASSIGN(const KeyPlace said, chosen_place(options));
  const KeyPlace place = options == KeyOptions{} ? by_default : said;
  const std::string file = file_of(folder, name);
  if (!is_input(file)) return make_key(output, folder, name, place);
  CHANCERY_ASSIGN(KeptKey key, KeptKey::load(file));
  if (options.key_in.empty() || key.place() == place) return key;
  return failure({ErrorCode::kConflict,
                  "there is such a key already, in another place: leave --key-in out, or "
                  "remove it if it was never enrolled"},
                 file);
}

Checked<void> require_same_principal(const path& folder, const std::string& principal) {
  if (!is_input((folder / "approver.json").string())) return {};
  CHANCERY_ASSIGN(const std::string kept, kept_principal(folder));
  if (kept == principal) return {};
  return failure(
      {ErrorCode::kConflict, "this user is kept as another approver: a person decides under one name"}, kept);
}

}  // namespace

void add_approver_options(CLI::App& command, ApproverOptions& options) {
  command.add_option("--as", options.principal, "who decides; default: whoever was enrolled from here")
      ->type_name("PRINCIPAL");
  command
      .add_option("--key", options.key_file, "the key's file; default: the key that was enrolled from here")
      ->type_name("FILE");
}

Checked<path> approver_folder() {
  CHANCERY_ASSIGN(const path folder, config_folder(environment));
  return folder / "approver";
}

Checked<ApproverIdentity> approver_of(const ApproverOptions& options) {
  CHANCERY_ASSIGN(const path folder, approver_folder());
  std::string principal = options.principal;
  if (principal.empty()) {
    CHANCERY_ASSIGN(principal, kept_principal(folder));
  }
  CHANCERY_TRY(check_principal(principal));
  auto key = options.key_file.empty() ? kept_key(folder) : KeptKey::load(options.key_file);
  if (!key) return key.error();
  return ApproverIdentity{std::move(principal), *std::move(key)};
}

Checked<ApproverIdentity> approver_or_new(Output& output, const std::string& principal,
                                          const KeyOptions& options) {
  CHANCERY_TRY(check_principal(principal));
  CHANCERY_ASSIGN(const path folder, approver_folder());
  CHANCERY_TRY(require_same_principal(folder, principal));
  CHANCERY_ASSIGN(KeptKey key, key_or_new(output, folder, "key", options, KeyPlace{}));
  const json::Node settings = json::Node::object({{"principal", principal}});
  CHANCERY_TRY(replace_file(folder / "approver.json", json::to_jcs(settings) + "\n", kPrivate));
  return ApproverIdentity{principal, std::move(key)};
}

Checked<KeptKey> next_key_or_new(Output& output, const KeyOptions& options, const KeyPlace& present) {
  CHANCERY_ASSIGN(const path folder, approver_folder());
  return key_or_new(output, folder, "next", options, present);
}

Checked<void> take_next_key() {
  CHANCERY_ASSIGN(const path folder, approver_folder());
  const path next = file_of(folder, "next");
  const path former = file_of(folder, "key");
  const path now = folder / ("key" + next.extension().string());
  std::error_code code;
  // Between the two there is no key but the next one, which is then known for what it is.
  if (is_input(next.string()) && former != now) std::filesystem::remove(former, code);
  if (!code) std::filesystem::rename(next, now, code);
  if (!code) return {};
  return failure({ErrorCode::kFileUnwritable,
                  "the new key is enrolled, and its file could not take its place: run "
                  "this again",
                  static_cast<std::uint64_t>(code.value())},
                 next.string());
}

Enrolment enrolment_of(const std::string& principal, std::vector<std::string> groups, const KeptKey& key) {
  std::ranges::sort(groups);
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  Enrolment out;
  out.principal = principal;
  out.groups = std::move(groups);
  out.key = key.holder().public_key();
  out.kind = kind_name(key.place().kind);
  return out;
}

Checked<std::string> authorize_document(const ApproverIdentity& approver, std::string_view document,
                                        const std::string& audience, std::chrono::sys_seconds now) {
  const PublicKey& key = approver.key.holder().public_key();
  EnrolmentAuthorization authorization;
  authorization.approver = approver.principal;
  authorization.audience = audience;
  authorization.document_sha256 = hex_encode(sha256(as_bytes(document)));
  authorization.issued_at = now;
  authorization.key = key.thumbprint();
  const std::string input = enrolment_authorization_input(authorization, key.algorithm());
  const auto signature = approver.key.holder().sign(as_bytes(input));
  if (!signature) return failure(signature.error(), "the approver's key");
  return signed_by_key(input, *signature);
}

}  // namespace chancery::cli
