// What people read of the option table: help, the reference page, and a configuration written out.

#include <string>
#include <type_traits>

#include "daemon/config/config.hpp"
#include "daemon/config/options.hpp"
#include "daemon/config/values.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::config {
namespace {

std::string_view key_of(const Option& option) {
  const std::string_view section = section_of(option.name);
  return section.empty() ? option.name : option.name.substr(section.size() + 1);
}

std::string header_of(std::string_view section) {
  const std::string name(section);
  return is_list(section) ? "[[" + name + "]]" : "[" + name + "]";
}

// What may stand to the right of the equals sign, in words.
struct Describe {
  std::string_view unit;

  std::string range(const std::string& least, const std::string& most) const { return least + " to " + most; }
  std::string operator()(const Flag&) const { return "true or false"; }
  std::string operator()(const Count& kind) const {
    const std::string counted = unit.empty() ? "" : " " + std::string(unit);
    return range(std::to_string(kind.least), std::to_string(kind.most)) + counted;
  }
  std::string operator()(const Octets& kind) const {
    return "size in octets, " + range(octets_text(kind.least), octets_text(kind.most));
  }
  std::string operator()(const Duration& kind) const {
    return "duration, " + range(duration_text(kind.least), duration_text(kind.most));
  }
  std::string operator()(const Lifetime& kind) const {
    return "duration in whole seconds, " + range(duration_text(kind.least), duration_text(kind.most));
  }
  std::string operator()(const Ratio& kind) const {
    return "number, " + range(ratio_text(kind.least), ratio_text(kind.most));
  }
  std::string operator()(const Text&) const { return "string"; }
  std::string operator()(const Decimal&) const { return "decimal, as a number or a string"; }
  std::string operator()(const TextList&) const { return "list of strings"; }
  std::string operator()(const AbsolutePath&) const { return "absolute path"; }
  std::string operator()(const FileMode&) const { return "octal permissions in a string"; }
  std::string operator()(const Address&) const { return "IP address and port in a string"; }
  std::string operator()(const ConstraintList&) const { return "list of constraints"; }
  std::string operator()(const Choice& kind) const {
    std::string text;
    for (const std::string_view name : kind.names) {
      text += (text.empty() ? "\"" : " or \"") + std::string(name) + "\"";
    }
    return text;
  }
};

std::string kind_text(const Option& option) { return std::visit(Describe{option.unit}, option.kind); }

std::string meaning_text(const Option& option) {
  const std::string meaning(option.meaning);
  const std::string types = types_text(option);
  if (types.empty()) return meaning;
  return (types.find(" and ") == std::string::npos ? "Type " : "Types ") + types + " only. " + meaning;
}

std::string default_text(const Option& option) {
  if (option.required) return "required";
  if (option.name == "backend.allow_simulator") return "tpm.allow_simulator";
  return std::string(option.default_value);
}

// A basic TOML string. Option values hold no control characters.
std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// Constraints as the TOML that gives them back: JCS numbers and strings are TOML as they stand, and a null
// cannot have come from TOML.
std::string toml_value(const json::Value& value) {
  using enum json::Value::Kind;
  std::string out;
  switch (value.kind()) {
    case kNull:
    case kBool:
      return value.boolean().value_or(false) ? "true" : "false";
    case kNumber:
    case kString:
      return std::string(value.source());
    case kArray:
      for (const json::Value& item : value.items()) out += (out.empty() ? "" : ", ") + toml_value(item);
      return "[" + out + "]";
    case kObject:
      for (const json::Member& member : value.members()) {
        out += (out.empty() ? "" : ", ") + toml_string(member.name) + " = " + toml_value(member.value);
      }
      return "{ " + out + " }";
  }
  return out;
}

// The value that an option has, in TOML.
struct Write {
  Target target;

  std::string operator()(const Flag& kind) const { return kind.at(target) ? "true" : "false"; }
  std::string operator()(const Count& kind) const { return std::to_string(kind.at(target)); }
  std::string operator()(const Octets& kind) const { return toml_string(octets_text(kind.at(target))); }
  std::string operator()(const Duration& kind) const { return toml_string(duration_text(kind.at(target))); }
  std::string operator()(const Lifetime& kind) const { return toml_string(duration_text(kind.at(target))); }
  std::string operator()(const Ratio& kind) const { return ratio_text(kind.at(target)); }
  std::string operator()(const Text& kind) const { return toml_string(kind.at(target)); }
  std::string operator()(const Decimal& kind) const { return toml_string(kind.at(target)); }
  std::string operator()(const TextList& kind) const {
    std::string out;
    for (const std::string& text : kind.at(target)) out += (out.empty() ? "" : ", ") + toml_string(text);
    return "[" + out + "]";
  }
  std::string operator()(const AbsolutePath& kind) const { return toml_string(kind.at(target).native()); }
  std::string operator()(const FileMode& kind) const { return toml_string(file_mode_text(kind.at(target))); }
  std::string operator()(const Address& kind) const {
    const auto& address = kind.at(target);
    return toml_string(address ? address_text(*address) : "");
  }
  std::string operator()(const ConstraintList& kind) const {
    const auto document = json::Document::parse(kind.at(target));
    return document ? toml_value(document->root()) : "[]";
  }
  std::string operator()(const Choice& kind) const { return toml_string(kind.names[kind.get(target)]); }
};

std::string write_section(std::string_view section, Target target) {
  std::string out = section.empty() ? "" : "\n" + header_of(section) + "\n";
  for (const Option& option : options()) {
    if (section_of(option.name) != section) continue;
    if (!applies_to(option, target)) continue;
    out += std::string(key_of(option)) + " = " + value_text(option, target) + "\n";
  }
  return out;
}

// A column of a Markdown table may not hold a bare bar.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\|" : std::string(1, c);
  return out;
}

}  // namespace

std::string value_text(const Option& option, Target target) { return std::visit(Write{target}, option.kind); }

std::string help_text() {
  std::string out;
  std::string_view section;
  for (const Option& option : options()) {
    if (section_of(option.name) != section) {
      section = section_of(option.name);
      out += "\n" + header_of(section) + "\n";
    }
    out += "  " + std::string(key_of(option)) + " (" + kind_text(option) + "; default " +
           default_text(option) + ")\n      " + meaning_text(option) + "\n";
  }
  return out;
}

std::string roff(std::string_view text) {
  std::string out;
  bool begins_line = true;
  for (const char c : text) {
    if (begins_line && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    begins_line = c == '\n';
  }
  return out;
}

std::string man_page() {
  std::string out =
      R"(.TH CHANCERY.TOML 5 "" "Chancery" "File formats"
.SH NAME
chancery.toml \- configuration of chanceryd
.SH DESCRIPTION
.BR chanceryd (8)
reads one TOML file, by default
.IR /etc/chancery/chancery.toml ,
at its start and when it gets SIGHUP; then a change of what is live counts at once, and the rest takes a restart.
These are all options; any other name is an error. Durations are strings of one number and ms, s, m, h or d; sizes are
numbers of octets or strings with KiB or MiB.
)";
  std::string_view section = "none";
  for (const Option& option : options()) {
    if (section_of(option.name) != section) {
      section = section_of(option.name);
      out += ".SH " + (section.empty() ? "AT THE TOP OF THE FILE" : "\"" + roff(header_of(section)) + "\"") +
             "\n";
    }
    out += ".TP\n.B " + roff(key_of(option)) + "\n" + roff(kind_text(option)) + "; default " +
           roff(default_text(option)) + "; a change is " + (is_live(option) ? "live" : "for a restart") +
           ".\n.br\n" + roff(meaning_text(option)) + "\n";
  }
  return out + ".SH SEE ALSO\n.BR chanceryd (8),\n.BR chancery (1)\n";
}

std::string reference_page() {
  std::string out =
      R"(# Configuration

`chanceryd` reads one TOML file, by default `/etc/chancery/chancery.toml`, at its start and when it gets SIGHUP
(`systemctl reload`): then it takes over what is *live* in the tables below, and names what takes a restart
([reload.md](reload.md)). `chanceryd --check` says before whether the file is good.
These are all options; any other name is an error. Durations are strings of one number and `ms`, `s`, `m`,
`h` or `d`; sizes are numbers of octets or strings with `KiB` or `MiB`. `chanceryd --help-config` prints the
same.

This page is generated from `daemon/config/options.cpp`, and a test compares the two.
)";
  std::string_view section = "none";
  for (const Option& option : options()) {
    if (section_of(option.name) != section) {
      section = section_of(option.name);
      out += "\n## " + (section.empty() ? "At the top of the file" : "`" + header_of(section) + "`") + "\n\n";
      out += "| option | value | default | a change | meaning |\n| --- | --- | --- | --- | --- |\n";
    }
    const std::string fallback = default_text(option);
    out += "| `" + std::string(key_of(option)) + "` | " + cell(kind_text(option)) + " | " +
           (option.required ? fallback : "`" + cell(fallback) + "`") + " | " +
           (is_live(option) ? "live" : "restart") + " | " + cell(meaning_text(option)) + " |\n";
  }
  return out;
}

std::string to_toml(const Config& config) {
  Config copy = config;
  NoSections none;
  std::string out;
  std::string_view section = "none";
  for (const Option& option : options()) {
    if (section_of(option.name) == section) continue;
    section = section_of(option.name);
    if (!is_list(section)) out += write_section(section, none.with(copy));
    if (section == kBackendSection)
      for (BackendConfig& backend : copy.backends) out += write_section(section, none.with(copy, backend));
    if (section == kVaultIssuerSection)
      for (VaultIssuerConfig& issuer : copy.vault.issuers)
        out += write_section(section, none.with(copy, issuer));
    if (section == kGateSection)
      for (GateConfig& gate : copy.gates) out += write_section(section, none.with(copy, gate));
  }
  return out;
}

}  // namespace chancery::config
