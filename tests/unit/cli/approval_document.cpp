// What is shown of a document that a person would approve, and what is shown of none.

#include "sdk/cli/approval_document.hpp"

#include <array>
#include <string>
#include <string_view>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/cli/approval_text.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/writer.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::cli::testing {
namespace {

constexpr std::string_view kArguments = R"({"amount":75,"charge":"ch_1"})";

std::string digest_of(std::string_view text) { return hex_encode(sha256(as_bytes(text))); }

std::string document() {
  return R"({"arguments":)" + std::string(kArguments) + R"(,"arguments_sha256":")" + digest_of(kArguments) +
         R"(","asked_at":1800000000,"audience":"https://tools.example","client_id":"c",)"
         R"("debits":{"amount":"75"},"expires_at":1800000900,"gates":[{"gate":"tool:refund","why":"declared"}],)"
         R"("id":"5f3c","key":"k","kind":"call","principal":"user:a",)"
         R"("risk":"high","runtime":"r","scope":"payments.refund","token":"t","tool":"refund",)"
         R"("typ":"chancery-approval-request","uri":"https://tools.example/v1/tools/refund","v":1})";
}

api::Approval approval_with(const std::string& text) {
  api::Approval approval;
  approval.id = "5f3c";
  approval.state = "pending";
  approval.sha256 = digest_of(text);
  approval.document = text;
  return approval;
}

struct Changed {
  std::string_view name;
  std::string_view what;
  std::string_view by;
};
std::ostream& operator<<(std::ostream& out, const Changed& row) { return out << row.name; }

constexpr Changed kKnown[] = {
    {"nothing", "", ""},
    {"a description", R"("expires_at")", R"("description":"Gives money back.","expires_at")"},
    {"a credential", R"("debits")", R"("credential":"psp","debits")"},
    {"an agent and a session", R"("typ")", R"("agent":"spiffe://a","session_key":"s","typ")"},
    {"no debits", R"({"amount":"75"},"expires)", R"({},"expires)"},
    {"a gate that says no more", R"({"gate":"tool:refund","why":"declared"})", R"({"gate":"tool:refund"})"},
    {"two gates", R"([{"gate")", R"([{"gate":"refunds","why":"amount 75 is above 50"},{"gate")"},
};

constexpr Changed kUnknown[] = {
    {"another kind", "chancery-approval-request", "chancery-approval-wish"},
    {"the next version", R"("v":1)", R"("v":2)"},
    {"a version between", R"("v":1)", R"("v":1.5)"},
    {"a version in a text", R"("v":1)", R"("v":"1")"},
    {"a member that is not known", R"("typ")", R"("standing":true,"typ")"},
    {"no kind", R"("typ":"chancery-approval-request",)", ""},
    {"no version", R"(,"v":1)", ""},
    {"no principal", R"("principal":"user:a",)", ""},
    {"no debits", R"("debits":{"amount":"75"},)", ""},
    {"debits that are none", R"({"amount":"75"},"expires)", R"([],"expires)"},
    {"a debit that is a number", R"({"amount":"75"},"expires)", R"({"amount":75},"expires)"},
    {"a risk that is no text", R"("risk":"high")", R"("risk":{"low":true})"},
    {"half a second", "1800000900", "1800000900.5"},
    {"another id", R"("id":"5f3c")", R"("id":"5f3d")"},
    {"a request of another kind", R"("kind":"call")", R"("kind":"payment")"},
    {"no kind of request", R"("kind":"call",)", ""},
    {"another kind's member", R"("typ")", R"("method":"POST","typ")"},
    {"a grant's token beside a call", R"("typ")", R"("unsigned_token":"a.b","typ")"},
    {"the kind of a request of another form", R"("kind":"call")", R"("kind":"action")"},
    {"no gates", R"("gates":[{"gate":"tool:refund","why":"declared"}],)", ""},
    {"an empty list of gates", R"([{"gate":"tool:refund","why":"declared"}])", "[]"},
    {"a gate without a name", R"("gate":"tool:refund",)", ""},
    {"a gate that is a text", R"({"gate":"tool:refund","why":"declared"})", R"("tool:refund")"},
    {"a gate of which more is said", R"("why":"declared")", R"("why":"declared","open":true)"},
    {"a gate that is no text", R"("why":"declared")", R"("why":1)"},
    {"arguments that were hashed otherwise", R"("amount":75)", R"("amount":76)"},
};

std::string changed(const Changed& row) {
  std::string text = document();
  if (row.what.empty()) return text;
  const std::size_t at = text.find(row.what);
  BOOST_REQUIRE(at != std::string::npos);
  const auto read = json::Document::parse(text.replace(at, row.what.size(), row.by));
  BOOST_REQUIRE(read.has_value());
  return json::to_jcs(read->root());
}

/// A request for a grant, with what stands in its document beside the token.
struct Grant {
  Grant() : claims(tests::root_claims(holder.public_key())) {
    claims.client_id = "deployer";
    principal = claims.sub;
    client_id = claims.client_id;
    key = claims.holder.text();
  }
  [[nodiscard]] std::string signing_input() const {
    return UnsignedToken::encode(claims, issuer.public_key(), is_signer_shown).signing_input();
  }
  [[nodiscard]] std::string document() const {
    return json::to_jcs(
        json::Node::object({{"typ", "chancery-approval-request"},
                            {"v", 1},
                            {"kind", "grant"},
                            {"id", "5f3c"},
                            {"gates", json::Node::array({json::Node::object({{"gate", "deploy"}})})},
                            {"principal", principal},
                            {"client_id", client_id},
                            {"key", key},
                            {"asked_by", "uid:0"},
                            {"asked_at", 1800000000},
                            {"expires_at", 1800000900},
                            {"unsigned_token", token.empty() ? signing_input() : token}}));
  }

  SigningKey issuer = *SigningKey::generate(Algorithm::kES256);
  SigningKey holder = *SigningKey::generate(Algorithm::kES256);
  Claims claims;
  bool is_signer_shown = false;
  std::string principal;
  std::string client_id;
  std::string key;
  std::string token;
};

struct GrantCase {
  const char* name;
  void (*change)(Grant& grant);
};
std::ostream& operator<<(std::ostream& out, const GrantCase& row) { return out << row.name; }

std::string encoded(std::string_view json) { return base64url_encode(as_bytes(json)); }

const std::array kWrongGrants{
    GrantCase{"another principal", [](Grant& g) { g.principal = "user:eve"; }},
    GrantCase{"another client", [](Grant& g) { g.client_id = "other"; }},
    GrantCase{"another holder", [](Grant& g) { g.key = g.issuer.public_key().thumbprint().text(); }},
    GrantCase{"a token that goes on from another", [](Grant& g) { g.claims.par_hash = "x"; }},
    GrantCase{"a token in the middle of a chain", [](Grant& g) { g.claims.del_depth = 1; }},
    GrantCase{"a token with its signer's key", [](Grant& g) { g.is_signer_shown = true; }},
    GrantCase{"a token with a signature", [](Grant& g) { g.token = g.signing_input() + ".AA"; }},
    GrantCase{"half a token",
              [](Grant& g) { g.token = g.signing_input().substr(0, g.signing_input().find('.')); }},
    GrantCase{"no token", [](Grant& g) { g.token = "."; }},
    GrantCase{"a token that is not in JCS",
              [](Grant& g) {
                const std::string input = g.signing_input();
                const auto payload = base64url_decode(std::string_view(input).substr(input.find('.') + 1));
                g.token =
                    input.substr(0, input.find('.') + 1) + encoded(std::string(as_text(*payload)) + " ");
              }},
    GrantCase{"a token of another type",
              [](Grant& g) {
                const std::string input = g.signing_input();
                g.token = encoded(R"({"alg":"ES256","kid":"x","typ":"JWT"})") + input.substr(input.find('.'));
              }},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(approval_document)

BOOST_DATA_TEST_CASE(a_document_is_shown_with, boost::unit_test::data::make(kKnown), row) {
  const auto read = read_document(approval_with(changed(row)));
  BOOST_REQUIRE(read);
  BOOST_TEST(*read->root().find("tool")->string() == "refund");
}

BOOST_DATA_TEST_CASE(a_document_is_not_shown_with, boost::unit_test::data::make(kUnknown), row) {
  const api::Approval approval = approval_with(changed(row));
  BOOST_TEST(check_document(approval).has_value());  // printed as JSON all the same
  const auto read = read_document(approval);
  BOOST_REQUIRE(!read);
  BOOST_TEST((read.error().code == ErrorCode::kBadResponse));
}

BOOST_AUTO_TEST_CASE(a_document_that_is_not_in_jcs_is_not_shown) {
  std::string text = document();
  text.insert(1, " ");
  BOOST_TEST(!read_document(approval_with(text)).has_value());
}

// What an enforcement point asks for, without a tool.
BOOST_AUTO_TEST_CASE(an_action_is_shown) {
  std::string text = document();
  for (const std::string_view member : {R"("risk":"high",)", R"("runtime":"r",)", R"("tool":"refund",)"}) {
    text.erase(text.find(member), member.size());
  }
  const auto replace = [&](std::string_view what, std::string_view by) {
    text.replace(text.find(what), what.size(), by);
  };
  replace(R"("kind":"call")", R"("kind":"action","method":"POST")");
  replace(R"("asked_at")", R"("asked_by":"agent:x","asked_at")");
  const auto parsed = json::Document::parse(text);
  BOOST_REQUIRE(parsed.has_value());
  BOOST_TEST(read_document(approval_with(json::to_jcs(parsed->root()))).has_value());
}

BOOST_AUTO_TEST_CASE(a_grant_is_read_from_the_octets_that_would_be_signed) {
  const Grant grant;
  const auto read = read_document(approval_with(grant.document()));
  BOOST_REQUIRE(read.has_value());
  const auto token = read_unsigned_token(read->root());
  BOOST_REQUIRE(token.has_value());
  BOOST_TEST(token->signing_input() == grant.signing_input());
  BOOST_TEST(token->claims().client_id == "deployer");
}

BOOST_DATA_TEST_CASE(a_grant_is_not_shown_with, boost::unit_test::data::make(kWrongGrants), row) {
  Grant grant;
  row.change(grant);
  const auto read = read_document(approval_with(grant.document()));
  BOOST_REQUIRE(!read);
  BOOST_TEST((read.error().code == ErrorCode::kBadResponse));
}

BOOST_AUTO_TEST_CASE(a_document_whose_digest_is_another_is_not_shown_at_all) {
  api::Approval approval = approval_with(document());
  approval.sha256 = digest_of("another");
  BOOST_TEST(!check_document(approval).has_value());
  BOOST_TEST(!read_document(approval).has_value());
  approval = approval_with(document());
  approval.document.clear();
  BOOST_TEST(!read_document(approval).has_value());
}

BOOST_AUTO_TEST_CASE(letters_that_pass_for_others_are_named_by_their_number) {
  BOOST_TEST(foreign_characters("{\"to\": \"paypal\"}").empty());
  BOOST_TEST(foreign_characters("p\xD0\xB0yp\xD0\xB0l, Zo\xC3\xAB") == "U+00EB, U+0430");
  BOOST_TEST(foreign_characters("\xF0\x90\x90\xAC\xFFx") == "U+1042C");
  std::string many;
  for (char last = '\x80'; last < '\x94'; ++last) many += std::string("\xC4") + last;
  BOOST_TEST(foreign_characters(many).ends_with("U+010F and 4 more"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::cli::testing
