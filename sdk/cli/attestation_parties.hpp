#pragma once

#include <string>

#include "sdk/cli/context.hpp"

namespace chancery::cli {

// Who takes part when a host proves something to a verifier.

/// The daemon of this machine, on its socket, whatever context is in use: the devices are its own.
/// \return misuse for --addr
[[nodiscard]] Checked<Client> connect_host(const Context& context);

/// The verifier: the daemon of the stored context that --context names, or whose address is `url`; without either the
/// host's own.
/// \return misuse for a URL that is no stored context's, that several have, or another than the named one's
[[nodiscard]] Checked<Client> connect_verifier(const Context& context, const std::string& url);

/// Whether the verifier is the host's own daemon.
[[nodiscard]] bool verifies_itself(const Context& context, const std::string& url);

/// What a host is called that is given no name: the machine's own name.
/// \return misuse when that is none that a host may have
[[nodiscard]] Checked<std::string> host_name(const std::string& given);

/// The same of a host that its own daemon verifies.
[[nodiscard]] std::string own_host_name(const std::string& backend);

/// A key of the daemon's, and the backend that has it.
struct LocatedKey {
  std::string jkt;
  std::string backend;  ///< empty: nobody says
};
/// Finds a key: the agent's of this name, or the one with this thumbprint, whose backend only those are told who may list
/// keys.
[[nodiscard]] Checked<LocatedKey> locate_key(const Client& daemon, const std::string& agent_or_jkt);

/// A key's thumbprint: what is one, or else that of the agent of this name.
[[nodiscard]] Checked<std::string> thumbprint_of(const Client& daemon, const std::string& agent_or_jkt);

}  // namespace chancery::cli
