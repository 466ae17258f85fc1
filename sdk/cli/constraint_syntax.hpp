#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>
#include <chancery/token.hpp>

#include "sdk/cli/failure.hpp"

namespace chancery::cli {

/// Reads one constraint as `--constraint` takes it: `KEY:TYPE=VALUE`, divided at the first `=`, and before it
/// at the last `:`. KEY is a parameter's name, or `SCOPE#NAME`. By TYPE, VALUE is
///
///     max, min, max_lifetime, max_subtree   a number                 payments.refund#amount:max=500
///     one_of, not_one_of                    items between commas,    currency:one_of=EUR,USD
///                                           or a JSON array          region:one_of=["eu",7]
///     prefix                                a text                   path:prefix=/srv/reports/
///     rank                                  RANK,order=LOW,…,HIGH tier:rank=silver,order=bronze,silver,gold
///     max_rate                              N/second, minute, hour calls:max_rate=10/minute
///     time_window                           DAYS,FROM-TO,ZONE     hours:time_window=mon-fri,09:00-17:30,Europe/Berlin
///
/// An item between commas is JSON where it is well-formed JSON (7, true, "7"), else a text. What cannot be
/// said so (keys with `=`, types that this version does not know) is said with `--constraint-json`.
/// \return the constraint, or kInvalidArgument
[[nodiscard]] Result<Constraint> parse_constraint(std::string_view text);

/// Reads one constraint as a token has it: `{"key": "payments.refund#amount", "max": 500}`.
[[nodiscard]] Result<Constraint> parse_constraint_json(std::string_view text);

/// The authority that `--scope`, `--constraint` and `--constraint-json` ask for.
struct AuthorityArguments {
  std::vector<std::string> scopes;
  std::vector<std::string> constraints;
  std::vector<std::string> json_constraints;
};
[[nodiscard]] Checked<Authority> parse_authority(const AuthorityArguments& arguments);

}  // namespace chancery::cli
