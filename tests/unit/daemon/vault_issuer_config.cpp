// What a configuration says of issuers of credentials.

#include <array>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/config/config.hpp"
#include "tests/unit/daemon/read_configuration.hpp"

namespace chancery::config {
namespace {

using namespace std::chrono_literals;

using testing::accepted;
using testing::kLeast;  // what follows it begins in line 10
using testing::Mistake;
using testing::refused;

constexpr const char* kOrders = R"([[vault.issuer]]
name = "orders"
type = "postgres_role"
host = "db.example.org"
ca = "/etc/chancery/db-ca.pem"
database = "shop"
user = "chancery"
secret = "orders-issuer"
groups = ["readers"]
)";

constexpr const char* kCalendar = R"([[vault.issuer]]
name = "calendar"
type = "oauth_grant"
server = "https://login.example.org"
authorization_endpoint = "https://login.example.org/authorize"
token_endpoint = "https://login.example.org/token"
client_id = "chancery"
authentication = "none"
parameters = ["access_type=offline", "claims={\"a\":1}"]
names_itself = false
)";

constexpr const char* kCrm = R"([[vault.issuer]]
name = "crm"
server = "https://login.example.org"
token_endpoint = "https://login.example.org/token"
revocation_endpoint = "https://login.example.org/revoke"
client_id = "chancery"
secret = "crm-client"
scopes = ["crm.read"]
resource = "https://crm.example.org"
)";

}  // namespace

BOOST_AUTO_TEST_SUITE(vault_issuer_config)

BOOST_AUTO_TEST_CASE(issuers_of_each_type_are_read_and_written) {
  const Config config = accepted(kLeast + "[vault]\nbackend = \"tpm0\"\n" + kOrders + kCalendar + kCrm);
  BOOST_TEST_REQUIRE(config.vault.issuers.size() == 3U);
  VaultIssuerConfig orders = default_vault_issuer();
  orders.name = "orders";
  orders.type = VaultIssuerType::kPostgresRole;
  orders.host = "db.example.org";
  orders.ca = "/etc/chancery/db-ca.pem";
  orders.database = "shop";
  orders.user = "chancery";
  orders.secret = "orders-issuer";
  orders.groups = {"readers"};
  BOOST_TEST((config.vault.issuers[0] == orders));
  BOOST_TEST(orders.port == 5432U);
  BOOST_TEST((orders.longest_life == 15min));
  const VaultIssuerConfig& calendar = config.vault.issuers[1];
  BOOST_TEST((calendar.type == VaultIssuerType::kOAuthGrant));
  BOOST_TEST((calendar.authentication == ClientAuthentication::kNone));
  BOOST_TEST(!calendar.names_itself);
  BOOST_TEST(calendar.redirect_uri == "http://127.0.0.1/callback");
  BOOST_TEST(config.vault.issuers[2].single_use);
  BOOST_TEST((accepted(to_toml(config)) == config), to_toml(config));
}

BOOST_AUTO_TEST_CASE(a_change_of_an_issuer_takes_a_restart) {
  const Config running = accepted(kLeast + kOrders);
  Config read = running;
  read.vault.issuers[0].groups.emplace_back("writers");
  BOOST_TEST(take_over(running, read).need_restart == std::vector<std::string>{"vault.issuer"},
             boost::test_tools::per_element());
  BOOST_TEST((take_over(running, read).config.vault == running.vault));
}

namespace {

const std::array kRefused{
    Mistake{"no name", kOrders, "name = \"orders\"", "", 10,
            "vault.issuer[0].name is required for this type of issuer"},
    Mistake{"a bad name", kOrders, "\"orders\"", "\"Orders\"", 11,
            "vault.issuer[0].name must be 1 to 63 of a-z, 0-9, '.', '_' and '-', a letter or digit first"},
    Mistake{
        "an unknown type", kOrders, "postgres_role", "mysql_role", 12,
        "vault.issuer[0].type must be one of \"oauth_client_credentials\" \"oauth_grant\" \"postgres_role\""},
    Mistake{"an unknown option", kOrders, "user =", "usr =", 16,
            "unknown option \"vault.issuer.usr\": did you mean \"vault.issuer.user\"?"},
    Mistake{
        "another type's option", kOrders, "user = \"chancery\"", "client_id = \"chancery\"", 16,
        "vault.issuer[0].client_id is for issuers of type \"oauth_client_credentials\" and \"oauth_grant\" only: take "
        "it out"},
    Mistake{"no groups", kOrders, "groups = [\"readers\"]", "", 10,
            "vault.issuer[0].groups is required for this type of issuer"},
    Mistake{"a database over TCP without authorities", kOrders, "ca = \"/etc/chancery/db-ca.pem\"", "", 10,
            "vault.issuer[0].ca is required for a database over TCP: its certificate is verified"},
    Mistake{"a value for the name of one", kOrders, "\"orders-issuer\"", "\"S3cret!\"", 17,
            "vault.issuer[0].secret must be the name of a credential in the vault, never its value"},
    Mistake{"a token endpoint without TLS", kCrm, "\"https://login.example.org/token\"",
            "\"http://login.example.org/token\"", 13,
            "vault.issuer[0].token_endpoint must be an https:// address without a fragment"},
    Mistake{"no token endpoint", kCrm, "token_endpoint = \"https://login.example.org/token\"", "", 10,
            "vault.issuer[0].token_endpoint is required for this type of issuer"},
    Mistake{
        "no secret", kCrm, "secret = \"crm-client\"", "", 10,
        "vault.issuer[0].secret is required with authentication = \"client_secret_basic\": name the credential in the "
        "vault"},
    Mistake{"a resource with a fragment", kCrm, "https://crm.example.org", "https://crm.example.org#a", 18,
            "vault.issuer[0].resource must be an absolute URI without a fragment"},
    Mistake{"a public client with a secret", kCalendar, "client_id = \"chancery\"",
            "client_id = \"c\"\nsecret = \"s\"", 18,
            "vault.issuer[0].authentication is none: a public client has no secret, take it out"},
    Mistake{
        "a redirect to a name", kCalendar, "names_itself = false", "redirect_uri = \"http://localhost/cb\"",
        19,
        "vault.issuer[0].redirect_uri must be https, or http on 127.0.0.1 or [::1]: names can be taken over"},
    Mistake{
        "a redirect to a longer address", kCalendar, "names_itself = false",
        "redirect_uri = \"http://127.0.0.1.example.org/cb\"", 19,
        "vault.issuer[0].redirect_uri must be https, or http on 127.0.0.1 or [::1]: names can be taken over"},
    Mistake{"a parameter without a name", kCalendar, "access_type=offline", "=offline", 18,
            "vault.issuer[0].parameters must each be name=value"},
};

}  // namespace

BOOST_DATA_TEST_CASE(what_contradicts_itself_is_refused_with_its_line, boost::unit_test::data::make(kRefused),
                     row) {
  expect_refused(row);
}

BOOST_AUTO_TEST_CASE(names_are_distinct) {
  const ConfigError error = refused(kLeast + kOrders + kOrders);
  BOOST_TEST(error.message ==
             "vault.issuer[1].name is the name of an earlier [[vault.issuer]]: choose another");
  BOOST_TEST(error.line == 20);
}

BOOST_AUTO_TEST_CASE(one_section_is_no_list) {
  BOOST_TEST(refused(kLeast + "[vault.issuer]\nname = \"orders\"\n").message ==
             "vault.issuer is a list of sections: write [[vault.issuer]]");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::config
