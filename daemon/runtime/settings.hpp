#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "daemon/telemetry/log.hpp"

namespace chancery::runtime {

/// What the runtime's file, /etc/chancery/runtime.toml, says (docs/operations/runtime.md).
struct Settings {
  std::string url;  ///< where agents call it: `https://HOST[:PORT]`; proofs are for addresses under it
  std::filesystem::path daemon = "/run/chancery/chancery.sock";  ///< the daemon's socket
  std::filesystem::path tools = "/etc/chancery/tools.d";
  std::filesystem::path socket = "/run/chancery-runtime/runtime.sock";  ///< where it listens
  std::string tls_listen;  ///< HOST:PORT; empty: on the socket alone
  std::filesystem::path tls_certificate;
  std::filesystem::path tls_key;
  std::filesystem::path ca;  ///< whom upstreams are to be certified by; empty: the system's authorities
  telemetry::Level log_level = telemetry::Level::kInfo;
  telemetry::Format log_format = telemetry::Format::kText;
};

/// What is wrong with the file.
struct SettingsError {
  int line = 0;  ///< 1-based; 0: it concerns the whole file
  std::string message;
};

[[nodiscard]] std::variant<Settings, SettingsError> parse_settings(std::string_view toml);
[[nodiscard]] std::variant<Settings, SettingsError> load_settings(const std::filesystem::path& file);

/// The host and the port of `HOST:PORT` and `[IPV6]:PORT`.
struct HostAndPort {
  std::string host;
  std::uint16_t port = 0;
};
[[nodiscard]] std::optional<HostAndPort> split_address(std::string_view text);

}  // namespace chancery::runtime
