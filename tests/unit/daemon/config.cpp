#include "daemon/config/config.hpp"

#include <array>
#include <fstream>
#include <set>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <sys/stat.h>

#include "daemon/config/options.hpp"
#include "daemon/config/values.hpp"
#include "tests/unit/daemon/read_configuration.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::config {
namespace {

using chancery::testing::TemporaryFolder;
using testing::accepted;
using testing::kLeast;
using testing::refused;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_CASE(every_default_is_a_valid_value) {
  const Config config = default_config();  // aborts on one that is not
  const BackendConfig backend = default_backend(config);
  BOOST_TEST(config.server.socket == "/run/chancery/chancery.sock");
  BOOST_TEST(config.server.socket_mode == 0660U);
  BOOST_TEST((config.server.tls_listen == ListenAddress{"127.0.0.1", 8443}));
  BOOST_TEST(!config.server.plain_listen.has_value());
  BOOST_TEST((config.server.header_timeout == 10s));
  BOOST_TEST(config.server.header_limit == 65536U);
  BOOST_TEST(config.state_path == "/var/lib/chancery");
  BOOST_TEST((config.grants.max_lifetime == 8h));
  BOOST_TEST(config.grants.max_depth == 8U);
  BOOST_TEST(config.grants.constraints == "[]");
  BOOST_TEST(config.verify.max_tokens == 16U);
  BOOST_TEST(config.verify.max_chain_bytes == 262144U);
  BOOST_TEST(config.verify.cache_tokens == 4096U);
  BOOST_TEST(config.verify.child_signing == std::vector<std::string>{"holder"});
  BOOST_TEST(!config.allow_root);
  BOOST_TEST(!backend.allow_simulator);
  BOOST_TEST((backend.sessions == Sessions::kEncrypted));
}

BOOST_AUTO_TEST_CASE(the_option_table_is_well_formed) {
  std::set<std::string_view> names;
  std::vector<std::string_view> sections;
  for (const Option& option : options()) {
    BOOST_TEST_CONTEXT(option.name) {
      BOOST_TEST(names.insert(option.name).second);
      BOOST_TEST(option.meaning.ends_with('.'));
      BOOST_TEST(!option.default_value.empty());
      const bool counts = std::holds_alternative<Count>(option.kind) && !option.name.ends_with(".port");
      BOOST_TEST(counts == !option.unit.empty());
    }
    if (sections.empty() || sections.back() != section_of(option.name))
      sections.push_back(section_of(option.name));
  }
  // A section in two pieces would be written twice.
  BOOST_TEST((std::set(sections.begin(), sections.end()).size() == sections.size()));
}

BOOST_AUTO_TEST_CASE(what_is_live_is_taken_over_and_the_rest_is_named) {
  const Config running = accepted(kLeast);
  BOOST_TEST(take_over(running, running).changed.empty());
  BOOST_TEST(take_over(running, running).need_restart.empty());
  Config read = running;
  read.grants.max_depth = 5;
  read.grants.scopes = {"crm.*"};
  read.log.level = LogLevel::kDebug;
  read.state_path = "/elsewhere";
  read.backends[0].queue = 7;
  const TakenOver taken = take_over(running, read);
  const std::vector<std::string> changed{"grants.scopes", "grants.max_depth", "log.level"};
  const std::vector<std::string> need_restart{"state.path", "backend"};
  BOOST_TEST(taken.changed == changed, boost::test_tools::per_element());
  BOOST_TEST(taken.need_restart == need_restart, boost::test_tools::per_element());
  Config want = running;
  want.grants = read.grants;
  want.log = read.log;
  want.source = to_toml(want);  // a part of it waits for a restart: no file says what governs
  BOOST_TEST((taken.config == want));
}

BOOST_AUTO_TEST_CASE(every_option_outside_of_backends_has_a_change_noticed) {
  const Config running = accepted(kLeast);
  Config read = running;
  for (const Option& option : options()) {
    if (is_list(section_of(option.name)) || !std::holds_alternative<Count>(option.kind)) continue;
    NoSections none;
    ++std::get<Count>(option.kind).at(none.with(read));
    const TakenOver taken = take_over(running, read);
    const auto& names = is_live(option) ? taken.changed : taken.need_restart;
    BOOST_TEST(names == std::vector<std::string>{std::string(option.name)}, option.name);
    read = running;
  }
}

BOOST_AUTO_TEST_CASE(the_least_configuration_takes_defaults_for_the_rest) {
  const Config config = accepted(kLeast);
  Config want = default_config();
  want.issuer = {"example.org", "https://chancery.example.org", "tpm0", 0s, 8h};
  want.server.tls_listen.reset();
  want.backends.push_back(default_backend(want));
  want.backends[0].name = "tpm0";
  BOOST_TEST((config == want));
}

// As it is installed, and with the token that stands in it as an example.
BOOST_AUTO_TEST_CASE(the_packaged_configuration_is_good_and_isolates_modules) {
  std::ifstream in(CHANCERY_SOURCE_DIR "/daemon/packaging/chancery.toml");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  BOOST_TEST_REQUIRE(!text.empty());
  BOOST_TEST(accepted(text).backends.size() == 1U);
  BOOST_TEST(accepted(text).operator_group == "chancery-operators");  // which the packages make
  const std::size_t example = text.find("# [[backend]]");
  BOOST_TEST_REQUIRE(example != std::string::npos);
  for (std::size_t at = example; at != std::string::npos; at = text.find("\n# ", at)) {
    text.erase(text.find("# ", at), 2);
  }
  const Config config = accepted(text);
  BOOST_TEST_REQUIRE(config.backends.size() == 2U);
  BOOST_TEST((config.backends[1].type == BackendType::kPkcs11));
  BOOST_TEST(config.backends[1].isolate);
}

BOOST_AUTO_TEST_CASE(every_option_is_read) {
  const Config config = accepted(R"(
allow_root = true
[server]
socket = "/run/c.sock"
socket_mode = "0600"
socket_group = "agents"
tls_listen = "0.0.0.0:443"
tls_certificate = "/etc/chancery/tls.crt"
tls_key = "/etc/chancery/tls.key"
plain_listen = "[::1]:8080"
threads = 3
blocking_threads = 4
max_connections = 500
header_limit = "16KiB"
body_limit = 100000
header_timeout = "500ms"
body_timeout = "1s"
idle_timeout = "2m"
handler_timeout = "3s"
drain_timeout = "4s"
[issuer]
trust_domain = "example.org"
url = "https://tenant.example.org"
backend = "second"
max_key_age = "90d"
overlap = "24h"
[keys]
max_key_age = "30d"
overlap = "5m"
[state]
path = "/srv/chancery"
[operator]
group = "wheel"
[[backend]]
name = "first"
[[backend]]
name = "second"
type = "tpm"
tcti = "swtpm:path=/tmp/s"
allow_simulator = true
sessions = "plain"
queue = 7
timeout = "5s"
key_cache = 0
[[backend]]
name = "third"
type = "pkcs11"
module = "/usr/lib/hsm.so"
serial = "0123"
pin_file = "/etc/chancery/pin"
max_sessions = 9
isolate = true
queue = 8
[[backend]]
name = "fourth"
type = "pkcs11"
module = "/usr/lib/hsm.so"
uri = "pkcs11:token=b"
allow_simulator = true
[tpm]
allow_simulator = false
[grants]
scopes = ["crm.*", "payments.refund"]
constraints = [{ max = 500, key = "payments.refund#amount" }, { key = "tier", order = ["low", "high"], rank = "low" }]
audiences = ["https://crm.example.org"]
max_lifetime = "1h"
max_depth = 3
[delegations]
default_lifetime = "5m"
[verify]
max_tokens = 5
max_chain_bytes = "64KiB"
cache_tokens = 0
child_signing = ["holder", "issuer"]
trust_anchors = "/etc/chancery/trust.json"
follow_anchors = true
anchors_refresh = "10m"
anchors_ca = "/etc/chancery/partners.pem"
[log]
level = "debug"
format = "json"
redact = ["customer-[0-9]+"]
)");
  BOOST_TEST(config.allow_root);
  BOOST_TEST(config.server.socket == "/run/c.sock");
  BOOST_TEST(config.server.socket_mode == 0600U);
  BOOST_TEST(config.server.socket_group == "agents");
  BOOST_TEST((config.server.tls_listen == ListenAddress{"0.0.0.0", 443}));
  BOOST_TEST(config.server.tls_certificate == "/etc/chancery/tls.crt");
  BOOST_TEST(config.server.tls_key == "/etc/chancery/tls.key");
  BOOST_TEST((config.server.plain_listen == ListenAddress{"::1", 8080}));
  BOOST_TEST(config.server.threads == 3U);
  BOOST_TEST(config.server.blocking_threads == 4U);
  BOOST_TEST(config.server.max_connections == 500U);
  BOOST_TEST(config.server.header_limit == 16384U);
  BOOST_TEST(config.server.body_limit == 100000U);
  BOOST_TEST((config.server.header_timeout == 500ms));
  BOOST_TEST((config.server.body_timeout == 1s));
  BOOST_TEST((config.server.idle_timeout == 2min));
  BOOST_TEST((config.server.handler_timeout == 3s));
  BOOST_TEST((config.server.drain_timeout == 4s));
  BOOST_TEST(
      (config.issuer == IssuerConfig{"example.org", "https://tenant.example.org", "second", 2160h, 24h}));
  BOOST_TEST((config.keys == KeysConfig{720h, 5min}));
  BOOST_TEST(config.state_path == "/srv/chancery");
  BOOST_TEST(config.operator_group == "wheel");
  BOOST_TEST_REQUIRE(config.backends.size() == 4U);
  BOOST_TEST(config.backends[0].tcti == "device:/dev/tpmrm0");
  BackendConfig third = default_backend(config);
  third.name = "third";
  third.type = BackendType::kPkcs11;
  third.module = "/usr/lib/hsm.so";
  third.serial = "0123";
  third.pin_file = "/etc/chancery/pin";
  third.max_sessions = 9;
  third.isolate = true;
  third.queue = 8;
  BOOST_TEST((config.backends[2] == third));
  BOOST_TEST(config.backends[3].uri == "pkcs11:token=b");
  BOOST_TEST(config.backends[3].allow_simulator);
  BOOST_TEST(config.backends[3].max_sessions == 4U);
  const BackendConfig second{
      "second", BackendType::kTpm, "swtpm:path=/tmp/s", true, Sessions::kPlain, 7, 5s, 0, "", "", "", "", 4};
  BOOST_TEST((config.backends[1] == second));
  BOOST_TEST(config.grants.scopes == (std::vector<std::string>{"crm.*", "payments.refund"}));
  BOOST_TEST(
      config.grants.constraints ==
      R"([{"key":"payments.refund#amount","max":500},{"key":"tier","order":["low","high"],"rank":"low"}])");
  BOOST_TEST(config.grants.audiences == std::vector<std::string>{"https://crm.example.org"});
  BOOST_TEST((config.grants.max_lifetime == 1h));
  BOOST_TEST(config.grants.max_depth == 3U);
  BOOST_TEST((config.default_delegation_lifetime == 5min));
  BOOST_TEST(config.verify.max_tokens == 5U);
  BOOST_TEST(config.verify.max_chain_bytes == 65536U);
  BOOST_TEST(config.verify.cache_tokens == 0U);
  BOOST_TEST(config.verify.child_signing == (std::vector<std::string>{"holder", "issuer"}));
  BOOST_TEST(config.verify.trust_anchors == "/etc/chancery/trust.json");
  BOOST_TEST(config.verify.follow_anchors);
  BOOST_TEST((config.verify.anchors_refresh == 10min));
  BOOST_TEST(config.verify.anchors_ca == "/etc/chancery/partners.pem");
  BOOST_TEST((config.log == LogConfig{LogLevel::kDebug, LogFormat::kJson, {"customer-[0-9]+"}}));

  BOOST_TEST((accepted(to_toml(config)) == config));
}

BOOST_AUTO_TEST_CASE(a_configuration_written_out_reads_back_the_same) {
  const std::array extras{
      std::string(),
      std::string(
          "[grants]\nconstraints = [{ key = \"a\\\"\\\\|é\", max = 0.5 }, { key = \"b\", max = 1e-300 }, "
          "{ key = \"c\", min = -0.0 }, { key = \"d\", one_of = [true, \"x\", 3, [1.5], {}] }]\n"),
      std::string("[[backend]]\nname = \"tpm1\"\ntimeout = \"90s\"\n[log]\nlevel = \"error\"\n"),
  };
  for (const std::string& extra : extras) {
    const Config config = accepted(kLeast + extra);
    BOOST_TEST((accepted(to_toml(config)) == config), to_toml(config));
  }
}

BOOST_AUTO_TEST_CASE(tpm_allow_simulator_is_the_default_of_the_backends) {
  const std::string second = "[[backend]]\nname = \"tpm1\"\nallow_simulator = false\n";
  const Config config = accepted(kLeast + second + "[tpm]\nallow_simulator = true\n");
  BOOST_TEST(config.backends[0].allow_simulator);
  BOOST_TEST(!config.backends[1].allow_simulator);
}

BOOST_AUTO_TEST_CASE(tpm_allow_simulator_says_nothing_of_other_devices) {
  const std::string token =
      "[[backend]]\nname = \"hsm\"\ntype = \"pkcs11\"\nmodule = \"/m\"\nserial = \"1\"\n";
  const Config config = accepted(kLeast + token + "[tpm]\nallow_simulator = true\n");
  BOOST_TEST(config.backends[0].allow_simulator);
  BOOST_TEST(!config.backends[1].allow_simulator);
}

struct RefusedCase {
  const char* name;
  const char* text;  // appended to the least configuration, so its first line is line 10
  int line;
  const char* message;
};
std::ostream& operator<<(std::ostream& out, const RefusedCase& c) { return out << c.name; }

constexpr const char* kConstraintValues =
    "grants.constraints must hold strings, lists, tables and numbers within 53 bits only";

const std::array kRefused{
    RefusedCase{"misspelt option", "[log]\nlevle = \"info\"", 11,
                R"(unknown option "log.levle": did you mean "log.level"?)"},
    RefusedCase{"misspelt section", "[grant]\nscopes = []", 10,
                R"(unknown option "grant": did you mean "grants"?)"},
    RefusedCase{"misspelt backend option", "[[backend]]\nname = \"b\"\nallow_simulater = true", 12,
                R"(unknown option "backend.allow_simulater": did you mean "backend.allow_simulator"?)"},
    RefusedCase{"option in the wrong section", "[log]\nallow_root = true", 11,
                R"(unknown option "log.allow_root": did you mean "allow_root"?)"},
    RefusedCase{"a name that a terminal would obey", "[log]\n\"\\u001b[2J\" = 1", 11,
                R"(unknown option "log.?[2J": did you mean "log.level"?)"},
    RefusedCase{"the first of two errors", "[log]\nlevel = 3\n[state]\npaht = \"/x\"", 11,
                R"(log.level must be one of "trace" "debug" "info" "warning" "error")"},
    RefusedCase{"text for a number", "[verify]\nmax_tokens = \"16\"", 11,
                "verify.max_tokens must be a whole number"},
    RefusedCase{"fraction for a number", "[verify]\nmax_tokens = 1.5", 11,
                "verify.max_tokens must be a whole number"},
    RefusedCase{"number too small", "[verify]\nmax_tokens = 0", 11,
                "verify.max_tokens must be from 1 to 1024"},
    RefusedCase{"number too large", "[verify]\nmax_tokens = 1025", 11,
                "verify.max_tokens must be from 1 to 1024"},
    RefusedCase{"negative number", "[verify]\ncache_tokens = -1", 11,
                "verify.cache_tokens must be from 0 to 10000000"},
    RefusedCase{"number for a flag", "[tpm]\nallow_simulator = 1", 11,
                "tpm.allow_simulator must be true or false"},
    RefusedCase{"number for a duration", "[delegations]\ndefault_lifetime = 30", 11,
                "delegations.default_lifetime must be a duration of whole seconds such as \"30s\", \"10m\" "
                "or \"8h\""},
    RefusedCase{"part of a second", "[delegations]\ndefault_lifetime = \"1500ms\"", 11,
                "delegations.default_lifetime must be a duration of whole seconds such as \"30s\", \"10m\" "
                "or \"8h\""},
    RefusedCase{"duration too short", "[[backend]]\nname = \"b\"\ntimeout = \"9ms\"", 12,
                "backend[1].timeout must be from 10ms to 10m"},
    RefusedCase{"duration without a unit", "[[backend]]\nname = \"b\"\ntimeout = \"9\"", 12,
                "backend[1].timeout must be a duration such as \"500ms\", \"30s\", \"10m\" or \"8h\""},
    RefusedCase{"size with an unknown unit", "[verify]\nmax_chain_bytes = \"1GB\"", 11,
                "verify.max_chain_bytes must be a number of octets or a size such as \"64KiB\" or \"1MiB\""},
    RefusedCase{"size too small", "[verify]\nmax_chain_bytes = 1023", 11,
                "verify.max_chain_bytes must be from 1KiB to 16MiB"},
    RefusedCase{"negative size", "[verify]\nmax_chain_bytes = -1", 11,
                "verify.max_chain_bytes must be a number of octets or a size such as \"64KiB\" or \"1MiB\""},
    RefusedCase{"relative path", "[state]\npath = \"state\"", 11, "state.path must be an absolute path"},
    RefusedCase{"NUL in a path", "[state]\npath = \"/a\\u0000b\"", 11,
                "state.path must not contain control characters"},
    RefusedCase{"no state path", "[state]\npath = \"\"", 11,
                "state.path is required: the daemon keeps its database there"},
    RefusedCase{"list with a number", "[grants]\nscopes = [\"a.b\", 3]", 11,
                "grants.scopes must be a list of strings, none of them empty"},
    RefusedCase{"string for a list", "[grants]\nscopes = \"a.b\"", 11,
                "grants.scopes must be a list of strings"},
    RefusedCase{"constraint without key", "[grants]\nconstraints = [{ max = 3 }]", 11,
                "grants.constraints must be a list of constraints such as { key = \"amount\", max = 500 }"},
    RefusedCase{"constraint with a date", "[grants]\nconstraints = [{ key = \"k\", max = 2026-01-01 }]", 11,
                kConstraintValues},
    RefusedCase{"constraint with an inexact integer",
                "[grants]\nconstraints = [{ key = \"k\", max = 9007199254740992 }]", 11, kConstraintValues},
    RefusedCase{"constraint beyond a token's numbers",
                "[grants]\nconstraints = [{ key = \"k\", max = 1e16 }]", 11, kConstraintValues},
    RefusedCase{"constraint without end", "[grants]\nconstraints = [{ key = \"k\", max = inf }]", 11,
                kConstraintValues},
    RefusedCase{"unknown choice", "[[backend]]\nname = \"b\"\nsessions = \"none\"", 12,
                R"(backend[1].sessions must be one of "encrypted" "plain")"},
    RefusedCase{"the same backend name twice", "[[backend]]\nname = \"tpm0\"", 11,
                "backend[1].name is the name of an earlier [[backend]]: choose another"},
    RefusedCase{"a TPM's option for a token",
                "[[backend]]\nname = \"b\"\ntype = \"pkcs11\"\ntcti = \"device:/dev/tpm0\"", 13,
                "backend[1].tcti is for backends of type \"tpm\" only: take it out"},
    RefusedCase{"a token's option for a TPM", "[[backend]]\nname = \"b\"\nmodule = \"/usr/lib/hsm.so\"", 12,
                "backend[1].module is for backends of type \"pkcs11\" only: take it out"},
    RefusedCase{"a token without a module", "[[backend]]\nname = \"b\"\ntype = \"pkcs11\"\nserial = \"1\"",
                10, "backend[1].module is required: name the vendor's library"},
    RefusedCase{"a token that nothing selects",
                "[[backend]]\nname = \"b\"\ntype = \"pkcs11\"\nmodule = \"/m\"", 10,
                "backend[1].serial or uri must say which token it is: give one of both"},
    RefusedCase{"a token that two things select",
                "[[backend]]\nname = \"b\"\ntype = \"pkcs11\"\nmodule = \"/m\"\nserial = \"1\"\nuri = "
                "\"pkcs11:token=a\"",
                14, "backend[1].serial or uri must say which token it is: give one of both"},
    RefusedCase{"no backend name", "[[backend]]\nqueue = 3", 10, "backend[1].name is required"},
    RefusedCase{"bad backend name", "[[backend]]\nname = \"TPM\"", 11,
                "backend[1].name must be 1 to 63 of a-z, 0-9, '.', '_' and '-', a letter or digit first"},
    RefusedCase{"delegations longer than grants", "[grants]\nmax_lifetime = \"9m\"", 0,
                "delegations.default_lifetime must not exceed grants.max_lifetime"},
    RefusedCase{"grants deeper than chains that verify", "[grants]\nmax_depth = 16", 11,
                "grants.max_depth must be less than verify.max_tokens: such chains would not verify"},
    RefusedCase{
        "operators by the group of all who may connect", "[operator]\ngroup = \"chancery\"", 11,
        "operator.group must not be server.socket_group, which the users of agents join: name a group of "
        "its own"},
    RefusedCase{"unknown signer", "[verify]\nchild_signing = [\"holder\", \"anybody\"]", 11,
                "verify.child_signing must list \"holder\", \"issuer\" or both"},
    RefusedCase{"issuer signers only", "[verify]\nchild_signing = [\"issuer\"]", 11,
                "verify.child_signing must list \"holder\": this daemon's own delegations are signed so"},
};

BOOST_DATA_TEST_CASE(a_bad_option_is_named_with_its_line, boost::unit_test::data::make(kRefused), c) {
  const ConfigError error = refused(kLeast + c.text);
  BOOST_TEST(error.message == c.message);
  BOOST_TEST(error.line == c.line);
}

// [server] and [issuer] stand in the least configuration, so their cases replace its lines.
struct ReplacedCase {
  const char* name;
  const char* line;  // of the least configuration
  const char* replacement;
  int error_line;
  const char* message;
};
std::ostream& operator<<(std::ostream& out, const ReplacedCase& c) { return out << c.name; }

constexpr const char* kTlsLine = "tls_listen = \"\"";
constexpr const char* kUrlLine = "url = \"https://chancery.example.org\"";
constexpr const char* kOriginForm =
    "server.public_urls must each be https://HOST or https://HOST:PORT, without a path";
constexpr const char* kUrlForm = "issuer.url must be https://HOST or https://HOST:PORT, without a path";
constexpr const char* kDomainLine = "trust_domain = \"example.org\"";
constexpr const char* kDomainForm =
    "issuer.trust_domain must be lower-case letters, digits, '.', '-' and '_', at most 255";
constexpr const char* kAddressForm =
    "server.tls_listen must be an IP address and a port such as \"127.0.0.1:8443\" or \"[::1]:8443\", or "
    "empty";

const std::array kReplaced{
    ReplacedCase{"section as a value", "[issuer]", "log = 3\n[issuer]", 1,
                 "log is a section: write [log] and its options below"},
    ReplacedCase{"backend as one section", "[[backend]]", "[backend]", 7,
                 "backend is a list of sections: write [[backend]]"},
    ReplacedCase{
        "TLS without certificate", kTlsLine, "", 0,
        "server.tls_certificate is required with tls_listen: give a certificate, or set tls_listen = \"\""},
    ReplacedCase{
        "TLS without key", kTlsLine, "tls_certificate = \"/c\"", 0,
        "server.tls_key is required with tls_listen: give the certificate's key, or set tls_listen = \"\""},
    ReplacedCase{
        "open to the network without TLS", kTlsLine, "tls_listen = \"\"\nplain_listen = \"0.0.0.0:80\"", 7,
        "server.plain_listen must be a loopback address: use tls_listen to be reached from elsewhere"},
    ReplacedCase{
        "open to the network without TLS, IPv6", kTlsLine, "tls_listen = \"\"\nplain_listen = \"[::]:80\"", 7,
        "server.plain_listen must be a loopback address: use tls_listen to be reached from elsewhere"},
    ReplacedCase{"a public URL without TLS", kTlsLine, "tls_listen = \"\"\npublic_urls = [\"http://a\"]", 7,
                 kOriginForm},
    ReplacedCase{"a public URL with a path", kTlsLine, "tls_listen = \"\"\npublic_urls = [\"https://a/b\"]",
                 7, kOriginForm},
    ReplacedCase{"a public URL that is none", kTlsLine, "tls_listen = \"\"\npublic_urls = [\"a\"]", 7,
                 kOriginForm},
    ReplacedCase{"a host name to listen on", kTlsLine, "tls_listen = \"localhost:8443\"", 6, kAddressForm},
    ReplacedCase{"no port", kTlsLine, "tls_listen = \"127.0.0.1\"", 6, kAddressForm},
    ReplacedCase{"port too large", kTlsLine, "tls_listen = \"127.0.0.1:65536\"", 6, kAddressForm},
    ReplacedCase{"decimal permissions", kTlsLine, "socket_mode = 660", 6,
                 "server.socket_mode must be octal permissions in a string, such as \"0660\""},
    ReplacedCase{"no socket", kTlsLine, "tls_listen = \"\"\nsocket = \"\"", 7,
                 "server.socket is required: operators and agents use it"},
    ReplacedCase{"URL without TLS", kUrlLine, "url = \"http://chancery.example.org\"", 3, kUrlForm},
    ReplacedCase{"URL without host", kUrlLine, "url = \"https:///x\"", 3, kUrlForm},
    ReplacedCase{"URL with a path", kUrlLine, "url = \"https://a/b\"", 3, kUrlForm},
    ReplacedCase{"URL with a slash at its end", kUrlLine, "url = \"https://a/\"", 3, kUrlForm},
    ReplacedCase{"URL with query", kUrlLine, "url = \"https://a?b\"", 3, kUrlForm},
    ReplacedCase{"URL with fragment", kUrlLine, "url = \"https://a#b\"", 3, kUrlForm},
    ReplacedCase{"URL with user", kUrlLine, "url = \"https://a@b\"", 3, kUrlForm},
    ReplacedCase{"URL with a space", kUrlLine, "url = \"https://a b\"", 3, kUrlForm},
    ReplacedCase{"no URL", kUrlLine, "", 0,
                 "issuer.url is required: give the https URL under which this daemon is known"},
    ReplacedCase{"upper-case trust domain", kDomainLine, "trust_domain = \"Example.org\"", 2, kDomainForm},
    ReplacedCase{"trust domain with a scheme", kDomainLine, "trust_domain = \"spiffe://example.org\"", 2,
                 kDomainForm},
    ReplacedCase{"no trust domain", kDomainLine, "", 0,
                 "issuer.trust_domain is required: give the SPIFFE trust domain of your agents"},
    ReplacedCase{"unknown backend", "backend = \"tpm0\"", "backend = \"tpm1\"", 4,
                 "issuer.backend names no [[backend]] of this configuration"},
    ReplacedCase{"no issuer backend", "backend = \"tpm0\"", "", 0,
                 "issuer.backend is required: name the [[backend]] that holds the issuer key"},
};

BOOST_DATA_TEST_CASE(a_bad_line_is_named, boost::unit_test::data::make(kReplaced), c) {
  std::string text = kLeast;
  text.replace(text.find(c.line), std::string_view(c.line).size(), c.replacement);
  const ConfigError error = refused(text);
  BOOST_TEST(error.message == c.message);
  BOOST_TEST(error.line == c.error_line);
}

BOOST_AUTO_TEST_CASE(what_is_no_toml_is_refused_with_its_line) {
  const ConfigError error = refused(kLeast + "[log\n");
  BOOST_TEST(error.message.starts_with("not TOML: "));
  BOOST_TEST(error.line == 10);
  BOOST_TEST(refused(kLeast + "[log]\nlevel = \"info\"\nlevel = \"info\"\n").line == 12);
  BOOST_TEST(refused("\xFF\xFE").line == 1);
  BOOST_TEST(refused(std::string(100'000, '[')).line == 1);
  BOOST_TEST(refused("a = " + std::string(100'000, '[')).line == 1);
  BOOST_TEST(refused("[!").line == 1);
  BOOST_TEST(refused("a = 1é").line == 1);
}

BOOST_AUTO_TEST_CASE(what_is_no_toml_is_not_quoted) {
  const ConfigError error = refused("[issuer]\nurl = \"a\"\nbackend = t\n");
  BOOST_TEST(error.message == "not TOML: Error while parsing boolean: expected 'true'");
  BOOST_TEST(error.line == 3);
}

BOOST_AUTO_TEST_CASE(an_error_repeats_no_value) {
  const std::string secret = "hunter2-7f3a";
  for (const std::string line : {"level", "format", "levle", "level.x"}) {
    const ConfigError error = refused(kLeast + "[log]\n" + line + " = \"" + secret + "\"\n");
    BOOST_TEST(error.message.find(secret) == std::string::npos, error.message);
  }
}

BOOST_AUTO_TEST_CASE(no_backend_is_refused) {
  BOOST_TEST(refused("").message == "no [[backend]]: name the device that holds the keys");
}

BOOST_AUTO_TEST_CASE(a_socket_path_must_fit_the_kernels_address) {
  const auto with_socket = [](std::size_t size) {
    Config config = accepted(kLeast);
    config.server.socket = "/" + std::string(size - 1, 's');
    return check_config(config);
  };
  BOOST_TEST(!with_socket(107).has_value());
  BOOST_TEST(with_socket(108).has_value());
}

struct DurationCase {
  const char* text;
  std::optional<milliseconds> want;
};
std::ostream& operator<<(std::ostream& out, const DurationCase& c) { return out << c.text; }
const std::array kDurations{
    DurationCase{"250ms", 250ms},
    DurationCase{"30s", 30s},
    DurationCase{"10m", 10min},
    DurationCase{"8h", 8h},
    DurationCase{"2d", 48h},
    DurationCase{"0s", 0s},
    DurationCase{"1000ms", 1s},
    DurationCase{"", std::nullopt},
    DurationCase{"s", std::nullopt},
    DurationCase{"5", std::nullopt},
    DurationCase{"-5s", std::nullopt},
    DurationCase{"+5s", std::nullopt},
    DurationCase{" 5s", std::nullopt},
    DurationCase{"5 s", std::nullopt},
    DurationCase{"1.5s", std::nullopt},
    DurationCase{"1h30m", std::nullopt},
    DurationCase{"5S", std::nullopt},
    DurationCase{"999999999999s", 999999999999s},
    DurationCase{"9999999999999s", std::nullopt},
};
BOOST_DATA_TEST_CASE(durations_are_one_number_and_one_unit, boost::unit_test::data::make(kDurations), c) {
  BOOST_TEST((parse_duration(c.text) == c.want));
  if (c.want && *c.want > 0s) BOOST_TEST((parse_duration(duration_text(*c.want)) == c.want));
}

struct OctetsCase {
  const char* text;
  std::optional<std::uint64_t> want;
};
std::ostream& operator<<(std::ostream& out, const OctetsCase& c) { return out << c.text; }
const std::array kOctets{
    OctetsCase{"0", 0U},
    OctetsCase{"1000", 1000U},
    OctetsCase{"64KiB", 65536U},
    OctetsCase{"1MiB", 1048576U},
    OctetsCase{"KiB", std::nullopt},
    OctetsCase{"1KB", std::nullopt},
    OctetsCase{"1kib", std::nullopt},
    OctetsCase{"-1", std::nullopt},
    OctetsCase{"", std::nullopt},
    OctetsCase{"0x10", std::nullopt},
};
BOOST_DATA_TEST_CASE(sizes_are_octets_with_binary_units, boost::unit_test::data::make(kOctets), c) {
  BOOST_TEST((parse_octets(c.text) == c.want));
  if (c.want) BOOST_TEST((parse_octets(octets_text(*c.want)) == c.want));
}

struct ModeCase {
  const char* text;
  std::optional<std::uint32_t> want;
};
std::ostream& operator<<(std::ostream& out, const ModeCase& c) { return out << c.text; }
const std::array kModes{
    ModeCase{"0660", 0660U},       ModeCase{"0777", 0777U},         ModeCase{"0000", 0U},
    ModeCase{"660", std::nullopt}, ModeCase{"1660", std::nullopt},  ModeCase{"0668", std::nullopt},
    ModeCase{"", std::nullopt},    ModeCase{"00660", std::nullopt},
};
BOOST_DATA_TEST_CASE(permissions_are_octal, boost::unit_test::data::make(kModes), c) {
  BOOST_TEST((parse_file_mode(c.text) == c.want));
  if (c.want) BOOST_TEST(file_mode_text(*c.want) == c.text);
}

struct LoopbackCase {
  const char* text;
  bool want;
};
std::ostream& operator<<(std::ostream& out, const LoopbackCase& c) { return out << c.text; }
const std::array kLoopback{
    LoopbackCase{"127.0.0.1:1", true},
    LoopbackCase{"127.255.255.255:0", true},
    LoopbackCase{"[::1]:65535", true},
    LoopbackCase{"128.0.0.1:1", false},
    LoopbackCase{"126.0.0.1:1", false},
    LoopbackCase{"0.0.0.0:1", false},
    LoopbackCase{"[::]:1", false},
    LoopbackCase{"[::2]:1", false},
    LoopbackCase{"[::ffff:127.0.0.1]:1", false},
};
BOOST_DATA_TEST_CASE(loopback_is_told_from_the_network, boost::unit_test::data::make(kLoopback), c) {
  const auto address = parse_address(c.text);
  BOOST_TEST_REQUIRE(address.has_value());
  BOOST_TEST(address->is_loopback() == c.want);
  BOOST_TEST(address_text(*address) == c.text);
}

BOOST_AUTO_TEST_CASE(what_is_no_address_is_none) {
  for (const char* text : {"", ":1", "::1:1", "[127.0.0.1]:1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1",
                           "127.0.0.1:1 ", "127.1:1", "[::1:1", "[]:1", "[::1%lo]:1"}) {
    BOOST_TEST(!parse_address(text).has_value(), text);
  }
}

ConfigError load_refused(const std::filesystem::path& file) {
  const auto loaded = load_config(file);
  BOOST_TEST_REQUIRE(std::holds_alternative<ConfigError>(loaded));
  return std::get<ConfigError>(loaded);
}

BOOST_AUTO_TEST_CASE(a_file_is_read_unless_everybody_may_write_to_it) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "chancery.toml";
  std::ofstream(file) << kLeast;
  BOOST_REQUIRE(::chmod(file.c_str(), 0644) == 0);
  BOOST_TEST(std::holds_alternative<Config>(load_config(file)));
  BOOST_REQUIRE(::chmod(file.c_str(), 0646) == 0);
  BOOST_TEST(load_refused(file).message == "everybody may write to the file: take that permission away");
}

BOOST_AUTO_TEST_CASE(what_is_no_configuration_file_is_refused) {
  const TemporaryFolder folder;
  BOOST_TEST(load_refused(folder.path() / "missing").message ==
             "cannot read the file: name a configuration that the daemon may read");
  BOOST_TEST(load_refused(folder.path()).message == "cannot read the file: it must be a regular file");
  BOOST_REQUIRE(::mkfifo((folder.path() / "fifo").c_str(), 0600) == 0);
  BOOST_TEST(load_refused(folder.path() / "fifo").message ==
             "cannot read the file: it must be a regular file");
  const auto large = folder.path() / "large";
  std::ofstream(large) << std::string(1024 * 1024 + 1, '#');
  BOOST_TEST(load_refused(large).message == "the file is larger than 1 MiB: it is no configuration");
}

BOOST_AUTO_TEST_CASE(the_help_names_every_option) {
  const std::string help = help_text();
  for (const Option& option : options()) {
    BOOST_TEST((help.find(option.meaning) != std::string::npos), option.name);
  }
}

}  // namespace
}  // namespace chancery::config
