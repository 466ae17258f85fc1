#pragma once

#include <optional>
#include <string>
#include <vector>

#include <chancery/api.hpp>

#include "sdk/cli/failure.hpp"

namespace chancery::cli {

/// An action to be judged, as arguments give it.
struct ActionArguments {
  std::string audience;
  std::string scope;
  std::vector<std::string> params;  ///< `NAME=VALUE`: VALUE is JSON where it is well-formed JSON, else a text
  std::string proof;                ///< a file, `-` or the DPoP proof itself
  std::string htm;
  std::string htu;
  std::string nonce;
};

/// \return the action; nothing when no argument asks for one; bad usage when they ask for half of one
[[nodiscard]] Checked<std::optional<api::Action>> parse_action(const ActionArguments& arguments);

/// The parameters as a JSON object.
[[nodiscard]] Checked<std::string> parse_params(const std::vector<std::string>& params);

}  // namespace chancery::cli
