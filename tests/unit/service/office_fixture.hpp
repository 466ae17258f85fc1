#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/verify.hpp>

#include "daemon/rest/router.hpp"
#include "daemon/service/premises.hpp"
#include "sdk/json/reader.hpp"
#include "simulators/memory/memory_backend.hpp"
#include "simulators/memory/memory_counter.hpp"

namespace chancery::tests {

inline constexpr std::uint32_t kOperatorUid = 1000;
inline constexpr std::uint32_t kOrchestratorUid = 2001;
inline constexpr std::uint32_t kSupportUid = 2002;
inline constexpr std::uint32_t kLookupUid = 2003;
inline constexpr const char* kIssuerUrl = "https://issuer.example";
inline constexpr std::chrono::sys_seconds kNow{std::chrono::seconds{1'800'000'000}};

/// The daemon without sockets and devices: a real store in a folder of its own, keys in memory, requests as
/// values.
class OfficeFixture {
 public:
  OfficeFixture() : OfficeFixture(std::filesystem::temp_directory_path()) {}
  /// What a test needs besides.
  struct Extension {
    std::unique_ptr<hsm::KeyBackend> tpm{};  ///< a second backend, "tpm"
    service::AttestationOptions attestation{};
    std::vector<PublicKey> verifiers{};  ///< whose attestation results count for chains of this office
    service::AnomalyOptions anomalies{};
    service::WebhookOptions webhook{};
    service::WebhookOptions approvals_webhook{};
    service::IssuerDeskOptions issuers{};
    const char* issuer_backend = "memory";  ///< whose device has the issuer's keys, and those behind gates
  };
  explicit OfficeFixture(Extension extension)
      : OfficeFixture(std::filesystem::temp_directory_path(), std::move(extension)) {}

  /// \param base  where its folder is made
  explicit OfficeFixture(const std::filesystem::path& base) : OfficeFixture(base, {}) {}
  OfficeFixture(const std::filesystem::path& base, Extension extension) {
    std::string name = (base / "office-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
    const auto journal = store::Journal::open(folder_ / "state");
    BOOST_REQUIRE(journal);
    auto memory = std::make_unique<simulators::MemoryBackend>();
    device_ = memory.get();
    service::Backends backends;
    backends.add("memory", std::move(memory));
    if (extension.tpm) backends.add("tpm", std::move(extension.tpm));
    auto nonces = service::Nonces::create();
    BOOST_REQUIRE(nonces);
    premises_.emplace(store::make_sqlite_books(*journal), std::move(backends), *std::move(nonces),
                      options(std::move(extension)));
    premises_->spending.tick(kNow);
    router_.emplace(premises_->office);
  }
  ~OfficeFixture() {
    premises_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::filesystem::path database() const { return folder_ / "state" / "chancery.db"; }
  [[nodiscard]] service::Office& office() { return premises_->office; }
  [[nodiscard]] rest::Router& router() { return *router_; }
  [[nodiscard]] store::Store& store() { return *premises_->books.store; }
  [[nodiscard]] service::Spending& spending() { return premises_->spending; }
  [[nodiscard]] service::Premises& premises() { return *premises_; }
  [[nodiscard]] simulators::MemoryCounter& counter() { return counter_; }
  [[nodiscard]] simulators::MemoryBackend& device() { return *device_; }
  void set_now(std::chrono::sys_seconds now) { now_ = now; }

  /// \param headers  beside the content type
  rest::Response call(std::string method, const std::string& path, std::string body,
                      std::optional<std::uint32_t> uid,
                      std::vector<std::pair<std::string, std::string>> headers = {}) {
    rest::Request request;
    request.method = std::move(method);
    const std::size_t query = std::min(path.find('?'), path.size());
    request.path = path.substr(0, query);
    if (query < path.size()) request.query = path.substr(query + 1);
    request.body = std::move(body);
    request.headers = std::move(headers);
    request.headers.emplace_back("content-type", "application/json");
    request.peer.transport = uid ? rest::Transport::kUnix : rest::Transport::kTls;
    if (uid) {
      request.peer.credentials = rest::PeerCredentials{};
      request.peer.credentials->uid = *uid;
      request.peer.credentials->gid = *uid;
      request.peer.credentials->pid = ::getpid();
    }
    request.id = "req-1";
    request.received_at = now_;
    request.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    return router_->handle(request);
  }

  /// The issuer's and those of status lists, attestation results and the audit log, which otherwise come when they are needed first.
  void make_own_keys() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    BOOST_REQUIRE(office().issuer.current(kNow, deadline));
    BOOST_REQUIRE(office().statuses.keys.current(kNow, deadline));
    BOOST_REQUIRE(office().attestation.keys.current(kNow, deadline));
    BOOST_REQUIRE(office().audit.keys.current(kNow, deadline));
  }

  void create_agent(const std::string& name, std::uint32_t uid) {
    const auto made =
        call("POST", "/v1/agents",
             R"({"name":")" + name + R"(","selectors":{"uid":)" + std::to_string(uid) + "}}", kOperatorUid);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
  }

  /// Three agents, as in the story that README tells.
  void create_story_agents() {
    create_agent("orchestrator", kOrchestratorUid);
    create_agent("support", kSupportUid);
    create_agent("lookup", kLookupUid);
  }

  /// Publishes the policy with one change.
  void change_policy(const std::function<void(service::Policy&)>& change) {
    service::Policy policy = *office().policy.current();
    change(policy);
    office().policy.publish(std::move(policy));
  }

  /// A member of an answer as JSON text, or nothing.
  static std::string member(const rest::Response& response, std::string_view name) {
    const auto document = json::Document::parse(response.body);
    if (!document) return {};
    const json::Value* value = document->root().find(name);
    if (value == nullptr) return {};
    return std::string(value->string().value_or(value->source()));
  }

  /// The chain that an answer holds, as the JSON array it stands in.
  static std::string chain_of(const rest::Response& response) { return member(response, "chain"); }

 private:
  static service::DaemonKeyOptions key_options(std::string_view owner) {
    return {owner, "memory", std::chrono::hours(8), std::chrono::hours(32)};
  }

  service::PremisesOptions options(Extension extension) {
    service::PremisesOptions options;
    options.attestation_verifiers = std::move(extension.verifiers);
    options.policy = policy();
    options.issuer = key_options(store::kIssuer);
    options.issuer.backend = extension.issuer_backend;
    options.status_keys = key_options(store::kStatusLists);
    options.attestation_keys = key_options(store::kAttestation);
    options.audit_keys = key_options(store::kAudit);
    options.webhook_keys = key_options(store::kWebhook);
    if (extension.webhook.url.empty() && extension.approvals_webhook.url.empty())
      options.webhook_keys.backend.clear();
    options.webhook = std::move(extension.webhook);
    options.approvals_webhook = std::move(extension.approvals_webhook);
    options.audit.host = "issuer.example";
    options.audit.salts = SecretBytes(Bytes(32, 9));
    options.attestation = std::move(extension.attestation);
    options.spending = {.counter = &counter_};
    options.anomalies = std::move(extension.anomalies);
    options.issuers = std::move(extension.issuers);
    options.cache_tokens = 64;
    return options;
  }

  static service::Policy policy() {
    service::Policy policy;
    policy.issuer_url = kIssuerUrl;
    policy.trust_domain = "example.org";
    policy.operators.uids = {kOperatorUid};
    policy.granted_scopes = {"crm.*", "payments.*", "User.Read"};
    policy.max_grant_lifetime = std::chrono::hours(8);
    policy.max_grant_depth = 4;
    policy.default_delegation_lifetime = std::chrono::minutes(10);
    policy.key_overlap = std::chrono::minutes(10);
    return policy;
  }

  std::filesystem::path folder_;
  std::chrono::sys_seconds now_ = kNow;
  simulators::MemoryCounter counter_;
  simulators::MemoryBackend* device_ = nullptr;
  std::optional<service::Premises> premises_;
  std::optional<rest::Router> router_;
};

}  // namespace chancery::tests
