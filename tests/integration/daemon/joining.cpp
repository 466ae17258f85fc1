// Processes that come from elsewhere: join tokens, sessions, and programs that are started with one, against the
// real daemon over TLS.

#include <atomic>
#include <cstdlib>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <fcntl.h>

#include <chancery/session.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/wire/fields.hpp"
#include "tests/integration/daemon/remote_office.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

constexpr const char* kUse =
    R"({"scopes":["chancery.agents.read","chancery.delegations.create","chancery.proofs.create",)"
    R"("chancery.sessions.create"],"constraints":[{"key":"agent","one_of":["support"]}]})";

/// An office with the agents `support` and `billing`, whose processes are on no uid of this machine.
struct Elsewhere : RemoteOffice {
  Elsewhere() {
    for (const char* name : {"support", "billing"})
      support = answered(as_operator().create_agent(agent_of(name, 4711)));
    support = answered(as_operator().agent("support"));
  }

  [[nodiscard]] api::CreateJoinToken asked() const {
    api::CreateJoinToken request;
    request.agent = "support";
    DelegationRequest access;
    access.client_id = support.id;
    access.holder = Thumbprint{*base64url_decode_exactly<32>(support.jkt)};
    access.authority = required(Authority::parse(kUse));
    access.lifetime = 1h;
    request.chain = required(delegate_with(operator_key, operator_chain, access, now()));
    return request;
  }

  [[nodiscard]] std::string join_token() const {
    return answered(as_operator().create_join_token(asked())).token;
  }

  [[nodiscard]] ClientResult<api::Joined> join(const std::string& token, const HolderKey& key) const {
    return required(Client::connect(options(join_credential(token, key)))).join();
  }

  [[nodiscard]] std::vector<std::string> chain_of_support() const {
    return answered(as_operator().grant(grant_to("support"))).chain;
  }

  [[nodiscard]] std::string metrics() const {
    const auto transport = client::make_unix_transport(daemon->socket().string());
    const auto until = std::chrono::steady_clock::now() + 20s;
    return required(transport->send({"GET", "/metrics", {}, "text/plain"}, until)).body;
  }

  api::Agent support;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(joining)

BOOST_FIXTURE_TEST_CASE(a_process_joins_once_and_uses_its_agents_key_and_no_other, Elsewhere) {
  const HolderKey key = new_key();
  const api::Joined joined = answered(join(join_token(), key));
  BOOST_TEST(joined.agent == "support");
  BOOST_TEST(joined.id == support.id);
  const Client process = client(joined.chain, key);
  BOOST_TEST(answered(process.agent("support")).jkt == support.jkt);
  BOOST_TEST(refusal(process.agent("billing")) == "forbidden");
  BOOST_TEST(refusal(process.agents()) == "forbidden");
  const auto chain = chain_of_support();
  BOOST_TEST(refusal(process.prove({chain, "GET", "https://api.example.org/", {}})) == "");
  const auto other = answered(as_operator().grant(grant_to("billing"))).chain;
  BOOST_TEST(refusal(process.prove({other, "GET", "https://api.example.org/", {}})) == "forbidden");
  // What it has it cannot hand on.
  const HolderKey further = new_key();
  DelegationRequest request;
  request.client_id = support.id;
  request.holder = further.public_key().thumbprint();
  request.authority = required(Authority::parse(kUse));
  request.lifetime = 1min;
  BOOST_TEST(!delegate_with(key, joined.chain, request, now()).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_second_use_of_a_join_token_is_refused_and_raises_an_alarm, Elsewhere) {
  const std::string token = join_token();
  BOOST_TEST(refusal(join(token, new_key())) == "");
  BOOST_TEST(refusal(join(token, new_key())) == "forbidden");
  BOOST_TEST(refusal(join("chancery-join-of-nobody", new_key())) == "forbidden");
  BOOST_TEST(metrics().find("chancery_join_token_reuses_total 1\n") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(exactly_one_of_a_hundred_joins_wins, Elsewhere) {
  const std::string token = join_token();
  const Client shared = required(Client::connect(options(join_credential(token, new_key()))));
  std::atomic<int> joined = 0;
  {
    std::vector<std::jthread> processes;
    for (int i = 0; i < 20; ++i) {
      processes.emplace_back([&, i] {
        // Half of them on connections of their own, with keys of their own.
        for (int n = 0; n < 5; ++n) joined += (i % 2 == 0 ? shared.join() : join(token, new_key())) ? 1 : 0;
      });
    }
  }
  BOOST_TEST(joined == 1);
}

BOOST_FIXTURE_TEST_CASE(a_join_token_needs_a_chain_that_the_agents_own_key_holds, Elsewhere) {
  api::CreateJoinToken request = asked();
  request.agent = "billing";
  BOOST_TEST(refusal(as_operator().create_join_token(request)) == "not_holder");
  request = asked();
  request.chain = operator_chain;
  BOOST_TEST(refusal(as_operator().create_join_token(request)) == "not_holder");
  request.chain = chain_of_support();  // the agent's, and no authority over the daemon
  BOOST_TEST(refusal(as_operator().create_join_token(request)) == "forbidden");
}

BOOST_FIXTURE_TEST_CASE(a_session_signs_by_itself_with_all_that_the_leaf_allows_and_no_more, Elsewhere) {
  const HolderKey key = new_key();
  const api::Joined joined = answered(join(join_token(), key));
  const auto chain = chain_of_support();
  SessionOptions session_options;
  session_options.daemon = options(required(credential_of(joined.chain, key)));
  const auto session = answered(Session::open(session_options, chain));
  const Presented shown = required(session->present("GET", "https://api.example.org/", std::nullopt));
  BOOST_TEST_REQUIRE(shown.chain.size() == chain.size() + 1);
  const Claims leaf = required(Token::parse(chain.back())).claims();
  const Claims claims = required(Token::parse(shown.chain.back())).claims();
  BOOST_TEST(claims.client_id == leaf.client_id);
  BOOST_TEST(claims.authority.jcs() == leaf.authority.jcs());
  BOOST_TEST(claims.exp <= static_cast<double>((now() + 600s).time_since_epoch().count()));
  BOOST_TEST((claims.del_max_depth == claims.del_depth + 1));

  api::VerifyChain request{shown.chain, api::Action{"https://api.example.org", "crm.read", "{}", {}}};
  request.request->dpop = DpopPresentation{shown.proof, "GET", "https://api.example.org/", {}};
  BOOST_TEST(answered(daemon->client().verify(request)).outcome == "valid");
}

BOOST_FIXTURE_TEST_CASE(a_session_is_refused_to_who_shows_no_proof_by_its_key, Elsewhere) {
  const auto chain = chain_of_support();
  const HolderKey key = new_key();
  const Client process = as_operator_using("support");
  const auto proof_for = [&](const std::string& bound_to, const std::string& path) {
    return required(prove_with(key, bound_to, {"POST", address() + path, {}}, now()));
  };
  const auto open = [&](std::string proof) {
    return refusal(process.open_session({chain, std::move(proof)}));
  };
  BOOST_TEST(open("nonsense") == "proof_refused");
  BOOST_TEST(open(proof_for(chain.back(), "/v1/proofs")) == "proof_refused");
  BOOST_TEST(open(proof_for(operator_chain.back(), "/v1/sessions")) == "proof_refused");
  const std::string good = proof_for(chain.back(), "/v1/sessions");
  BOOST_TEST(open(good) == "");
  BOOST_TEST(open(good) == "proof_refused");
}

BOOST_FIXTURE_TEST_CASE(a_session_renews_itself_and_ends_in_an_error_when_nobody_renews_it, Elsewhere) {
  SessionOptions session_options;
  session_options.daemon.socket = daemon->socket().string();
  session_options.daemon.timeout = 5s;
  session_options.lifetime = 3s;
  BOOST_REQUIRE(refusal(as_operator().create_agent(agent_of("local", ::geteuid()))) == "");
  const auto chain = answered(as_operator().grant(grant_to("local"))).chain;
  const auto session = answered(Session::open(session_options, chain));
  const auto leaf = [&] { return session->present("GET", "https://api.example.org/", std::nullopt); };
  const std::string first = required(leaf()).chain.back();
  BOOST_TEST(eventually([&] {
    const auto shown = leaf();
    return shown && shown->chain.back() != first;
  }));
  daemon->kill();
  BOOST_TEST(eventually([&] {
    const auto shown = leaf();
    return !shown && shown.error().code == ErrorCode::kCredentialExpired;
  }));
}

// A program on another machine: it has the daemon's address, the session, and the access to renew it by.
BOOST_FIXTURE_TEST_CASE(a_session_that_was_handed_on_renews_itself_by_its_access, Elsewhere) {
  const HolderKey key = new_key();
  const auto chain = chain_of_support();
  SessionOptions session_options;
  session_options.daemon = options(nullptr);
  session_options.access = HeldChain{answered(join(join_token(), key)).chain, key};
  session_options.lifetime = 3s;
  const int sealed = required(answered(Session::open(session_options, chain))->seal());
  ::setenv("CHANCERY_SESSION_FD", std::to_string(sealed).c_str(), 1);
  const auto session = required(Session::inherited());
  ::unsetenv("CHANCERY_SESSION_FD");
  BOOST_TEST(::fcntl(sealed, F_GETFD) == -1);  // closed
  const std::string uri = "https://api.example.org/";
  const std::string first = required(session->present("GET", uri, std::nullopt)).chain.back();
  BOOST_TEST(
      eventually([&] { return required(session->present("GET", uri, std::nullopt)).chain.back() != first; }));

  const Client process = required(Client::connect(session->options().daemon));
  BOOST_TEST(answered(process.agent("support")).jkt == support.jkt);
  BOOST_TEST(refusal(process.agent("billing")) == "forbidden");

  const std::string ada = required(action_digest("crm.read", {}));
  const Presented bound = required(session->present(ProofClaims{"GET", uri, {}, {}, ada}));
  api::VerifyChain request{bound.chain, api::Action{"https://api.example.org", "crm.read", "{}", {}}};
  request.request->dpop = DpopPresentation{bound.proof, "GET", uri, {}};
  BOOST_TEST(answered(daemon->client().verify(request)).outcome == "valid");
  request.request->scope = "crm.write";
  BOOST_TEST(answered(daemon->client().verify(request)).outcome == "holder_binding_failed");
}

BOOST_FIXTURE_TEST_CASE(a_session_takes_no_access_that_its_key_does_not_hold, Elsewhere) {
  SessionOptions session_options;
  session_options.daemon = options(nullptr);
  session_options.access = HeldChain{answered(join(join_token(), new_key())).chain, new_key()};
  BOOST_TEST(refusal(Session::open(session_options, chain_of_support())) == "not_holder");
}

BOOST_FIXTURE_TEST_CASE(a_program_is_started_with_its_session_in_a_sealed_file_in_memory, Elsewhere) {
  BOOST_REQUIRE(refusal(as_operator().create_agent(agent_of("local", ::geteuid()))) == "");
  testing::Chancery chancery;
  chancery.set("CHANCERY_SOCKET", daemon->socket().string());
  const std::string chain =
      chancery.file("chain.txt", join_chain(answered(as_operator().grant(grant_to("local"))).chain));
  const auto started = [&](const std::string& script) {
    return chancery.run({"run", "--agent", "local", "--chain", chain, "--", "/bin/sh", "-c", script});
  };
  const auto shown = started("echo $CHANCERY_SESSION_FD; ls -l /proc/self/fd/3; head -c 16 <&3");
  BOOST_TEST_REQUIRE(shown.exit == 0, shown.err);
  BOOST_TEST(shown.out.find("memfd:chancery-session") != std::string::npos);
  BOOST_TEST(shown.out.find("{\"agent_chain\":") != std::string::npos);
  BOOST_TEST(started("echo x 1<>/proc/self/fd/3").exit != 0);  // sealed
  const auto environment = started("env");
  BOOST_TEST(environment.out.find("PRIVATE") == std::string::npos);
  BOOST_TEST(environment.out.find("eyJ") == std::string::npos);
  BOOST_TEST(chancery.run({"run", "--agent", "support", "--chain", chain, "--", "/bin/true"}).exit == 2);
}

/// A machine that is not the daemon's, on which a process of `support` is to run.
struct OtherMachine : Elsewhere {
  OtherMachine() { chancery.set("CHANCERY_SOCKET", "/nonexistent"); }  // a session comes before it

  [[nodiscard]] testing::Run run(const std::string& agent, const std::string& secret,
                                 const std::vector<std::string>& program) const {
    std::vector<std::string> arguments{"run",  "--agent", agent,     "--chain",  chain,     "--join",
                                       secret, "--addr",  address(), "--cacert", authority, "--"};
    arguments.insert(arguments.end(), program.begin(), program.end());
    return chancery.run(arguments);
  }
  /// Runs `script` as the joined process, with the command line as `$chancery`.
  [[nodiscard]] testing::Run joined(const std::string& script) {
    return run("support", secret(join_token()),
               {"/bin/sh", "-c", "chancery=" CHANCERY_BINARY_DIR "/chancery; " + script});
  }
  [[nodiscard]] std::string secret(const std::string& token) const {
    const std::string file = chancery.file("token.txt", token + "\n");
    std::filesystem::permissions(file, std::filesystem::perms(0600));
    return file;
  }

  testing::Chancery chancery;
  const std::string authority = (daemon->socket().parent_path() / "ca.pem").string();
  const std::string chain = chancery.file("chain.txt", join_chain(chain_of_support()));
};

BOOST_FIXTURE_TEST_CASE(a_program_joins_from_the_command_line_and_its_commands_use_its_session,
                        OtherMachine) {
  const testing::Run shown = joined("$chancery agent show support && ! $chancery agent show billing");
  BOOST_TEST(shown.exit == 0, shown.err);
  BOOST_TEST(shown.out.find(support.jkt) != std::string::npos, shown.out);
  BOOST_TEST(shown.err.find("(forbidden)") != std::string::npos, shown.err);
  const testing::Run proved =
      joined("$chancery proof " + chain + " --htm GET --htu https://api.example.org/");
  BOOST_TEST(proved.exit == 0, proved.err);
  const testing::Run verified = joined("$chancery verify " + chain + " --remote");
  BOOST_TEST(verified.exit == 0, verified.err);
  const testing::Run other = joined("$chancery agent show support --socket /nonexistent");
  BOOST_TEST(other.exit == 2, "an option comes before the session");
  const testing::Run nested =
      joined("$chancery run --agent support --chain " + chain + " -- $chancery agent show support");
  BOOST_TEST(nested.exit == 0, nested.err);
}

BOOST_FIXTURE_TEST_CASE(a_session_is_shown_as_json_and_as_headers, OtherMachine) {
  const std::string present = "$chancery present --htm GET --htu https://api.example.org/ --scope crm.read";
  const testing::Run shown = joined(present + " --format json");
  BOOST_TEST_REQUIRE(shown.exit == 0, shown.err);
  const json::Document document = required(json::Document::parse(shown.out));
  api::VerifyChain request{required(wire::chain(document.root())),
                           api::Action{"https://api.example.org", "crm.read", "{}", {}}};
  request.request->dpop = DpopPresentation{std::string(document.root().find("proof")->string().value_or("")),
                                           "GET",
                                           "https://api.example.org/",
                                           {}};
  BOOST_TEST(answered(daemon->client().verify(request)).outcome == "valid");
  request.request->scope = "crm.write";
  BOOST_TEST(answered(daemon->client().verify(request)).outcome == "holder_binding_failed");

  const testing::Run headers = joined(present);
  BOOST_TEST_REQUIRE(headers.exit == 0, headers.err);
  BOOST_TEST(headers.out.starts_with("Authorization: DPoP ey"), headers.out);
  BOOST_TEST(headers.out.find("\nDelegation-Chain: ey") != std::string::npos, headers.out);
  BOOST_TEST(headers.out.find("\nDPoP: ey") != std::string::npos, headers.out);
  BOOST_TEST(chancery.run({"present", "--htm", "GET", "--htu", "https://api.example.org/"}).exit ==
             2);  // no session
}

BOOST_FIXTURE_TEST_CASE(a_secret_is_used_by_nobody_whom_it_is_not_for, OtherMachine) {
  const std::vector<std::string> nothing{"/bin/true"};
  const std::string file = secret(join_token());
  std::filesystem::permissions(file, std::filesystem::perms(0640));
  const testing::Run readable = run("support", file, nothing);
  BOOST_TEST(readable.exit == 2);
  BOOST_TEST(readable.err.find("others may read it") != std::string::npos, readable.err);
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  BOOST_TEST(run("billing", file, nothing).exit == 2);  // the chain is another agent's: nothing was asked
  const testing::Run unnamed =
      chancery.run({"run", "--agent", "support", "--chain", chain, "--join", file, "--", "true"});
  BOOST_TEST(unnamed.exit == 2);
  BOOST_TEST(unnamed.err.find("--addr") != std::string::npos, unnamed.err);
  BOOST_TEST(run("support", file, nothing).exit == 0);  // it was good until here
  BOOST_TEST(run("support", file, nothing).exit == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
