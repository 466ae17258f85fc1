#include "daemon/runtime/settings.hpp"

#include <array>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "daemon/config/values.hpp"
#include "daemon/runtime/tools/fields.hpp"
#include "sdk/toml/toml.hpp"

namespace chancery::runtime {
namespace {

using namespace std::chrono_literals;
using telemetry::Format;
using telemetry::Level;
using tools::Fields;
using tools::LoadError;
using Outcome = Result<void, LoadError>;

constexpr std::array<std::string_view, 5> kLevels{"trace", "debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 2> kFormats{"text", "json"};
constexpr auto kShortestDrain = 100ms;
constexpr auto kLongestDrain = 5min;

constexpr std::array kOptions{
    Option{"runtime", "url", false,
           "where agents call the runtime, https://HOST[:PORT], as in the daemon's configuration; required",
           &Settings::url},
    Option{"runtime", "daemon", false, "the daemon's socket", &Settings::daemon},
    Option{"runtime", "tools", true, "the folder of the tools' declarations", &Settings::tools},
    Option{"runtime", "socket", false, "where it listens for this machine", &Settings::socket},
    Option{"runtime", "tls_listen", false,
           "ADDRESS:PORT where it listens with TLS; without it, on the socket alone", &Settings::tls_listen},
    Option{"runtime", "tls_certificate", true, "PEM: its certificate, then those of its issuers",
           &Settings::tls_certificate},
    Option{"runtime", "tls_key", true, "PEM, unencrypted, for its owner and group alone", &Settings::tls_key},
    Option{"runtime", "ca", false,
           "PEM: whom upstreams must be certified by, in place of the system's authorities", &Settings::ca},
    Option{
        "runtime", "drain_timeout", true,
        "how long calls under way may go on once it is to end, from 100ms to 5m; what is left is cut short",
        &Settings::drain_timeout},
    Option{"log", "level", true, "trace, debug, info, warning or error", &Settings::log_level},
    Option{"log", "format", true, "text or json", &Settings::log_format},
};

// How each kind of value is read.
Outcome read(Fields& fields, std::string_view name, std::string& out) {
  CHANCERY_ASSIGN(auto value, fields.text(name));
  if (value && value->empty()) return fields.wrong(name, "must not be empty: leave it out for its default");
  if (value) out = *std::move(value);
  return {};
}

Outcome read(Fields& fields, std::string_view name, std::filesystem::path& out) {
  std::string text;
  CHANCERY_TRY(read(fields, name, text));
  if (text.empty()) return {};
  if (!text.starts_with('/')) return fields.wrong(name, "must be an absolute path");
  out = text;
  return {};
}

Outcome read(Fields& fields, std::string_view name, std::chrono::milliseconds& out) {
  CHANCERY_ASSIGN(const auto value, fields.duration(name));
  if (value && (*value < kShortestDrain || *value > kLongestDrain))
    return fields.wrong(name, "must be from 100ms to 5m");
  out = value.value_or(out);
  return {};
}

Outcome read(Fields& fields, std::string_view name, Level& out) {
  CHANCERY_ASSIGN(const auto value, fields.choice(name, kLevels));
  if (value) out = static_cast<Level>(*value);
  return {};
}

Outcome read(Fields& fields, std::string_view name, Format& out) {
  CHANCERY_ASSIGN(const auto value, fields.choice(name, kFormats));
  if (value) out = static_cast<Format>(*value);
  return {};
}

Outcome read_section(Fields& top, std::string_view section, Settings& out) {
  CHANCERY_ASSIGN(auto fields, top.table(section));
  if (!fields) return {};
  for (const Option& option : kOptions) {
    if (option.section != section) continue;
    CHANCERY_TRY(
        std::visit([&](const auto place) { return read(*fields, option.name, out.*place); }, option.place));
  }
  return fields->finish();
}

Outcome read_sections(Fields top, Settings& out) {
  CHANCERY_TRY(read_section(top, "runtime", out));
  CHANCERY_TRY(read_section(top, "log", out));
  return top.finish();
}

// What must hold between them.
std::optional<SettingsError> check(const Settings& settings) {
  const auto wrong = [](const char* what) { return SettingsError{0, what}; };
  if (!settings.url.starts_with("https://") || settings.url.ends_with("/"))
    return wrong(
        "runtime.url must be https://HOST[:PORT] without a slash at its end: where agents call the runtime");
  if (settings.url.find_first_of("?#@ ") != std::string::npos)
    return wrong("runtime.url must have no user, query or fragment");
  if (settings.tls_listen.empty()) return std::nullopt;
  if (!config::parse_address(settings.tls_listen))
    return wrong(
        "runtime.tls_listen must be a numeric address and a port, such as 0.0.0.0:8444 or [::]:8444");
  if (settings.tls_certificate.empty() || settings.tls_key.empty())
    return wrong("runtime.tls_listen takes runtime.tls_certificate and runtime.tls_key");
  return std::nullopt;
}

}  // namespace

std::span<const Option> options() noexcept { return kOptions; }

std::variant<Settings, SettingsError> parse_settings(std::string_view text) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return SettingsError{static_cast<int>(parsed.error().source().begin.line),
                         std::string(parsed.error().description())};
  }
  Settings settings;
  const Outcome done = read_sections(Fields(parsed.table(), "", ""), settings);
  if (!done) return SettingsError{done.error().line, done.error().message};
  if (auto wrong = check(settings)) return *std::move(wrong);
  return settings;
}

std::variant<Settings, SettingsError> load_settings(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in)
    return SettingsError{0, "the file cannot be read: it must be there, and the runtime's user may read it"};
  return parse_settings(text);
}

std::variant<TakenOver, SettingsError> take_over(const Settings& running, const Settings& read) {
  TakenOver out{running, {}, {}};
  for (const Option& option : kOptions) {
    const bool is_same =
        std::visit([&](const auto place) { return running.*place == read.*place; }, option.place);
    if (is_same) continue;
    const std::string name = std::string(option.section) + "." + std::string(option.name);
    (option.is_live ? out.changed : out.need_restart).push_back(name);
    if (!option.is_live) continue;
    std::visit([&](const auto place) { out.settings.*place = read.*place; }, option.place);
  }
  if (auto wrong = check(out.settings)) return *std::move(wrong);
  return out;
}

}  // namespace chancery::runtime
