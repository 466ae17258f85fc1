// Credentials that somebody issues for one call: who is given them, what the log says of it, and what becomes of them after it.

#include "daemon/service/issuers.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <chancery/proof.hpp>

#include "daemon/service/permits.hpp"
#include "daemon/store/sqlite.hpp"
#include "sdk/base/base64.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/verify/action.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using rest::Response;
using vault::IssuedCredential;
using vault::IssueRequest;

constexpr std::uint32_t kRuntimeUid = 3001;
constexpr std::chrono::seconds kLeaf{1800};
constexpr std::string_view kSecret = "canary-of-the-issuer-itself";

/// What a test sees of an issuer, and has it do.
struct Provider {
  std::mutex mutex;
  std::vector<IssueRequest> requests;
  std::vector<std::string> revoked;
  std::vector<std::string> unauthorized;
  std::vector<std::string> secrets;  ///< that it was told of itself
  std::size_t sweeps = 0;
  std::optional<Error> refusal;  ///< of each request
  std::size_t lost_revocations = 0;
  vault::SecretSource secret;

  template <typename Look>
  auto look(Look look) {
    const std::lock_guard lock(mutex);
    return look(*this);
  }
  /// Waits until that holds, which another thread brings about. A Boost requirement.
  template <typename Holds>
  void until(Holds holds) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!look(holds)) {
      BOOST_REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::sleep_for(5ms);
    }
  }
};

std::string value_of(std::size_t number) { return "issued-canary-" + std::to_string(number) + "-0123456789"; }

class ScriptedIssuer final : public vault::Issuer {
 public:
  explicit ScriptedIssuer(std::shared_ptr<Provider> provider) : provider_(std::move(provider)) {}

  Result<IssuedCredential> issue(const IssueRequest& request, vault::Deadline deadline) override {
    if (provider_->secret) {
      CHANCERY_ASSIGN(const SecretBytes secret, provider_->secret(deadline));
      const std::lock_guard lock(provider_->mutex);
      provider_->secrets.emplace_back(as_text(secret.view()));
    }
    const std::lock_guard lock(provider_->mutex);
    provider_->requests.push_back(request);
    if (provider_->refusal) return *provider_->refusal;
    const std::size_t number = provider_->requests.size();
    IssuedCredential out;
    out.id = "id-" + std::to_string(number);
    out.username = "role_" + std::to_string(number);
    out.value = SecretBytes(as_bytes(value_of(number)));
    out.issued_at = kNow;
    out.expires_at = std::min(request.not_after, kNow + 900s);
    out.ends_with_call = true;
    return out;
  }
  Status revoke(const IssuedCredential& credential, vault::Deadline) override {
    const std::lock_guard lock(provider_->mutex);
    if (provider_->lost_revocations > 0) {
      --provider_->lost_revocations;
      return Error{ErrorCode::kConnectFailed, "away"};
    }
    provider_->revoked.push_back(credential.id);
    return {};
  }
  void report_unauthorized(const IssuedCredential& credential) override {
    const std::lock_guard lock(provider_->mutex);
    provider_->unauthorized.push_back(credential.id);
  }
  Status sweep(vault::Deadline) override {
    const std::lock_guard lock(provider_->mutex);
    ++provider_->sweeps;
    return {};
  }
  vault::IssuerFacts facts() const override {
    const std::lock_guard lock(provider_->mutex);
    if (!provider_->refusal) return {vault::IssuerState::kReady, kNow, {}};
    return {vault::IssuerState::kFailing, kNow, *provider_->refusal};
  }

 private:
  const std::shared_ptr<Provider> provider_;
};

OfficeFixture::Extension extension_of(const std::shared_ptr<Provider>& provider) {
  service::IssuerSetup shop;
  shop.name = "shop";
  shop.type = "postgres_role";
  shop.request.scopes = {"orders"};
  shop.make = [provider](service::IssuerParts) {
    return service::MadeIssuer{std::make_unique<ScriptedIssuer>(provider), nullptr, {}};
  };
  service::IssuerSetup crm;
  crm.name = "crm";
  crm.type = "oauth_client_credentials";
  crm.secret = "crm-secret";
  crm.make = [provider](const service::IssuerParts& parts) {
    provider->secret = parts.secret;
    return service::MadeIssuer{std::make_unique<ScriptedIssuer>(provider), nullptr, {}};
  };
  OfficeFixture::Extension out;
  out.issuers.issuers.push_back(std::move(shop));
  if (provider->lost_revocations == SIZE_MAX) out.issuers.issuers.push_back(std::move(crm));
  out.issuers.now = [] { return kNow; };
  return out;
}

/// An office with an issuer, a runtime, and an agent that may refund 100 in all.
struct Issuers : OfficeFixture {
  explicit Issuers(std::shared_ptr<Provider> the = std::make_shared<Provider>())
      : OfficeFixture(extension_of(the)), provider(std::move(the)) {
    provider->lost_revocations = 0;
    create_agent("orchestrator", kOrchestratorUid);
    create_agent("tools", kRuntimeUid);
    change_policy([](service::Policy& policy) {
      policy.runtimes = {"tools"};
      policy.runtime_url = "https://tools.example";
      policy.granted_scopes = {"payments.*"};
    });
    premises().issuers.start();
    const Response granted = call(
        "POST", "/v1/grants",
        R"({"principal":"user:alice@example.org","agent":"orchestrator","audience":"https://tools.example",)"
        R"("scopes":["payments.refund"],"constraints":[{"key":"payments.refund#amount","max_subtree":100}],)"
        R"("lifetime_s":1800,"depth":2})",
        kOperatorUid);
    BOOST_REQUIRE_MESSAGE(granted.status == 201, granted.body);
    chain = chain_of(granted);
  }
  ~Issuers() { premises().issuers.close(); }

  Response put(const std::string& more = R"("issuer":"shop")") {
    return call("POST", "/v1/credentials",
                R"({"name":"orders-db","scope":"payments.refund","tools":["refund"],)" + more + "}",
                kOperatorUid);
  }
  void must_put() {
    const Response made = put();
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
  }

  Response ask(int amount = 10, const std::string& release = "true") {
    const std::string params = R"({"amount":)" + std::to_string(amount) + "}";
    const auto parameters = parse_parameters(params);
    BOOST_REQUIRE(parameters);
    const auto digest = action_digest("payments.refund", *parameters);
    BOOST_REQUIRE(digest);
    const Response proof =
        call("POST", "/v1/proofs",
             R"({"chain":)" + chain +
                 R"(,"htm":"POST","htu":"https://tools.example/v1/tools/refund","ada":")" + *digest + "\"}",
             kOrchestratorUid);
    BOOST_REQUIRE_MESSAGE(proof.status == 201, proof.body);
    return call("POST", "/v1/permits",
                R"({"chain":)" + chain + R"(,"proof":")" + member(proof, "proof") +
                    R"(","method":"POST","uri":"https://tools.example/v1/tools/refund",)"
                    R"("audience":"https://tools.example","action":{"scope":"payments.refund","params":)" +
                    params + R"(},"tool":"refund","credential":"orders-db","arguments_sha256":")" +
                    hex_encode(sha256(as_bytes(params))) + R"(","reserve_s":90,"release":)" + release + "}",
                kRuntimeUid);
  }
  std::string permitted() {
    const Response given = ask();
    BOOST_REQUIRE_MESSAGE(given.status == 200, given.body);
    return permit_in(given);
  }
  Response report(const std::string& permit, const std::string& more = "") {
    return call("POST", "/v1/permits/" + permit + "/result",
                R"({"status":"done","result_sha256":")" + std::string(64, 'a') + "\"" + more + "}",
                kRuntimeUid);
  }
  static std::string permit_in(const Response& response) {
    const auto document = json::Document::parse(member(response, "permit"));
    BOOST_REQUIRE_MESSAGE(document, response.body);
    return std::string(document->root().find("id")->string().value_or(""));
  }
  static std::string value_in(const Response& response, std::string_view name = "value") {
    const auto document = json::Document::parse(response.body);
    const json::Value* credential = document ? document->root().find("credential") : nullptr;
    if (document && credential == nullptr && document->root().find("value") != nullptr)
      credential = &document->root();
    const json::Value* const value = credential == nullptr ? nullptr : credential->find(name);
    if (value == nullptr) return {};
    return std::string(value->string().value_or(value->source()));
  }

  std::vector<std::string> log() {
    const auto all = store().audit_tail(store::kMaxPage);
    BOOST_REQUIRE(all);
    std::vector<std::string> out;
    for (const store::AuditRecord& record : *all) out.push_back(record.json);
    return out;
  }
  std::vector<std::string> actions_about(const std::string& permit) {
    std::vector<std::string> out;
    for (const std::string& entry : log()) {
      if (entry.find(permit) == std::string::npos) continue;
      const std::size_t at = entry.find(R"("action":")") + 10;
      out.push_back(entry.substr(at, entry.find('"', at) - at));
    }
    return out;
  }
  std::size_t count(const std::string& text) {
    const auto all = log();
    return static_cast<std::size_t>(
        std::ranges::count_if(all, [&](const auto& entry) { return entry.find(text) != std::string::npos; }));
  }
  std::string issue_entry() {
    for (const std::string& entry : log())
      if (entry.find(R"("action":"credential.issue")") != std::string::npos) return entry;
    return {};
  }
  void edit(const char* sql) {
    auto database = store::Database::open(this->database());
    BOOST_REQUIRE(database);
    BOOST_REQUIRE(database->execute(sql));
  }
  void fail_with(std::optional<Error> refusal) {
    provider->look([&](Provider& the) {
      the.refusal = refusal;
      return 0;
    });
  }

  std::shared_ptr<Provider> provider;
  std::string chain;
};

bool has(std::string_view text, std::string_view what) { return text.find(what) != std::string_view::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(issuers)

// --- the record

BOOST_FIXTURE_TEST_CASE(a_record_says_who_issues_and_has_no_value, Issuers) {
  must_put();
  const Response shown = call("GET", "/v1/credentials/orders-db", "", kOperatorUid);
  BOOST_TEST(member(shown, "type") == "issued", shown.body);
  BOOST_TEST(member(shown, "issuer") == "shop");
  BOOST_TEST(count(R"("issuer":"shop")") >= 1u);
}

BOOST_FIXTURE_TEST_CASE(what_is_put_is_an_issuer_that_there_is_and_no_value, Issuers) {
  for (const char* const more :
       {R"("issuer":"nobody")", R"("issuer":"shop","value":"c2VjcmV0")",
        R"("issuer":"shop","type":"api_key")", R"("issuer":"shop","rotate_on_hit":true)",
        R"("type":"issued","value":"c2VjcmV0")"}) {
    const Response refused = put(more);
    BOOST_TEST(refused.status == 400, more << ": " << refused.body);
  }
  must_put();
  BOOST_TEST(put().status == 409);
  BOOST_TEST(
      call("POST", "/v1/credentials/orders-db/rotate", R"({"value":"c2VjcmV0"})", kOperatorUid).status ==
      400);
  BOOST_TEST(call("POST", "/v1/credentials/orders-db/change", R"({"type":"api_key"})", kOperatorUid).status ==
             400);
  BOOST_TEST(call("POST", "/v1/credentials/orders-db/change", R"({"owner":"shop"})", kOperatorUid).status ==
             200);
  BOOST_TEST(ask().status == 200);
}

BOOST_FIXTURE_TEST_CASE(a_record_that_names_another_issuer_by_another_hand_releases_nothing, Issuers) {
  must_put();
  edit("UPDATE credentials SET issuer = 'crm'");
  BOOST_TEST(ask().status == 503);
  edit("UPDATE credentials SET issuer = ''");  // nor is the name of its issuer a value
  BOOST_TEST(ask().status == 503);
  BOOST_TEST(provider->look([](const Provider& the) { return the.requests.size(); }) == 0u);
}

// --- a call

BOOST_FIXTURE_TEST_CASE(a_permit_is_given_what_was_issued_for_it, Issuers) {
  must_put();
  const Response given = ask();
  BOOST_REQUIRE_MESSAGE(given.status == 200, given.body);
  BOOST_TEST(value_in(given) == base64_encode(as_bytes(value_of(1))));
  BOOST_TEST(value_in(given, "username") == "role_1");
  BOOST_TEST(value_in(given, "issued") == "true");
  BOOST_TEST(value_in(given, "type") == "issued");
  BOOST_TEST(value_in(given, "expires_at") == std::to_string((kNow + 900s).time_since_epoch().count()));
  const std::vector<std::string> want{"tool.attempt", "tool.permit", "credential.release",
                                      "credential.issue"};
  BOOST_TEST(actions_about(permit_in(given)) == want, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(it_serves_no_longer_than_the_leaf_of_the_chain, Issuers) {
  must_put();
  permitted();
  const auto requests = provider->look([](const Provider& the) { return the.requests; });
  BOOST_REQUIRE(requests.size() == 1u);
  BOOST_TEST((requests[0].not_after == kNow + kLeaf));
  BOOST_TEST(requests[0].tool == "refund");
  BOOST_TEST((requests[0].scopes == std::vector<std::string>{"orders"}));
}

BOOST_FIXTURE_TEST_CASE(a_permit_that_is_used_later_is_given_it_then, Issuers) {
  must_put();
  const Response given = ask(10, "false");
  BOOST_TEST(provider->look([](const Provider& the) { return the.requests.size(); }) == 0u);
  const Response used = call("POST", "/v1/permits/" + permit_in(given) + "/credential", "", kRuntimeUid);
  BOOST_TEST(value_in(used) == base64_encode(as_bytes(value_of(1))), used.body);
  const auto requests = provider->look([](const Provider& the) { return the.requests; });
  BOOST_REQUIRE(requests.size() == 1u);
  BOOST_TEST((requests[0].not_after == kNow + kLeaf));
}

BOOST_FIXTURE_TEST_CASE(its_value_stands_in_no_entry_and_is_redacted_while_it_is_good, Issuers) {
  must_put();
  const std::string permit = permitted();
  BOOST_TEST(count("canary") == 0u);
  BOOST_TEST(has(issue_entry(), R"("issued":"id-1")"), issue_entry());
  BOOST_TEST(has(issue_entry(), R"("lifetime_s":900)"), issue_entry());
  BOOST_TEST(!has(office().redactor->text("it is " + value_of(1)), value_of(1)));
  report(permit);
  provider->until([](const Provider& the) { return !the.revoked.empty(); });
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (!has(office().redactor->text("it was " + value_of(1)), value_of(1)))
    BOOST_REQUIRE(std::chrono::steady_clock::now() < deadline);
}

BOOST_FIXTURE_TEST_CASE(a_call_that_is_denied_has_nothing_issued, Issuers) {
  must_put();
  const Response denied = ask(101);
  BOOST_TEST(member(denied, "decision") == "deny", denied.body);
  BOOST_TEST(provider->look([](const Provider& the) { return the.requests.size(); }) == 0u);
}

// --- when nothing can be issued

BOOST_FIXTURE_TEST_CASE(a_call_that_nothing_is_issued_for_spends_nothing_and_is_over, Issuers) {
  must_put();
  fail_with(Error{ErrorCode::kConnectFailed, "the provider cannot be reached"});
  const Response failed = ask(60);
  BOOST_TEST(failed.status == 503, failed.body);
  BOOST_TEST(member(failed, "code") == "connect_failed");
  BOOST_TEST(value_in(failed).empty());
  BOOST_TEST(has(issue_entry(), R"("error":"connect_failed")"), issue_entry());
  BOOST_TEST(has(issue_entry(), R"("outcome":"failed")"), issue_entry());
  BOOST_TEST(count(R"("action":"reservation.release")") == 1u);
  fail_with(std::nullopt);
  BOOST_TEST(member(ask(60), "decision") == "permit");  // of 100 in all
  service::PermitKeeper keeper(office(), [](const char*, const Error&) {});
  keeper.tick(kNow + 1h);
  BOOST_TEST(count(R"("action":"tool.unreported")") == 1u);  // the one that was permitted
}

BOOST_FIXTURE_TEST_CASE(who_must_consent_is_told_so, Issuers) {
  must_put();
  fail_with(Error{ErrorCode::kCredentialExpired, "the consent has ended"});
  const Response failed = ask();
  BOOST_TEST(failed.status == 409, failed.body);
  BOOST_TEST(member(failed, "code") == "credential_expired");
}

BOOST_FIXTURE_TEST_CASE(a_permit_used_later_that_nothing_is_issued_for_has_ended, Issuers) {
  must_put();
  fail_with(Error{ErrorCode::kConnectFailed, "the provider cannot be reached"});
  const std::string permit = permit_in(ask(60, "false"));
  BOOST_TEST(call("POST", "/v1/permits/" + permit + "/credential", "", kRuntimeUid).status == 503);
  BOOST_TEST(report(permit).status == 409);
  BOOST_TEST(count(R"("action":"reservation.release")") == 1u);
}

// --- after the call

BOOST_FIXTURE_TEST_CASE(what_was_issued_is_taken_back_after_the_call, Issuers) {
  must_put();
  const std::string permit = permitted();
  set_now(kNow + 7s);
  BOOST_TEST(report(permit).status == 200);
  provider->until([](const Provider& the) { return the.revoked == std::vector<std::string>{"id-1"}; });
  BOOST_TEST(provider->look([](const Provider& the) { return the.unauthorized.size(); }) == 0u);
  const auto used = office().issuers.lifetimes.used.read();
  BOOST_TEST(used.sum == 7u);
}

BOOST_FIXTURE_TEST_CASE(a_provider_that_is_away_is_asked_again, Issuers) {
  must_put();
  provider->look([](Provider& the) { return the.lost_revocations = 2; });
  report(permitted());
  provider->until([](const Provider& the) { return the.revoked == std::vector<std::string>{"id-1"}; });
}

BOOST_FIXTURE_TEST_CASE(what_the_upstream_did_not_accept_is_told_to_its_issuer, Issuers) {
  must_put();
  const std::string permit = permitted();
  BOOST_TEST(report(permit, R"(,"refused_credential":true)").status == 200);
  BOOST_TEST(provider->look([](const Provider& the) { return the.unauthorized; }) ==
                 std::vector<std::string>{"id-1"},
             boost::test_tools::per_element());
  BOOST_TEST(count(R"("refused_credential":true)") == 1u);
}

BOOST_FIXTURE_TEST_CASE(what_nobody_reports_is_taken_back_too, Issuers) {
  must_put();
  permitted();
  service::PermitKeeper keeper(office(), [](const char*, const Error&) {});
  keeper.tick(kNow + 16min);
  provider->until([](const Provider& the) { return the.revoked == std::vector<std::string>{"id-1"}; });
}

BOOST_FIXTURE_TEST_CASE(nothing_stays_behind_when_the_daemon_ends, Issuers) {
  must_put();
  permitted();
  permitted();
  premises().issuers.close();
  BOOST_TEST(provider->look([](const Provider& the) { return the.revoked.size(); }) == 2u);
}

BOOST_FIXTURE_TEST_CASE(what_a_crash_left_behind_is_looked_for_at_the_start, Issuers) {
  provider->until([](const Provider& the) { return the.sweeps > 0; });
}

// --- what operators see

BOOST_FIXTURE_TEST_CASE(operators_see_how_each_issuer_is, Issuers) {
  const Response ready = call("GET", "/v1/issuers", "", kOperatorUid);
  BOOST_TEST(has(ready.body, R"("name":"shop")"), ready.body);
  BOOST_TEST(has(ready.body, R"("state":"ready")"));
  fail_with(Error{ErrorCode::kTlsFailed, "its certificate is another's"});
  const Response failing = call("GET", "/v1/issuers", "", kOperatorUid);
  BOOST_TEST(has(failing.body, R"("state":"failing")"), failing.body);
  BOOST_TEST(has(failing.body, R"("error":"tls_failed")"));
  BOOST_TEST(has(failing.body, "its certificate is another's"));
  BOOST_TEST(call("GET", "/v1/issuers", "", kOrchestratorUid).status == 403);
}

BOOST_FIXTURE_TEST_CASE(only_an_issuer_that_asks_somebody_takes_a_consent, Issuers) {
  const auto begin = [&](const std::string& name, std::uint32_t uid) {
    return call("POST", "/v1/issuers/" + name + "/consent", "{}", uid).status;
  };
  BOOST_TEST(begin("shop", kOperatorUid) == 400);
  BOOST_TEST(begin("nobody", kOperatorUid) == 404);
  BOOST_TEST(begin("shop", kOrchestratorUid) == 403);
  BOOST_TEST(begin("nobody", kOrchestratorUid) == 403);
}

BOOST_FIXTURE_TEST_CASE(issues_lifetimes_and_states_are_counted, Issuers) {
  must_put();
  report(permitted());
  fail_with(Error{ErrorCode::kCredentialExpired, "the consent has ended"});
  ask();
  const std::string text = call("GET", "/metrics", "", kSupportUid).body;
  for (const char* const line :
       {R"(chancery_credential_issues_total{issuer="shop",outcome="issued"} 1)",
        R"(chancery_credential_issues_total{issuer="shop",outcome="needs_consent"} 1)",
        R"(chancery_credential_issuer_state{issuer="shop",state="failing"} 1)",
        R"(chancery_credential_issuer_state{issuer="shop",state="ready"} 0)",
        "chancery_issued_use_seconds_count 1", R"(chancery_issued_use_seconds_bucket{le="1"} 1)",
        R"(chancery_issued_use_seconds_bucket{le="86400"} 1)"}) {
    BOOST_TEST(has("\n" + text, "\n" + std::string(line) + "\n"), "no line " << line);
  }
}

// --- an issuer's own secret

namespace {

/// With an issuer that has a secret of its own.
struct OwnSecret : Issuers {
  OwnSecret()
      : Issuers([] {
          auto out = std::make_shared<Provider>();
          out->lost_revocations = SIZE_MAX;  // asks for the second issuer
          return out;
        }()) {
    const Response made = put(R"("issuer":"crm")");
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
  }
  void put_secret(const std::string& tool) {
    const Response made = call("POST", "/v1/credentials",
                               R"({"name":"crm-secret","type":"client_secret","scope":"crm","tools":[")" +
                                   tool + R"("],"value":")" + base64_encode(as_bytes(kSecret)) + "\"}",
                               kOperatorUid);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_issuer_is_told_its_own_secret_by_the_vault, OwnSecret) {
  put_secret("issuer/crm");
  BOOST_TEST(ask().status == 200);
  const auto secrets = provider->look([](const Provider& the) { return the.secrets; });
  BOOST_TEST(secrets == std::vector<std::string>{std::string(kSecret)}, boost::test_tools::per_element());
  BOOST_TEST(count(R"("tool":"issuer/crm")") == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_secret_that_is_for_something_else_is_not_told, OwnSecret) {
  put_secret("refund");
  const Response refused = ask();
  BOOST_TEST(refused.status == 403, refused.body);
  BOOST_TEST(provider->look([](const Provider& the) { return the.secrets.size(); }) == 0u);
}

BOOST_FIXTURE_TEST_CASE(without_its_secret_nothing_is_issued, OwnSecret) {
  BOOST_TEST(ask().status == 404);
  BOOST_TEST(count(R"("action":"reservation.release")") == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
