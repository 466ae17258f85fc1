#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <chancery/client.hpp>

#include "sdk/cli/context.hpp"
#include "sdk/cli/failure.hpp"
#include "sdk/cli/kept_key.hpp"
#include "sdk/client/endpoint.hpp"

namespace chancery::cli {

/// A daemon that this user calls from elsewhere, and as whom. Each has a folder of its own under
/// $XDG_CONFIG_HOME/chancery/contexts, with `context.json`, the chain in `chain.txt` and its key in `key.pem`, or
/// what leads to the key in a device in `key.json`; all for their owner alone.
struct StoredContext {
  std::string name;     ///< [a-z0-9][a-z0-9._-]{0,62}
  std::string address;  ///< https://HOST[:PORT]
  std::string ca_file;  ///< empty: the system's certificates
};

/// The folder of a context, whether it is there or not. \return misuse for a name that is none
[[nodiscard]] Checked<std::filesystem::path> context_folder(const std::string& name,
                                                            const client::Environment& environment);

/// Every context, by name.
[[nodiscard]] Checked<std::vector<StoredContext>> stored_contexts(const client::Environment& environment);

/// The one that is used without being named; empty when there is none.
[[nodiscard]] Checked<std::string> current_context(const client::Environment& environment);
[[nodiscard]] Checked<void> use_context(const std::string& name, const client::Environment& environment);

/// \return kNotFound, kMalformed
[[nodiscard]] Checked<StoredContext> read_context(const std::string& name,
                                                  const client::Environment& environment);
/// Writes the chain and `context.json`; the key stays as it is.
[[nodiscard]] Checked<void> write_context(const StoredContext& context, const std::vector<std::string>& chain,
                                          const client::Environment& environment);

/// The same with its key, which comes first: a chain is of no use with another's. \return kConflict when the context
///         has another key, kFileUnwritable
[[nodiscard]] Checked<void> keep_context(const StoredContext& context, const std::vector<std::string>& chain,
                                         KeptKey& key, const client::Environment& environment);

/// The context that the command line names, or else the one in use.
/// \return misuse when there is none
[[nodiscard]] Checked<std::string> named_context(const Context& context);

/// What a context calls with and delegates from.
/// \return what KeptKey::load() says, kFileUnreadable
[[nodiscard]] Checked<HeldChain> held_chain(const std::string& name, const client::Environment& environment);

/// Of the context that the command line names, or of the one in use, whichever daemon is called.
[[nodiscard]] Checked<HeldChain> operator_chain(const Context& context);

/// The context's own key. \return what KeptKey::load() says
[[nodiscard]] Checked<KeptKey> context_key(const std::filesystem::path& folder);

/// The same, or one that is made now, where the options say, for keep_context().
/// \return also kConflict when there is one in another place, and what KeptKey::make() says
[[nodiscard]] Checked<KeptKey> context_key_or_new(const std::filesystem::path& folder,
                                                  const KeyOptions& options);

/// Where a context's key is, without asking a device.
[[nodiscard]] Checked<KeyPlace> key_place(const std::string& name, const client::Environment& environment);

/// The CA that options or environment name, as a path that holds in every folder: for a context, which finds the
/// daemon by itself from then on.
[[nodiscard]] std::string ca_file_of(const ClientOptions& options);

/// What was made, for people and programs, and how safe it is.
void show_context(Output& output, const StoredContext& context, const KeptKey& key,
                  const std::filesystem::path& folder);

/// How to call the context's daemon with its chain and key.
/// \return kNotFound, kMalformed, kNotHolder, and what held_chain() says
[[nodiscard]] Checked<ClientOptions> load_context(const std::string& name,
                                                  const client::Environment& environment);

}  // namespace chancery::cli
