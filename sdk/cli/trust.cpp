#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <memory>
#include <utility>

#include <unistd.h>

#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/custody_arguments.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/cli/json_text.hpp"
#include "sdk/cli/key_set_input.hpp"
#include "sdk/cli/root_custody.hpp"
#include "sdk/cli/trust_file.hpp"
#include "sdk/crypto/jwk.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/authority_json.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::cli {
namespace {

using json::Node;

struct AddArguments {
  std::string url;
  std::string from;
  std::string iss;
  std::vector<std::string> verifier_files;
  std::string require;
  bool yes = false;
};

/// What is to be trusted.
struct Found {
  std::string document;            ///< a trust file's content
  std::vector<RootCustody> roots;  ///< of a daemon's issuer keys
};

constexpr std::size_t kMaxSource = 4 * 1024 * 1024;
constexpr unsigned kTrustMode = 0600;
constexpr const char* kNoAnchors = R"({"anchors":[]})";

Node key_array(const std::vector<PublicKey>& keys) {
  Node array = Node::array();
  for (const PublicKey& key : keys) array.push_back(Node::canonical(key.jwk()));
  return array;
}

Node anchor_of(std::string_view iss, const std::vector<PublicKey>& keys,
               const std::vector<PublicKey>& verifiers) {
  Node anchor = Node::object({{"iss", iss}, {"keys", key_array(keys)}});
  if (!verifiers.empty()) anchor.set("attestation_verifiers", key_array(verifiers));
  return anchor;
}

std::string document_of(Node anchor) {
  return json::to_jcs(Node::object({{"anchors", Node::array({std::move(anchor)})}}));
}

/// Keys of an issuer, and what they may grant.
struct Ceiling {
  std::vector<PublicKey> keys;
  std::vector<std::string> scopes;
};

// By the daemon's own word, as its keys: an anchor of the issuer's keys that sign by themselves has the first, and each gate has one of
// its own. Empty for a daemon without gates that a TPM enforces.
Result<std::vector<Ceiling>> ceilings_of(const std::string& metadata, const std::vector<PublicKey>& ungated) {
  constexpr const char* kWhat =
      "`grant_ceilings` has `scopes`, and `gates` that each have `scopes` and `keys`: is this a newer daemon?";
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(metadata));
  const json::Value* const found = document.root().find("grant_ceilings");
  if (found == nullptr) return std::vector<Ceiling>();
  CHANCERY_ASSIGN(std::vector<std::string> scopes, wire::string_array(*found, "scopes", kWhat));
  std::vector<Ceiling> out{{ungated, std::move(scopes)}};
  const json::Value* const gates = found->find("gates");
  if (gates == nullptr) return Error{ErrorCode::kMalformed, kWhat};
  for (const json::Value& gate : gates->items()) {
    const json::Value* const keys = gate.find("keys");
    if (keys == nullptr) return Error{ErrorCode::kMalformed, kWhat};
    Ceiling ceiling;
    CHANCERY_ASSIGN(ceiling.keys, read_key_set(*keys));
    CHANCERY_ASSIGN(ceiling.scopes, wire::string_array(gate, "scopes", kWhat));
    out.push_back(std::move(ceiling));
  }
  return out;
}

Checked<std::vector<PublicKey>> read_verifiers(const std::vector<std::string>& files) {
  std::vector<PublicKey> verifiers;
  for (const std::string& file : files) {
    CHANCERY_ASSIGN(const std::vector<VerifyKey> keys, read_verify_keys(file));
    std::ranges::transform(keys, std::back_inserter(verifiers), &VerifyKey::public_key);
  }
  return verifiers;
}

Checked<Client> connect_to(const Context& context, const AddArguments& arguments) {
  if (arguments.url.empty()) return connect(context);
  if (!context.daemon.socket.empty() || !context.daemon.address.empty() || !context.name.empty())
    return misuse("give a URL, or --socket, --addr or --context: not both");
  ClientOptions options = context.daemon;
  options.address = arguments.url;
  auto client = Client::connect(options);
  if (!client) return failure(client.error(), arguments.url);
  return *std::move(client);
}

// RFC 8414 section 3.3: whoever answers at an address is the issuer of that name, unless the user says which.
Checked<void> check_issuer(const std::string& issuer, const AddArguments& arguments) {
  std::string expected = arguments.iss.empty() ? arguments.url : arguments.iss;
  if (arguments.iss.empty() && expected.ends_with('/')) expected.pop_back();
  if (expected.empty() || issuer == expected) return {};
  return failure(
      {ErrorCode::kNoTrust, "this daemon is another issuer than --iss or the URL says: nothing was trusted"},
      issuer);
}

// Only the daemon that was named is asked: `jwks_uri` is not followed.
Checked<Found> from_daemon(const Context& context, const AddArguments& arguments) {
  CHANCERY_ASSIGN(const std::vector<PublicKey> verifiers, read_verifiers(arguments.verifier_files));
  const auto client = connect_to(context, arguments);
  if (!client) return client.error();
  const auto metadata = client->metadata();
  if (!metadata) return failure(metadata.error());
  CHANCERY_TRY(check_issuer(metadata->issuer, arguments));
  const auto keys = client->jwks();
  if (!keys) return failure(keys.error());
  if (keys->keys.empty()) {
    return failure({ErrorCode::kNoTrust, "the daemon has no issuer key yet: see `chancery status`"},
                   client->endpoint());
  }
  std::vector<PublicKey> status_keys;
  if (!metadata->status_list_prefix.empty()) {
    const auto found = client->status_jwks();
    if (!found) return failure(found.error());
    status_keys = found->keys;
  }
  auto ceilings = ceilings_of(metadata->json, keys->keys);
  if (!ceilings) return failure(ceilings.error());
  const bool is_unbounded = ceilings->empty();
  if (is_unbounded) ceilings->push_back({keys->keys, {}});
  Node anchors = Node::array();
  std::vector<PublicKey> issuing;
  for (const Ceiling& ceiling : *ceilings) {
    issuing.insert(issuing.end(), ceiling.keys.begin(), ceiling.keys.end());
    Node anchor = anchor_of(metadata->issuer, ceiling.keys, verifiers);
    if (!is_unbounded) anchor.set("ceiling", to_json(Authority{ceiling.scopes, {}}));
    if (!metadata->status_list_prefix.empty())
      anchor.set("status", Node::object({{"prefixes", Node::array({metadata->status_list_prefix})},
                                         {"keys", key_array(status_keys)}}));
    anchors.push_back(std::move(anchor));
  }
  return Found{json::to_jcs(Node::object({{"anchors", std::move(anchors)}})),
               root_custody(issuing, metadata->attestation_results, verifiers, context.now)};
}

Checked<Found> from_key_set(const json::Value& keys, const AddArguments& arguments) {
  if (arguments.iss.empty()) return misuse("a key set needs --iss: the issuer whose keys these are");
  const auto read = read_key_set(keys);
  if (!read) return failure(read.error(), arguments.from);
  if (read->empty()) return failure({ErrorCode::kNoTrust, kNoKnownKey}, arguments.from);
  CHANCERY_ASSIGN(const std::vector<PublicKey> verifiers, read_verifiers(arguments.verifier_files));
  return Found{document_of(anchor_of(arguments.iss, *read, verifiers)), {}};
}

Checked<Found> from_file(const AddArguments& arguments) {
  if (!arguments.url.empty()) return misuse("give a URL or --from: not both");
  if (!arguments.require.empty())
    return misuse("--require goes with a daemon, which publishes what attests its keys");
  CHANCERY_ASSIGN(std::string text, read_input(arguments.from, kMaxSource));
  const auto document = json::Document::parse(text);
  if (!document) return failure(document.error(), arguments.from);
  if (const json::Value* keys = document->root().find("keys")) return from_key_set(*keys, arguments);
  if (!arguments.verifier_files.empty())
    return misuse(
        "--attestation-verifier goes with a daemon or a key set: in trust anchors it stands in each");
  if (document->root().find("anchors") != nullptr) return Found{std::move(text), {}};
  return failure({ErrorCode::kMalformed, "holds neither a key set (`keys`) nor trust (`anchors`)"},
                 arguments.from);
}

Checked<std::string> held_trust(const std::filesystem::path& path) {
  if (!is_input(path.string())) return std::string(kNoAnchors);
  CHANCERY_TRY(check_trust_permissions(path));
  return read_input(path.string(), kMaxSource);
}

Checked<void> store(const std::filesystem::path& path, const std::string& trust) {
  CHANCERY_TRY(make_private_folder(path.parent_path()));
  const auto document = json::Document::parse_borrowed(trust);
  return replace_file(path, indented_json(document->root()) + "\n", kTrustMode);
}

Node thumbprints(const std::vector<PublicKey>& keys) {
  Node array = Node::array();
  for (const PublicKey& key : keys) array.push_back(key.thumbprint().text());
  return array;
}

Node anchor_node(const TrustAnchor& anchor) {
  Node node = Node::object({{"iss", anchor.iss.value_or("")}, {"keys", thumbprints(anchor.keys)}});
  if (!anchor.sub.empty()) node.set("sub", wire::text_array(anchor.sub));
  if (!anchor.client_id.empty()) node.set("client_id", wire::text_array(anchor.client_id));
  if (anchor.ceiling) node.set("ceiling", to_json(*anchor.ceiling));
  if (!anchor.status_prefixes.empty()) node.set("status_prefixes", wire::text_array(anchor.status_prefixes));
  if (!anchor.status_keys.empty()) node.set("status_keys", thumbprints(anchor.status_keys));
  if (!anchor.attestation_verifiers.empty())
    node.set("attestation_verifiers", thumbprints(anchor.attestation_verifiers));
  return node;
}

void show_keys(Output& output, std::string_view label, const std::vector<PublicKey>& keys) {
  for (const PublicKey& key : keys) output.field(label, key.thumbprint().text());
}

void show_anchor(Output& output, const TrustAnchor& anchor) {
  output.field("issuer", anchor.iss.value_or("(any)"));
  show_keys(output, "key", anchor.keys);
  output.field("principals", anchor.sub.empty() ? "any" : joined(anchor.sub));
  output.field("agents", anchor.client_id.empty() ? "any" : joined(anchor.client_id));
  output.field("ceiling", anchor.ceiling ? json::to_jcs(to_json(*anchor.ceiling)) : "none");
  if (!anchor.status_prefixes.empty()) output.field("status lists", joined(anchor.status_prefixes));
  show_keys(output, "status key", anchor.status_keys);
  show_keys(output, "attests", anchor.attestation_verifiers);
}

void show_roots(Output& output, const std::vector<RootCustody>& roots) {
  for (const RootCustody& root : roots) output.field("custody", root.key.text() + ": " + root.text());
}

Node root_nodes(const std::vector<RootCustody>& roots) {
  Node array = Node::array();
  for (const RootCustody& root : roots) {
    Node node = Node::object({{"jkt", root.key.text()}, {"vouched", root.is_vouched}, {"says", root.text()}});
    if (root.said) node.set("level", custody_name(root.said->custody));
    array.push_back(std::move(node));
  }
  return array;
}

// Where somebody can be asked. What a script says without --yes about an address that it names is nothing.
Checked<void> confirm(const Output& output, const AddArguments& arguments, const TrustConfig& found,
                      const std::vector<RootCustody>& roots) {
  if (arguments.yes || !arguments.from.empty()) return {};
  if (::isatty(STDIN_FILENO) != 1 || output.json()) {
    if (arguments.url.empty()) return {};
    return misuse("nobody can be asked whether to trust these keys: look at them first, then give --yes");
  }
  Output prompt({});
  for (const TrustAnchor& anchor : found.anchors) show_anchor(prompt, anchor);
  show_roots(prompt, roots);
  prompt.line("Compare the keys with those that the operator gives you. Trust them? [y/N]");
  static_cast<void>(prompt.flush());
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "yes") return {};
  return failure(Error{ErrorCode::kNoTrust, "you did not say yes: nothing was trusted"});
}

// All of it: who adds a file that somebody sent must see what it lets whom say.
void show(Output& output, const std::filesystem::path& path, const TrustConfig& added,
          const std::vector<RootCustody>& roots) {
  if (output.json()) {
    Node anchors = Node::array();
    for (const TrustAnchor& anchor : added.anchors) anchors.push_back(anchor_node(anchor));
    return output.document(json::to_jcs(Node::object({{"file", path.string()},
                                                      {"trusted", std::move(anchors)},
                                                      {"custody", root_nodes(roots)},
                                                      {"issuers", thumbprints(added.issuers)},
                                                      {"status_keys", thumbprints(added.status_keys)}})));
  }
  output.line("Trusted in " + printable(path.string()) + ":");
  for (const TrustAnchor& anchor : added.anchors) show_anchor(output, anchor);
  show_roots(output, roots);
  show_keys(output, "child issuer", added.issuers);
  show_keys(output, "status key", added.status_keys);
}

Checked<ExitCode> add(Context& context, const AddArguments& arguments) {
  const auto environment = [](const char* name) { return std::getenv(name); };
  CHANCERY_ASSIGN(const std::filesystem::path path, default_trust_path(environment));
  CHANCERY_ASSIGN(const std::string held, held_trust(path));
  CHANCERY_ASSIGN(const auto required, parse_required_custody(arguments.require));
  CHANCERY_ASSIGN(const Found found,
                  arguments.from.empty() ? from_daemon(context, arguments) : from_file(arguments));
  if (const auto sound = TrustConfig::parse(held); !sound) return failure(sound.error(), path.string());
  const auto config = TrustConfig::parse(found.document);
  if (!config) return failure(config.error(), arguments.from);
  if (required) CHANCERY_TRY(require_root_custody(found.roots, *required));
  CHANCERY_TRY(confirm(context.output, arguments, *config, found.roots));
  const auto merged = merge_trust(held, found.document);
  if (!merged) return failure(merged.error(), path.string());
  CHANCERY_TRY(store(path, *merged));
  show(context.output, path, *config, found.roots);
  return ExitCode::kSuccess;
}

}  // namespace

void add_trust(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("trust", "Say whose chains are trusted offline");
  group->require_subcommand(1);
  const auto arguments = std::make_shared<AddArguments>();
  CLI::App* command = group->add_subcommand("add", "Trust a daemon's issuer keys, or a file's");
  command->add_option(
      "URL", arguments->url,
      "the issuer's address, https://HOST[:PORT]; default: the daemon that other commands ask");
  command->add_option("--from", arguments->from,
                      "a file instead of the daemon: a JWK Set (with --iss) or trust anchors");
  command->add_option("--iss", arguments->iss, "the issuer; with a daemon: refuse any other");
  add_repeatable(
      *command, "--attestation-verifier", arguments->verifier_files,
      "a JWK Set of those whose attestation results you believe about this issuer's chains; repeatable");
  command->add_option("--require", arguments->require,
                      "refuse issuer keys of which no such verifier proves that level, such as hardware");
  command->add_flag("--yes", arguments->yes, "trust them without being asked");
  command->footer(
      "Adds to $XDG_CONFIG_HOME/chancery/trust.json (~/.config/chancery/trust.json), which `verify` and\n"
      "`explain` read. Compare the keys that it shows with those that the operator gives you. Where the issuer's\n"
      "keys live is the daemon's own word, unless a verifier that you gave vouches for it.\n\n"
      "Examples:\n  chancery trust add\n  chancery trust add https://chancery.example.org --attestation-verifier "
      "verifier.json --require hardware\n  chancery trust add --from jwks.json --iss "
      "https://chancery.example.org");
  command->callback(
      [arguments, &chosen] { chosen = [arguments](Context& context) { return add(context, *arguments); }; });
}

}  // namespace chancery::cli
