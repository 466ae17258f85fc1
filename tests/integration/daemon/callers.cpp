// Who may do what to the real daemon, from where: chains of authority and DPoP proofs over TLS, kernel
// credentials on the socket.

#include <fstream>

#include <boost/test/unit_test.hpp>

#include <chancery/audit_client.hpp>
#include <chancery/credential.hpp>

#include "sdk/client/calls.hpp"
#include "sdk/client/transport.hpp"
#include "tests/integration/daemon/kept_daemon.hpp"
#include "tests/integration/daemon/remote_office.hpp"
#include "tests/integration/daemon/route_requests.hpp"
#include "tests/integration/edge/raw_client.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kMint = R"({"scopes":["chancery.grants.mint"],"constraints":[
  {"key":"chancery.grants.mint#agent","one_of":["support"]},
  {"key":"chancery.grants.mint#sub","prefix":"user:"}]})";

api::CreateGrant grant_for(const std::string& principal, const std::string& agent) {
  api::CreateGrant grant = grant_to(agent);
  grant.principal = principal;
  return grant;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(callers)

BOOST_FIXTURE_TEST_CASE(an_operator_does_from_elsewhere_what_it_does_on_the_socket, RemoteOffice) {
  const Client remote = as_operator();
  BOOST_TEST(refusal(remote.create_agent(agent_of("support", 4711))) == "");
  BOOST_TEST(answered(remote.agents()).agents.size() == 1u);
  BOOST_TEST(refusal(remote.grant(grant_for("user:alice@example.org", "support"))) == "");
  BOOST_TEST(refusal(remote.rotate_agent("support")) == "");
  BOOST_TEST(refusal(remote.backends()) == "");
  BOOST_TEST(refusal(remote.retire_agent("support")) == "");
}

BOOST_FIXTURE_TEST_CASE(a_delegated_chain_may_do_what_it_says_and_no_more, RemoteOffice) {
  const Client remote = as_operator();
  for (const char* agent : {"support", "billing"})
    BOOST_REQUIRE(refusal(remote.create_agent(agent_of(agent, 4711))) == "");
  const HolderKey key = new_key();
  const Client minter = client(delegated(key, std::string(kMint)), key);
  BOOST_TEST(refusal(minter.grant(grant_for("user:alice@example.org", "support"))) == "");
  BOOST_TEST(refusal(minter.grant(grant_for("user:alice@example.org", "billing"))) == "forbidden");
  BOOST_TEST(refusal(minter.grant(grant_for("service:crm", "support"))) == "forbidden");
  BOOST_TEST(refusal(minter.agents()) == "forbidden");
  BOOST_TEST(refusal(minter.retire_agent("support")) == "forbidden");
  // Who was refused has shown who he is.
  const Client local = daemon->client();
  const auto refused = answered(AuditClient(local).entries({.limit = 1, .is_tail = true}));
  BOOST_TEST(refused.entries.at(0).json.find(R"("jkt":")") != std::string::npos, refused.entries.at(0).json);
}

BOOST_FIXTURE_TEST_CASE(who_may_use_an_agents_key_delegates_and_proves_with_it, RemoteOffice) {
  const Client remote = as_operator();
  for (const char* agent : {"orchestrator", "support"})
    BOOST_REQUIRE(refusal(remote.create_agent(agent_of(agent, 4711))) == "");
  const auto chain = answered(remote.grant(grant_to("orchestrator"))).chain;
  const HolderKey key = new_key();
  const auto use_of = [&](const char* agent) {
    return client(delegated(key, R"({"scopes":["chancery.delegations.create","chancery.proofs.create"],)"
                                 R"("constraints":[{"key":"agent","one_of":[")" +
                                     std::string(agent) + R"("]}]})"),
                  key);
  };
  BOOST_TEST(refusal(use_of("orchestrator").delegate(delegation_of(chain, "support"))) == "");
  BOOST_TEST(refusal(use_of("orchestrator").prove({chain, "GET", "https://crm.example.org/", {}})) == "");
  BOOST_TEST(refusal(use_of("support").delegate(delegation_of(chain, "support"))) == "forbidden");
  BOOST_TEST(refusal(use_of("support").prove({chain, "GET", "https://crm.example.org/", {}})) == "forbidden");
}

BOOST_FIXTURE_TEST_CASE(a_proof_counts_once_and_with_the_daemons_nonce_only, RemoteOffice) {
  const auto credential = required(credential_of(operator_chain, operator_key));
  const auto ask = [&](const std::string& proof) {
    client::HttpRequest request{"GET", "/v1/backends", {}};
    request.headers = {{"Authorization", "DPoP " + operator_chain.back()}, {"DPoP", proof}};
    return send(request);
  };
  const std::string uri = address() + "/v1/backends";
  const client::HttpAnswer first = ask(required(credential->present("GET", uri, std::nullopt)).proof);
  BOOST_TEST(first.status == 401);
  BOOST_TEST(first.body.find("nonce_required") != std::string::npos);
  BOOST_REQUIRE(!first.dpop_nonce.empty());
  const std::string proof = required(credential->present("GET", uri, first.dpop_nonce)).proof;
  BOOST_TEST(ask(proof).status == 200);
  const client::HttpAnswer again = ask(proof);
  BOOST_TEST(again.status == 401);
  BOOST_TEST(again.body.find("proof_refused") != std::string::npos);
  const auto elsewhere =
      ask(required(credential->present("GET", address() + "/v1/agents", first.dpop_nonce)).proof);
  BOOST_TEST(elsewhere.body.find("proof_refused") != std::string::npos);
  const auto other_nonce = ask(required(credential->present("GET", uri, "AAAAAAAAAAAAAAAAAAAAAAAA")).proof);
  BOOST_TEST(other_nonce.body.find("nonce_required") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(authority_over_the_daemon_is_never_granted_and_never_widened, RemoteOffice) {
  BOOST_REQUIRE(refusal(as_operator().create_agent(agent_of("support", 4711))) == "");
  api::CreateGrant grant = grant_to("support");
  for (const char* scope : {"chancery.agents.read", "chancery.*"}) {
    grant.authority.scopes = {scope};
    BOOST_TEST(refusal(daemon->client().grant(grant)) == "forbidden");
    BOOST_TEST(refusal(as_operator().grant(grant)) == "forbidden");
  }
  // What is asked beyond the operator's own bounds is not given.
  const HolderKey key = new_key();
  const Token child = required(Token::parse(delegated(key, std::string(kMint)).back()));
  BOOST_TEST(child.claims().authority.scopes == std::vector<std::string>{"chancery.grants.mint"});
  // An operator's chain is made on the socket alone.
  BOOST_TEST(refusal(as_operator().create_operator({"other", key.public_key().thumbprint().text()})) ==
             "route_unknown");
}

BOOST_FIXTURE_TEST_CASE(a_chain_of_somebody_else_governs_nothing, RemoteOffice) {
  // A partner's root with the same words, trusted for its own chains or not, is not this daemon's.
  const HolderKey root = new_key();
  const HolderKey key = new_key();
  const Token mine = required(Token::parse(operator_chain.front()));
  Claims claims = mine.claims();
  claims.holder = key.public_key().thumbprint();
  const UnsignedToken forged = UnsignedToken::encode(claims, root.public_key(), false);
  const std::string compact = forged.with(required(root.sign(as_bytes(forged.signing_input()))));
  BOOST_TEST(refusal(client({compact}, key).agents()) == "chain_refused");
  BOOST_REQUIRE(refusal(as_operator().create_agent(agent_of("support", 4711))) == "");
  // A grant of this daemon's, whose audience is somebody else.
  const auto granted = answered(as_operator().grant(grant_to("support"))).chain;
  BOOST_TEST(!credential_of(granted, key).has_value());
}

namespace {

// What grants a path and its parameters that must be bounded.
std::string authority_for(std::string_view scope) {
  const std::string bound = R"(,"constraints":[{"key":"chancery.authorize#audience","one_of":["x"]}])";
  return R"({"scopes":[")" + std::string(scope) + "\"]" + (scope == "chancery.authorize" ? bound : "") + "}";
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(every_path_over_tls_wants_the_scope_that_its_row_names, RemoteOffice) {
  for (const rest::Route& route : rest::routes()) {
    if (route.listener != rest::Listener::kPrivileged) continue;
    BOOST_TEST_CONTEXT(route.method << " " << route.pattern) {
      BOOST_REQUIRE(!route.scope.empty());
      const client::HttpRequest request = request_of(route);
      BOOST_TEST(send(request).status == 401);
      const auto status_with = [&](std::string_view scope) {
        const HolderKey key = new_key();
        const auto chain = delegated(key, authority_for(scope));
        const auto transport = client::make_authorized_transport(
            required(client::make_https_transport(
                {address(), (daemon->socket().parent_path() / "ca.pem").string()}, 20s)),
            address(), required(credential_of(chain, key)));
        return required(transport->send(request, std::chrono::steady_clock::now() + 20s)).status;
      };
      BOOST_TEST(status_with("chancery.nothing.else") == 403);
      const int granted = status_with(route.scope);
      BOOST_TEST((granted != 401 && granted != 403), granted);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(paths_of_the_socket_do_not_exist_over_tls, RemoteOffice) {
  for (const rest::Route& route : rest::routes()) {
    if (route.listener != rest::Listener::kUnixSocket && route.listener != rest::Listener::kLocal) continue;
    BOOST_TEST(send(request_of(route)).status == 404, route.pattern);
  }
}

BOOST_AUTO_TEST_CASE(on_the_plain_address_is_what_needs_no_authority_and_nothing_else) {
  const KeptDaemon kept;
  const auto daemon = kept.started();
  for (const rest::Route& route : rest::routes()) {
    const client::HttpRequest request = request_of(route);
    auto plain = testing::RawClient::to_plain(kept.plain_port);
    BOOST_REQUIRE(
        plain.send(request.method + " " + request.target +
                   " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
                   std::to_string(request.body.size()) + "\r\n\r\n" + request.body));
    const auto answer = plain.receive();
    BOOST_REQUIRE(answer);
    const bool is_there = route.listener == rest::Listener::kAny || route.listener == rest::Listener::kLocal;
    const bool is_unknown = answer->body.find("\"route_unknown\"") != std::string::npos;
    BOOST_TEST(is_unknown == !is_there, route.method << " " << route.pattern << ": " << answer->body);
    if (!is_there) BOOST_TEST(answer->status == 404, route.pattern);
  }
}

BOOST_FIXTURE_TEST_CASE(other_users_of_the_machine_may_do_nothing_privileged, RemoteOffice) {
  if (::geteuid() != 0) {
    BOOST_TEST_MESSAGE("not shown: only root can ask as another user");
    return;
  }
  const auto transport = client::make_unix_transport(daemon->socket().string());
  for (const rest::Route& route : rest::routes()) {
    const bool is_for_operators =
        route.listener == rest::Listener::kPrivileged && route.scope != "chancery.delegations.create" &&
        route.scope != "chancery.proofs.create" && route.scope != "chancery.sessions.create";
    if (!is_for_operators) continue;
    const client::HttpRequest request = request_of(route);
    const int status = run_as(4711, [&] {
      const auto answer = transport->send(request, std::chrono::steady_clock::now() + 20s);
      return answer ? answer->status - 300 : 1;
    });
    BOOST_TEST(status == 403 - 300, route.method << " " << route.pattern);
  }
}

BOOST_FIXTURE_TEST_CASE(an_operator_is_made_on_the_socket_and_works_from_a_context, RemoteOffice) {
  testing::Chancery chancery;
  chancery.set("CHANCERY_SOCKET", "");
  const std::string socket = daemon->socket().string();
  const std::string authority = (daemon->socket().parent_path() / "ca.pem").string();
  const auto made = chancery.run({"init", "--socket", socket, "--cacert", authority});
  BOOST_TEST_REQUIRE(made.exit == 0, made.err);
  BOOST_TEST(made.err.find("whoever can read it") != std::string::npos);
  // Neither socket nor address: the context in use.
  BOOST_TEST(chancery.run({"agent", "create", "support", "--uid", "4711"}).exit == 0);
  const auto listed = chancery.run({"agent", "list"});
  BOOST_TEST(listed.exit == 0, listed.err);
  BOOST_TEST(listed.out.find("support") != std::string::npos);
  BOOST_TEST(chancery.run({"context", "list"}).out.find("default *") != std::string::npos);
  BOOST_TEST(chancery.run({"operator", "renew", "--socket", socket, "--lifetime", "1h"}).exit == 0);
  BOOST_TEST(chancery.run({"agent", "list", "--context", "default"}).exit == 0);
  BOOST_TEST(chancery.run({"agent", "list", "--context", "other"}).exit == 2);
}

BOOST_FIXTURE_TEST_CASE(a_chain_and_its_key_log_in_and_a_key_that_others_can_read_does_not, RemoteOffice) {
  testing::Chancery chancery;
  chancery.set("CHANCERY_SOCKET", "");
  const std::string authority = (daemon->socket().parent_path() / "ca.pem").string();
  const HolderKey key = new_key();
  const std::string chain =
      chancery.file("chain.txt", join_chain(delegated(key, R"({"scopes":["chancery.agents.read"]})")));
  const std::string file = (chancery.folder() / "holder.pem").string();
  BOOST_REQUIRE(key.save(file));
  BOOST_TEST(!key.save(file).has_value());  // never over another
  const std::vector<std::string> login{"login",   "prod",  "--addr", address(), "--cacert",
                                       authority, "--key", file,     chain};
  std::filesystem::permissions(file, std::filesystem::perms(0640));
  BOOST_TEST(chancery.run(login).exit == 2);
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  const auto done = chancery.run(login);
  BOOST_TEST_REQUIRE(done.exit == 0, done.err);
  BOOST_TEST(chancery.run({"agent", "list"}).exit == 0);
  BOOST_TEST(chancery.run({"agent", "retire", "support"}).exit == 1);
}

BOOST_FIXTURE_TEST_CASE(a_context_is_made_whole_or_not_at_all, RemoteOffice) {
  testing::Chancery chancery;
  chancery.set("CHANCERY_SOCKET", "");
  const std::string authority = (daemon->socket().parent_path() / "ca.pem").string();
  std::vector<std::string> init{"init", "--socket", daemon->socket().string(), "--cacert", authority};
  BOOST_TEST(chancery.run({"init", "--socket", daemon->socket().string(), "--lifetime", "91d"}).exit == 1);
  BOOST_TEST(chancery.run({"context", "list"}).out.empty());
  BOOST_TEST_REQUIRE(chancery.run(init).exit == 0);
  BOOST_TEST_REQUIRE(chancery.run(init).exit == 0);  // with the key that is there

  const std::string file =
      (chancery.folder() / "config" / "chancery" / "contexts" / "default" / "context.json").string();
  std::ofstream(file) << R"({"address":"https://other.example.org"})";
  const testing::Run refused = chancery.run(init);
  BOOST_TEST(refused.exit == 2);
  BOOST_TEST(refused.err.find("--replace") != std::string::npos, refused.err);
  BOOST_TEST(testing::read_file(file).find("other.example.org") != std::string::npos);
  init.emplace_back("--replace");
  BOOST_TEST(chancery.run(init).exit == 0);
  BOOST_TEST(chancery.run({"agent", "list"}).exit == 0);
}

BOOST_FIXTURE_TEST_CASE(a_context_keeps_its_key_and_takes_newer_chains_for_it, RemoteOffice) {
  testing::Chancery chancery;
  chancery.set("CHANCERY_SOCKET", "");
  const std::string authority = (daemon->socket().parent_path() / "ca.pem").string();
  const auto log_in = [&](const HolderKey& key, const std::string& scope, const std::string& name) {
    const std::string file = (chancery.folder() / name).string();
    if (!std::filesystem::exists(file)) BOOST_REQUIRE(key.save(file));
    const std::string chain =
        chancery.file("chain.txt", join_chain(delegated(key, R"({"scopes":[")" + scope + "\"]}")));
    return chancery.run({"login", "prod", "--addr", address(), "--cacert", authority, "--key", file, chain});
  };
  const HolderKey key = new_key();
  BOOST_TEST(log_in(key, "chancery.backends.read", "one.pem").exit == 0);
  BOOST_TEST(chancery.run({"agent", "list"}).exit == 1);
  BOOST_TEST(log_in(key, "chancery.agents.read", "one.pem").exit == 0);
  BOOST_TEST(log_in(new_key(), "chancery.backends.read", "other.pem").exit == 2);
  BOOST_TEST(chancery.run({"agent", "list"}).exit == 0);
}

/// An operator's stored context.
struct Contexts : RemoteOffice {
  Contexts() {
    chancery.set("CHANCERY_SOCKET", "");
    const testing::Run made =
        chancery.run({"init", "--socket", daemon->socket().string(), "--cacert", authority});
    BOOST_REQUIRE_MESSAGE(made.exit == 0, made.err);
  }
  const std::string authority = (daemon->socket().parent_path() / "ca.pem").string();
  const std::vector<std::string> point{"--scope", "chancery.authorize", "--constraint",
                                       "chancery.authorize#audience:one_of=https://api.example.org"};
  [[nodiscard]] testing::Run delegate(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"context", "delegate"});
    arguments.insert(arguments.end(), point.begin(), point.end());
    return chancery.run(arguments);
  }
  /// Whether a context may ask for decisions for an audience: "forbidden" when it may not.
  [[nodiscard]] std::string asked(const std::string& context, const std::string& audience) const {
    const testing::Run run = chancery.run({"authorize", "a.b.c", "--remote", "--context", context,
                                           "--audience", audience, "--scope", "s", "--proof", "x.y.z",
                                           "--htm", "GET", "--htu", "https://api.example.org/"});
    return run.err.empty() ? run.out.substr(0, run.out.find('\n')) : run.err;
  }
  testing::Chancery chancery;
};

BOOST_FIXTURE_TEST_CASE(a_part_of_a_contexts_authority_becomes_a_context_with_a_key_of_its_own, Contexts) {
  const testing::Run made = delegate({"point", "--lifetime", "1h"});
  BOOST_TEST_REQUIRE(made.exit == 0, made.err);
  BOOST_TEST(made.err.find("given: chancery.authorize, until ") != std::string::npos, made.err);
  BOOST_TEST(asked("point", "https://api.example.org") == "DENIED: malformed");
  BOOST_TEST(asked("point", "https://other.example.org").find("(forbidden)") != std::string::npos);
  BOOST_TEST(asked("default", "https://api.example.org").find("(forbidden)") !=
             std::string::npos);  // no bound
  BOOST_TEST(chancery.run({"agent", "list", "--context", "point"}).exit == 1);
  BOOST_TEST(chancery.run({"agent", "list"}).exit == 0);  // the operator's stays in use
  BOOST_TEST(delegate({"point"}).exit == 2);              // there already
  BOOST_TEST(asked("point", "https://api.example.org") == "DENIED: malformed");
  BOOST_TEST(delegate({"other", "--out", "chain.txt"}).exit == 2);
}

BOOST_FIXTURE_TEST_CASE(a_key_elsewhere_gets_a_part_and_logs_in_with_it, Contexts) {
  const std::string key = (chancery.folder() / "holder.pem").string();
  const std::string chain = (chancery.folder() / "holder.chain").string();
  const testing::Run made = chancery.run({"context", "key", key});
  BOOST_TEST_REQUIRE(made.exit == 0, made.err);
  const std::string jkt = made.out.substr(0, 43);
  BOOST_TEST(required(HolderKey::load(key)).public_key().thumbprint().text() == jkt);
  BOOST_TEST(chancery.run({"context", "key", key}).exit == 2);  // never over another
  BOOST_TEST(delegate({"point", "--to-key=none"}).exit == 2);
  const testing::Run given = delegate({"point", "--to-key=" + jkt, "--out", chain});
  BOOST_TEST_REQUIRE(given.exit == 0, given.err);
  BOOST_TEST(given.out.empty());
  BOOST_TEST(chancery.run({"context", "list"}).out.find("point") == std::string::npos);
  const testing::Run login =
      chancery.run({"login", "point", "--addr", address(), "--cacert", authority, "--key", key, chain});
  BOOST_TEST_REQUIRE(login.exit == 0, login.err);
  BOOST_TEST(asked("point", "https://api.example.org") == "DENIED: malformed");
}

BOOST_FIXTURE_TEST_CASE(a_join_token_goes_into_a_file_that_its_owner_alone_may_read, Contexts) {
  BOOST_TEST_REQUIRE(chancery.run({"agent", "create", "support", "--uid", "4711"}).exit == 0);
  const std::string file = (chancery.folder() / "token.txt").string();
  const testing::Run made = chancery.run({"join-token", "support", "--out", file});
  BOOST_TEST_REQUIRE(made.exit == 0, made.err);
  BOOST_TEST(made.out.empty());
  BOOST_TEST(testing::read_file(file).starts_with("chancery-join-"));
  BOOST_TEST((std::filesystem::status(file).permissions() == std::filesystem::perms(0600)));
}

BOOST_FIXTURE_TEST_CASE(every_command_of_an_operators_works_from_a_context, Contexts) {
  BOOST_TEST_REQUIRE(chancery.run({"agent", "create", "support", "--uid", "4711"}).exit == 0);
  for (const std::vector<std::string>& command : {std::vector<std::string>{"impact", "--agent", "support"},
                                                  {"suspend", "--agent", "support"},
                                                  {"lift", "1"},
                                                  {"drill", "--agent", "support", "--window", "1s"},
                                                  {"revoke", "--agent", "support"},
                                                  {"budget", "show"},
                                                  {"status-key", "list"},
                                                  {"backend", "list"}}) {
    const testing::Run run = chancery.run(command);
    BOOST_TEST(run.exit == 0, command.front() << ": " << run.err);
  }
}

BOOST_FIXTURE_TEST_CASE(a_chain_that_has_expired_is_told_from_one_that_is_refused, RemoteOffice) {
  const HolderKey key = new_key();
  api::CreateOperator request{"brief", key.public_key().thumbprint().text()};
  request.lifetime = 1s;
  const auto chain = answered(daemon->client().create_operator(request)).chain;
  const Client brief = client(chain, key);
  BOOST_TEST(eventually([&] { return refusal(brief.agents()) == "credential_expired"; }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
