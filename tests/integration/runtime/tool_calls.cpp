// An agent calls tools through the real runtime, with the real daemon on a swtpm, an API that is a server of its own, and
// no credential anywhere but between runtime and API.

#include <array>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/audit_client.hpp>

#include "sdk/base/base64.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/jwk.hpp"
#include "sdk/token/jws.hpp"
#include "tests/integration/daemon/started_tpm.hpp"
#include "tests/integration/runtime/declared_tool.hpp"
#include "tests/integration/runtime/json_answer.hpp"
#include "tests/integration/runtime/proven_call.hpp"
#include "tests/integration/runtime/runtime_process.hpp"
#include "tests/integration/runtime/upstream_server.hpp"

namespace chancery::tests {
namespace {

namespace http = boost::beast::http;

constexpr const char* kSecret = "psp-canary 7f41c09d/+key";
/// A daemon with a credential, a runtime with tools for one API, and an agent that may refund 100.
struct Office {
  Office() {
    daemon.start();
    answered(daemon.client().create_agent(agent_of("tools", ::geteuid())));
    answered(daemon.client().create_agent(agent_of("orchestrator", ::geteuid())));
    put_credential(daemon, "psp", kSecret, "payments.refund", {"refund", "echo", "elsewhere"});
    chain = granted({"payments.refund"});
  }

  void serve() {
    const std::string api = upstream.url();
    declare("refund", api + "/v1/charges/{charge}/refunds", R"("/id", "/amount")");
    declare("echo", api + "/echo/{charge}", R"("/said", "/id")");
    declare("elsewhere", api + "/elsewhere/{charge}", R"("/id")");
    runtime.declare("inbox", R"(
[tool]
name = "inbox"
description = "Reads mail."
scope = "mail.read"
risk = "low"
[tool.arguments]
type = "object"
additionalProperties = false
[tool.http]
method = "GET"
url = ")" + api + R"(/inbox"
allow_addresses = ["127.0.0.1/32"]
[tool.response]
allow = ["/id"]
)");
    runtime.start();
  }

  void declare(const std::string& name, const std::string& url, const std::string& allow) const {
    DeclaredTool tool = refund_tool(url);
    tool.name = name;
    tool.allow = allow;
    runtime.declare(name, toml_of(tool));
  }

  std::vector<std::string> granted(std::vector<std::string> scopes) const {
    return answered(daemon.client().grant(grant_of(up_to_100(std::move(scopes))))).chain;
  }

  /// A proof that is not bound to the call's arguments.
  std::string proof_for(const std::string& path, const std::string& method) const {
    return prove_request(daemon, chain, method, path);
  }
  std::string proof_for_call(const std::string& tool, const std::string& arguments) const {
    return prove_call(daemon, chain, tool, "payments.refund", arguments);
  }
  HttpReply call(const std::string& tool, const std::string& arguments, const std::string& proof) const {
    return runtime.send("POST", "/v1/tools/" + tool, shown_by(chain, proof),
                        R"({"arguments":)" + arguments + "}");
  }
  HttpReply call(const std::string& tool, const std::string& arguments) const {
    return call(tool, arguments, proof_for_call(tool, arguments));
  }

  std::vector<std::string> log() const {
    const Client client = daemon.client();
    std::vector<std::string> out;
    for (const api::AuditEntry& entry : answered(AuditClient(client).entries({.limit = 1000})).entries)
      out.push_back(entry.json);
    return out;
  }
  std::vector<std::string> entries(const std::string& action) const { return entries_of(daemon, action); }

  simulators::Swtpm tpm = start_tpm();
  DaemonProcess daemon{{.tcti = tpm.tcti(), .extra = kRuntimeSection}};
  std::vector<std::string> chain;
  UpstreamServer elsewhere{[](const auto&, auto& response) { response.body() = R"({"id":"stolen"})"; }};
  UpstreamServer upstream{[this](const auto& request, auto& response) { answer(request, response); }};
  RuntimeProcess runtime{daemon, kToolsUrl};
  std::string said;  ///< what /echo says of the credential

 private:
  void answer(const UpstreamServer::Request& request, UpstreamServer::Response& response) const {
    const std::string target(request.target());
    if (target.rfind("/echo/", 0) == 0) {
      response.body() = R"({"id":"re_2","said":)" + said + "}";
    } else if (target.rfind("/elsewhere/", 0) == 0) {
      response.result(http::status::temporary_redirect);
      response.set(http::field::location, elsewhere.url() + "/v1/steal");
    } else {
      response.body() = R"({"id":"re_1","amount":75,"internal":"not for agents"})";
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(tool_calls)

BOOST_FIXTURE_TEST_CASE(a_tool_is_called_with_a_credential_that_the_agent_never_sees, Office) {
  serve();
  const HttpReply reply = call("refund", R"({"amount":75,"charge":"ch_1"})");
  BOOST_REQUIRE_MESSAGE(reply.status == 200, reply.body << runtime.output());
  BOOST_TEST(member(reply.body, "outcome") == "done");
  BOOST_TEST(member(reply.body, "result") == R"({"amount":75,"id":"re_1"})");
  BOOST_TEST(!has(reply.body, kSecret));
  const auto seen = upstream.seen();
  BOOST_REQUIRE(seen.size() == 1u);
  BOOST_TEST(seen[0].target() == "/v1/charges/ch_1/refunds");
  BOOST_TEST(seen[0][http::field::authorization] == "Bearer " + std::string(kSecret));
  BOOST_TEST(seen[0].body() == R"({"amount":75})");  // the charge stands in the address

  const std::string permit = member(reply.body, "permit");
  std::vector<std::string> actions;
  for (const std::string& entry : log())
    if (has(entry, permit)) actions.push_back(member(entry, "action"));
  const std::vector<std::string> want{"tool.attempt", "tool.permit", "credential.release", "tool.result"};
  BOOST_TEST(actions == want, boost::test_tools::per_element());
  for (const std::string& entry : log()) BOOST_TEST(!has(entry, kSecret));

  const ProgramResult traced =
      run_program({CHANCERY_BINARY_DIR "/chancery", "trace", permit, "--socket", daemon.socket().string()});
  BOOST_TEST(traced.exit_status == 0, traced.output);
  for (const std::string& action : {std::string("token.grant"), want[0], want[1], want[2], want[3]})
    BOOST_TEST(has(traced.output, action), action << " is not in " << traced.output);
}

BOOST_FIXTURE_TEST_CASE(a_receipt_is_signed_by_the_runtimes_hardware_key, Office) {
  serve();
  const HttpReply reply = call("refund", R"({"amount":1,"charge":"ch_1"})");
  BOOST_REQUIRE_MESSAGE(reply.status == 200, reply.body);
  const std::string permit = member(reply.body, "permit");
  HttpReply found;
  BOOST_REQUIRE(eventually([&] {
    found = runtime.send("GET", "/v1/receipts/" + permit);
    return found.status == 200;
  }));
  const std::string compact = member(found.body, "signed");
  const auto jws = Jws::parse(compact);
  BOOST_REQUIRE(jws);
  const auto key = parse_jwk(answered(daemon.client().agent("tools")).jwk);
  BOOST_REQUIRE(key);
  BOOST_TEST(jws->verifies_under(*key));
  const std::string digest = hex_encode(sha256(as_bytes(member(reply.body, "receipt"))));
  BOOST_TEST(has(std::string(jws->payload.root().source()), digest));
  BOOST_TEST(entries("tool.result").size() == 1u);
  BOOST_TEST(has(entries("tool.result")[0], digest));
  // A receipt that somebody made up is in no list.
  std::string forged = member(reply.body, "receipt");
  forged.replace(forged.find("\"done\""), 6, "\"none\"");
  BOOST_TEST(!has(std::string(jws->payload.root().source()), hex_encode(sha256(as_bytes(forged)))));
}

BOOST_FIXTURE_TEST_CASE(an_agent_is_shown_the_tools_that_its_chain_allows, Office) {
  serve();
  const HttpReply listed = runtime.send("GET", "/v1/tools", shown_by(chain, proof_for("/v1/tools", "GET")));
  BOOST_REQUIRE_MESSAGE(listed.status == 200, listed.body);
  BOOST_TEST(has(listed.body, R"("name":"refund")"));
  BOOST_TEST(!has(listed.body, R"("name":"inbox")"));
  BOOST_TEST(has(listed.body, R"("parameters":{"amount":"/amount"})"));
  BOOST_TEST(runtime.send("GET", "/v1/tools").status == 401);
  BOOST_TEST(runtime.send("GET", "/v1/tools", shown_by(chain, proof_for("/v1/others", "GET"))).status >= 400);
}

BOOST_FIXTURE_TEST_CASE(an_argument_is_one_segment_of_the_path_whatever_it_holds, Office) {
  serve();
  BOOST_TEST(call("refund", R"({"amount":1,"charge":"..%2f..%2fadmin?x=1#y"})").status == 200);
  BOOST_REQUIRE(upstream.seen().size() == 1u);
  BOOST_TEST(upstream.seen()[0].target() == "/v1/charges/..%252f..%252fadmin%3Fx%3D1%23y/refunds");
}

// --- attacks

BOOST_FIXTURE_TEST_CASE(a_call_that_is_replayed_is_denied, Office) {
  serve();
  const std::string arguments = R"({"amount":1,"charge":"ch_1"})";
  const std::string proof = proof_for_call("refund", arguments);
  BOOST_TEST(call("refund", arguments, proof).status == 200);
  const HttpReply replayed = call("refund", arguments, proof);
  BOOST_TEST(replayed.status == 403, replayed.body);
  BOOST_TEST(member(replayed.body, "code") == "holder_binding_failed");
  BOOST_TEST(upstream.seen().size() == 1u);
  BOOST_REQUIRE(entries("tool.permit").size() == 2u);
  BOOST_TEST(has(entries("tool.permit")[1], R"("denial":"holder_binding_failed")"),
             entries("tool.permit")[1]);
}

BOOST_FIXTURE_TEST_CASE(a_ticket_that_asks_for_more_than_the_bound_is_denied, Office) {
  serve();
  const HttpReply denied = call("refund", R"({"amount":1000,"charge":"ch_1"})");
  BOOST_TEST(denied.status == 403, denied.body);
  BOOST_TEST(member(denied.body, "code") == "ceiling_exceeded");
  BOOST_TEST(upstream.seen().empty());
  BOOST_TEST(entries("credential.release").empty());
  BOOST_TEST(entries("tool.attempt").size() == 1u);
  BOOST_REQUIRE(entries("tool.permit").size() == 1u);
  BOOST_TEST(has(entries("tool.permit")[0], R"("denial":"ceiling_exceeded")"), entries("tool.permit")[0]);
}

namespace {

struct Unfit {
  const char* name;
  const char* arguments;
  const char* code;
};
constexpr std::array kUnfit{
    Unfit{"another path", R"({"amount":1,"charge":"../../admin"})", "invalid_arguments"},
    Unfit{"a line end", R"({"amount":1,"charge":"x\r\nX-Admin: 1"})", "invalid_arguments"},
    Unfit{"NUL", R"({"amount":1,"charge":"x\u0000"})", "invalid_arguments"},
    Unfit{"DROP TABLE where a number belongs", R"({"amount":"1; DROP TABLE charges","charge":"x"})",
          "invalid_arguments"},
    Unfit{"one that nobody declared", R"({"amount":1,"charge":"x","url":"https://evil.example/"})",
          "invalid_arguments"},
    Unfit{"a secret",
          R"({"amount":1,"charge":"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw"})",
          "secret_in_arguments"},
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(arguments_that_are_not_what_the_tool_takes_go_nowhere, Office) {
  serve();
  for (const Unfit& row : kUnfit) {
    const HttpReply refused = call("refund", row.arguments, proof_for("/v1/tools/refund", "POST"));
    BOOST_TEST(refused.status == 422, row.name << ": " << refused.body);
    BOOST_TEST(member(refused.body, "code") == row.code, row.name << ": " << refused.body);
  }
  BOOST_TEST(upstream.seen().empty());
  const auto refusals = entries("tool.refuse");
  BOOST_REQUIRE(refusals.size() == kUnfit.size());
  for (std::size_t i = 0; i < kUnfit.size(); ++i) {
    const bool is_secret = kUnfit[i].code == std::string_view("secret_in_arguments");
    BOOST_TEST(has(refusals[i], is_secret ? R"("reason":"secret_in_arguments")" : R"("reason":"arguments")"));
    BOOST_TEST(has(refusals[i], hex_encode(Token::parse(chain.back())->digest())), refusals[i]);
  }
  BOOST_TEST(entries("tool.attempt").empty());
}

BOOST_FIXTURE_TEST_CASE(whose_chain_does_not_grant_a_tool_learns_nothing_of_it, Office) {
  serve();
  chain = granted({"mail.read"});
  for (const char* arguments : {R"({"amount":"x"})", R"({"amount":1,"charge":"../x"})", "{}"}) {
    const HttpReply refused = call("refund", arguments, proof_for("/v1/tools/refund", "POST"));
    BOOST_TEST(refused.status == 403, refused.body);
    BOOST_TEST(member(refused.body, "code") == "chain_refused");
    BOOST_TEST(!has(refused.body, "findings"));
  }
  BOOST_TEST(entries("tool.refuse").empty());
}

BOOST_FIXTURE_TEST_CASE(whose_chain_does_not_count_here_is_not_told_which_tools_there_are, Office) {
  serve();
  BOOST_TEST(call("absent", "{}", proof_for("/v1/tools/absent", "POST")).status == 404);
  const std::string proof = proof_for("/v1/tools/absent", "POST");
  chain.back().back() = chain.back().back() == 'A' ? 'Q' : 'A';  // of the signature
  const HttpReply there = call("refund", "{}", proof);
  const HttpReply absent = call("absent", "{}", proof);
  BOOST_TEST(there.status == 403, there.body);
  BOOST_TEST(absent.status == 403, absent.body);
  BOOST_TEST(member(absent.body, "code") == member(there.body, "code"));
  BOOST_TEST(member(absent.body, "message") == member(there.body, "message"));
}

namespace {

std::string percent(std::string_view text) {
  std::string out;
  for (const char c : text) out += "%" + hex_encode(as_bytes(std::string_view(&c, 1)));
  return out;
}
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) out += "\\u00" + hex_encode(as_bytes(std::string_view(&c, 1)));
  return out;
}

struct Echo {
  const char* name;
  std::string (*write)(std::string_view secret);
};
const std::array kEchoes{
    Echo{"plain", [](std::string_view secret) { return std::string(secret); }},
    Echo{"base64", [](std::string_view secret) { return base64_encode(as_bytes(secret)); }},
    Echo{"base64url", [](std::string_view secret) { return base64url_encode(as_bytes(secret)); }},
    Echo{"hexadecimal", [](std::string_view secret) { return hex_encode(as_bytes(secret)); }},
    Echo{"percent", [](std::string_view secret) { return percent(secret); }},
    Echo{"JSON escapes", [](std::string_view secret) { return escaped(secret); }},
    Echo{"in base64 of a longer text",
         [](std::string_view secret) {
           return base64_encode(as_bytes("user:" + std::string(secret) + ":end"));
         }},
    Echo{"in the middle of a text",
         [](std::string_view secret) { return "the key is " + std::string(secret) + ", thank you"; }},
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_upstream_that_echoes_the_credential_shows_it_to_nobody, Office) {
  serve();
  for (const Echo& echo : kEchoes) {
    said = "\"" + echo.write(kSecret) + "\"";
    const HttpReply reply = call("echo", R"({"amount":1,"charge":"ch_1"})");
    BOOST_REQUIRE_MESSAGE(reply.status == 200, echo.name << ": " << reply.body);
    BOOST_TEST(has(member(reply.body, "result"), "[redacted]"), echo.name << ": " << reply.body);
    for (const Echo& form : kEchoes) BOOST_TEST(!has(reply.body, form.write(kSecret)), echo.name);
  }
  const auto results = entries("tool.result");
  BOOST_REQUIRE(results.size() == kEchoes.size());
  for (const std::string& entry : results) BOOST_TEST(has(entry, R"("exposed":true)"), entry);
  BOOST_TEST(entries("credential.exposed").size() == kEchoes.size());
}

BOOST_FIXTURE_TEST_CASE(a_redirect_to_another_host_is_not_followed, Office) {
  serve();
  const HttpReply reply = call("elsewhere", R"({"amount":1,"charge":"ch_1"})");
  BOOST_TEST(reply.status == 502, reply.body);
  BOOST_TEST(elsewhere.seen().empty());
  BOOST_TEST(!has(reply.body, "stolen"));
  BOOST_REQUIRE(entries("tool.result").size() == 1u);
  BOOST_TEST(has(entries("tool.result")[0], R"("outcome":"failed")"), entries("tool.result")[0]);
}

BOOST_FIXTURE_TEST_CASE(nothing_that_is_logged_has_the_credential, Office) {
  serve();
  for (int i = 0; i < 20; ++i) BOOST_TEST(call("refund", R"({"amount":1,"charge":"ch_1"})").status == 200);
  BOOST_TEST(call("refund", R"({"amount":1000,"charge":"ch_1"})").status == 403);
  BOOST_TEST(!has(runtime.output(), kSecret));
  BOOST_TEST(!has(daemon.output(), kSecret));
}

BOOST_FIXTURE_TEST_CASE(a_runtime_whose_daemon_is_away_does_nothing, Office) {
  serve();
  const std::string arguments = R"({"amount":1,"charge":"ch_1"})";
  const std::string proof = proof_for_call("refund", arguments);
  daemon.stop();
  const HttpReply reply = call("refund", arguments, proof);
  BOOST_TEST(reply.status == 502, reply.body);
  BOOST_TEST(upstream.seen().empty());
  // Nobody records it: the runtime says so.
  BOOST_TEST(eventually([&] { return has(runtime.output(), "no permit could be had"); }), runtime.output());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
