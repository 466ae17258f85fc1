#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "sdk/mcp/message.hpp"

namespace chancery::mcp {

/// The newest version that begins with `initialize`; a peer that names one that we do not know is offered it.
inline constexpr std::string_view kSessionVersion = "2025-11-25";

/// The version without sessions: each request says in `_meta` what it is made under.
inline constexpr std::string_view kStatelessVersion = "2026-07-28";

inline constexpr std::array kVersions{kStatelessVersion, kSessionVersion};

/// Members of `_meta` in 2026-07-28 (Overview, "_meta").
inline constexpr std::string_view kMetaVersion = "io.modelcontextprotocol/protocolVersion";
inline constexpr std::string_view kMetaCapabilities = "io.modelcontextprotocol/clientCapabilities";
inline constexpr std::string_view kMetaClient = "io.modelcontextprotocol/clientInfo";
inline constexpr std::string_view kMetaServer = "io.modelcontextprotocol/serverInfo";
inline constexpr std::string_view kMetaLogLevel = "io.modelcontextprotocol/logLevel";

/// The versions that we speak, newest first.
[[nodiscard]] json::Node versions_node();

/// The error that refuses a version and names those that we speak (UnsupportedProtocolVersionError).
/// \param requested  octets of any kind; their beginning comes out printable
[[nodiscard]] std::string unsupported_version_text(const std::optional<Id>& id, std::string_view requested);

}  // namespace chancery::mcp
