#include "daemon/service/office.hpp"
#include "sdk/wire/custody_fields.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::service {
namespace {

// Runs `judge` with the daemon's options and what the message has: a request, terms of custody.
template <typename Judge>
auto with_options(const Office& office, const api::VerifyChain& message, Judge judge)
    -> Result<decltype(judge(std::span<const std::string_view>(), VerifyOptions()))> {
  VerifyOptions options = office.policy->verify;
  ActionRequest request;
  if (message.request) {
    CHANCERY_ASSIGN(request, wire::to_action_request(*message.request));
    options.request = &request;
  }
  const wire::TermsToJudge custody(message.custody);
  custody.put_into(options);
  const std::vector<std::string_view> tokens(message.chain.begin(), message.chain.end());
  return judge(std::span<const std::string_view>(tokens), options);
}

Outcome outcome_of(const Verdict& verdict) { return verdict.outcome(); }
Outcome outcome_of(const Explanation& explanation) { return explanation.verdict.outcome(); }

// Under the trust of the moment. A chain of a partner's may refer to lists that nobody asked for before: then it is
// judged once more with them.
template <typename Judge>
auto under_trust(const Office& office, std::span<const std::string_view> chain, const VerifyOptions& options,
                 Judge judge) {
  auto finding = judge(office.trust.current());
  if (outcome_of(finding) != Outcome::kStatusUnknown) return finding;
  const auto fetched = office.trust.fetch_for(chain, options);
  return fetched ? judge(*fetched) : finding;
}

}  // namespace

Verdict judge_use(const Office& office, std::span<const std::string_view> chain, const TrustSnapshot& trust,
                  std::chrono::sys_seconds now, const VerifyOptions& options) {
  Verdict verdict = verify_chain(chain, trust, now, options);
  office.statuses.activity.note(verdict, chain, trust, now);
  return verdict;
}

Verdict judge_use(const Office& office, std::span<const std::string_view> chain, std::chrono::sys_seconds now,
                  const VerifyOptions& options) {
  return under_trust(office, chain, options, [&](const TrustSnapshot& trust) {
    return judge_use(office, chain, trust, now, options);
  });
}

Result<Verdict> verify(const Office& office, std::chrono::sys_seconds now, const api::VerifyChain& message) {
  auto verdict = with_options(office, message,
                              [&](std::span<const std::string_view> chain, const VerifyOptions& options) {
                                return judge_use(office, chain, now, options);
                              });
  if (verdict) office.tallies->judged(Judged::kVerify, verdict->outcome());
  return verdict;
}

Result<Explanation> explain(const Office& office, std::chrono::sys_seconds now,
                            const api::VerifyChain& message) {
  auto explanation = with_options(
      office, message, [&](std::span<const std::string_view> chain, const VerifyOptions& options) {
        return under_trust(office, chain, options, [&](const TrustSnapshot& trust) {
          return chancery::explain(chain, trust, now, options);
        });
      });
  if (explanation) office.tallies->judged(Judged::kExplain, explanation->verdict.outcome());
  return explanation;
}

}  // namespace chancery::service
