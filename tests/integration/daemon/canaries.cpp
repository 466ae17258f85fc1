// What comes in and must not come out: canaries are planted wherever the daemon takes input, every route is called well
// and badly at the level trace, and then all that it writes, answers and shows is searched for them.

#include <cstdlib>
#include <set>

#include <sqlite3.h>
#include <sys/wait.h>

#include "simulators/softhsm/softhsm.hpp"
#include "tests/integration/daemon/kept_daemon.hpp"
#include "tests/integration/daemon/planted.hpp"
#include "tests/integration/daemon/process_memory.hpp"
#include "tests/integration/daemon/remote_office.hpp"
#include "tests/integration/daemon/route_requests.hpp"
#include "tests/integration/edge/raw_client.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

enum class Place { kLog, kState, kAudit, kMetrics, kErrors, kCommandLines, kEnvironments };
constexpr std::array kPlaceNames{"log",           "state folder",  "audit log",   "metrics",
                                 "error answers", "command lines", "environments"};

/// Something that was planted, and where it may come to light because it was meant to.
struct Canary {
  std::string name;
  std::string text;
  std::set<Place> may_be_in{};
};

constexpr const char* kPin = "canary-pin-5b81c07e";
constexpr const char* kHeaders =
    "User-Agent: canary-user-agent\r\nX-Anything: canary-header\r\nCookie: session=canary-cookie\r\n"
    "Chancery-Task: password=canary-task\r\nTraceparent: canary-traceparent\r\n";

// A signed token by its form; the text stands in its payload as it does in the search.
std::string token_with(const std::string& text) { return "eyJhbGciOiJFUzI1NiJ9." + text + ".c2lnbmF0dXJl"; }

/// What is planted by hand. What the daemon issues, and what is shown to it, is added as it comes about.
std::vector<Canary> planted_by_hand() {
  using enum Place;
  std::vector<Canary> out{
      {"PIN", kPin},
      {"master secret", std::string(as_text(planted_master()))},
      {"password of the webhook", "canary-hook-password"},
      {"query of the webhook", "canary-hook-query"},
      {"header", "canary-header"},
      {"user agent", "canary-user-agent"},
      {"cookie", "canary-cookie"},
      {"task that is a password", "canary-task"},
      {"traceparent", "canary-traceparent"},
      {"authorization", "canary-authorization"},
      {"proof header", "canary-dpop"},
      {"query", "canary-query"},
      {"token in a path", "canary-path"},
      {"body that is no JSON", "canary-broken-body"},
      {"member that nobody knows", "canary-member"},
      {"chain that is none", "canary-chain"},
      {"value of a credential", "canary-credential"},
      {"parameter of an action", "canary-parameter"},
      {"configured pattern in a reason", "canary-configured-17"},
      {"password in a reason", "canary-reason"},
      // The operator's word on who an agent is: kept, and audited.
      {"selector", "canary-selector", {kState, kAudit}},
      // Whoever starts a program gives it its environment, and this one passes it on.
      {"environment", "canary-environment", {kEnvironments}},
  };
  return out;
}

// A daemon that is begun so would leave a core file, did it not see to it itself.
constexpr const char* kAllowCoreFiles = "ulimit -S -c $(ulimit -H -c)";

std::vector<std::string> with_core_files() {
  return {"/bin/sh", "-c", std::string(kAllowCoreFiles) + R"( && exec "$@")", "sh"};
}

/// A daemon with both kinds of device, told to log all that it can.
struct Aviary {
  Aviary() {
    tokens.use_in_this_process();
    DaemonSettings settings{.tcti = tpm.tcti(),
                            .issuer_url = "https://localhost:" + std::to_string(port),
                            .tls_port = port,
                            .plain_port = plain_port};
    settings.extra = token_section(token) +
                     "isolate = true\n[anomaly]\nlearning = \"1s\"\n[anomaly.webhook]\n"
                     "url = \"https://me:canary-hook-password@localhost:1/?canary-hook-query\"\n"
                     "[log]\nlevel = \"trace\"\nformat = \"json\"\n"
                     "redact = ['canary-configured-\\d+']\n";
    auto daemon = std::make_unique<DaemonProcess>(settings);
    plant_master(*daemon);
    ::setenv("CANARY", "canary-environment", 1);
    daemon->start_by(with_core_files());
    ::unsetenv("CANARY");
    office.emplace(std::move(daemon));
    for (const std::string& compact : office->operator_chain) add_kept("operator's chain", compact);
  }

  /// A token, which the daemon keeps: with it are found what it is an ancestor of, and whose join token it serves.
  void add_kept(std::string name, std::string text) {
    canaries.push_back({std::move(name), std::move(text), {Place::kState}});
  }
  void add(std::string name, std::string text) { canaries.push_back({std::move(name), std::move(text)}); }
  [[nodiscard]] const DaemonProcess& daemon() const { return *office->daemon; }

  void use_every_feature();
  void call_every_route();
  void call(const rest::Route& route, testing::RawClient client, const std::string& body);
  void expect_none(Place place, const std::string& text) const;

  simulators::Swtpm tpm = required(simulators::Swtpm::start());
  simulators::SoftHsm tokens = required(simulators::SoftHsm::create());
  simulators::SoftToken token = required(tokens.add_token("canaries", kPin));
  std::uint16_t port = free_port();
  std::uint16_t plain_port = free_port();
  std::vector<Canary> canaries = planted_by_hand();
  std::string errors;  // bodies of answers that were none of success
  std::optional<RemoteOffice> office;
};

// The main job, with real tokens and proofs.
void Aviary::use_every_feature() {
  const Client client = daemon().client();
  for (const char* const name : {"support", "lookup"}) answered(client.create_agent(agent_on("tpm", name)));
  api::CreateAgent selected = agent_on("hsm", "selected");
  selected.selectors.executable = "/usr/bin/canary-selector";
  answered(client.create_agent(selected));

  const auto granted = answered(client.grant(grant_to("support"))).chain;
  const auto chain = answered(client.delegate(delegation_of(granted, "lookup"))).chain;
  for (const std::string& compact : chain) add_kept("issued token", compact);
  const std::string uri = "https://api.example.org/refunds?canary-query";
  const std::string proof = answered(client.prove({chain, "POST", uri, {}})).proof;
  add("proof", proof);
  api::Authorize action;
  action.chain = chain;
  action.proof = proof;
  action.method = "POST";
  action.uri = uri;
  action.audience = "https://api.example.org";
  action.scope = "crm.read";
  action.params = R"({"note":"canary-parameter"})";
  BOOST_TEST(answered(client.authorize(action)).permitted);
  BOOST_TEST(!answered(client.authorize(action)).permitted);  // a replay

  DelegationRequest access;
  access.client_id = "spiffe://test.example/agent/support";
  const std::string jkt = answered(client.agent("support")).jkt;
  access.holder = Thumbprint{*base64url_decode_exactly<32>(jkt)};
  access.authority = required(Authority::parse(
      R"({"scopes":["chancery.agents.read"],"constraints":[{"key":"agent","one_of":["support"]}]})"));
  access.lifetime = 1h;
  const auto handed = required(delegate_with(office->operator_key, office->operator_chain, access, now()));
  add_kept("chain for the agent", handed.back());
  const std::string join = answered(client.create_join_token({"support", handed})).token;
  add("join token", join);
  const auto joined =
      answered(required(Client::connect(office->options(join_credential(join, new_key())))).join());
  add_kept("token of a process that joined", joined.chain.back());
  BOOST_TEST(refusal(required(Client::connect(office->options(join_credential(join, new_key())))).join()) ==
             "forbidden");

  api::ChangeStatus change{{"agent", "lookup"}, "password=canary-reason and canary-configured-17"};
  answered(client.suspend(change));
}

void Aviary::call(const rest::Route& route, testing::RawClient client, const std::string& body) {
  const client::HttpRequest request = request_of(route);
  const std::string head =
      request.method + " " + request.target +
      "?access_token=canary-query&q=canary-query HTTP/1.1\r\nHost: localhost\r\n" + kHeaders +
      "Authorization: DPoP " + token_with("canary-authorization") + "\r\nDPoP: " + token_with("canary-dpop") +
      "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\nConnection: close\r\n\r\n";
  BOOST_REQUIRE(client.send(head + body));
  const auto answer = client.receive(request.method == "HEAD");
  BOOST_REQUIRE_MESSAGE(answer, request.method << " " << request.target);
  if (answer->status >= 400) errors += answer->head + answer->body + "\n";
}

void Aviary::call_every_route() {
  for (const rest::Route& route : rest::routes()) {
    const std::string good = request_of(route).body;
    const std::string unknown =
        R"({"canary-member":"canary-member","chain":[")" + token_with("canary-chain") + "\"]}";
    const std::string verifiable = R"({"chain":[")" + token_with("canary-chain") + "\"]}";
    for (const std::string& body : {good, std::string("{\"canary-broken-body"), unknown, verifiable}) {
      call(route, testing::RawClient::to_unix(daemon().socket()), body);
      call(route, testing::RawClient::to_plain(plain_port), body);
      call(route, testing::RawClient::to_tls(port, daemon().socket().parent_path() / "ca.pem"), body);
    }
  }
  const rest::Route nowhere{"GET", "/v1/agents/eyJhbGciOiJFUzI1NiJ9.canary-path.c2ln", rest::Listener::kAny,
                            true, nullptr};
  call(nowhere, testing::RawClient::to_unix(daemon().socket()), "");
  auto malformed = testing::RawClient::to_unix(daemon().socket());
  BOOST_REQUIRE(malformed.send(std::string("GET / HTTP/1.1\r\n") + kHeaders +
                               "Host: a\r\nHost: canary-header\r\n\r\n"));
  const auto refused = malformed.receive();
  BOOST_REQUIRE(refused);
  errors += refused->head + refused->body;
}

void Aviary::expect_none(Place place, const std::string& text) const {
  const char* const where = kPlaceNames[static_cast<std::size_t>(place)];
  BOOST_TEST(!text.empty(), where);
  for (const Canary& canary : canaries) {
    const ByteView octets = as_bytes(canary.text);
    const bool is_meant = canary.may_be_in.contains(place);
    bool is_found = false;
    for (const Bytes& form : forms_of({canary.name, {octets.begin(), octets.end()}})) {
      is_found = is_found || contains(as_bytes(text), form);
    }
    BOOST_TEST(is_found == is_meant,
               canary.name << (is_found ? " is in the " : " is missing in the ") << where);
  }
}

// Copies that the daemon made of its database are searched too.
std::string files_in(const std::filesystem::path& folder, const std::string& except) {
  std::string out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().filename() != except) out += read_file(entry.path());
  }
  return out;
}

std::string audit_entries(const std::filesystem::path& database) {
  sqlite3* connection = nullptr;
  BOOST_REQUIRE(sqlite3_open_v2(database.c_str(), &connection, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
  std::string out;
  const auto add = [](void* to, int, char** columns, char**) {
    static_cast<std::string*>(to)->append(columns[0]).append("\n");
    return 0;
  };
  BOOST_TEST(sqlite3_exec(connection, "SELECT entry FROM audit", add, &out, nullptr) == SQLITE_OK);
  sqlite3_close(connection);
  return out;
}

std::string of_family(pid_t daemon, const char* file) {
  std::string out;
  for (const pid_t pid : with_descendants(daemon)) {
    out += read_file(std::filesystem::path("/proc") / std::to_string(pid) / file);
  }
  return out;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(nothing_that_comes_in_comes_out_where_it_should_not, Aviary) {
  use_every_feature();
  call_every_route();

  BOOST_TEST(with_descendants(daemon().pid()).size() == 2u);  // the token's module has a process of its own
  expect_none(Place::kCommandLines, of_family(daemon().pid(), "cmdline"));
  expect_none(Place::kEnvironments, of_family(daemon().pid(), "environ"));
  const auto transport = client::make_unix_transport(daemon().socket().string());
  const auto until = std::chrono::steady_clock::now() + 20s;
  expect_none(Place::kMetrics, required(transport->send({"GET", "/metrics", {}, "text/plain"}, until)).body);
  expect_none(Place::kErrors, errors);
  expect_none(Place::kAudit, audit_entries(daemon().state() / "chancery.db"));
  expect_none(Place::kState,
              files_in(daemon().state(), "master.key"));  // with the log of what is not checkpointed
  const std::string log = daemon().output();
  expect_none(Place::kLog, log);
  // What it logs at all, so that there was something to find.
  for (const char* const line :
       {R"("message":"request arrived")", R"("message":"route")", R"("message":"device")",
        R"("message":"request refused")", R"("message":"request")", R"("task":"password=[redacted]")"}) {
    BOOST_TEST(log.find(line) != std::string::npos, line);
  }
}

BOOST_FIXTURE_TEST_CASE(a_daemon_that_crashes_leaves_no_core_file, Aviary) {
  use_every_feature();
  const auto allowed = run_program({"/bin/sh", "-c", std::string(kAllowCoreFiles) + " && ulimit -S -c"});
  BOOST_REQUIRE_MESSAGE(allowed.output != "0\n", "run the tests with `ulimit -H -c unlimited`");
  const std::string limits = read_file("/proc/" + std::to_string(daemon().pid()) + "/limits");
  BOOST_TEST(limits.find("Max core file size        0                    0  ") != std::string::npos, limits);
  BOOST_REQUIRE(::kill(daemon().pid(), SIGABRT) == 0);
  siginfo_t ending{};
  BOOST_REQUIRE(::waitid(P_PID, static_cast<id_t>(daemon().pid()), &ending, WEXITED | WNOWAIT) == 0);
  BOOST_TEST(ending.si_code == CLD_KILLED);  // CLD_DUMPED, where a pipe took it, too
  BOOST_TEST(office->daemon->stop(SIGABRT) == 128 + SIGABRT);
  for (const auto& folder : {daemon().folder(), daemon().state(), std::filesystem::current_path()}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      BOOST_TEST(!entry.path().filename().string().starts_with("core"), entry.path());
    }
  }
  expect_none(Place::kState, files_in(daemon().state(), "master.key"));
}

}  // namespace chancery::tests
