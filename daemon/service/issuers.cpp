#include "daemon/service/issuers.hpp"

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "sdk/base/name.hpp"

namespace chancery::service {
namespace {

constexpr Error kAsksNobody{ErrorCode::kInvalidArgument,
                            "this issuer asks nobody for consent: `chancery vault issuers` shows which do"};

api::CredentialIssuer describe(const IssuerLine& line) {
  const vault::IssuerFacts facts = line.facts();
  api::CredentialIssuer out;
  out.name = line.setup().name;
  out.type = line.setup().type;
  out.state = vault::issuer_state_name(facts.state);
  out.takes_consent = line.consent() != nullptr;
  if (facts.since > std::chrono::sys_seconds{}) out.since = facts.since.time_since_epoch().count();
  if (facts.state == vault::IssuerState::kReady) return out;
  out.error = error_name(facts.why.code);
  out.why = facts.why.what;
  return out;
}

AuditFacts issuer_facts(const IssuerLine& line) {
  return {.ids = {{"issuer", line.setup().name}},
          .details = json::Node::object({{"type", line.setup().type}})};
}

// Before anything is known to exist.
Result<IssuerLine*> admit(Office& office, const CallContext& context, std::string_view issuer) {
  if (is_name(issuer)) note_attempt(context, {.ids = {{"issuer", std::string(issuer)}}});
  CHANCERY_TRY(require_authority(office, context, scope::kCredentialsPut, {{"credential", issuer}}));
  CHANCERY_ASSIGN(IssuerLine* const line, office.issuers.find(issuer));
  if (line->consent() == nullptr) return kAsksNobody;
  return line;
}

}  // namespace

Result<api::CredentialIssuerList> list_issuers(Office& office, const CallContext& context) {
  CHANCERY_TRY(require_authority(office, context, scope::kCredentialsRead));
  api::CredentialIssuerList out;
  for (const auto& line : office.issuers.lines()) out.issuers.push_back(describe(*line));
  return out;
}

Result<api::BegunConsent> begin_consent(Office& office, const CallContext& context, std::string_view issuer,
                                        const api::BeginConsent& message) {
  CHANCERY_ASSIGN(IssuerLine* const line, admit(office, context, issuer));
  CHANCERY_ASSIGN(const vault::BegunConsent begun,
                  line->consent()->begin(static_cast<std::uint16_t>(message.port)));
  CHANCERY_TRY(office.store.append_audit(audit_entry("issuer.consent_begin", context, issuer_facts(*line))));
  return api::BegunConsent{begun.authorization_url, begun.expires_at.time_since_epoch().count()};
}

Result<api::CredentialIssuer> finish_consent(Office& office, const CallContext& context,
                                             std::string_view issuer, const api::FinishConsent& message) {
  CHANCERY_ASSIGN(IssuerLine* const line, admit(office, context, issuer));
  CHANCERY_ASSIGN(const vault::RedirectParameters redirect,
                  vault::parse_redirect(as_text(message.query.view())));
  KeptGrant grant =
      office.issuers.grant_of(*line, audit_entry("issuer.consent", context, issuer_facts(*line)));
  CHANCERY_TRY(line->consent()->finish(redirect, context.deadline, &grant));
  line->drop_tokens();
  return describe(*line);
}

}  // namespace chancery::service
