// What the daemon never shows, and what looks like it and must stay readable.

#include "sdk/redaction/log_redactor.hpp"

#include <array>
#include <fstream>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/secret_memory.hpp"
#include "sdk/redaction/secret_patterns.hpp"
#include "sdk/redaction/secret_prints.hpp"

namespace chancery::redaction {
namespace {

/// \param want  null: stays as it is
struct Case {
  const char* name;
  std::string text;
  const char* want = nullptr;
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

// Put together here, so that no scanner of repositories takes this table for a leak.
const std::string kLetters = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6kL9o";  // 40

const std::array kCases{
    Case{"plain text", "agent support registered"},
    Case{"nothing", ""},
    Case{"a token", "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln", "[redacted]"},
    Case{"a token in a header", "Authorization: DPoP eyJhbGc.eyJz.c2ln, x",
         "Authorization: DPoP [redacted], x"},
    Case{"a chain, or SD-JWT with disclosures and key binding", "x eyJh.eyJz.c2ln~eyJh.eyJz.c2ln~WyJz y",
         "x [redacted] y"},
    Case{"two tokens", "eyJh.eyJz.c2ln eyJh.eyJz.c2ln", "[redacted] [redacted]"},
    Case{"a token after other text", "aeyJh.eyJz.c2ln", "a[redacted]"},
    Case{"a token without signature", "eyJh.eyJz.", "[redacted]"},
    Case{"a token that is followed by a full stop", "eyJh.eyJz.c2ln.", "[redacted]."},
    Case{"a second start within the first part", "eyJeyJ.eyJz.c2ln", "[redacted]"},
    Case{"a token whose header was written for people", "ewogICJhIjoxfQ.eyJz.c2ln", "[redacted]"},
    Case{"an encrypted token", "eyJh.a2V5.aXY.Y2lwaGVy.dGFn", "[redacted]"},
    Case{"an encrypted token with an agreed key", "eyJh..aXY.Y2lwaGVy.dGFn", "[redacted]"},
    Case{"two parts", "eyJh.eyJz"},
    Case{"a token behind two parts", "eyJh.eyJz eyJh.eyJz.c2ln", "eyJh.eyJz [redacted]"},
    Case{"a token behind one part", "eyJ eyJh.eyJz.c2ln", "eyJ [redacted]"},
    Case{"another start", "eyKh.eyKz.c2ln"},
    Case{"a host name of three parts", "issuer.example.org"},
    Case{"a thumbprint", "jkt 0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
    Case{"a digest", "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
    Case{"a join token", "chancery-join-AAECAwQFBgcICQoL", "[redacted]"},
    Case{"the beginning of one", "tokens begin with chancery-join-"},

    Case{"a private key", "x -----BEGIN EC PRIVATE KEY-----\nMHcCAQEE+/=\n-----END EC PRIVATE KEY----- y",
         "x [redacted] y"},
    Case{"one whose end is missing", "-----BEGIN PRIVATE KEY-----\nMIGH", "[redacted]"},
    Case{"one inside of JSON", R"(-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n)",
         "[redacted]\\n"},
    Case{
        "an encrypted one",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,AB\n\nMIGH\n-----END RSA PRIVATE KEY-----",
        "[redacted]"},
    Case{"a certificate", "-----BEGIN CERTIFICATE-----\nMIGH\n-----END CERTIFICATE-----"},
    Case{"a public key", "-----BEGIN PUBLIC KEY-----\nMIGH\n-----END PUBLIC KEY-----"},

    Case{"basic credentials", "authorization: Basic dXNlcjpwYXNz", "authorization: Basic [redacted]"},
    Case{"an opaque one", "Proxy-Authorization=abc def", "Proxy-Authorization=[redacted] def"},
    Case{"the word", "authorization was refused"},
    Case{"a bearer token", "Bearer " + kLetters, "Bearer [redacted]"},
    Case{"about bearer tokens", "send a Bearer token, or DPoP proof; basic authentication is off"},
    Case{"cookies", "Set-Cookie: a=b; Secure", "Set-Cookie: [redacted]"},
    Case{"about cookies", "cookies are not read"},
    Case{"a password in a URL", "proxy http://u:p%40ss@host:3128/x", "proxy http://u:[redacted]@host:3128/x"},
    Case{"a password without a name", "redis://:pw@host", "redis://:[redacted]@host"},
    Case{"a port", "https://host:8443/a@b"},
    Case{"a name alone", "https://user@host/"},
    Case{"a PIN in a PKCS#11 URI", "pkcs11:token=t;pin-value=1234?x",
         "pkcs11:token=t;pin-value=[redacted]?x"},
    Case{"where a PIN is", "pkcs11:token=t?pin-source=/etc/pin"},
    Case{"a password", "password=hunter2;x", "password=[redacted];x"},
    Case{"one in JSON", R"({"client_secret": "abc", "n": 1})", R"({"client_secret": "[redacted]", "n": 1})"},
    Case{"one in a query", "/x?access_token=abc&y=1", "/x?access_token=[redacted]&y=1"},
    Case{"an API key", "X-Api-Key: abc", "X-Api-Key: [redacted]"},
    Case{"about passwords", "the password file is readable by others; passwords: none"},
    Case{"a key id", "key_id=abc token=9f86d081"},

    Case{"an AWS access key", "AKIA" + std::string("ABCDEFGHIJKLMNOP") + " x", "[redacted] x"},
    Case{"a word as long", "AKIA" + std::string("BCDEFGHIJKLMNOPQRS")},
    Case{"an AWS secret key", "aws_secret_access_key = " + kLetters, "aws_secret_access_key = [redacted]"},
    Case{"a GitHub token", "ghp_" + kLetters, "[redacted]"},
    Case{"a fine-grained one", "github_pat_" + kLetters, "[redacted]"},
    Case{"a short name", "ghp_short"},
    Case{"a GitLab token", "glpat-" + kLetters.substr(0, 20), "[redacted]"},
    Case{"a short one", "glpat-x"},
    Case{"a Slack token", "xoxb-" + kLetters, "[redacted]"},
    Case{"a Slack hook", "https://hooks.slack.com/services/T0/B0/abc", "https://[redacted]"},
    Case{"something else of Slack's", "https://slack.com/services"},
    Case{"a Stripe key", "sk_live_" + kLetters, "[redacted]"},
    Case{"a publishable one", "pk_live_" + kLetters},
    Case{"a Google key", "AIza" + kLetters.substr(0, 35), "[redacted]"},
    Case{"a Google token", "ya29." + kLetters, "[redacted]"},
    Case{"an OpenAI key", "sk-proj-" + kLetters, "[redacted]"},
    Case{"a short name with sk", "sk-1, task-management-of-everything"},
};

}  // namespace

BOOST_DATA_TEST_CASE(secrets_are_redacted_and_nothing_else, boost::unit_test::data::make(kCases), c) {
  const LogRedactor redactor;
  BOOST_TEST(redactor.text(c.text) == (c.want == nullptr ? c.text : c.want));
}

BOOST_AUTO_TEST_CASE(the_page_lists_every_kind_of_secret) {
  std::ifstream in(CHANCERY_SOURCE_DIR "/docs/operations/logging.md");
  const std::string page(std::istreambuf_iterator<char>(in), {});
  for (const SecretPattern& pattern : secret_patterns()) {
    BOOST_TEST(page.find("- " + std::string(pattern.name) + "\n") != std::string::npos, pattern.name);
  }
}

BOOST_AUTO_TEST_CASE(configured_patterns_are_redacted_whole) {
  const std::vector<std::string> patterns{"customer-(\\d+)", "Ω+"};
  const LogRedactor redactor(patterns);
  BOOST_TEST(redactor.text("of customer-17, customer-x ΩΩ") == "of [redacted], customer-x [redacted]");
}

BOOST_AUTO_TEST_CASE(a_pattern_that_cannot_be_used_is_refused) {
  for (const char* const pattern : {"(", "(?=x)", "(a)\\1", "x*", ""}) {
    BOOST_TEST((LogRedactor::check(pattern).error().code == ErrorCode::kConfigInvalid), pattern);
  }
  for (const char* const pattern : {"x+", "^a", "(?i)secret"})
    BOOST_TEST(LogRedactor::check(pattern).has_value(), pattern);
}

BOOST_AUTO_TEST_CASE(a_pattern_that_matches_between_octets_takes_nothing_away) {
  const std::vector<std::string> patterns{"\\b"};
  BOOST_TEST(LogRedactor(patterns).text("a b") == "a b");
}

BOOST_AUTO_TEST_CASE(known_secrets_are_found_in_each_form) {
  LogRedactor redactor;
  redactor.hide(as_bytes("correct horse?>"));
  for (const char* const form :
       {"correct horse?>", "636f727265637420686f7273653f3e", "636F727265637420686F7273653F3E",
        "Y29ycmVjdCBob3JzZT8+", "Y29ycmVjdCBob3JzZT8-"}) {
    BOOST_TEST(redactor.text(std::string("a") + form + "b") == "a[redacted]b", form);
  }
  BOOST_TEST(redactor.text("correct horse?") == "correct horse?");
}

BOOST_AUTO_TEST_CASE(what_is_forgotten_is_redacted_no_more_and_all_else_is) {
  LogRedactor redactor;
  for (const char* const secret :
       {"issued-token-1", "issued-token-2", "issued-token-3", "the only one of its length"})
    redactor.hide(as_bytes(secret));
  redactor.forget(as_bytes("issued-token-2"));
  redactor.forget(as_bytes("the only one of its length"));
  redactor.forget(as_bytes("issued-token-9"));  // never known
  BOOST_TEST(redactor.text("issued-token-1 issued-token-2 issued-token-3") ==
             "[redacted] issued-token-2 [redacted]");
  BOOST_TEST(redactor.text("the only one of its length") == "the only one of its length");
  BOOST_TEST(redactor.text("6973737565642d746f6b656e2d32") == "6973737565642d746f6b656e2d32");
  redactor.hide(as_bytes("issued-token-2"));
  BOOST_TEST(redactor.text("issued-token-2") == "[redacted]");
}

BOOST_AUTO_TEST_CASE(what_was_hidden_twice_is_redacted_until_it_was_forgotten_twice) {
  LogRedactor redactor;
  redactor.hide(as_bytes("issued-token-1"));
  redactor.hide(as_bytes("issued-token-1"));
  redactor.forget(as_bytes("issued-token-1"));
  BOOST_TEST(redactor.text("issued-token-1 6973737565642d746f6b656e2d31") == "[redacted] [redacted]");
  redactor.forget(as_bytes("issued-token-1"));
  BOOST_TEST(redactor.text("issued-token-1 6973737565642d746f6b656e2d31") ==
             "issued-token-1 6973737565642d746f6b656e2d31");
}

BOOST_AUTO_TEST_CASE(a_secret_that_is_another_one_in_hexadecimal_outlives_it) {
  LogRedactor redactor;
  redactor.hide(as_bytes("abcd"));
  redactor.hide(as_bytes("61626364"));
  redactor.forget(as_bytes("abcd"));
  BOOST_TEST(redactor.text("abcd 61626364") == "abcd [redacted]");
  redactor.forget(as_bytes("xyz"));  // too short to be known, as 78797a is not
  redactor.hide(as_bytes("78797a"));
  redactor.forget(as_bytes("xyz"));
  BOOST_TEST(redactor.text("78797a") == "[redacted]");
}

BOOST_AUTO_TEST_CASE(a_short_secret_is_one_only_where_it_stands_alone) {
  LogRedactor redactor;
  redactor.hide(as_bytes("1234"));
  redactor.hide(as_bytes("123"));  // too short to be looked for
  BOOST_TEST(redactor.text("pin 1234.") == "pin [redacted].");
  BOOST_TEST(redactor.text("1234") == "[redacted]");
  BOOST_TEST(redactor.text("port 12345, 0x1234, a1234, 123") == "port 12345, 0x1234, a1234, 123");
}

BOOST_AUTO_TEST_CASE(secrets_that_overlap_go_together) {
  LogRedactor redactor;
  redactor.hide(as_bytes("abcdefgh"));
  redactor.hide(as_bytes("efghijklm"));
  BOOST_TEST(redactor.text("xabcdefghijklmy") == "x[redacted]y");
}

// More of them than a region of pages for secrets has cells.
BOOST_AUTO_TEST_CASE(what_is_kept_of_secrets_is_kept_in_pages_for_secrets) {
  constexpr std::size_t kMany = 1100;
  const auto set_aside = [] { return secret_memory().state().size; };
  std::size_t before = set_aside();
  SecretPrints prints;
  for (std::size_t i = 0; i < kMany; ++i) prints.add(std::string(SecretPrints::kShortest + i, 'x'));
  BOOST_TEST(set_aside() > before, "hashes");
  before = set_aside();
  const std::vector<SecretPrints> multipliers(2 * kMany);
  BOOST_TEST(set_aside() > before, "multipliers");
}

BOOST_AUTO_TEST_CASE(redacted_json_is_json) {
  LogRedactor redactor;
  redactor.hide(as_bytes("p\"in\n1"));
  BOOST_TEST(redactor.json(R"({"b":["eyJh.eyJz.c2ln",1,true,null],"a":{"eyJ":"x"}})") ==
             R"({"a":{"eyJ":"x"},"b":["[redacted]",1,true,null]})");
  BOOST_TEST(redactor.json(R"({"pin":"p\"in\n1"})") == R"({"pin":"[redacted]"})");
  BOOST_TEST(redactor.json(R"({"b" : 1, "a":"x"})") == R"({"b" : 1, "a":"x"})");
  BOOST_TEST(redactor.json("no json eyJh.eyJz.c2ln") == "no json [redacted]");
}

struct AnchoredCase {
  const char* pattern;
  const char* json;
  const char* want;
};
std::ostream& operator<<(std::ostream& out, const AnchoredCase& c) { return out << c.pattern << c.json; }

constexpr std::array kAnchored{
    AnchoredCase{"^customer-\\d+$", R"({"a":"customer-17","b":["customer-18","customer-x"]})",
                 R"({"a":"[redacted]","b":["[redacted]","customer-x"]})"},
    AnchoredCase{"^customer-\\d+$", R"({"a":"of customer-17"})", R"({"a":"of customer-17"})"},
    AnchoredCase{"^customer", R"({"a":"customer-17"})", R"({"a":"[redacted]-17"})"},
    AnchoredCase{"\\d+$", R"({"a":"customer-17","b":"17-x"})", R"({"a":"customer-[redacted]","b":"17-x"})"},
    AnchoredCase{"^[^\"]+$", R"({"a":"customer-17"})", R"({"a":"[redacted]"})"},
};

BOOST_DATA_TEST_CASE(ends_in_a_pattern_are_those_of_each_string, boost::unit_test::data::make(kAnchored), c) {
  const LogRedactor redactor(std::vector<std::string>{c.pattern});
  BOOST_TEST(redactor.json(c.json) == c.want);
}

BOOST_AUTO_TEST_CASE(a_text_of_nothing_but_secrets_goes_as_a_whole) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "ghp_" + kLetters + " ";
  const std::string out = LogRedactor().text(text);
  BOOST_TEST(out.find("ghp_") == std::string::npos);
  BOOST_TEST(out.size() < 1002 * (kRedacted.size() + 1));
}

}  // namespace chancery::redaction
