#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "sdk/cli/failure.hpp"

namespace chancery::cli {

/// A chain and what came with it: `{"chain", "attestation_results"?}`.
struct Bundle {
  std::vector<std::string> tokens;
  std::vector<std::string> attestation_results;
};

/// Reads a chain from text, in any of its forms: tokens joined by `~`, one token a line, a JSON array of
/// tokens, or a JSON object whose `chain` is one of these (as `grant --format json` prints it; other members
/// are ignored). Tokens are not looked at: what is wrong with them is for verification to say.
/// \return the tokens, root first (none for an empty text), or kMalformed for JSON of another shape
[[nodiscard]] Result<std::vector<std::string>> parse_chain(std::string_view text);
/// The same with the `attestation_results` of a JSON object, an array of texts.
[[nodiscard]] Result<Bundle> parse_bundle(std::string_view text);
/// Attestation results alone: such an object, a JSON array of texts, or one a line.
[[nodiscard]] Result<std::vector<std::string>> parse_attestation_results(std::string_view text);

/// Reads the chain that a command's arguments give: each a file, `-` for standard input, or the text of a
/// chain; the tokens of several are put together in their order. No argument stands for `-`.
[[nodiscard]] Checked<std::vector<std::string>> read_chain(const std::vector<std::string>& arguments);
/// The same with what came with the chain.
[[nodiscard]] Checked<Bundle> read_bundle(const std::vector<std::string>& arguments);

/// The same for one argument that is a file, `-` or the text of a proof or token.
[[nodiscard]] Checked<std::string> read_token(const std::string& argument);

}  // namespace chancery::cli
