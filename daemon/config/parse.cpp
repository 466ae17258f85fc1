#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config/check.hpp"
#include "daemon/config/config.hpp"
#include "daemon/config/options.hpp"
#include "daemon/config/values.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/json/number.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/toml/toml.hpp"

namespace chancery::config {
namespace {

constexpr std::size_t kLargestFile = 1024 * 1024;
constexpr std::size_t kLongestQuotedName = 64;
constexpr std::int64_t kLargestInteger = (std::int64_t{1} << 53) - 1;  // in a token

using Failure = std::optional<std::string>;  // what the value must be

bool is_printable(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c < ' ' || c == 127; });
}

// Names come from the file: what a terminal would obey is not repeated.
std::string in_quotes(std::string_view name) {
  std::string text(name.substr(0, kLongestQuotedName));
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' ' || c >= 127; }, '?');
  return "\"" + text + (name.size() > kLongestQuotedName ? "…" : "") + "\"";
}

std::string range_text(const std::string& least, const std::string& most) {
  return "must be from " + least + " to " + most;
}

// One overload for each kind of option: sets the value or says what it must be.

Failure assign(const Flag& kind, const toml::node& node, Target target) {
  const auto value = node.value_exact<bool>();
  if (!value) return "must be true or false";
  kind.at(target) = *value;
  return std::nullopt;
}

Failure assign(const Count& kind, const toml::node& node, Target target) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value) return "must be a whole number";
  if (*value < 0 || static_cast<std::uint64_t>(*value) < kind.least ||
      static_cast<std::uint64_t>(*value) > kind.most) {
    return range_text(std::to_string(kind.least), std::to_string(kind.most));
  }
  kind.at(target) = static_cast<std::uint64_t>(*value);
  return std::nullopt;
}

Failure assign(const Octets& kind, const toml::node& node, Target target) {
  std::optional<std::uint64_t> octets;
  if (const auto number = node.value_exact<std::int64_t>(); number && *number >= 0) {
    octets = static_cast<std::uint64_t>(*number);
  }
  if (const auto text = node.value_exact<std::string_view>()) octets = parse_octets(*text);
  if (!octets) return "must be a number of octets or a size such as \"64KiB\" or \"1MiB\"";
  if (*octets < kind.least || *octets > kind.most) {
    return range_text(octets_text(kind.least), octets_text(kind.most));
  }
  kind.at(target) = *octets;
  return std::nullopt;
}

std::optional<milliseconds> duration_of(const toml::node& node) {
  const auto text = node.value_exact<std::string_view>();
  return text ? parse_duration(*text) : std::nullopt;
}

Failure assign(const Duration& kind, const toml::node& node, Target target) {
  const auto value = duration_of(node);
  if (!value) return "must be a duration such as \"500ms\", \"30s\", \"10m\" or \"8h\"";
  if (*value < kind.least || *value > kind.most) {
    return range_text(duration_text(kind.least), duration_text(kind.most));
  }
  kind.at(target) = *value;
  return std::nullopt;
}

Failure assign(const Lifetime& kind, const toml::node& node, Target target) {
  const auto value = duration_of(node);
  if (!value || *value % seconds(1) != milliseconds(0)) {
    return "must be a duration of whole seconds such as \"30s\", \"10m\" or \"8h\"";
  }
  if (*value < kind.least || *value > kind.most) {
    return range_text(duration_text(kind.least), duration_text(kind.most));
  }
  kind.at(target) = std::chrono::duration_cast<seconds>(*value);
  return std::nullopt;
}

Failure assign(const Ratio& kind, const toml::node& node, Target target) {
  const auto value = node.value<double>();
  if (!value) return "must be a number such as 2.0";
  if (!(*value >= kind.least && *value <= kind.most))
    return range_text(ratio_text(kind.least), ratio_text(kind.most));
  kind.at(target) = *value;
  return std::nullopt;
}

Failure assign(const Text& kind, const toml::node& node, Target target) {
  const auto value = node.value_exact<std::string>();
  if (!value) return "must be a string";
  if (!is_printable(*value)) return "must not contain control characters";
  kind.at(target) = *value;
  return std::nullopt;
}

// Nothing that an amount could be compared with exactly is lost: a number stands for the decimal that its author wrote.
Failure assign(const Decimal& kind, const toml::node& node, Target target) {
  constexpr const char* kForm =
      "must be a decimal that is not negative, with at most six places and below 9000000000000, such as 100 or \"99.50\"";
  std::string text;
  if (const auto given = node.value_exact<std::string>()) text = *given;
  if (const auto whole = node.value_exact<std::int64_t>()) text = std::to_string(*whole);
  if (const auto number = node.value_exact<double>(); number && std::isfinite(*number))
    json::append_number(text, *number);
  const bool is_empty_text = text.empty() && node.is_string();
  const auto canonical = is_empty_text ? text : decimal_text(text);
  if (!canonical) return kForm;
  kind.at(target) = *canonical;
  return std::nullopt;
}

Failure assign(const TextList& kind, const toml::node& node, Target target) {
  const toml::array* list = node.as_array();
  if (list == nullptr) return "must be a list of strings";
  std::vector<std::string> values;
  for (const toml::node& item : *list) {
    const auto value = item.value_exact<std::string>();
    if (!value || value->empty()) return "must be a list of strings, none of them empty";
    if (!is_printable(*value)) return "must not contain control characters";
    values.push_back(*value);
  }
  kind.at(target) = std::move(values);
  return std::nullopt;
}

Failure assign(const AbsolutePath& kind, const toml::node& node, Target target) {
  const auto value = node.value_exact<std::string>();
  if (!value) return "must be a path in a string";
  if (!is_printable(*value)) return "must not contain control characters";
  if (!value->empty() && value->front() != '/') return "must be an absolute path";
  kind.at(target) = *value;
  return std::nullopt;
}

Failure assign(const FileMode& kind, const toml::node& node, Target target) {
  const auto text = node.value_exact<std::string_view>();
  const auto mode = text ? parse_file_mode(*text) : std::nullopt;
  if (!mode) return "must be octal permissions in a string, such as \"0660\"";
  kind.at(target) = *mode;
  return std::nullopt;
}

Failure assign(const Address& kind, const toml::node& node, Target target) {
  constexpr const char* kForm =
      "must be an IP address and a port such as \"127.0.0.1:8443\" or \"[::1]:8443\", or empty";
  const auto text = node.value_exact<std::string_view>();
  if (!text) return kForm;
  if (text->empty()) {
    kind.at(target).reset();
    return std::nullopt;
  }
  auto address = parse_address(*text);
  if (!address) return kForm;
  kind.at(target) = std::move(address);
  return std::nullopt;
}

// A TOML value as the JSON that it stands for; nothing for dates, for numbers that tokens do not have, and
// for control characters.
std::optional<json::Node> to_json(const toml::node& node) {
  if (const auto value = node.value_exact<bool>()) return json::Node(*value);
  if (const auto value = node.value_exact<std::string>()) {
    if (!is_printable(*value)) return std::nullopt;
    return json::Node(*value);
  }
  if (const auto value = node.value_exact<std::int64_t>()) {
    if (*value > kLargestInteger || *value < -kLargestInteger) return std::nullopt;
    return json::Node(*value);
  }
  if (const auto value = node.value_exact<double>()) {
    if (!(std::abs(*value) <= static_cast<double>(kLargestInteger))) return std::nullopt;  // NaN neither
    return json::Node(*value);
  }
  if (const toml::array* list = node.as_array()) {
    json::Node array = json::Node::array();
    for (const toml::node& item : *list) {
      auto value = to_json(item);
      if (!value) return std::nullopt;
      array.push_back(std::move(*value));
    }
    return array;
  }
  if (const toml::table* table = node.as_table()) {
    json::Node object = json::Node::object();
    for (const auto& [key, item] : *table) {
      auto value = to_json(item);
      if (!value || !is_printable(key.str())) return std::nullopt;
      object.set(std::string(key.str()), std::move(*value));
    }
    return object;
  }
  return std::nullopt;
}

// Whether the constraints mean something is for those to say who know tokens; here they are shaped right.
Failure assign(const ConstraintList& kind, const toml::node& node, Target target) {
  constexpr const char* kForm = "must be a list of constraints such as { key = \"amount\", max = 500 }";
  const toml::array* list = node.as_array();
  if (list == nullptr) return kForm;
  for (const toml::node& item : *list) {
    const toml::table* constraint = item.as_table();
    if (constraint == nullptr || !(*constraint)["key"].is_string() || constraint->size() < 2) return kForm;
  }
  const auto tree = to_json(node);
  if (!tree) return "must hold strings, lists, tables and numbers within 53 bits only";
  kind.at(target) = json::to_jcs(*tree);
  return std::nullopt;
}

Failure assign(const Choice& kind, const toml::node& node, Target target) {
  const auto value = node.value_exact<std::string_view>();
  const auto found = std::ranges::find(kind.names, value.value_or(""));
  if (found == kind.names.end()) {
    std::string message = "must be one of";
    for (const std::string_view name : kind.names) message += " \"" + std::string(name) + "\"";
    return message;
  }
  kind.set(target, static_cast<std::size_t>(found - kind.names.begin()));
  return std::nullopt;
}

Failure assign(const Option& option, const toml::node& node, Target target) {
  return std::visit([&](const auto& kind) { return assign(kind, node, target); }, option.kind);
}

const Option* find_option(std::string_view name) {
  const auto found = std::ranges::find(options(), name, &Option::name);
  return found == options().end() ? nullptr : &*found;
}

bool is_section(std::string_view name) {
  return std::ranges::any_of(options(), [&](const Option& o) { return section_of(o.name) == name; });
}

int line_of(const toml::node& node) { return static_cast<int>(node.source().begin.line); }

// The table's own defaults go the way of all values; a test holds that none of them is refused.
void set_default(const Option& option, Target target) {
  const toml::parse_result document = toml::parse("value = " + std::string(option.default_value));
  if (!document || assign(option, *document.table().get("value"), target)) std::abort();
}

/// Walks one document and collects what is wrong with it.
class Walk {
 public:
  std::variant<Config, ConfigError> run(const toml::table& document);

 private:
  void read_top(const toml::table& document);
  void read_section(std::string_view section, const toml::node& node, const std::string& place,
                    Target target);
  void read_backends(const toml::node& node);
  void read_vault_issuers(const toml::node& node);
  void read_gates(const toml::node& node);
  void read_option(const Option& option, const toml::node& node, const std::string& place, Target target);
  void refuse(std::string message, int line) { errors_.push_back({std::move(message), line}); }
  void refuse_unknown(const std::string& name, int line);
  void refuse_foreign(const std::string& place, std::string_view section, Target target);

  Config config_ = default_config();
  NoSections none_;
  std::vector<ConfigError> errors_;
  std::map<std::string, int> lines_;  // where each option stands
};

std::variant<Config, ConfigError> Walk::run(const toml::table& document) {
  read_top(document);
  if (!errors_.empty()) return *std::ranges::min_element(errors_, {}, &ConfigError::line);
  if (const auto found = find_contradiction(config_)) {
    auto line = lines_.find(found->option);
    // What is missing in one of several sections is looked for there.
    if (line == lines_.end()) line = lines_.find(found->option.substr(0, found->option.find(']') + 1));
    const std::string name = found->option.empty() ? "" : found->option + " ";
    return ConfigError{name + found->message, line == lines_.end() ? 0 : line->second};
  }
  return std::move(config_);
}

void Walk::read_top(const toml::table& document) {
  // Backends take a default from `tpm`, so they are read last.
  for (const auto& [key, node] : document) {
    const std::string name(key.str());
    if (name == kBackendSection) continue;
    if (const Option* option = find_option(name)) {
      read_option(*option, node, name, none_.with(config_));
    } else if (name == kGateSection) {
      read_gates(node);
    } else if (is_section(name)) {
      read_section(name, node, name, none_.with(config_));
    } else {
      refuse_unknown(name, line_of(node));
    }
  }
  if (const toml::node* backends = document.get("backend")) read_backends(*backends);
}

void Walk::read_section(std::string_view section, const toml::node& node, const std::string& place,
                        Target target) {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    return refuse(place + " is a section: write [" + std::string(section) + "] and its options below",
                  line_of(node));
  }
  lines_[place] = line_of(node);
  for (const auto& [key, value] : *table) {
    const std::string name = std::string(section) + "." + std::string(key.str());
    if (const Option* option = find_option(name)) {
      read_option(*option, value, place + "." + std::string(key.str()), target);
    } else if (name == kVaultIssuerSection) {
      read_vault_issuers(value);
    } else if (is_section(name)) {
      read_section(name, value, name, target);
    } else {
      refuse_unknown(name, line_of(value));
    }
  }
}

void Walk::read_backends(const toml::node& node) {
  const toml::array* list = node.as_array();
  if (list == nullptr) return refuse("backend is a list of sections: write [[backend]]", line_of(node));
  for (std::size_t i = 0; i < list->size(); ++i) {
    BackendConfig backend = default_backend(config_);
    const std::string place = "backend[" + std::to_string(i) + "]";
    const Target target = none_.with(config_, backend);
    read_section(kBackendSection, *list->get(i), place, target);
    refuse_foreign(place, kBackendSection, target);
    // `tpm.allow_simulator` speaks of TPMs alone.
    const bool may_inherit = backend.type == BackendType::kTpm || lines_.contains(place + ".allow_simulator");
    if (!may_inherit) backend.allow_simulator = false;
    config_.backends.push_back(std::move(backend));
  }
}

void Walk::read_vault_issuers(const toml::node& node) {
  const toml::array* list = node.as_array();
  if (list == nullptr)
    return refuse("vault.issuer is a list of sections: write [[vault.issuer]]", line_of(node));
  for (std::size_t i = 0; i < list->size(); ++i) {
    VaultIssuerConfig issuer = default_vault_issuer();
    const std::string place = "vault.issuer[" + std::to_string(i) + "]";
    const Target target = none_.with(config_, issuer);
    read_section(kVaultIssuerSection, *list->get(i), place, target);
    refuse_foreign(place, kVaultIssuerSection, target);
    config_.vault.issuers.push_back(std::move(issuer));
  }
}

void Walk::read_gates(const toml::node& node) {
  const toml::array* list = node.as_array();
  if (list == nullptr) return refuse("gate is a list of sections: write [[gate]]", line_of(node));
  for (std::size_t i = 0; i < list->size(); ++i) {
    GateConfig gate = default_gate();
    const std::string place = "gate[" + std::to_string(i) + "]";
    read_section(kGateSection, *list->get(i), place, none_.with(config_, gate));
    config_.gates.push_back(std::move(gate));
  }
}

void Walk::read_option(const Option& option, const toml::node& node, const std::string& place,
                       Target target) {
  lines_[place] = line_of(node);
  if (const Failure failure = assign(option, node, target)) refuse(place + " " + *failure, line_of(node));
}

void Walk::refuse_unknown(const std::string& name, int line) {
  const std::string_view nearest = nearest_name(std::string_view(name).substr(0, kLongestQuotedName));
  refuse("unknown option " + in_quotes(name) + ": did you mean " + in_quotes(nearest) + "?", line);
}

// An option of another type of section would do nothing.
void Walk::refuse_foreign(const std::string& place, std::string_view section, Target target) {
  for (const Option& option : options()) {
    if (section_of(option.name) != section || applies_to(option, target)) continue;
    const std::string key = place + std::string(option.name.substr(section.size()));
    const auto given = lines_.find(key);
    if (given == lines_.end()) continue;
    std::string types = types_text(option);
    std::ranges::replace(types, '`', '"');
    refuse(key + " is for " + (section == kBackendSection ? "backends of type " : "issuers of type ") +
               types + " only: take it out",
           given->second);
  }
}

std::variant<std::string, ConfigError> read_file(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return ConfigError{"cannot read the file: name a configuration that the daemon may read", 0};
  struct stat status {};
  std::string text;
  bool whole = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  const bool small = whole && status.st_size <= static_cast<off_t>(kLargestFile);
  if (small) {
    text.resize(static_cast<std::size_t>(status.st_size));
    whole = ::read(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }
  ::close(descriptor);
  if (!whole) return ConfigError{"cannot read the file: it must be a regular file", 0};
  if (!small) return ConfigError{"the file is larger than 1 MiB: it is no configuration", 0};
  if ((status.st_mode & S_IWOTH) != 0) {
    return ConfigError{"everybody may write to the file: take that permission away", 0};
  }
  return text;
}

}  // namespace

Config default_config() {
  Config config;
  NoSections none;
  for (const Option& option : options()) {
    if (!is_list(section_of(option.name))) set_default(option, none.with(config));
  }
  return config;
}

BackendConfig default_backend(const Config& config) {
  Config unused = config;
  BackendConfig backend;
  NoSections none;
  for (const Option& option : options()) {
    if (section_of(option.name) == kBackendSection) set_default(option, none.with(unused, backend));
  }
  backend.allow_simulator = config.tpm_allow_simulator;
  return backend;
}

VaultIssuerConfig default_vault_issuer() {
  Config unused;
  NoSections none;
  VaultIssuerConfig issuer;
  for (const Option& option : options()) {
    if (section_of(option.name) == kVaultIssuerSection) set_default(option, none.with(unused, issuer));
  }
  return issuer;
}

GateConfig default_gate() {
  Config unused;
  NoSections none;
  GateConfig gate;
  for (const Option& option : options()) {
    if (section_of(option.name) == kGateSection) set_default(option, none.with(unused, gate));
  }
  return gate;
}

namespace {

// What the reader expected, without what it saw instead: that may be a part of a value, or a line's end.
std::string complaint_of(const toml::parse_error& error) {
  const std::string_view said = error.description();
  return "not TOML: " + printable(said.substr(0, said.find(", saw ")));
}

}  // namespace

std::variant<Config, ConfigError> parse_config(std::string_view toml) {
  const toml::parse_result document = toml::parse(toml);
  if (!document) {
    return ConfigError{complaint_of(document.error()),
                       static_cast<int>(document.error().source().begin.line)};
  }
  return Walk().run(document.table());
}

std::variant<Config, ConfigError> load_config(const std::filesystem::path& file) {
  auto text = read_file(file);
  if (auto* error = std::get_if<ConfigError>(&text)) return std::move(*error);
  auto parsed = parse_config(std::get<std::string>(text));
  if (auto* config = std::get_if<Config>(&parsed)) config->source = std::move(std::get<std::string>(text));
  return parsed;
}

}  // namespace chancery::config
