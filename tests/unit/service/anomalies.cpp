// What an agent does otherwise than it used to is told, kept and, where it is configured, answered with a suspension.

#include <optional>

#include <chancery/proof.hpp>

#include "daemon/service/anomaly_watch.hpp"
#include "daemon/service/watched.hpp"
#include "daemon/store/sqlite.hpp"
#include "sdk/wire/overview_messages.hpp"
#include "tests/unit/service/chain_callers.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using rest::Response;
using service::AnomalyWatch;

OfficeFixture::Extension watching(std::set<anomaly::Kind> suspends) {
  OfficeFixture::Extension extension;
  extension.anomalies = {{.multiple = 2.0, .learning = 1min, .quiet = 10min}, std::move(suspends)};
  return extension;
}

/// An office in which the orchestrator holds a grant, and has delegated `crm.read` a minute ago.
struct WatchedOffice : OfficeFixture {
  explicit WatchedOffice(std::set<anomaly::Kind> suspends = {})
      : OfficeFixture(watching(std::move(suspends))) {
    create_story_agents();
    const Response granted = call(
        "POST", "/v1/grants",
        R"({"principal":"u","agent":"orchestrator","audience":"a","scopes":["crm.*"],"lifetime_s":3600,"depth":3})",
        kOperatorUid);
    BOOST_REQUIRE(granted.status == 201);
    chain = chain_of(granted);
    BOOST_REQUIRE(delegate("crm.read") == 201);
    set_time(kNow + 1min);
  }

  void set_time(std::chrono::sys_seconds to) {
    now = to;
    set_now(to);
  }

  int delegate(const std::string& scope) {
    return call("POST", "/v1/delegations",
                R"({"chain":)" + chain + R"(,"to":"support","scopes":[")" + scope + "\"]}", kOrchestratorUid)
        .status;
  }

  /// \return what was told
  std::vector<api::Anomaly> tick() {
    std::vector<api::Anomaly> told;
    premises().watch.tick(now, response(told));
    return told;
  }
  AnomalyWatch::Response response(std::vector<api::Anomaly>& told) {
    return {[&](const Thumbprint& key) { return owner_of(office(), key); },
            [&](const api::Anomaly& found) { return suspend_for(office(), found, now); },
            [&](const api::Anomaly& found) { told.push_back(found); },
            [](const char* what, const Error& error) { BOOST_ERROR(what << error.what); }};
  }

  /// Has the use of a chain at crm.example.org decided. \param proof  in JSON
  [[nodiscard]] std::string decide(const std::string& presented, const std::string& proof,
                                   const std::string& audience, const std::string& scope) {
    const Response decided =
        call("POST", "/v1/authorize",
             R"({"chain":)" + presented + R"(,"proof":")" + proof + R"(","method":"GET","uri":")" + kCrm +
                 R"(","audience":")" + audience + R"(","action":{"scope":")" + scope + R"("}})",
             kOperatorUid);
    return member(decided, decided.status == 200 ? "decision" : "code");
  }
  /// By a key that is not in the daemon's care.
  [[nodiscard]] std::string proof_by(const ChainCallers::Holder& holder, const std::string& uri,
                                     const char* method = "GET") {
    const ProofClaims claims{method, uri, uri + method, office().nonces.current(now), {}};
    const auto proof = UnsignedProof::encode(claims, holder.chain.back(), holder.key.public_key(), now);
    BOOST_REQUIRE(proof);
    return proof->with(*holder.key.sign(as_bytes(proof->signing_input())));
  }
  /// A session of the orchestrator's.
  [[nodiscard]] ChainCallers::Holder session() {
    change_policy([](service::Policy& policy) { policy.public_urls = {kIssuerUrl}; });
    ChainCallers::Holder process{.chain = ChainCallers::texts(chain)};
    const std::string proof = proof_by(process, std::string(kIssuerUrl) + "/v1/sessions", "POST");
    const Response opened =
        call("POST", "/v1/sessions", R"({"chain":)" + chain + R"(,"key_proof":")" + proof + R"("})",
             kOrchestratorUid);
    BOOST_REQUIRE_MESSAGE(opened.status == 201, opened.body);
    process.chain = ChainCallers::texts(chain_of(opened));
    return process;
  }
  [[nodiscard]] store::Agent orchestrator() { return *store().agent_by_name("orchestrator"); }

  static constexpr const char* kCrm = "https://crm.example.org/orders";

  std::string chain;
  std::chrono::sys_seconds now = kNow;
};

struct SuspendingOffice : WatchedOffice {
  SuspendingOffice() : WatchedOffice({anomaly::Kind::kNewScope}) {}
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_new_scope_is_told_listed_and_counted, WatchedOffice) {
  BOOST_TEST(tick().empty());
  BOOST_TEST(delegate("crm.read") == 201);
  BOOST_TEST(tick().empty());
  BOOST_TEST(delegate("crm.write") == 201);
  const auto told = tick();
  BOOST_TEST_REQUIRE(told.size() == 1u);
  BOOST_TEST(told[0].agent == "orchestrator");
  BOOST_TEST(told[0].kind == "new_scope");
  BOOST_TEST(told[0].what == "crm.write");
  BOOST_TEST(!told[0].suspension.has_value());
  const Response listed = call("GET", "/v1/anomalies", "", kOperatorUid);
  BOOST_TEST(
      listed.body ==
      R"({"anomalies":[{"agent":"orchestrator","at":1800000060,"id":1,"kind":"new_scope","measured":0,)"
      R"("usual":0,"what":"crm.write"}]})");
  const std::string metrics = call("GET", "/metrics", "", kOperatorUid).body;
  BOOST_TEST(metrics.find("chancery_anomalies_total{kind=\"new_scope\"} 1\n") != std::string::npos);
  BOOST_TEST(call("GET", "/v1/anomalies", "", kOrchestratorUid).status == 403);
  BOOST_TEST(call("GET", "/v1/anomalies?limit=0", "", kOperatorUid).status == 400);
}

BOOST_FIXTURE_TEST_CASE(an_agent_is_suspended_for_it_once_and_until_that_is_lifted, SuspendingOffice) {
  BOOST_TEST(delegate("crm.write") == 201);
  BOOST_TEST(delegate("crm.delete") == 201);
  const auto told = tick();
  BOOST_TEST_REQUIRE(told.size() == 2u);
  BOOST_TEST_REQUIRE(told[0].suspension.has_value());
  BOOST_TEST((told[1].suspension == told[0].suspension));
  BOOST_TEST(delegate("crm.read") == 403);
  const std::string id = std::to_string(*told[0].suspension);
  const auto entries = store().audit_after(0, 100);
  BOOST_REQUIRE(entries);
  const std::string& suspension = (entries->end() - 2)->json;  // the delegation that was refused is the last
  BOOST_TEST(suspension.find(R"("action":"token.suspend")") != std::string::npos, suspension);
  BOOST_TEST(suspension.find("anomaly: new_scope") != std::string::npos);
  BOOST_REQUIRE(call("POST", "/v1/suspensions/" + id + "/lift", "", kOperatorUid).status == 200);
  BOOST_TEST(delegate("crm.write") == 201);
  BOOST_TEST(tick().empty());
}

BOOST_FIXTURE_TEST_CASE(a_suspension_that_fails_is_tried_again_until_it_stands, SuspendingOffice) {
  BOOST_TEST(delegate("crm.write") == 201);
  std::vector<api::Anomaly> told;
  int complaints = 0;
  AnomalyWatch::Response failing = response(told);
  failing.suspend = [](const api::Anomaly&) -> Result<std::int64_t> {
    return Error{ErrorCode::kStoreUnavailable, "no space"};
  };
  failing.complain = [&](const char*, const Error& error) {
    BOOST_TEST((error.code == ErrorCode::kStoreUnavailable));
    ++complaints;
  };
  for (int i = 0; i < 3; ++i) premises().watch.tick(now, failing);
  BOOST_TEST_REQUIRE(told.size() == 1u);
  BOOST_TEST(!told[0].suspension.has_value());
  BOOST_TEST(complaints == 1);
  BOOST_TEST(premises().books.anomalies->recent(10)->empty());

  // Whoever starts from what is kept now finds it new again.
  BOOST_REQUIRE(premises().watch.keep());
  AnomalyWatch next(*premises().books.anomalies, {{.multiple = 2.0, .learning = 1min}, {}});
  BOOST_REQUIRE(next.open());
  anomaly::Use use;
  service::note_agent(use, orchestrator());
  next.saw(use, now - 1min);
  use.scopes = {"crm.write"};
  next.saw(use, now);
  BOOST_TEST(next.count(anomaly::Kind::kNewScope) == 1u);

  const auto at_last = tick();
  BOOST_TEST_REQUIRE(at_last.size() == 1u);
  BOOST_TEST(at_last[0].suspension.has_value());
  BOOST_TEST(delegate("crm.read") == 403);
  BOOST_TEST(premises().books.anomalies->recent(10)->size() == 1u);
  BOOST_TEST(tick().empty());
}

// Others that ask for much at once do not hide an agent that is to be suspended.
BOOST_FIXTURE_TEST_CASE(no_suspension_is_lost_among_many_anomalies, SuspendingOffice) {
  anomaly::Use many;
  for (std::uint8_t i = 0; i < 5; ++i) {
    many.agent = many.name = "other-" + std::to_string(i);
    many.key = Thumbprint{{i}};
    many.resources.clear();
    premises().watch.saw(many, now - 1min);
    for (int j = 0; j < 250; ++j) many.resources.push_back(std::to_string(j));
    premises().watch.saw(many, now);
  }
  BOOST_TEST(delegate("crm.write") == 201);
  BOOST_TEST(delegate("crm.delete") == 201);
  std::vector<api::Anomaly> told;
  std::vector<Error> complaints;
  AnomalyWatch::Response listening = response(told);
  listening.complain = [&](const char*, const Error& error) { complaints.push_back(error); };
  premises().watch.tick(now, listening);
  BOOST_TEST_REQUIRE(told.size() == AnomalyWatch::kMostWaiting + 1);
  BOOST_TEST(told.back().agent == "orchestrator");
  BOOST_TEST(told.back().suspension.has_value());
  BOOST_TEST_REQUIRE(complaints.size() == 1u);
  BOOST_TEST((complaints[0].code == ErrorCode::kOverloaded));
  BOOST_TEST(complaints[0].native == 251u);
  BOOST_TEST(delegate("crm.read") == 403);
}

BOOST_FIXTURE_TEST_CASE(an_agent_that_is_retired_meanwhile_is_suspended_no_more, SuspendingOffice) {
  BOOST_TEST(delegate("crm.write") == 201);
  BOOST_REQUIRE(call("DELETE", "/v1/agents/orchestrator", "", kOperatorUid).status == 200);
  create_agent("orchestrator", kOrchestratorUid);
  const auto told = tick();
  BOOST_TEST_REQUIRE(told.size() == 1u);
  BOOST_TEST(!told[0].suspension.has_value());
}

BOOST_FIXTURE_TEST_CASE(secrets_are_taken_out_before_an_anomaly_is_kept, WatchedOffice) {
  anomaly::Use use;
  service::note_agent(use, orchestrator());
  use.resources = {"https://crm.example.org/?password=hunter2"};
  premises().watch.saw(use, now);
  BOOST_TEST_REQUIRE(tick().size() == 1u);
  const std::string kept = premises().books.anomalies->recent(1)->front().second;
  BOOST_TEST(kept.find("hunter2") == std::string::npos, kept);
  BOOST_TEST(kept.find("[redacted]") != std::string::npos, kept);
  BOOST_TEST(call("GET", "/v1/anomalies", "", kOperatorUid).body.find("[redacted]") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(what_was_learned_outlives_the_watch, WatchedOffice) {
  BOOST_REQUIRE(premises().watch.keep());
  AnomalyWatch next(*premises().books.anomalies, {{.multiple = 2.0, .learning = 1min}, {}});
  BOOST_REQUIRE(next.open());
  anomaly::Use use;
  service::note_agent(use, orchestrator());
  use.scopes = {"crm.read"};
  next.saw(use, now);
  BOOST_TEST(next.count(anomaly::Kind::kNewScope) == 0u);
  use.scopes = {"crm.write"};
  next.saw(use, now);
  BOOST_TEST(next.count(anomaly::Kind::kNewScope) == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_retired_agent_is_forgotten_and_its_name_inherits_nothing, WatchedOffice) {
  const auto kept = [&] { return premises().books.anomalies->baselines().value(); };
  BOOST_REQUIRE(premises().watch.keep());
  BOOST_TEST_REQUIRE(kept().size() == 1u);
  BOOST_TEST(kept().front().first == orchestrator().id);
  BOOST_REQUIRE(call("DELETE", "/v1/agents/orchestrator", "", kOperatorUid).status == 200);
  BOOST_TEST(kept().empty());
  create_agent("orchestrator", kOrchestratorUid);
  const Response granted = call(
      "POST", "/v1/grants",
      R"({"principal":"u","agent":"orchestrator","audience":"a","scopes":["crm.*"],"lifetime_s":3600,"depth":3})",
      kOperatorUid);
  chain = chain_of(granted);
  BOOST_TEST(delegate("crm.write") == 201);
  BOOST_TEST(tick().empty());  // is learned
  BOOST_REQUIRE(premises().watch.keep());
  BOOST_TEST_REQUIRE(kept().size() == 1u);
  BOOST_TEST(kept().front().first == orchestrator().id);
  auto file = store::Database::open(database());
  BOOST_REQUIRE(file);
  auto rows = file->query("SELECT count(*) FROM baselines");
  BOOST_REQUIRE(rows);
  BOOST_REQUIRE(rows->step());
  BOOST_TEST(rows->number(0) == 1);
}

BOOST_FIXTURE_TEST_CASE(what_has_not_changed_is_not_written_again, WatchedOffice) {
  store::AnomalyBook& book = *premises().books.anomalies;
  BOOST_REQUIRE(premises().watch.keep());
  const std::vector<store::AnomalyBook::Learned> other{{orchestrator().id, "1"}};
  BOOST_REQUIRE(book.keep_baselines(other));
  BOOST_REQUIRE(premises().watch.keep());
  BOOST_TEST((*book.baselines() == other));
  BOOST_TEST(delegate("crm.read") == 201);
  BOOST_REQUIRE(premises().watch.keep());
  BOOST_TEST((*book.baselines() != other));
}

BOOST_FIXTURE_TEST_CASE(a_thousand_anomalies_are_kept, WatchedOffice) {
  for (int i = 0; i < 1005; ++i) BOOST_REQUIRE(premises().books.anomalies->add(R"({"n":1})"));
  const auto kept = premises().books.anomalies->recent(2000);
  BOOST_REQUIRE(kept);
  BOOST_TEST(kept->size() == 1000u);
  BOOST_TEST(kept->front().first == 1005);
}

BOOST_FIXTURE_TEST_CASE(who_does_not_show_to_be_the_agent_is_not_taken_for_it, WatchedOffice) {
  const Response refused =
      call("POST", "/v1/delegations", R"({"chain":)" + chain + R"(,"to":"support","scopes":["crm.write"]})",
           kSupportUid);
  BOOST_TEST(refused.status == 403);
  BOOST_TEST(tick().empty());
}

// Whoever may delegate can name anybody as the holder of his own key.
BOOST_FIXTURE_TEST_CASE(a_name_in_a_token_makes_nobody_else_act, SuspendingOffice) {
  ChainCallers callers(*this);
  callers.client_id = "spiffe://example.org/agent/orchestrator";
  const auto other = callers.delegate(callers.root, R"({"scopes":["chancery.agents.read"]})");
  const std::string presented = R"([")" + other.chain.front() + R"(",")" + other.chain.back() + R"("])";
  BOOST_TEST(decide(presented, proof_by(other, kCrm), kIssuerUrl, "chancery.agents.read") == "permit");
  const std::string entry = store().audit_tail(1)->front().json;
  BOOST_TEST(entry.find(R"("agent":)") == std::string::npos, entry);
  BOOST_TEST(entry.find(R"("claimed_client_id":"spiffe://example.org/agent/orchestrator")") !=
             std::string::npos);
  BOOST_TEST(tick().empty());
  BOOST_TEST(delegate("crm.read") == 201);
}

BOOST_FIXTURE_TEST_CASE(a_session_acts_as_the_agent_that_opened_it, WatchedOffice) {
  const auto process = session();
  std::string presented = "[";
  for (const std::string& token : process.chain)
    presented += (presented.size() > 1 ? ",\"" : "\"") + token + '"';
  BOOST_TEST(decide(presented + "]", proof_by(process, kCrm), "a", "crm.read") == "permit");
  const std::string entry = store().audit_tail(1)->front().json;
  BOOST_TEST(entry.find(R"("agent":"orchestrator")") != std::string::npos, entry);
  const auto told = tick();
  BOOST_TEST_REQUIRE(told.size() == 2u);
  BOOST_TEST(told[0].agent == "orchestrator");
  BOOST_TEST(told[0].kind == "new_resource");
  BOOST_TEST(told[1].what == "crm.example.org");
}

BOOST_FIXTURE_TEST_CASE(whose_an_unknown_key_is_is_found_out_before_its_use_counts, WatchedOffice) {
  BOOST_REQUIRE(premises().watch.keep());
  AnomalyWatch next(*premises().books.anomalies, {{.multiple = 2.0, .learning = 1min}, {}});
  BOOST_REQUIRE(next.open());
  anomaly::Use use;
  use.scopes = {"crm.write"};
  for (const Thumbprint& key : {orchestrator().key.stored.public_key.thumbprint(), Thumbprint{}}) {
    use.key = key;
    next.saw(use, now);
  }
  BOOST_TEST(next.count(anomaly::Kind::kNewScope) == 0u);
  std::vector<api::Anomaly> told;
  next.tick(now, response(told));
  BOOST_TEST_REQUIRE(told.size() == 1u);
  BOOST_TEST(told[0].agent == "orchestrator");
  use.scopes = {"crm.delete"};
  next.saw(use, now);  // of nobody here
  BOOST_TEST(next.count(anomaly::Kind::kNewScope) == 1u);
}

BOOST_AUTO_TEST_CASE(a_host_is_what_stands_between_scheme_and_path) {
  for (const auto& [uri, host] : std::initializer_list<std::pair<const char*, const char*>>{
           {"https://crm.example.org/x?y", "crm.example.org"},
           {"https://crm.example.org:8443", "crm.example.org:8443"},
           {"https://user:secret@crm.example.org/", "crm.example.org"},
           {"crm.example.org", ""}}) {
    BOOST_TEST(service::host_of(uri) == host, uri);
  }
}

BOOST_FIXTURE_TEST_CASE(the_overview_is_for_operators, WatchedOffice) {
  make_own_keys();
  const Response shown = call("GET", "/v1/overview", "", kOperatorUid);
  BOOST_REQUIRE(shown.status == 200);
  BOOST_TEST(member(shown, "ready") == "true");
  BOOST_TEST(member(shown, "issuer") == kIssuerUrl);
  BOOST_TEST(member(shown, "budgets") == "open");
  BOOST_TEST(member(shown, "counts").find("\"active_agents\":3") != std::string::npos);
  BOOST_TEST(member(shown, "keys").find("\"purpose\":\"issuer\"") != std::string::npos);
  BOOST_TEST(member(shown, "backends").find("\"name\":\"memory\"") != std::string::npos);
  BOOST_TEST(call("GET", "/v1/overview", "", kOrchestratorUid).status == 403);
}

BOOST_FIXTURE_TEST_CASE(the_overview_tells_how_much_of_the_audit_log_is_signed, WatchedOffice) {
  make_own_keys();
  const auto audit = [&] {
    const auto overview = wire::read_overview(call("GET", "/v1/overview", "", kOperatorUid).body);
    BOOST_REQUIRE(overview);
    return overview->audit;
  };
  api::OverviewAudit seen = audit();
  const std::uint64_t entries = office().audit.book.counts().size;
  BOOST_TEST(seen.entries == entries);
  BOOST_TEST_REQUIRE(seen.checkpoint.has_value());  // of the start
  BOOST_TEST(seen.checkpoint->size < entries);
  BOOST_TEST(!seen.is_behind);
  office().audit.tick(now);
  seen = audit();
  BOOST_TEST_REQUIRE(seen.checkpoint.has_value());
  BOOST_TEST(seen.checkpoint->size == entries);
  BOOST_TEST(seen.checkpoint->signed_at == now.time_since_epoch().count());

  device().fail_with(Error{ErrorCode::kDeviceUnavailable, "away"});
  BOOST_REQUIRE(call("POST", "/v1/suspensions", R"({"agent":"support"})", kOperatorUid).status == 201);
  set_time(now + 1h);
  office().audit.tick(now);
  seen = audit();
  BOOST_TEST(seen.is_behind);
  BOOST_TEST(seen.entries == entries + 1);
  BOOST_TEST(seen.checkpoint->size == entries);

  device().fail_with(std::nullopt);
  set_time(now + 1h);
  office().audit.tick(now);
  BOOST_TEST(!audit().is_behind);
  BOOST_TEST(audit().failures == 0u);
}

}  // namespace chancery::tests
