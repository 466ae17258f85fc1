#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "daemon/config/config.hpp"

namespace chancery::config {

/// Where an option's value lives: in the configuration or, for options of a section that there may be several of, in one of these.
struct Target {
  Config& config;
  BackendConfig& backend;
  VaultIssuerConfig& issuer;
  GateConfig& gate;
};

/// Sections at no values at all, for targets that are not about them.
struct NoSections {
  BackendConfig backend;
  VaultIssuerConfig issuer;
  GateConfig gate;

  [[nodiscard]] Target with(Config& config) noexcept { return {config, backend, issuer, gate}; }
  [[nodiscard]] Target with(Config& config, BackendConfig& one) noexcept {
    return {config, one, issuer, gate};
  }
  [[nodiscard]] Target with(Config& config, VaultIssuerConfig& one) noexcept {
    return {config, backend, one, gate};
  }
  [[nodiscard]] Target with(Config& config, GateConfig& one) noexcept {
    return {config, backend, issuer, one};
  }
};

// The kinds of values. Each says how to reach its value, and so both reads and writes it.
struct Flag {
  bool& (*at)(Target);
};
struct Count {
  std::uint64_t& (*at)(Target);
  std::uint64_t least;
  std::uint64_t most;
};
struct Octets {
  std::uint64_t& (*at)(Target);
  std::uint64_t least;
  std::uint64_t most;
};
struct Duration {
  milliseconds& (*at)(Target);
  milliseconds least;
  milliseconds most;
};
struct Lifetime {
  seconds& (*at)(Target);
  seconds least;
  seconds most;
};
struct Ratio {
  double& (*at)(Target);
  double least;
  double most;
};
struct Text {
  std::string& (*at)(Target);
};
/// An exact decimal that is not negative, in a string or as a number: see decimal_text().
struct Decimal {
  std::string& (*at)(Target);
};
struct TextList {
  std::vector<std::string>& (*at)(Target);
};
struct AbsolutePath {
  std::filesystem::path& (*at)(Target);
};
struct FileMode {
  std::uint32_t& (*at)(Target);
};
struct Address {
  std::optional<ListenAddress>& (*at)(Target);
};
struct ConstraintList {
  std::string& (*at)(Target);
};
struct Choice {
  std::span<const std::string_view> names;  ///< in the order of the enumeration
  std::size_t (*get)(Target);
  void (*set)(Target, std::size_t);
};

using Kind = std::variant<Flag, Count, Octets, Duration, Lifetime, Ratio, Text, Decimal, TextList,
                          AbsolutePath, FileMode, Address, ConstraintList, Choice>;

/// One option. Parsing, defaults, help and the reference page are made from these rows.
struct Option {
  std::string_view
      name;  ///< dotted; those of `[[backend]]` begin with "backend.", of `[[vault.issuer]]` with "vault.issuer.", of `[[gate]]` with "gate."
  Kind kind;
  std::string_view default_value;         ///< in TOML
  std::string_view unit;                  ///< what a number counts; empty when the kind says it
  std::string_view meaning;               ///< one sentence
  bool required = false;                  ///< has no useful default
  std::optional<BackendType> only_for{};  ///< the one type of `[[backend]]` that has it
  std::span<const VaultIssuerType>
      only_for_issuers{};  ///< the types of `[[vault.issuer]]` that have it; none: all of them
};

/// All options, section by section in the order of the reference page.
[[nodiscard]] std::span<const Option> options() noexcept;

/// "tpm", as `backend.type` has it.
[[nodiscard]] std::string_view backend_type_name(BackendType type) noexcept;

/// "postgres_role", as `vault.issuer.type` has it.
[[nodiscard]] std::string_view vault_issuer_type_name(VaultIssuerType type) noexcept;

/// The sections that there may be several of.
inline constexpr std::string_view kBackendSection = "backend";
inline constexpr std::string_view kVaultIssuerSection = "vault.issuer";
inline constexpr std::string_view kGateSection = "gate";
[[nodiscard]] constexpr bool is_list(std::string_view section) noexcept {
  return section == kBackendSection || section == kVaultIssuerSection || section == kGateSection;
}

/// Whether a section of that target's type has the option.
[[nodiscard]] bool applies_to(const Option& option, Target target) noexcept;

/// The types of sections that have an option, as text: "`tpm`", "`oauth_grant` and `postgres_role`"; empty: all of them.
[[nodiscard]] std::string types_text(const Option& option);

/// "server" of "server.threads", "anomaly.webhook" of "anomaly.webhook.url"; empty for the options outside of any section.
[[nodiscard]] std::string_view section_of(std::string_view option) noexcept;

/// Whether a daemon that runs takes a change of this option over when it reads its configuration again; the others take
/// a restart.
[[nodiscard]] bool is_live(const Option& option) noexcept;

/// The value that an option has, in TOML.
[[nodiscard]] std::string value_text(const Option& option, Target target);

/// The known option or section whose spelling is nearest to `name`.
[[nodiscard]] std::string_view nearest_name(std::string_view name);

}  // namespace chancery::config
