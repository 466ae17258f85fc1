#include "daemon/service/issuer_desk.hpp"

#include <algorithm>

#include "daemon/service/key_life.hpp"

namespace chancery::service {
namespace {

using namespace std::chrono_literals;

// How long a secret counts for used: what asks a provider takes no longer.
constexpr auto kSecretUse = 60s;
// For all that is left when the daemon ends.
constexpr auto kLastPatience = 5s;

constexpr Error kNoSuchIssuer{
    ErrorCode::kNotFound,
    "no issuer of that name is configured: `chancery vault issuers` shows those that are, [[vault.issuer]] adds one"};
constexpr Error kIssuedSecret{
    ErrorCode::kConfigInvalid,
    "an issuer's own secret must be a kept one: put it into the vault with a value"};

}  // namespace

IssuerDesk::IssuerDesk(store::GrantBook& book, Vault& vault, IssuerDeskOptions options,
                       std::shared_ptr<telemetry::Redactor> redactor, Spending::Complaint complain)
    : vault_(vault), now_(std::move(options.now)) {
  for (IssuerSetup& setup : options.issuers) {
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
  CHANCERY_ASSIGN(Issued issued, line->issue(call.tool, call.not_after, deadline));
  const std::lock_guard lock(mutex_);
  open_.insert_or_assign(std::string(call.permit), Open{line, issued, now});
  return issued;
}

void IssuerDesk::end(std::string_view permit, std::chrono::sys_seconds now, bool was_refused) {
  Open open;
  {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(permit);
    if (found == open_.end()) return;
    open = std::move(found->second);
    open_.erase(found);
  }
  lifetimes.note_used(now - open.given_at);
  open.line->end(open.issued, was_refused);
}

void IssuerDesk::start() {
  for (const auto& line : lines_) line->start();
}

void IssuerDesk::close() {
  std::map<std::string, Open, std::less<>> open;
  {
    const std::lock_guard lock(mutex_);
    open.swap(open_);
  }
  for (const auto& [permit, one] : open) one.line->end(one.issued, false);
  const vault::Deadline deadline = std::chrono::steady_clock::now() + kLastPatience;
  for (const auto& line : lines_) line->close(deadline);
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
  CHANCERY_ASSIGN(const store::Credential kept, vault_.book.find(record, now));
  if (!kept.issuer.empty()) return kIssuedSecret;
  const std::string tool = tool_of(issuer);
  ReleaseRequest request{record, tool, kept.scope, {}, now + kSecretUse, {}};
  CHANCERY_ASSIGN(request.use_id, random_id());
  CHANCERY_ASSIGN(Released released, vault_.release(request, {now, deadline, nullptr}));
  return std::move(released.value);
}

}  // namespace chancery::service
