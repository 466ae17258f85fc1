#include <cstdlib>
#include <memory>
#include <utility>

#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/cli/json_text.hpp"
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
  std::string from;
  std::string iss;
};

constexpr std::size_t kMaxSource = 4 * 1024 * 1024;
constexpr unsigned kTrustMode = 0600;
constexpr const char* kNoAnchors = R"({"anchors":[]})";

Node key_array(const std::vector<PublicKey>& keys) {
  Node array = Node::array();
  for (const PublicKey& key : keys) array.push_back(Node::canonical(key.jwk()));
  return array;
}

Node anchor_of(std::string_view iss, const std::vector<PublicKey>& keys) {
  return Node::object({{"iss", iss}, {"keys", key_array(keys)}});
}

std::string document_of(Node anchor) {
  return json::to_jcs(Node::object({{"anchors", Node::array({std::move(anchor)})}}));
}

// Only the daemon that was named is asked: `jwks_uri` is not followed.
Checked<std::string> from_daemon(const Context& context, const std::string& expected_issuer) {
  const auto client = connect(context);
  if (!client) return client.error();
  const auto metadata = client->metadata();
  if (!metadata) return failure(metadata.error());
  if (!expected_issuer.empty() && metadata->issuer != expected_issuer) {
    return failure(
        {ErrorCode::kNoTrust, "this daemon is another issuer than --iss says: nothing was trusted"},
        metadata->issuer);
  }
  const auto keys = client->jwks();
  if (!keys) return failure(keys.error());
  if (keys->keys.empty()) {
    return failure({ErrorCode::kNoTrust, "the daemon has no issuer key yet: see `chancery status`"},
                   client->endpoint());
  }
  Node anchor = anchor_of(metadata->issuer, keys->keys);
  if (!metadata->status_list_prefix.empty()) {
    const auto status_keys = client->status_jwks();
    if (!status_keys) return failure(status_keys.error());
    anchor.set("status", Node::object({{"prefixes", Node::array({metadata->status_list_prefix})},
                                       {"keys", key_array(status_keys->keys)}}));
  }
  return document_of(std::move(anchor));
}

Checked<std::string> from_key_set(const json::Value& keys, const AddArguments& arguments) {
  if (arguments.iss.empty()) return misuse("a key set needs --iss: the issuer whose keys these are");
  const auto read = read_key_set(keys);
  if (!read) return failure(read.error(), arguments.from);
  if (read->empty())
    return failure({ErrorCode::kNoTrust, "holds no key of a type that Chancery knows"}, arguments.from);
  return document_of(anchor_of(arguments.iss, *read));
}

Checked<std::string> from_file(const AddArguments& arguments) {
  CHANCERY_ASSIGN(std::string text, read_input(arguments.from, kMaxSource));
  const auto document = json::Document::parse(text);
  if (!document) return failure(document.error(), arguments.from);
  if (const json::Value* keys = document->root().find("keys")) return from_key_set(*keys, arguments);
  if (document->root().find("anchors") != nullptr) return text;
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
}

// All of it: who adds a file that somebody sent must see what it lets whom say.
void show(Output& output, const std::filesystem::path& path, const TrustConfig& added) {
  if (output.json()) {
    Node anchors = Node::array();
    for (const TrustAnchor& anchor : added.anchors) anchors.push_back(anchor_node(anchor));
    return output.document(json::to_jcs(Node::object({{"file", path.string()},
                                                      {"trusted", std::move(anchors)},
                                                      {"issuers", thumbprints(added.issuers)},
                                                      {"status_keys", thumbprints(added.status_keys)}})));
  }
  output.line("Trusted in " + printable(path.string()) + ":");
  for (const TrustAnchor& anchor : added.anchors) show_anchor(output, anchor);
  show_keys(output, "child issuer", added.issuers);
  show_keys(output, "status key", added.status_keys);
}

Checked<ExitCode> add(Context& context, const AddArguments& arguments) {
  const auto environment = [](const char* name) { return std::getenv(name); };
  CHANCERY_ASSIGN(const std::filesystem::path path, default_trust_path(environment));
  CHANCERY_ASSIGN(const std::string held, held_trust(path));
  CHANCERY_ASSIGN(const std::string added,
                  arguments.from.empty() ? from_daemon(context, arguments.iss) : from_file(arguments));
  if (const auto sound = TrustConfig::parse(held); !sound) return failure(sound.error(), path.string());
  const auto config = TrustConfig::parse(added);
  if (!config) return failure(config.error(), arguments.from);
  const auto merged = merge_trust(held, added);
  if (!merged) return failure(merged.error(), path.string());
  CHANCERY_TRY(store(path, *merged));
  show(context.output, path, *config);
  return ExitCode::kSuccess;
}

}  // namespace

void add_trust(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("trust", "Say whose chains are trusted offline");
  group->require_subcommand(1);
  const auto arguments = std::make_shared<AddArguments>();
  CLI::App* command = group->add_subcommand("add", "Trust a daemon's issuer keys, or a file's");
  command->add_option("--from", arguments->from,
                      "a file instead of the daemon: a JWK Set (with --iss) or trust anchors");
  command->add_option("--iss", arguments->iss, "the issuer; with a daemon: refuse any other");
  command->footer(
      "Adds to $XDG_CONFIG_HOME/chancery/trust.json (~/.config/chancery/trust.json), which `verify` and\n"
      "`explain` read. Compare the keys that it shows with those that the operator gives you.\n\n"
      "Examples:\n  chancery trust add\n  chancery trust add --from jwks.json --iss "
      "https://chancery.example.org");
  command->callback(
      [arguments, &chosen] { chosen = [arguments](Context& context) { return add(context, *arguments); }; });
}

}  // namespace chancery::cli
