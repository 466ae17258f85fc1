#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <chancery/proof.hpp>

#include "daemon/service/permits.hpp"
#include "daemon/store/sqlite.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/verify/action.hpp"
#include "tests/unit/service/audit_texts.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""h;
using rest::Response;
using vault::IssuedCredential;
using vault::IssueRequest;

inline constexpr std::uint32_t kRuntimeUid = 3001;
inline constexpr std::chrono::seconds kLeaf{1800};

/// What a test sees of an issuer, and has it do.
struct Provider {
  std::mutex mutex;
  std::vector<IssueRequest> requests;
  std::vector<std::string> revoked;
  std::vector<std::string> unauthorized;
  std::vector<std::string> accepted;
  std::size_t dropped = 0;           ///< how often it was told to keep nothing
  std::vector<std::string> secrets;  ///< that it was told of itself
  std::size_t sweeps = 0;
  std::optional<Error> refusal;  ///< of each request
  std::size_t lost_revocations = 0;
  vault::SecretSource secret;
  std::function<void()> during;         ///< while something is issued
  std::function<void()> while_revoked;  ///< while something is taken back
  std::atomic<std::size_t> clock_looks = 0;
  std::atomic<std::chrono::seconds::rep> later = 0;  ///< than kNow, by its clock
  std::shared_ptr<Provider> other{};                 ///< of a second issuer

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

inline std::string value_of(std::size_t number) {
  return "issued-canary-" + std::to_string(number) + "-0123456789";
}

class ScriptedIssuer final : public vault::Issuer {
 public:
  explicit ScriptedIssuer(std::shared_ptr<Provider> provider) : provider_(std::move(provider)) {}

  Result<IssuedCredential> issue(const IssueRequest& request, vault::Deadline deadline) override {
    if (provider_->secret) {
      CHANCERY_ASSIGN(const SecretBytes secret, provider_->secret(deadline));
      const std::lock_guard lock(provider_->mutex);
      provider_->secrets.emplace_back(as_text(secret.view()));
    }
    if (const auto during = provider_->look([](const Provider& the) { return the.during; })) during();
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
  Status revoke(const IssuedCredential& credential, vault::Deadline deadline) override {
    if (const auto act = provider_->look([](const Provider& the) { return the.while_revoked; })) act();
    if (std::chrono::steady_clock::now() >= deadline) return Error{ErrorCode::kTimeout, "too late"};
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
  void report_accepted(const IssuedCredential& credential) override {
    const std::lock_guard lock(provider_->mutex);
    provider_->accepted.push_back(credential.id);
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

inline OfficeFixture::Extension extension_of(const std::shared_ptr<Provider>& provider) {
  service::IssuerSetup shop;
  shop.name = "shop";
  shop.type = "postgres_role";
  shop.request.scopes = {"orders"};
  shop.make = [provider](service::IssuerParts) {
    return service::MadeIssuer{std::make_unique<ScriptedIssuer>(provider), nullptr,
                               [provider] { provider->look([](Provider& the) { return ++the.dropped; }); }};
  };
  service::IssuerSetup other;
  other.name = "other";
  other.type = "postgres_role";
  provider->other = std::make_shared<Provider>();
  other.make = [provider](service::IssuerParts) {
    return service::MadeIssuer{std::make_unique<ScriptedIssuer>(provider->other), nullptr, {}};
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
  out.issuers.issuers.push_back(std::move(other));
  if (provider->lost_revocations == SIZE_MAX) out.issuers.issuers.push_back(std::move(crm));
  out.issuers.now = [provider] {
    ++provider->clock_looks;
    return kNow + std::chrono::seconds(provider->later);
  };
  out.issuers.threads = 4;  // so that two may wait for one issuer
  out.issuers.pace = {20ms, 1h, 500ms};
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
    grant(kLeaf);
  }
  ~Issuers() { premises().issuers.close(); }

  void grant(std::chrono::seconds lifetime) {
    const Response granted = call(
        "POST", "/v1/grants",
        R"({"principal":"user:alice@example.org","agent":"orchestrator","audience":"https://tools.example",)"
        R"("scopes":["payments.refund"],"constraints":[{"key":"payments.refund#amount","max_subtree":100}],)"
        R"("lifetime_s":)" +
            std::to_string(lifetime.count()) + R"(,"depth":2})",
        kOperatorUid);
    BOOST_REQUIRE_MESSAGE(granted.status == 201, granted.body);
    chain = chain_of(granted);
  }
  Response put(const std::string& more = R"("issuer":"shop")") {
    return call(
        "POST", "/v1/credentials",
        R"({"name":")" + credential + R"(","scope":"payments.refund","tools":["refund"],)" + more + "}",
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
                    params + R"(},"tool":"refund","credential":")" + credential +
                    R"(","arguments_sha256":")" + hex_encode(sha256(as_bytes(params))) +
                    R"(","reserve_s":90,"release":)" + release + "}",
                kRuntimeUid);
  }
  std::string permitted() {
    const Response given = ask();
    BOOST_REQUIRE_MESSAGE(given.status == 200, given.body);
    return permit_in(given);
  }
  Response use(const std::string& permit) {
    return call("POST", "/v1/permits/" + permit + "/credential", "", kRuntimeUid);
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

  std::vector<std::string> actions_about(const std::string& permit) {
    return audited_actions(store(), permit);
  }
  std::size_t count(const std::string& text) { return audit_texts(store(), text).size(); }
  std::string issue_entry() {
    const auto issued = audit_texts_of(store(), "credential.issue");
    return issued.empty() ? "" : issued.front();
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

  template <typename Act>
  void during(Act act) {
    provider->look([&](Provider& the) {
      the.during = act;
      return 0;
    });
  }
  void must_revoke() {
    provider->until([](const Provider& the) { return the.revoked == std::vector<std::string>{"id-1"}; });
  }

  std::shared_ptr<Provider> provider;
  std::string chain;
  std::string credential = "orders-db";
};

inline bool has(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

}  // namespace chancery::tests
