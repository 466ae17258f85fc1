#pragma once

#include <array>
#include <string>

#include <CLI/CLI.hpp>

#include <chancery/api_status.hpp>

#include "sdk/cli/context.hpp"

namespace chancery::cli {

/// `--token`, `--subtree`, `--chain`, `--agent`, `--key` and `--principal`, of which exactly one is given.
struct TargetArguments {
  std::array<std::string, 6> values;

  void add_to(CLI::App& command);
  /// Bad usage unless it is one.
  [[nodiscard]] Checked<api::StatusTarget> target() const;
};

/// A target for people: "agent support".
[[nodiscard]] std::string target_text(const api::StatusTarget& target);

/// An act as fields of an answer.
void show_act(Output& output, const api::StatusAct& act);

}  // namespace chancery::cli
