#pragma once

#include <chrono>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/telemetry/log.hpp"

namespace chancery::runtime {

/// What the runtime's file, /etc/chancery/runtime.toml, says (docs/operations/runtime.md).
struct Settings {
  std::string url;  ///< where agents call it: `https://HOST[:PORT]`; proofs are for addresses under it
  std::filesystem::path daemon = "/run/chancery/chancery.sock";  ///< the daemon's socket
  std::filesystem::path tools = "/etc/chancery/tools.d";
  std::filesystem::path socket = "/run/chancery-runtime/runtime.sock";  ///< where it listens
  std::string tls_listen;  ///< ADDRESS:PORT; empty: on the socket alone
  std::filesystem::path tls_certificate;
  std::filesystem::path tls_key;
  std::filesystem::path ca;  ///< whom upstreams are to be certified by; empty: the system's authorities
  std::chrono::milliseconds drain_timeout{10'000};  ///< how long calls under way may go on once it is to end
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

/// One option of the file.
struct Option {
  using Place = std::variant<std::string Settings::*, std::filesystem::path Settings::*,
                             std::chrono::milliseconds Settings::*, telemetry::Level Settings::*,
                             telemetry::Format Settings::*>;
  std::string_view section;
  std::string_view name;
  bool is_live;  ///< whether a change counts while the runtime serves
  std::string_view meaning;
  Place place;
};

/// All of them, in the order of the documentation.
[[nodiscard]] std::span<const Option> options() noexcept;

/// What a runtime that serves makes of a file that was read anew.
struct TakenOver {
  Settings settings;                      ///< with what is live as it was read
  std::vector<std::string> changed;       ///< `runtime.tools`
  std::vector<std::string> need_restart;  ///< those whose value waits for one
};

/// \return the settings to go on with, or why they contradict themselves, as a live half of a change may
[[nodiscard]] std::variant<TakenOver, SettingsError> take_over(const Settings& running, const Settings& read);

}  // namespace chancery::runtime
