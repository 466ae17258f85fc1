#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include <chancery/time_zones.hpp>
#include <chancery/verify.hpp>

#include "sdk/cli/action_arguments.hpp"
#include "sdk/cli/context.hpp"
#include "sdk/cli/custody_arguments.hpp"
#include "sdk/wire/custody_fields.hpp"

namespace chancery::cli {

/// What commands that judge a chain offline are given.
struct JudgeArguments {
  std::vector<std::string> chain;
  std::vector<std::string> trust;
  std::vector<std::string> status_lists;
  std::string now;
  bool issuer_signed = false;
  ActionArguments action;
  CustodyArguments custody;
};

void add_judge_options(CLI::App& command, JudgeArguments& arguments);

/// What the daemon decides by itself when it is asked to judge cannot be given beside --remote.
[[nodiscard]] Checked<void> allow_remote(const JudgeArguments& arguments);

/// A chain to be judged, with everything that the library wants for it.
struct Case {
  std::vector<std::string> chain;
  std::optional<ActionRequest> request;
  TrustSnapshot trust;
  TimeZones zones;
  std::chrono::sys_seconds now{};
  bool issuer_signed = false;
  api::CustodyTerms custody;

  [[nodiscard]] std::vector<std::string_view> tokens() const { return {chain.begin(), chain.end()}; }
  /// Borrows from this. \param terms  made of `custody`; borrowed too
  [[nodiscard]] VerifyOptions options(const wire::TermsToJudge& terms) const {
    VerifyOptions out;
    terms.put_into(out);
    out.issuer_signed = issuer_signed;
    out.request = request ? &*request : nullptr;
    out.zones = &zones;
    return out;
  }
};

/// Reads everything that the arguments name.
[[nodiscard]] Checked<Case> prepare(const JudgeArguments& arguments, const Context& context);

}  // namespace chancery::cli
