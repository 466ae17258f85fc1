// A tool whose credential an issuer makes, called through the real runtime: with a token of the real authorization server, and an API
// that echoes it or accepts it no more.

#include <atomic>
#include <string>

#include <chancery/vault_client.hpp>

#include "tests/integration/issuers/daemon_scene.hpp"
#include "tests/integration/issuers/provider_scene.hpp"
#include "tests/integration/runtime/json_answer.hpp"
#include "tests/integration/runtime/proven_call.hpp"
#include "tests/integration/runtime/runtime_process.hpp"
#include "tests/integration/runtime/upstream_server.hpp"

namespace chancery::tests {
namespace {

namespace http = boost::beast::http;

ProviderScene& provider() {
  static ProviderScene started;
  return started;
}

std::string calendar() {
  const std::string at = provider().address();
  return "[[vault.issuer]]\nname = \"calendar\"\ntype = \"oauth_grant\"\nserver = \"" + at +
         "\"\ntoken_endpoint = \"" + at + "/token\"\nauthorization_endpoint = \"" + at + "/auth\"\nca = \"" +
         provider().ca_file() + "\"\nclient_id = \"by-nothing\"\nauthentication = \"none\"\n" +
         "scopes = [\"orders.read\"]\nresource = \"" + ProviderScene::kResource + "\"\n";
}

struct Runtime : DaemonScene {
  Runtime() : DaemonScene(calendar()) {
    put_issued("calendar-token", "calendar");
    const Client client = daemon.client();
    const auto begun = answered(VaultClient(client).begin_consent("calendar", {4711}));
    const std::string query = provider().browse({begun.authorization_url, {}, {}});
    answered(VaultClient(client).finish_consent("calendar", {SecretBytes(as_bytes(query))}));
    declare("list-orders", "credential = \"calendar-token\"\n",
            "credential_in = \"header:Authorization: Bearer {}\"\n");
    declare("list-notes", "", "");
    runtime.start();
    chain = granted(std::chrono::hours(1));
  }

  void declare(const std::string& name, const std::string& credential, const std::string& where) const {
    runtime.declare(name, "[tool]\nname = \"" + name +
                              "\"\ndescription = \"Lists.\"\nscope = \"orders.read\"\nrisk = \"low\"\n" +
                              credential +
                              "[tool.arguments]\ntype = \"object\"\nadditionalProperties = false\n"
                              "[tool.http]\nmethod = \"GET\"\nurl = \"" +
                              upstream.url() + "/" + name + "\"\n" + where +
                              "allow_addresses = [\"127.0.0.1/32\"]\n"
                              "[tool.response]\nallow = [\"/count\", \"/said\"]\n");
  }

  HttpReply call(const std::string& tool = "list-orders") const {
    const std::string proof = prove_call(daemon, chain, tool, "orders.read", "{}");
    return runtime.send("POST", "/v1/tools/" + tool, shown_by(chain, proof), R"({"arguments":{}})");
  }
  std::string token_seen(std::size_t request) const {
    const auto seen = upstream.seen();
    BOOST_REQUIRE(seen.size() > request);
    const std::string header(seen[request][http::field::authorization]);
    BOOST_REQUIRE(header.starts_with("Bearer "));
    return header.substr(7);
  }

  std::atomic<bool> refuses = false;
  UpstreamServer upstream{[this](const auto& request, auto& response) {
    if (refuses) response.result(http::status::unauthorized);
    std::string header(request[http::field::authorization]);
    if (header.empty()) header = std::string(upstream.seen().at(0)[http::field::authorization]);
    response.body() = R"({"count":3,"said":")" + header.substr(7) + "\"}";
  }};
  RuntimeProcess runtime{daemon, kUrl};
  std::vector<std::string> chain;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(daemon_runtime)

BOOST_FIXTURE_TEST_CASE(a_tool_is_called_with_an_issued_token_that_no_answer_shows, Runtime) {
  for (std::size_t i = 0; i < 3; ++i) {  // of the same token
    const HttpReply reply = call();
    BOOST_REQUIRE_MESSAGE(reply.status == 200, reply.body << runtime.output());
    BOOST_TEST(has(reply.body, R"("count":3)"), reply.body);
    const std::string token = token_seen(i);
    BOOST_TEST(!has(reply.body, token), reply.body);
    vault::IssuedCredential credential;
    credential.value = SecretBytes(as_bytes(token));
    BOOST_TEST(provider().is_active(credential));
    BOOST_TEST(!has(runtime.output() + daemon.output(), token));
    BOOST_TEST(count(token) == 0U);
  }
  BOOST_TEST(count("\"credential.issue\"") == 3U);
}

// The token is good for the next call, and for whoever else is shown it.
BOOST_FIXTURE_TEST_CASE(a_token_of_a_former_call_is_in_no_later_answer, Runtime) {
  BOOST_REQUIRE(call().status == 200);
  const std::string token = token_seen(0);
  const HttpReply later = call("list-notes");
  BOOST_REQUIRE_MESSAGE(later.status == 200, later.body << runtime.output());
  BOOST_TEST(upstream.seen().at(1)[http::field::authorization].empty());
  BOOST_TEST(has(later.body, R"("count":3)"), later.body);
  BOOST_TEST(count(R"("known":)") == 2U);  // as a value that is known: it looks like many others
  BOOST_TEST(!has(later.body, token), later.body);
}

BOOST_FIXTURE_TEST_CASE(a_grant_that_was_revoked_is_noticed_at_the_first_401, Runtime) {
  BOOST_TEST(call().status == 200);
  // This server ends the grant with any of its tokens (RFC 7009 section 2.1).
  must(provider().public_client()->revoke(as_bytes(token_seen(0)), "access_token", soon()));
  refuses = true;
  BOOST_TEST(has(call().body, "upstream_error"));
  BOOST_TEST(count(R"("refused_credential":true)") == 1U);
  const HttpReply failed = call();
  BOOST_TEST(has(failed.body, "credential_expired"), failed.body);
  BOOST_TEST(upstream.seen().size() == 2U);  // nothing was done
  BOOST_TEST(has(issuers().output, "needs_consent"), issuers().output);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
