#include "daemon/service/issuer_desk.hpp"

#include <algorithm>
#include <array>
#include <thread>

#include "daemon/service/key_life.hpp"

namespace chancery::service {
namespace {

using namespace std::chrono_literals;

// How long a secret counts for used: what asks a provider takes no longer.
constexpr auto kSecretUse = 60s;

constexpr Error kNoSuchIssuer{
    ErrorCode::kNotFound,
    "no issuer of that name is configured: `chancery vault issuers` shows those that are, [[vault.issuer]] adds one"};
constexpr Error kIssuedSecret{
    ErrorCode::kConfigInvalid,
    "an issuer's own secret must be a kept one: put it into the vault with a value"};

constexpr Error kNoOwnSecret{
    ErrorCode::kConfigInvalid,
    "the issuer's own secret is not in the vault for it: put it under the name that `secret` of [[vault.issuer]] "
    "says, for the tool issuer/NAME"};
constexpr const char* kOwnSecretShut =
    "the issuer's own secret could not be released from the vault: its device, or the state of the store, may be why";

// What a caller is told must not read as if it were about the credential of its tool.
Error of_own_secret(const Error& why) {
  constexpr std::array kMissing{ErrorCode::kNotFound, ErrorCode::kForbidden, ErrorCode::kRetired,
                                ErrorCode::kConflict};
  if (std::ranges::find(kMissing, why.code) != kMissing.end()) return kNoOwnSecret;
  return {why.code, kOwnSecretShut, why.native};
}

}  // namespace

IssuerDesk::IssuerDesk(store::GrantBook& book, Vault& vault, IssuerDeskOptions options,
                       std::shared_ptr<telemetry::Redactor> redactor, Spending::Complaint complain)
    : book_(book),
      vault_(vault),
      now_(std::move(options.now)),
      turns_(std::max<std::size_t>(options.threads * 3 / 4, 1)) {
  for (IssuerSetup& setup : options.issuers) {
    setup.at_once = std::max<std::size_t>(options.threads / 2, 1);
    setup.pace = options.pace;
    MadeIssuer made = setup.make(
        {now_, secret_of(setup), std::make_shared<KeptGrant>(book, vault, setup.name, now_), lifetimes});
    lines_.push_back(
        std::make_unique<IssuerLine>(std::move(setup), std::move(made), now_, redactor, complain));
  }
}

Result<IssuerLine*> IssuerDesk::find(std::string_view issuer) const {
  const auto found =
      std::ranges::find_if(lines_, [&](const auto& line) { return line->setup().name == issuer; });
  if (found == lines_.end()) return kNoSuchIssuer;
  return found->get();
}

Result<Issued> IssuerDesk::issue(const IssueFor& call, std::chrono::sys_seconds now,
                                 vault::Deadline deadline) {
  CHANCERY_ASSIGN(IssuerLine* const line, find(call.issuer));
  CHANCERY_ASSIGN(Issued issued, line->issue(call.tool, call.not_after, deadline, turns_));
  const std::lock_guard lock(mutex_);
  open_.insert_or_assign(std::string(call.permit),
                         Open{line, issued, now, call.not_after, std::string(call.credential)});
  return issued;
}

void IssuerDesk::end(std::string_view permit, std::chrono::sys_seconds now, Reception reception) {
  Open open;
  {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(permit);
    if (found == open_.end()) return;
    open = std::move(found->second);
    open_.erase(found);
  }
  finish(open, now, reception);
}

void IssuerDesk::end_expired(std::chrono::sys_seconds now) {
  end_where(now, [&](const Open& open) { return open.not_after <= now; });
}

void IssuerDesk::drop(std::string_view credential, std::chrono::sys_seconds now) {
  end_where(now, [&](const Open& open) { return open.credential == credential; });
}

void IssuerDesk::drop_all(std::chrono::sys_seconds now) {
  end_where(now, [](const Open&) { return true; });
  for (const auto& line : lines_) line->drop_tokens();
}

void IssuerDesk::end_where(std::chrono::sys_seconds now, const std::function<bool(const Open&)>& is_meant) {
  std::vector<Open> over;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(open_, [&](const auto& entry) {
      const bool is_over = is_meant(entry.second);
      if (is_over) over.push_back(entry.second);
      return is_over;
    });
  }
  for (const Open& open : over) finish(open, now, Reception::kUnknown);
}

void IssuerDesk::finish(const Open& open, std::chrono::sys_seconds now, Reception reception) {
  lifetimes.note_used(now - open.given_at);
  open.line->end(open.issued, reception);
}

void IssuerDesk::start() {
  for (const auto& line : lines_) line->start();
}

// At the same time, so that one provider that is away takes no time from what another should take back.
void IssuerDesk::close() {
  for (const auto& line : lines_) line->stop();
  if (!lines_.empty()) end_where(now_(), [](const Open&) { return true; });
  std::vector<std::jthread> closing;
  for (const auto& line : lines_) closing.emplace_back([&line] { line->close(); });
}

vault::SecretSource IssuerDesk::secret_of(const IssuerSetup& setup) {
  if (setup.secret.empty()) return {};
  return [this, record = setup.secret, issuer = setup.name](vault::Deadline deadline) {
    return release_secret(record, issuer, deadline);
  };
}

// As any release: for this issuer alone, and on the record.
Result<SecretBytes> IssuerDesk::release_secret(const std::string& record, const std::string& issuer,
                                               vault::Deadline deadline) {
  const std::chrono::sys_seconds now = now_();
  const auto kept = vault_.book.find(record, now);
  if (!kept) return of_own_secret(kept.error());
  if (!kept->issuer.empty()) return kIssuedSecret;
  const std::string tool = tool_of(issuer);
  ReleaseRequest request{record, tool, kept->scope, {}, now + kSecretUse, {}};
  CHANCERY_ASSIGN(request.use_id, random_id());
  auto released = vault_.release(request, {now, deadline, nullptr});
  if (!released) return of_own_secret(released.error());
  return std::move(released->value);
}

}  // namespace chancery::service
