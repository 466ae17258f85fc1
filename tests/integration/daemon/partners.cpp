// Two real daemons of different trust domains, each with the other among its configured anchors: what they verify and
// decide of each other's chains, and what they do not let each other say.

#include <filesystem>
#include <fstream>
#include <iterator>

#include <signal.h>

#include "sdk/base/hex.hpp"
#include "tests/integration/daemon/remote_office.hpp"
#include "tests/integration/daemon/two_domains.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

constexpr const char* kUri = "https://api.example.org/refunds";

std::string jwks_of(const std::vector<PublicKey>& keys) {
  std::string text;
  for (const PublicKey& key : keys) text.append(text.empty() ? "[" : ",").append(key.jwk());
  return text + "]";
}

/// Its entry in the other's file of trust anchors, with the limits of limits_for().
std::string anchor_json(const Domain& domain) {
  const Client client = domain.daemon.client();
  return R"({"iss":")" + domain.url() + R"(","keys":)" + jwks_of(answered(client.jwks()).keys) +
         R"(,"sub":["user:alice@)" + domain.name + R"("],"client_id":["spiffe://)" + domain.name +
         R"(/agent/*"],"ceiling":{"scopes":["crm.*","payments.refund"],"constraints":[)"
         R"({"key":"payments.refund#amount","max":500}]},"status":{"prefixes":[")" +
         domain.url() + R"(/v1/status-lists/"],"keys":)" + jwks_of(answered(client.status_jwks()).keys) +
         "}}";
}

/// Two daemons that have each other among their anchors, and follow them.
struct Partnership {
  Partnership() {
    introduce(east, "west");
    introduce(west, "east");
    for (Domain* const domain : {&east, &west}) {
      BOOST_REQUIRE(domain->daemon.stop() == 0);
      domain->daemon.start();
    }
  }

  /// Writes down this domain for the one that is called `to`.
  void introduce(const Domain& domain, const std::string& to) const {
    std::ofstream(folder.path() / (to + ".json")) << R"({"anchors":[)" << anchor_json(domain) << "]}";
    std::filesystem::copy_file(domain.ca_file(), folder.path() / (to + "-ca.pem"));
  }
  [[nodiscard]] std::string trust_section(const std::string& name) const {
    const std::string file = (folder.path() / name).string();
    std::ofstream(file + ".json") << R"({"anchors":[]})";
    return "[verify]\ntrust_anchors = \"" + file +
           ".json\"\nfollow_anchors = true\nanchors_refresh = \"1s\"\n" + "anchors_ca = \"" + file +
           "-ca.pem\"\n";
  }

  testing::TemporaryFolder folder;
  Domain east{"east.example", trust_section("east")};
  Domain west{"west.example", trust_section("west")};
};

std::string outcome_at(const Domain& verifier, const std::vector<std::string>& chain) {
  return answered(verifier.daemon.client().verify({chain, std::nullopt})).outcome;
}

/// What an enforcement point is told by `verifier` of an action under a chain of `issuer`'s.
struct Request {
  Request(const Domain& issuer, const std::vector<std::string>& chain) {
    message.chain = chain;
    message.proof = answered(issuer.daemon.client().prove({chain, "POST", kUri, std::nullopt})).proof;
    message.method = "POST";
    message.uri = kUri;
    message.audience = "https://api.example.org";
    message.scope = "crm.read";
  }
  [[nodiscard]] std::string decided_by(const Domain& verifier) const {
    const auto decision = answered(verifier.daemon.client().authorize(message));
    return decision.permitted ? "permit" : decision.outcome;
  }
  api::Authorize message;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(partners)

BOOST_FIXTURE_TEST_CASE(each_daemon_judges_chains_of_the_other_by_what_its_anchor_may_say, Partnership) {
  for (const bool eastward : {true, false}) {
    const Domain& issuer = eastward ? west : east;
    const Domain& verifier = eastward ? east : west;
    BOOST_TEST_CONTEXT(verifier.name) {
      const auto chain = issuer.chain();
      BOOST_TEST(outcome_at(verifier, chain) == "valid");
      const Request request(issuer, chain);
      BOOST_TEST(request.decided_by(verifier) == "permit");
      BOOST_TEST(request.decided_by(verifier) == "holder_binding_failed");  // the same proof

      api::CreateGrant grant = issuer.grant();
      grant.authority.scopes.push_back("hr.read");
      const auto wider = issuer.chain(grant);
      BOOST_TEST(outcome_at(verifier, wider) == "not_narrower");
      BOOST_TEST(Request(issuer, wider).decided_by(verifier) == "not_narrower");

      grant = issuer.grant();
      grant.principal = "user:alice@" + verifier.name;
      const auto others = issuer.chain(grant);
      BOOST_TEST(outcome_at(verifier, others) == "signature_invalid");
      BOOST_TEST(Request(issuer, others).decided_by(verifier) == "signature_invalid");

      BOOST_TEST(outcome_at(verifier, verifier.chain()) == "valid");
    }
  }
}

BOOST_FIXTURE_TEST_CASE(authority_over_one_daemon_is_none_over_the_other, Partnership) {
  const HolderKey key = new_key();
  const auto chain =
      answered(east.daemon.client().create_operator({"admin", key.public_key().thumbprint().text()})).chain;
  const auto ask = [&](const Domain& domain) {
    ClientOptions options;
    options.address = domain.url();
    options.ca_file = domain.ca_file();
    options.credential = required(credential_of(chain, key));
    return refusal(required(Client::connect(options)).agents());
  };
  BOOST_TEST(ask(east) == "");
  BOOST_TEST(ask(west) == "chain_refused");
}

BOOST_FIXTURE_TEST_CASE(what_one_daemon_revokes_the_other_denies, Partnership) {
  const auto kept = east.chain();
  const auto chain = east.chain();
  const std::string leaf = hex_encode(required(Token::parse(chain.back())).digest());
  answered(east.daemon.client().revoke({{"token", leaf}, "test"}));
  BOOST_TEST(outcome_at(west, chain) == "revoked");
  BOOST_TEST(Request(east, kept).decided_by(west) == "permit");
}

BOOST_FIXTURE_TEST_CASE(a_daemon_follows_the_others_keys_when_they_rotate, Partnership) {
  const auto before = east.chain();
  answered(east.daemon.client().rotate_issuer());
  answered(east.daemon.client().rotate_status_key());
  const auto after = east.chain();
  BOOST_TEST(eventually([&] { return outcome_at(west, after) == "valid"; }));
  BOOST_TEST(outcome_at(west, before) == "valid");
}

// With the other away it cannot be learned again.
BOOST_FIXTURE_TEST_CASE(a_change_of_limits_forgets_nothing_of_the_others_keys, Partnership) {
  answered(east.daemon.client().rotate_issuer());
  const auto chain = east.chain();
  BOOST_REQUIRE(eventually([&] { return outcome_at(west, chain) == "valid"; }));
  east.daemon.kill();
  const auto file = west.daemon.folder() / "chancery.toml";
  std::ifstream in(file);
  std::string text(std::istreambuf_iterator<char>(in), {});
  text.insert(text.find("follow_anchors"), "max_tokens = 12\n");
  std::ofstream(file) << text;
  BOOST_REQUIRE(::kill(west.daemon.pid(), SIGHUP) == 0);
  BOOST_REQUIRE_MESSAGE(
      eventually([&] { return west.daemon.output().find("changed=verify.max_tokens") != std::string::npos; }),
      west.daemon.output());
  BOOST_TEST(outcome_at(west, chain) == "valid");
}

BOOST_FIXTURE_TEST_CASE(a_partner_that_is_away_holds_nothing_up, Partnership) {
  const auto chain = east.chain();
  east.daemon.kill();
  BOOST_REQUIRE(west.daemon.stop() == 0);
  west.daemon.start();
  BOOST_TEST(outcome_at(west, chain) == "status_unknown");
  BOOST_TEST(outcome_at(west, west.chain()) == "valid");
  BOOST_TEST(
      eventually([&] { return west.daemon.output().find("cannot be followed") != std::string::npos; }));
  east.daemon.start();
  BOOST_TEST(eventually([&] { return outcome_at(west, chain) == "valid"; }, 40s));
}

BOOST_AUTO_TEST_CASE(an_anchor_that_cannot_be_followed_is_refused_at_the_start) {
  const testing::TemporaryFolder folder;
  const std::string file = (folder.path() / "trust.json").string();
  const std::string key = new_key().public_key().jwk();
  DaemonProcess daemon({.tcti = "swtpm:path=/nowhere",
                        .extra = "[verify]\nfollow_anchors = true\ntrust_anchors = \"" + file + "\"\n"});
  for (const char* iss : {R"("iss":"https://as.example.net/tenant",)", R"("iss":"as.example.net",)", ""}) {
    std::ofstream(file) << R"({"anchors":[{)" << iss << R"("keys":[)" << key << "]}]}";
    const auto checked = daemon.check();
    BOOST_TEST(checked.exit_status == 1);
    BOOST_TEST(checked.output.find("follow_anchors") != std::string::npos, checked.output);
  }
  std::ofstream(file) << R"({"anchors":[{"iss":"https://as.example.net","keys":[)" << key << "]}]}";
  BOOST_TEST(daemon.check().exit_status == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
