#include "daemon/runtime/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <vector>

#include "sdk/toml/toml.hpp"

namespace chancery::runtime {
namespace {

using Outcome = std::optional<SettingsError>;

int line_of(const toml::node& node) { return static_cast<int>(node.source().begin.line); }

/// The members of a section, each of which must be asked for.
class Section {
 public:
  Section(const toml::table& table, std::string name) : table_(table), name_(std::move(name)) {}

  void text(std::string_view name, std::string& out) {
    known_.emplace_back(name);
    const toml::node* const node = table_.get(name);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::string>();
    if (!value || value->empty()) return complain(*node, name, " must be a text that is not empty");
    out = *value;
  }
  void path(std::string_view name, std::filesystem::path& out) {
    std::string value;
    text(name, value);
    if (value.empty()) return;
    out = value;
    if (!out.is_absolute()) complain(*table_.get(name), name, " must be an absolute path");
  }
  template <typename T, std::size_t Count>
  void choice(std::string_view name, const std::array<std::pair<std::string_view, T>, Count>& choices,
              T& out) {
    std::string value;
    text(name, value);
    if (value.empty()) return;
    for (const auto& [word, meant] : choices) {
      if (word != value) continue;
      out = meant;
      return;
    }
    std::string words;
    for (const auto& choice : choices) words += (words.empty() ? "" : ", ") + std::string(choice.first);
    complain(*table_.get(name), name, " must be one of " + words);
  }

  /// What was wrong first, or a member that nobody asked for.
  [[nodiscard]] Outcome finish() {
    for (const auto& [key, node] : table_) {
      if (std::ranges::find(known_, key.str()) == known_.end())
        complain(node, key.str(), " is no option: see docs/operations/runtime.md");
    }
    return error_;
  }

 private:
  void complain(const toml::node& node, std::string_view name, const std::string& what) {
    if (!error_) error_ = SettingsError{line_of(node), name_ + "." + std::string(name) + what};
  }

  const toml::table& table_;
  const std::string name_;
  std::vector<std::string> known_;
  Outcome error_;
};

Outcome read_runtime(const toml::table& table, Settings& out) {
  Section section(table, "runtime");
  section.text("url", out.url);
  section.path("daemon", out.daemon);
  section.path("tools", out.tools);
  section.path("socket", out.socket);
  section.text("tls_listen", out.tls_listen);
  section.path("tls_certificate", out.tls_certificate);
  section.path("tls_key", out.tls_key);
  section.path("ca", out.ca);
  return section.finish();
}

Outcome read_log(const toml::table& table, Settings& out) {
  using telemetry::Format;
  using telemetry::Level;
  constexpr std::array<std::pair<std::string_view, Level>, 5> kLevels{{{"trace", Level::kTrace},
                                                                       {"debug", Level::kDebug},
                                                                       {"info", Level::kInfo},
                                                                       {"warning", Level::kWarning},
                                                                       {"error", Level::kError}}};
  constexpr std::array<std::pair<std::string_view, Format>, 2> kFormats{
      {{"text", Format::kText}, {"json", Format::kJson}}};
  Section section(table, "log");
  section.choice("level", kLevels, out.log_level);
  section.choice("format", kFormats, out.log_format);
  return section.finish();
}

Outcome read_sections(const toml::table& root, Settings& out) {
  for (const auto& [key, node] : root) {
    const toml::table* const table = node.as_table();
    const bool is_known = key.str() == "runtime" || key.str() == "log";
    if (table == nullptr || !is_known)
      return SettingsError{line_of(node), "the file has the sections [runtime] and [log] only"};
    if (Outcome wrong = key.str() == "log" ? read_log(*table, out) : read_runtime(*table, out)) return wrong;
  }
  return std::nullopt;
}

Outcome check(const Settings& settings) {
  const auto wrong = [](const char* what) { return SettingsError{0, what}; };
  if (!settings.url.starts_with("https://") || settings.url.ends_with("/"))
    return wrong(
        "runtime.url must be https://HOST[:PORT] without a slash at its end: where agents call the runtime");
  if (settings.url.find_first_of("?#@ ") != std::string::npos)
    return wrong("runtime.url must have no user, query or fragment");
  if (settings.tls_listen.empty()) return std::nullopt;
  if (!split_address(settings.tls_listen))
    return wrong("runtime.tls_listen must be HOST:PORT, with an IPv6 address in brackets");
  if (settings.tls_certificate.empty() || settings.tls_key.empty())
    return wrong("runtime.tls_listen takes runtime.tls_certificate and runtime.tls_key");
  return std::nullopt;
}

}  // namespace

std::optional<HostAndPort> split_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  HostAndPort out;
  std::string_view host = text.substr(0, colon);
  const bool is_bracketed = host.starts_with('[') && host.ends_with(']');
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || (!is_bracketed && host.find(':') != std::string_view::npos)) return std::nullopt;
  out.host = host;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (code != std::errc() || end != port.data() + port.size()) return std::nullopt;
  return out;
}

std::variant<Settings, SettingsError> parse_settings(std::string_view text) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return SettingsError{static_cast<int>(parsed.error().source().begin.line),
                         std::string(parsed.error().description())};
  }
  Settings settings;
  if (auto wrong = read_sections(parsed.table(), settings)) return *std::move(wrong);
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

}  // namespace chancery::runtime
