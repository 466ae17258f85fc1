#include "sdk/cli/stored_context.hpp"

#include <algorithm>
#include <cstdlib>

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

std::string trimmed(std::string text) {
  text.erase(std::find_if(text.rbegin(), text.rend(), [](unsigned char c) { return c > ' '; }).base(),
             text.end());
  return text;
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
  CHANCERY_ASSIGN(std::string name, read_input(file.string(), kMostSettings));
  return trimmed(std::move(name));
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
  CHANCERY_ASSIGN(const path folder, context_folder(context.name, environment));
  CHANCERY_TRY(make_private_folder(folder.parent_path().parent_path()));
  CHANCERY_TRY(make_private_folder(folder.parent_path()));
  CHANCERY_TRY(make_private_folder(folder));
  json::Node settings = json::Node::object({{"address", context.address}});
  if (!context.ca_file.empty()) settings.set("ca_file", context.ca_file);
  if (!chain.empty()) {
    CHANCERY_TRY(replace_file(folder / "chain.txt", join_chain(chain) + "\n", kPrivate));
  }
  return replace_file(folder / "context.json", json::to_jcs(settings) + "\n", kPrivate);
}

namespace {

Checked<OperatorChain> read_held(const std::string& name, const client::Environment& environment) {
  CHANCERY_ASSIGN(const path folder, context_folder(name, environment));
  const std::string key_file = (folder / "key.pem").string();
  auto key = HolderKey::load(key_file);
  if (!key) return failure(key.error(), key_file);
  CHANCERY_ASSIGN(const std::string text, read_input((folder / "chain.txt").string(), kMostChain));
  OperatorChain out{{}, *std::move(key)};
  for (const std::string_view token : split_chain(text)) out.chain.emplace_back(token);
  return out;
}

const char* process_environment(const char* name) { return std::getenv(name); }

}  // namespace

Checked<OperatorChain> operator_chain(const Context& context) {
  std::string name = context.name;
  if (name.empty()) {
    CHANCERY_ASSIGN(name, current_context(process_environment));
  }
  if (name.empty()) return misuse("this takes an operator's chain: `chancery init` makes one");
  return read_held(name, process_environment);
}

Checked<ClientOptions> load_context(const std::string& name, const client::Environment& environment) {
  CHANCERY_ASSIGN(const StoredContext context, read_context(name, environment));
  CHANCERY_ASSIGN(OperatorChain held, read_held(name, environment));
  auto credential = credential_of(std::move(held.chain), std::move(held.key));
  if (!credential) return failure(credential.error(), name);
  ClientOptions options;
  options.address = context.address;
  options.ca_file = context.ca_file;
  options.credential = *std::move(credential);
  return options;
}

Checked<ClientOptions> options_of(const Context& context) {
  const ClientOptions& given = context.daemon;
  const bool is_named = !given.socket.empty() || !given.address.empty();
  if (is_named && !context.name.empty()) return misuse("give --context, or --socket or --addr: not both");
  const bool by_environment =
      is_set(process_environment, "CHANCERY_SOCKET") || is_set(process_environment, "CHANCERY_ADDR");
  std::string name = context.name;
  if (name.empty() && !is_named && !by_environment) {
    CHANCERY_ASSIGN(name, current_context(process_environment));
  }
  if (name.empty()) return given;
  return load_context(name, process_environment);
}

Checked<Client> connect(const Context& context) {
  CHANCERY_ASSIGN(const ClientOptions options, options_of(context));
  auto client = Client::connect(options);
  if (!client) return failure(client.error());
  return *std::move(client);
}

}  // namespace chancery::cli
