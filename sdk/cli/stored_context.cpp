#include "sdk/cli/stored_context.hpp"

#include <algorithm>

#include "sdk/base/name.hpp"
#include "sdk/cli/context.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::cli {
namespace {

using std::filesystem::path;

constexpr std::size_t kMostSettings = 64 * 1024;
constexpr std::size_t kMostChain = 512 * 1024;
constexpr unsigned kPrivate = 0600;

Checked<path> contexts_folder(const client::Environment& environment) {
  CHANCERY_ASSIGN(const path folder, config_folder(environment));
  return folder / "contexts";
}

Checked<path> current_file(const client::Environment& environment) {
  CHANCERY_ASSIGN(const path folder, config_folder(environment));
  return folder / "current-context";
}

Result<StoredContext> parse(const std::string& text, const std::string& name) {
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(text));
  StoredContext out{name, {}, {}};
  CHANCERY_ASSIGN(out.address, wire::need_text(document.root(), "address",
                                               "a context has `address`: https://HOST[:PORT]"));
  CHANCERY_ASSIGN(out.ca_file, wire::text_or_empty(document.root(), "ca_file", "`ca_file` is a path"));
  return out;
}

bool is_set(const client::Environment& environment, const char* name) {
  const char* value = environment(name);
  return value != nullptr && value[0] != '\0';
}

Checked<path> make_folder(const std::string& name, const client::Environment& environment) {
  CHANCERY_ASSIGN(path folder, context_folder(name, environment));
  CHANCERY_TRY(make_private_folder(folder.parent_path().parent_path()));
  CHANCERY_TRY(make_private_folder(folder.parent_path()));
  CHANCERY_TRY(make_private_folder(folder));
  return folder;
}

std::string key_file(const path& folder) {
  const std::string of_device = (folder / "key.json").string();
  return is_input(of_device) ? of_device : (folder / "key.pem").string();
}

std::string new_key_file(const path& folder, const KeptKey& key) {
  const bool is_file = key.place().kind == KeyPlace::Kind::kFile;
  return (folder / (is_file ? "key.pem" : "key.json")).string();
}

// A key that is there stays: other chains may be held by it.
Checked<void> keep_key(const path& folder, KeptKey& key) {
  const std::string file = key_file(folder);
  if (!is_input(file)) return key.save(new_key_file(folder, key));
  CHANCERY_ASSIGN(const KeptKey kept, KeptKey::load(file));
  if (kept.holder().public_key() == key.holder().public_key()) return {};
  return failure({ErrorCode::kConflict, "the context has another key: name another context"}, file);
}

}  // namespace

Checked<path> context_folder(const std::string& name, const client::Environment& environment) {
  if (!is_name(name)) return misuse("a context's name is [a-z0-9][a-z0-9._-]{0,62}");
  CHANCERY_ASSIGN(const path folder, contexts_folder(environment));
  return folder / name;
}

Checked<std::vector<StoredContext>> stored_contexts(const client::Environment& environment) {
  CHANCERY_ASSIGN(const path folder, contexts_folder(environment));
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    if (is_name(entry.path().filename().string())) names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  std::vector<StoredContext> out;
  for (const std::string& name : names) {
    CHANCERY_ASSIGN(StoredContext context, read_context(name, environment));
    out.push_back(std::move(context));
  }
  return out;
}

Checked<std::string> current_context(const client::Environment& environment) {
  if (is_set(environment, "CHANCERY_CONTEXT")) return std::string(environment("CHANCERY_CONTEXT"));
  CHANCERY_ASSIGN(const path file, current_file(environment));
  if (!is_input(file.string())) return std::string();
  CHANCERY_ASSIGN(const std::string name, read_input(file.string(), kMostSettings));
  return std::string(trimmed(name));
}

Checked<void> use_context(const std::string& name, const client::Environment& environment) {
  CHANCERY_TRY(read_context(name, environment));
  CHANCERY_ASSIGN(const path file, current_file(environment));
  return replace_file(file, name + "\n", kPrivate);
}

Checked<StoredContext> read_context(const std::string& name, const client::Environment& environment) {
  CHANCERY_ASSIGN(const path folder, context_folder(name, environment));
  const std::string file = (folder / "context.json").string();
  if (!is_input(file)) {
    return failure({ErrorCode::kNotFound, "no such context: `chancery context list` shows them"}, name);
  }
  CHANCERY_ASSIGN(const std::string text, read_input(file, kMostSettings));
  auto context = parse(text, name);
  if (!context) return failure(context.error(), file);
  return *std::move(context);
}

Checked<void> write_context(const StoredContext& context, const std::vector<std::string>& chain,
                            const client::Environment& environment) {
  CHANCERY_ASSIGN(const path folder, make_folder(context.name, environment));
  json::Node settings = json::Node::object({{"address", context.address}});
  if (!context.ca_file.empty()) settings.set("ca_file", context.ca_file);
  CHANCERY_TRY(replace_file(folder / "chain.txt", join_chain(chain) + "\n", kPrivate));
  return replace_file(folder / "context.json", json::to_jcs(settings) + "\n", kPrivate);
}

Checked<void> keep_context(const StoredContext& context, const std::vector<std::string>& chain, KeptKey& key,
                           const client::Environment& environment) {
  CHANCERY_ASSIGN(const path folder, make_folder(context.name, environment));
  CHANCERY_TRY(keep_key(folder, key));
  return write_context(context, chain, environment);
}

Checked<HeldChain> held_chain(const std::string& name, const client::Environment& environment) {
  CHANCERY_ASSIGN(const path folder, context_folder(name, environment));
  CHANCERY_ASSIGN(const KeptKey key, context_key(folder));
  CHANCERY_ASSIGN(const std::string text, read_input((folder / "chain.txt").string(), kMostChain));
  HeldChain out{{}, key.holder()};
  for (const std::string_view token : split_chain(text)) out.chain.emplace_back(token);
  return out;
}

Checked<std::string> named_context(const Context& context) {
  if (!context.name.empty()) return context.name;
  CHANCERY_ASSIGN(std::string name, current_context(environment));
  if (name.empty()) return misuse("this takes an operator's chain: `chancery init` makes one");
  return name;
}

Checked<HeldChain> operator_chain(const Context& context) {
  CHANCERY_ASSIGN(const std::string name, named_context(context));
  return held_chain(name, environment);
}

Checked<KeptKey> context_key(const path& folder) { return KeptKey::load(key_file(folder)); }

Checked<KeptKey> context_key_or_new(const path& folder, const KeyOptions& options) {
  CHANCERY_ASSIGN(const KeyPlace place, chosen_place(options));
  const std::string file = key_file(folder);
  if (!is_input(file)) return KeptKey::make(place);
  CHANCERY_ASSIGN(KeptKey key, KeptKey::load(file));
  if (options.key_in.empty() || key.place() == place) return key;
  return failure({ErrorCode::kConflict, "the context has its key elsewhere: name another context with --as"},
                 file);
}

Checked<KeyPlace> key_place(const std::string& name, const client::Environment& environment) {
  CHANCERY_ASSIGN(const path folder, context_folder(name, environment));
  return place_of_key(key_file(folder));
}

std::string ca_file_of(const ClientOptions& options) {
  std::string file = options.ca_file;
  if (file.empty() && is_set(environment, "CHANCERY_CACERT")) {
    file = environment("CHANCERY_CACERT");
  }
  std::error_code none;
  return file.empty() ? file : std::filesystem::absolute(file, none).string();
}

void show_context(Output& output, const StoredContext& context, const KeptKey& key, const path& folder) {
  if (output.json()) {
    return output.document(json::to_jcs(json::Node::object({{"context", context.name},
                                                            {"address", context.address},
                                                            {"jkt", key.thumbprint()},
                                                            {"key_in", kind_name(key.place().kind)},
                                                            {"folder", folder.string()}})));
  }
  output.field("context", context.name);
  output.field("daemon", context.address);
  output.field("key", key.thumbprint());
  output.field("key in", place_text(key.place()));
  output.field("kept in", folder.string());
  key.tell_custody(output);
}

Checked<ClientOptions> load_context(const std::string& name, const client::Environment& environment) {
  CHANCERY_ASSIGN(const StoredContext context, read_context(name, environment));
  CHANCERY_ASSIGN(HeldChain held, held_chain(name, environment));
  auto credential = credential_of(std::move(held.chain), std::move(held.key));
  if (!credential) return failure(credential.error(), name);
  ClientOptions options;
  options.address = context.address;
  options.ca_file = context.ca_file;
  options.credential = *std::move(credential);
  return options;
}

}  // namespace chancery::cli
