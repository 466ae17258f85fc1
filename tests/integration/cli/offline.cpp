// `chancery` without a daemon: the program as a person or a script runs it.
#include <algorithm>
#include <array>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/messages.hpp"
#include "tests/integration/cli/chancery_process.hpp"
#include "tests/unit/sdk/issued_chain.hpp"
#include "tests/unit/sdk/presented_action.hpp"

namespace {

using namespace chancery;
using chancery::testing::Chancery;
using chancery::testing::Run;
using chancery::tests::issue_chain;
using chancery::tests::issue_root;
using chancery::tests::IssuedChain;
using chancery::tests::kIssuedNow;
using chancery::tests::root_claims;
using chancery::tests::sign_proof;

const std::string kNow = std::to_string(kIssuedNow.time_since_epoch().count());
const std::string kVectors =
    std::string(CHANCERY_SOURCE_DIR) + "/tests/vectors/data/vectors/delegation-chain.json";

std::string text_of(const std::vector<std::string>& tokens, const char* separator = "~") {
  std::string text;
  for (const std::string& token : tokens) text.append(text.empty() ? "" : separator).append(token);
  return text;
}

std::string trust_of(const PublicKey& key) { return R"({"anchors":[{"keys":[)" + key.jwk() + "]}]}"; }

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
bool is_json(const std::string& text) { return json::Document::parse(text).has_value(); }

/// A chain of three, its trust in the default place, and `chancery` beside them.
struct Desk {
  IssuedChain chain = issue_chain(3);
  Chancery chancery;
  std::string chain_file = chancery.file("chain.txt", text_of(chain.tokens) + "\n");
  std::string trust_file = chancery.file("trust.json", trust_of(chain.keys.front().public_key()));

  [[nodiscard]] Run verify(std::vector<std::string> more = {}, const std::string& command = "verify") const {
    std::vector<std::string> arguments{command, chain_file, "--trust", trust_file, "--now", kNow};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return chancery.run(arguments);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(offline)

// --- verify: verdicts and exit statuses

BOOST_FIXTURE_TEST_CASE(a_valid_chain_exits_0_and_says_what_was_not_checked, Desk) {
  const Run run = verify();
  BOOST_TEST(run.exit == 0, run.err);
  BOOST_TEST(run.out.starts_with("VALID\n"), run.out);
  BOOST_TEST(contains(run.out, "user:ana@example.net"), run.out);
  BOOST_TEST(contains(run.out, "not checked  holder_binding, action"), run.out);
  BOOST_TEST(run.err.empty(), run.err);
}

BOOST_FIXTURE_TEST_CASE(json_is_the_verdict_as_the_library_writes_it, Desk) {
  for (const std::string& now : {kNow, std::string("1900000000")}) {
    const Run run =
        chancery.run({"verify", chain_file, "--trust", trust_file, "--now", now, "--format", "json"});
    const auto at = std::chrono::sys_seconds(std::chrono::seconds(std::stoll(now)));
    BOOST_TEST(run.out == wire::write(verify_chain(chain.views(), chain.trust(), at)) + "\n");
    BOOST_TEST(run.exit == (now == kNow ? 0 : 1));
  }
}

BOOST_FIXTURE_TEST_CASE(a_denied_chain_exits_1_and_says_why, Desk) {
  const Run run = chancery.run({"verify", chain_file, "--trust", trust_file, "--now", "1900000000"});
  BOOST_TEST(run.exit == 1);
  BOOST_TEST(run.out.starts_with("DENIED: expired\n"), run.out);
  BOOST_TEST(contains(run.out, "step         5, "), run.out);
  BOOST_TEST(contains(run.out, "token        0"), run.out);
  BOOST_TEST(contains(run.out, "why          "), run.out);
}

BOOST_FIXTURE_TEST_CASE(an_instant_is_taken_as_rfc_3339_too, Desk) {
  BOOST_TEST(
      chancery.run({"verify", chain_file, "--trust", trust_file, "--now", "2027-01-15T08:00:00Z"}).exit == 0);
  BOOST_TEST(chancery
                 .run({"verify", chain_file, "--trust", trust_file, "--now", "2027-01-15T07:59:59Z",
                       "--format", "json"})
                 .exit == 0);
  BOOST_TEST(
      chancery.run({"verify", chain_file, "--trust", trust_file, "--now", "2027-01-15T09:00:01Z"}).exit == 1);
}

BOOST_FIXTURE_TEST_CASE(a_chain_under_a_foreign_root_is_denied, Desk) {
  const IssuedChain foreign = issue_chain(1);
  const std::string other = chancery.file("other.json", trust_of(foreign.keys.front().public_key()));
  const Run run = chancery.run({"verify", chain_file, "--trust", other, "--now", kNow});
  BOOST_TEST(run.exit == 1);
  BOOST_TEST(run.out.starts_with("DENIED: signature_invalid\n"), run.out);
  BOOST_TEST(
      chancery.run({"verify", chain_file, "--trust", other, "--trust", trust_file, "--now", kNow}).exit == 0);
}

BOOST_FIXTURE_TEST_CASE(a_chain_is_taken_in_every_form, Desk) {
  const std::vector<std::string> options{"verify", "--trust", trust_file, "--now", kNow};
  const auto with = [&](std::vector<std::string> chain_arguments, const std::string& input = {}) {
    std::vector<std::string> arguments = options;
    arguments.insert(arguments.end(), chain_arguments.begin(), chain_arguments.end());
    return chancery.run(arguments, input).exit;
  };
  const std::string json = R"({"chain":[")" + text_of(chain.tokens, R"(",")") + R"("]})";
  BOOST_TEST(with({}, text_of(chain.tokens)) == 0);
  BOOST_TEST(with({"-"}, text_of(chain.tokens, "\n") + "\n") == 0);
  BOOST_TEST(with({"-"}, json) == 0);
  BOOST_TEST(with({text_of(chain.tokens)}) == 0);
  BOOST_TEST(with(chain.tokens) == 0);
  BOOST_TEST(with({chancery.file("chain.json", json)}) == 0);
}

BOOST_FIXTURE_TEST_CASE(an_action_is_permitted_when_the_caller_vouches_for_its_proof, Desk) {
  const std::string htu = "https://ledger.example.net/entries";
  const std::string ada = action_digest("ledger.read", parse_parameters(R"({"amount":5})").value()).value();
  const auto decide = [&](const std::string& amount, const std::string& proof,
                          std::vector<std::string> more) {
    std::vector<std::string> action{"--audience", "https://ledger.example.net",
                                    "--scope",    "ledger.read",
                                    "--param",    "amount=" + amount,
                                    "--proof",    proof,
                                    "--htm",      "POST",
                                    "--htu",      htu};
    action.insert(action.end(), more.begin(), more.end());
    return verify(action, "authorize");
  };
  const std::string bound = sign_proof(chain, {"POST", htu, "1", std::nullopt, ada});
  const std::string unbound = sign_proof(chain, {"POST", htu, "2"});

  const Run permitted = decide("5", bound, {"--proof-is-new", "--ada"});
  BOOST_TEST(permitted.exit == 0, permitted.err);
  BOOST_TEST(permitted.out.starts_with("PERMITTED\n"), permitted.out);
  const Run undecided = decide("5", bound, {});
  BOOST_TEST(undecided.exit == 2);
  BOOST_TEST(undecided.out.starts_with("NOT DECIDED: check first replay\n"), undecided.out);
  BOOST_TEST(decide("6", bound, {"--proof-is-new"}).exit == 1);
  BOOST_TEST(decide("5", unbound, {"--proof-is-new"}).exit == 0);
  BOOST_TEST(decide("5", unbound, {"--proof-is-new", "--ada"}).exit == 1);
  BOOST_TEST(decide("501", unbound, {"--proof-is-new"}).exit == 1);
  BOOST_TEST(
      contains(decide("5", bound, {"--proof-is-new", "--format", "json"}).out, R"("decision":"permit")"));
  BOOST_TEST(contains(verify({}, "authorize").err, "--audience"));
}

BOOST_FIXTURE_TEST_CASE(an_action_is_judged_with_its_proof, Desk) {
  const std::string htu = "https://ledger.example.net/entries";
  const std::string proof = sign_proof(chain, {"POST", htu, "1"});
  const std::vector<std::string> action{"--audience", "https://ledger.example.net", "--scope", "ledger.read"};
  const auto judged = [&](std::vector<std::string> more) {
    more.insert(more.begin(), action.begin(), action.end());
    return verify(more);
  };
  const std::vector<std::string> proven{"--proof", proof, "--htm", "POST", "--htu", htu};
  const auto with_amount = [&](const std::string& amount) {
    std::vector<std::string> more = proven;
    more.insert(more.end(), {"--param", "amount=" + amount});
    return judged(more);
  };
  const Run allowed = with_amount("500");
  BOOST_TEST(allowed.exit == 0, allowed.out + allowed.err);
  BOOST_TEST(contains(allowed.out, "not checked  replay"), allowed.out);
  BOOST_TEST(contains(with_amount("500.01").out, "DENIED: ceiling_exceeded"));
  BOOST_TEST(contains(with_amount("\"500\"").out, "DENIED: ceiling_exceeded"));
  BOOST_TEST(contains(judged({"--param", "amount=5"}).out, "DENIED: holder_binding_failed"));
  BOOST_TEST(contains(judged({"--param", "amount=5", "--proof", proof, "--htm", "GET", "--htu", htu}).out,
                      "DENIED: holder_binding_failed"));
  const std::string proof_file = chancery.file("proof.txt", proof + "\n");
  BOOST_TEST(judged({"--param", "amount=5", "--proof", proof_file, "--htm", "POST", "--htu", htu}).exit == 0);
}

BOOST_FIXTURE_TEST_CASE(issuer_signed_hops_are_accepted_when_told, Desk) {
  IssuedChain issued = issue_chain(1);
  const SigningKey holder = SigningKey::generate(Algorithm::kES256).value();
  const Claims claims = tests::child_claims(issued.leaf(), holder.public_key());
  issued.tokens.push_back(tests::sign_token(claims, issued.keys.front(), false));
  const std::string file = chancery.file("issued.txt", text_of(issued.tokens));
  const std::string trust = chancery.file("issued.json", trust_of(issued.keys.front().public_key()));
  BOOST_TEST(chancery.run({"verify", file, "--trust", trust, "--now", kNow}).exit == 1);
  BOOST_TEST(chancery.run({"verify", file, "--trust", trust, "--now", kNow, "--issuer-signed"}).exit == 0);
}

// --- verify: what could not be told

BOOST_FIXTURE_TEST_CASE(no_trust_exits_2_and_says_what_to_do, Desk) {
  const Run run = chancery.run({"verify", chain_file, "--now", kNow});
  BOOST_TEST(run.exit == 2);
  BOOST_TEST(run.out.empty());
  BOOST_TEST(contains(run.err, "chancery trust add"), run.err);
  BOOST_TEST(std::ranges::count(run.err, '\n') == 1);
}

BOOST_FIXTURE_TEST_CASE(trust_is_taken_from_the_environment, Desk) {
  chancery.set("CHANCERY_TRUST", trust_file);
  BOOST_TEST(chancery.run({"verify", chain_file, "--now", kNow}).exit == 0);
}

struct BadUse {
  const char* what;
  std::vector<std::string> arguments;
  const char* says;
};
std::ostream& operator<<(std::ostream& out, const BadUse& use) { return out << use.what; }

// `CHAIN`, `TRUST` and `FOLDER` stand for the desk's.
const std::array kBadUses{
    BadUse{"no command", {}, "--help"},
    BadUse{"an unknown command", {"verfy"}, "--help"},
    BadUse{"an unknown option", {"verify", "CHAIN", "--bogus"}, "chancery verify --help"},
    BadUse{"an unknown format", {"verify", "CHAIN", "--format", "xml"}, "--format"},
    BadUse{"an absent chain",
           {"verify", "FOLDER/none", "--trust", "TRUST"},
           "none: cannot be read (No such file"},
    BadUse{
        "a folder for a chain", {"verify", "FOLDER", "--trust", "TRUST"}, "cannot be read (Is a directory)"},
    BadUse{"an absent trust file", {"verify", "CHAIN", "--trust", "FOLDER/none"}, "none: cannot be read"},
    BadUse{"a chain for a trust file", {"verify", "CHAIN", "--trust", "CHAIN"}, "chain.txt: "},
    BadUse{"a trust file for a chain", {"verify", "TRUST", "--trust", "TRUST"}, "trust.json: "},
    BadUse{"an absent status list",
           {"verify", "CHAIN", "--trust", "TRUST", "--status-list", "FOLDER/none"},
           "none: cannot be read"},
    BadUse{"a malformed status list",
           {"verify", "CHAIN", "--trust", "TRUST", "--status-list", "TRUST"},
           "status list"},
    BadUse{"an instant that is none",
           {"verify", "CHAIN", "--trust", "TRUST", "--now", "yesterday"},
           "--now yesterday: "},
    BadUse{"a verifier that is no stored context's",
           {"attest", "key", "support", "--verifier", "https://verifier.example"},
           "chancery login NAME --addr https://verifier.example"},
    BadUse{"a host elsewhere", {"host", "enroll", "--addr", "https://verifier.example"}, "--socket"},
    BadUse{"a token's use for a verifier that is none",
           {"attest", "key", "support", "--leaf", "a.b.c"},
           "--leaf"},
    BadUse{"a name for a host that verifies itself", {"host", "enroll", "--name", "build-7"}, "--name"},
    BadUse{"a host's worth that no operator can give",
           {"attest", "host", "approve", "build-7", "--custody", "tpm-quoted"},
           "--custody"},
    BadUse{"results without a verifier's keys", {"attest", "verify", "CHAIN"}, "--keys"},
    BadUse{"a chain for a verifier's keys", {"attest", "verify", "CHAIN", "--keys", "CHAIN"}, "chain.txt: "},
    BadUse{"half an action", {"verify", "CHAIN", "--trust", "TRUST", "--scope", "crm.read"}, "--audience"},
    BadUse{"a parameter without a value",
           {"verify", "CHAIN", "--trust", "TRUST", "--audience", "a", "--scope", "crm.read", "--param", "x"},
           "NAME=VALUE"},
    BadUse{
        "a proof without its request",
        {"verify", "CHAIN", "--trust", "TRUST", "--audience", "a", "--scope", "crm.read", "--proof", "x.y.z"},
        "--htm"},
    BadUse{
        "trust for the daemon's judgement", {"verify", "CHAIN", "--remote", "--trust", "TRUST"}, "--remote"},
    BadUse{"no daemon to ask", {"verify", "CHAIN", "--remote"}, "start chanceryd"},
    BadUse{"no daemon for status", {"status"}, "start chanceryd"},
    BadUse{"no daemon for an agent", {"agent", "show", "support"}, "start chanceryd"},
    BadUse{"a bad agent name", {"agent", "show", "../x"}, "[a-z0-9]"},
    BadUse{"an agent without a selector", {"agent", "create", "support"}, "--uid"},
    BadUse{"a uid that is none", {"agent", "create", "support", "--uid", "root"}, "--uid"},
    BadUse{"an agent command that is none", {"agent", "destroy", "support"}, "chancery agent --help"},
    BadUse{"a grant of nothing",
           {"grant", "--for", "user:a", "--agent", "b", "--audience", "c", "--lifetime", "1m"},
           "--scope"},
    BadUse{"a grant of a bad scope",
           {"grant", "--for", "user:a", "--agent", "b", "--audience", "c", "--lifetime", "1m", "--scope",
            "crm *"},
           "crm *: "},
    BadUse{"a grant for a bad time",
           {"grant", "--for", "user:a", "--agent", "b", "--audience", "c", "--lifetime", "soon", "--scope",
            "x.y"},
           "--lifetime soon: "},
    BadUse{"a bad constraint",
           {"grant", "--for", "user:a", "--agent", "b", "--audience", "c", "--lifetime", "1m", "--scope",
            "x.y", "--constraint", "amount<5"},
           "amount<5: "},
    BadUse{"a delegation to nobody", {"delegate", "CHAIN", "--scope", "x.y"}, "--to"},
    BadUse{"a socket and an address", {"status", "--socket", "/a", "--addr", "https://b"}, "not both"},
    BadUse{"an address without TLS", {"status", "--addr", "http://localhost:1"}, "https://"},
    BadUse{"an absent CA", {"status", "--addr", "https://localhost:1", "--cacert", "FOLDER/none"}, "CA file"},
    BadUse{"absent vectors", {"verify-vectors", "FOLDER/none"}, "none: cannot be read"},
    BadUse{"vectors that are none", {"verify-vectors", "TRUST"}, "trust.json: "},
    BadUse{"trust from nowhere", {"trust", "add", "--from", "FOLDER/none"}, "none: cannot be read"},
    BadUse{"trust from a chain", {"trust", "add", "--from", "CHAIN"}, "chain.txt: "},
    BadUse{"standard input for two things",
           {"verify", "-", "--trust", "TRUST", "--audience", "a", "--scope", "b.c", "--proof", "-", "--htm",
            "GET", "--htu", "https://a"},
           "only one argument may be -"},
    BadUse{"an inspection of nothing", {"inspect", "-"}, "no token"},
};

BOOST_DATA_TEST_CASE(bad_use_exits_2_with_one_line_that_helps, boost::unit_test::data::make(kBadUses), use) {
  const Desk desk;
  std::vector<std::string> arguments = use.arguments;
  for (std::string& argument : arguments) {
    if (argument == "CHAIN") argument = desk.chain_file;
    if (argument == "TRUST") argument = desk.trust_file;
    if (argument.starts_with("FOLDER")) argument.replace(0, 6, desk.chancery.folder().string());
  }
  const Run run = desk.chancery.run(arguments);
  BOOST_TEST(run.exit == 2);
  BOOST_TEST(run.out.empty(), run.out);
  BOOST_TEST(run.err.starts_with("chancery: "), run.err);
  BOOST_TEST(contains(run.err, use.says), run.err);
  BOOST_TEST(std::ranges::count(run.err, '\n') == 1, run.err);

  arguments.insert(arguments.end(), {"--format", "json"});
  const Run json = desk.chancery.run(arguments);
  BOOST_TEST(json.exit == 2);
  BOOST_TEST(json.out.empty(), json.out);
  BOOST_TEST((is_json(json.err) || use.what == std::string("an unknown format")), json.err);
}

BOOST_AUTO_TEST_CASE(a_hostile_argument_reaches_no_terminal) {
  const Chancery chancery;
  for (const std::string& hostile : std::vector<std::string>{"a\x1b[2J",
                                                             "a\xc2\x9b"
                                                             "2J",
                                                             "a\xe2\x80\xae", "a\nb", "a\xff"}) {
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{"verify", hostile},
                                                      {"agent", "show", "x", hostile},
                                                      {"grant", "--scope", hostile, "--for", "a", "--agent",
                                                       "b", "--audience", "c", "--lifetime", "1m"}}) {
      const Run run = chancery.run(arguments);
      BOOST_TEST(run.exit == 2);
      for (const char* bad : {"\x1b", "\xc2\x9b", "\xe2\x80\xae", "\xff"})
        BOOST_TEST(!contains(run.err, bad));
      BOOST_TEST(std::ranges::count(run.err, '\n') == 1);
    }
  }
}

// --- malformed chains: denied, never a crash

BOOST_AUTO_TEST_CASE(malformed_chains_are_denied) {
  const Desk desk;
  const std::string good = text_of(desk.chain.tokens);
  for (const std::string& text :
       {std::string(), std::string("hello"), std::string("~"), std::string("a.b.c"), good + "~", "~" + good,
        good.substr(0, good.size() - 1), good + "A", std::string("{\"chain\":[]}"), std::string("\0\0\0", 3),
        std::string(300000, 'A')}) {
    const Run run = desk.chancery.run({"verify", "--trust", desk.trust_file, "--now", kNow}, text);
    BOOST_TEST(run.exit == 1, text.substr(0, 40));
    BOOST_TEST(run.out.starts_with("DENIED: "), run.out);
  }
}

BOOST_AUTO_TEST_CASE(chains_in_malformed_json_cannot_be_read) {
  const Desk desk;
  for (const char* text : {"{", "[\"a\"", "{\"chain\":7}", "{\"tokens\":[]}", "[1]"}) {
    BOOST_TEST(desk.chancery.run({"verify", "--trust", desk.trust_file}, text).exit == 2, text);
  }
}

// --- explain

BOOST_FIXTURE_TEST_CASE(an_explanation_tells_every_hop, Desk) {
  const Run run = verify({}, "explain");
  BOOST_TEST(run.exit == 0, run.err);
  BOOST_TEST(contains(run.out, "VALID"), run.out);
  for (const char* agent :
       {"spiffe://example.net/agent/0", "spiffe://example.net/agent/1", "spiffe://example.net/agent/2"}) {
    BOOST_TEST(contains(run.out, agent), run.out);
  }
  const Run json = verify({"--format", "json"}, "explain");
  BOOST_TEST(is_json(json.out));
  BOOST_TEST(contains(json.out, "\"hops\":["));
}

BOOST_FIXTURE_TEST_CASE(an_explanation_of_a_denial_exits_like_verify, Desk) {
  const Run run = chancery.run({"explain", chain_file, "--trust", trust_file, "--now", "1900000000"});
  BOOST_TEST(run.exit == 1);
  BOOST_TEST(contains(run.out, "DENIED, expired"), run.out);
}

// --- inspect

BOOST_FIXTURE_TEST_CASE(inspection_shows_everything_and_says_that_nothing_is_verified, Desk) {
  const Run run = chancery.run({"inspect", chain_file});
  BOOST_TEST(run.exit == 0, run.err);
  BOOST_TEST(run.out.starts_with("UNVERIFIED"), run.out);
  BOOST_TEST(contains(run.out, "token 2, claims"), run.out);
  BOOST_TEST(contains(run.out, "\"sub\": \"user:ana@example.net\""), run.out);
  BOOST_TEST(contains(run.out, "exp is 2027-01-15T09:00:00Z"), run.out);
  const Run json = chancery.run({"inspect", chain_file, "--format", "json"});
  const auto document = json::Document::parse(json.out);
  BOOST_REQUIRE(document);
  BOOST_TEST(document->root().find("verified")->boolean().value() == false);
  BOOST_TEST(document->root().find("tokens")->items().size() == 3U);
}

BOOST_AUTO_TEST_CASE(hostile_claims_are_escaped) {
  const Chancery chancery;
  Claims claims = root_claims({});
  claims.sub =
      "user:\x1b[2J\xc2\x9bK\xe2\x80\xae"
      "evil\x7f\r\n";
  const IssuedChain chain = issue_root(claims);
  for (const char* command : {"inspect", "verify", "explain"}) {
    for (const char* format : {"text", "json"}) {
      const std::string trust = chancery.file("trust.json", trust_of(chain.keys.front().public_key()));
      std::vector<std::string> arguments{command, chain.tokens.front(), "--format", format};
      if (command != std::string("inspect"))
        arguments.insert(arguments.end(), {"--trust", trust, "--now", kNow});
      const Run run = chancery.run(arguments);
      BOOST_TEST(run.exit == 0, run.err);
      BOOST_TEST(!contains(run.out, "\x1b"), command);
      BOOST_TEST(!contains(run.out, "\r"), command);
      // `verify` and `explain` give a program the library's own JSON, octet by octet.
      if (format == std::string("json") && command != std::string("inspect")) continue;
      for (const char* bad : {"\xc2\x9b", "\xe2\x80\xae", "\x7f"})
        BOOST_TEST(!contains(run.out, bad), command);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_token_that_cannot_be_read_is_said_to_be_so) {
  const Chancery chancery;
  const Run run = chancery.run({"inspect"}, issue_chain(1).tokens.front() + "~garbage");
  BOOST_TEST(run.exit == 2);
  BOOST_TEST(contains(run.out, "token 0, claims"), run.out);
  BOOST_TEST(contains(run.out, "token 1 cannot be read"), run.out);
}

// --- trust add

BOOST_FIXTURE_TEST_CASE(trust_is_added_from_a_key_set_and_used, Desk) {
  const std::string keys =
      chancery.file("jwks.json", R"({"keys":[{"kty":"RSA","n":"AQ","e":"AQAB"},{"kty":"EC","use":"enc"},)" +
                                     chain.keys.front().public_key().jwk() + "]}");
  BOOST_TEST(chancery.run({"trust", "add", "--from", keys}).exit == 2);
  const Run added = chancery.run({"trust", "add", "--from", keys, "--iss", "https://as.example.net"});
  BOOST_TEST(added.exit == 0, added.err);
  BOOST_TEST(contains(added.out, chain.keys.front().public_key().thumbprint().text()), added.out);
  BOOST_TEST(chancery.run({"verify", chain_file, "--now", kNow}).exit == 0);

  using std::filesystem::perms;
  const std::filesystem::path file = chancery.folder() / "config" / "chancery" / "trust.json";
  BOOST_TEST((std::filesystem::status(file).permissions() == perms{0600}));
  BOOST_TEST((std::filesystem::status(file.parent_path()).permissions() == perms{0700}));
}

BOOST_FIXTURE_TEST_CASE(trust_is_added_to_what_is_there, Desk) {
  const IssuedChain other = issue_chain(2);
  const std::string other_trust = chancery.file("other.json", trust_of(other.keys.front().public_key()));
  BOOST_TEST(chancery.run({"trust", "add", "--from", trust_file}).exit == 0);
  BOOST_TEST(chancery.run({"trust", "add", "--from", other_trust, "--format", "json"}).exit == 0);
  BOOST_TEST(chancery.run({"verify", chain_file, "--now", kNow}).exit == 0);
  BOOST_TEST(chancery.run({"verify", text_of(other.tokens), "--now", kNow}).exit == 0);
}

BOOST_FIXTURE_TEST_CASE(trust_that_is_added_is_shown_whole, Desk) {
  const auto jwk = [](const IssuedChain& of) { return of.keys.front().public_key().jwk(); };
  const auto thumbprint = [](const IssuedChain& of) {
    return of.keys.front().public_key().thumbprint().text();
  };
  const IssuedChain issuer = issue_chain(1);
  const IssuedChain status = issue_chain(1);
  const std::string file = chancery.file(
      "whole.json",
      R"({"anchors":[{"iss":"https://as.example.net","sub":["user:*"],"client_id":["spiffe://*"],)"
      R"("ceiling":{"scopes":["ledger.*"]},"status":{"prefixes":["https://s/"]},"keys":[)" +
          jwk(chain) + R"(]}],"issuers":[)" + jwk(issuer) + R"(],"status_keys":[)" + jwk(status) + "]}");
  for (const char* format : {"text", "json"}) {
    const Run added = chancery.run({"trust", "add", "--from", file, "--format", format});
    BOOST_TEST(added.exit == 0, added.err);
    for (const std::string& part :
         {std::string("user:*"), std::string("spiffe://*"), std::string("ledger.*"),
          std::string("https://s/"), thumbprint(chain), thumbprint(issuer), thumbprint(status)}) {
      BOOST_TEST(contains(added.out, part), added.out);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(a_trust_file_that_is_broken_or_open_to_others_is_left_alone, Desk) {
  BOOST_REQUIRE(chancery.run({"trust", "add", "--from", trust_file}).exit == 0);
  const std::filesystem::path file = chancery.folder() / "config" / "chancery" / "trust.json";
  std::filesystem::permissions(file, std::filesystem::perms{0666});
  const Run open = chancery.run({"trust", "add", "--from", trust_file});
  BOOST_TEST(open.exit == 2);
  BOOST_TEST(contains(open.err, "chmod 0600"), open.err);
  BOOST_TEST(chancery.run({"verify", chain_file, "--now", kNow}).exit == 2);
  std::filesystem::permissions(file, std::filesystem::perms{0600});
  static_cast<void>(chancery.file("config/chancery/trust.json", "{"));
  BOOST_TEST(chancery.run({"trust", "add", "--from", trust_file}).exit == 2);
  BOOST_TEST(std::filesystem::file_size(file) == 1U);
}

// --- verify-vectors

BOOST_AUTO_TEST_CASE(vectors_are_run_in_all_three_forms) {
  const Chancery chancery;
  const Run document = chancery.run({"verify-vectors", kVectors});
  BOOST_TEST(document.exit == 0, document.err);
  BOOST_TEST(document.err.empty());
  BOOST_TEST(std::ranges::count(document.out, '\n') == 210);
  BOOST_TEST(document.out.starts_with("{\"id\":\""));

  const auto parsed =
      json::Document::parse(chancery::testing::read_file(kVectors), {.allow_unsafe_integers = true});
  BOOST_REQUIRE(parsed);
  std::string array;
  std::string lines;
  for (const json::Value& vector : parsed->root().find("vectors")->items()) {
    const std::string line = json::to_jcs(vector);
    array += (array.empty() ? "[" : ",") + line;
    lines += line + "\n";
  }
  BOOST_TEST(chancery.run({"verify-vectors", chancery.file("array.json", array + "]")}).out == document.out);
  BOOST_TEST(chancery.run({"verify-vectors", "-"}, lines).out == document.out);
  BOOST_TEST(chancery.run({"verify-vectors", kVectors, kVectors}).out == document.out + document.out);
}

BOOST_AUTO_TEST_CASE(vectors_that_are_not_met_exit_1_and_are_named) {
  const Chancery chancery;
  std::string vectors = chancery::testing::read_file(kVectors);
  const std::size_t at = vectors.find("\"outcome\": \"expired\"");
  BOOST_REQUIRE(at != std::string::npos);
  vectors.replace(at, 20, "\"outcome\": \"revoked\"");
  const Run run = chancery.run({"verify-vectors", "-"}, vectors);
  BOOST_TEST(run.exit == 1);
  BOOST_TEST(std::ranges::count(run.out, '\n') == 210);
  BOOST_TEST(contains(run.err, "1 of 210 vectors not met: "), run.err);
}

BOOST_AUTO_TEST_CASE(an_unwritable_answer_is_no_success) {
  const Desk desk;
  // The child's standard output cannot be exchanged from here, but a file can refuse to grow.
  BOOST_TEST(desk.chancery.run({"version"}).exit == 0);
  const Run run = desk.chancery.run_into("/dev/full", {"verify-vectors", kVectors});
  BOOST_TEST(run.exit == 2);
  BOOST_TEST(contains(run.err, "standard output"), run.err);
}

// --- doctor, version, help

BOOST_AUTO_TEST_CASE(the_doctor_names_what_is_wrong_and_what_to_do) {
  const Chancery chancery;
  const Run run = chancery.run({"doctor"});
  BOOST_TEST(run.exit == 2);
  BOOST_TEST(contains(run.out, "problem\tdaemon: unix:"), run.out);
  BOOST_TEST(contains(run.out, "-> there is no daemon at this socket"), run.out);
  BOOST_TEST(contains(run.out, "trust: no trust anchor"), run.out);
  const Run json = chancery.run({"doctor", "--format", "json"});
  const auto document = json::Document::parse(json.out);
  BOOST_REQUIRE(document);
  BOOST_TEST(document->root().find("fine")->boolean().value() == false);
  BOOST_TEST(document->root().find("findings")->items().size() >= 4U);
}

BOOST_AUTO_TEST_CASE(help_and_version_need_nothing) {
  const Chancery chancery;
  BOOST_TEST(chancery.run({"--version"}).out.starts_with("chancery "));
  BOOST_TEST(is_json(chancery.run({"version", "--format", "json"}).out));
  for (const char* command : {"status", "agent", "grant", "delegate", "verify", "explain", "inspect", "proof",
                              "verify-vectors", "doctor", "trust"}) {
    const Run run = chancery.run({command, "--help"});
    BOOST_TEST(run.exit == 0, command);
    BOOST_TEST(contains(run.out, "Usage: chancery"), run.out);
  }
}

BOOST_FIXTURE_TEST_CASE(nothing_is_coloured_that_is_not_a_terminal, Desk) {
  for (const char* command : {"verify", "explain", "inspect"}) {
    BOOST_TEST(!contains(chancery.run({command, chain_file}).out, "\x1b["), command);
  }
}

BOOST_AUTO_TEST_SUITE_END()
