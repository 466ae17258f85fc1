#include "sdk/cli/attestation_parties.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <unistd.h>

#include "sdk/base/base64url.hpp"
#include "sdk/base/name.hpp"
#include "sdk/cli/stored_context.hpp"

namespace chancery::cli {
namespace {

Checked<Client> opened(const ClientOptions& options) {
  auto client = Client::connect(options);
  if (!client) return failure(client.error());
  return *std::move(client);
}

std::string without_slash(std::string url) {
  if (url.ends_with('/')) url.pop_back();
  return url;
}

Checked<std::string> context_at(const std::string& url) {
  CHANCERY_ASSIGN(std::vector<StoredContext> contexts, stored_contexts(environment));
  std::erase_if(contexts, [&](const StoredContext& stored) { return without_slash(stored.address) != url; });
  if (contexts.empty())
    return misuse("no stored context has this address: `chancery login NAME --addr " + url + "` keeps one");
  if (contexts.size() > 1) return misuse("more than one context has this address: name one with --context");
  return contexts.front().name;
}

Checked<std::string> named_at(const std::string& name, const std::string& url) {
  CHANCERY_ASSIGN(const StoredContext stored, read_context(name, environment));
  if (!url.empty() && without_slash(stored.address) != url)
    return misuse("the context " + name + " has another address: " + stored.address);
  return name;
}

std::string backend_with(const Client& daemon, const std::string& jkt) {
  if (const auto issuer = daemon.issuer_keys()) {
    const auto key = std::ranges::find(issuer->keys, jkt, &api::Key::jkt);
    if (key != issuer->keys.end()) return key->backend;
  }
  constexpr std::size_t kMostAPage = 1000;
  std::string after;
  do {
    const auto page = daemon.agents(after, kMostAPage);
    if (!page) return {};
    const auto agent = std::ranges::find(page->agents, jkt, &api::Agent::jkt);
    if (agent != page->agents.end()) return agent->backend;
    after = page->next == after ? std::string() : page->next;
  } while (!after.empty());
  return {};
}

}  // namespace

Checked<Client> connect_host(const Context& context) {
  if (!context.daemon.address.empty())
    return misuse(
        "the host is this machine, whose daemon is called on its socket: give --socket, not --addr");
  ClientOptions options = context.daemon;
  const char* const socket = environment("CHANCERY_SOCKET");
  const bool is_set = socket != nullptr && socket[0] != '\0';
  if (options.socket.empty()) options.socket = is_set ? socket : client::kDefaultSocket;
  return opened(options);
}

Checked<Client> connect_verifier(const Context& context, const std::string& url) {
  if (verifies_itself(context, url)) return connect_host(context);
  const std::string address = without_slash(url);
  CHANCERY_ASSIGN(const std::string name,
                  context.name.empty() ? context_at(address) : named_at(context.name, address));
  CHANCERY_ASSIGN(const ClientOptions options, load_context(name, environment));
  return opened(options);
}

bool verifies_itself(const Context& context, const std::string& url) {
  return url.empty() && context.name.empty();
}

Checked<std::string> host_name(const std::string& given) {
  if (!given.empty()) return given;
  std::array<char, 256> buffer{};
  std::string name = ::gethostname(buffer.data(), buffer.size() - 1) == 0 ? buffer.data() : "";
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (!is_name(name))
    return misuse(
        "this machine's own name is none that a host may have: give the host's, [a-z0-9][a-z0-9._-]{0,62}");
  return name;
}

std::string own_host_name(const std::string& backend) { return "local." + backend; }

Checked<LocatedKey> locate_key(const Client& daemon, const std::string& agent_or_jkt) {
  if (!base64url_decode_exactly<32>(agent_or_jkt)) {
    auto agent = daemon.agent(agent_or_jkt);
    if (!agent) return failure(agent.error());
    return LocatedKey{std::move(agent->jkt), std::move(agent->backend)};
  }
  return LocatedKey{agent_or_jkt, backend_with(daemon, agent_or_jkt)};
}

Checked<std::string> thumbprint_of(const Client& daemon, const std::string& agent_or_jkt) {
  if (base64url_decode_exactly<32>(agent_or_jkt)) return agent_or_jkt;
  auto agent = daemon.agent(agent_or_jkt);
  if (!agent) return failure(agent.error());
  return std::move(agent->jkt);
}

}  // namespace chancery::cli
