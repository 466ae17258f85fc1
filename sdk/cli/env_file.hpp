#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>

namespace chancery::cli {

/// One variable of an `.env` file, or a line that is none.
struct EnvLine {
  std::size_t line = 0;  ///< where it begins, from 1
  std::string name{};    ///< empty: the line could not be read as a variable
  SecretBytes value{};
  const char* problem = nullptr;    ///< why it cannot be taken, a literal; null: nothing is wrong
  const char* suspicion = nullptr;  ///< why it looks like a secret, a literal; null: it does not
};

/// Reads what tools for `.env` files read: `NAME=VALUE` with or without `export`, values without quotes, in single quotes
/// (as they stand) and in double quotes (with `\n`, `\"`, `\\`, `\$`), quoted ones over several lines, and comments. What
/// refers to other variables is not put together and is a problem, as is what stands twice. Nothing of a value gets into a text.
[[nodiscard]] std::vector<EnvLine> read_env_file(std::string_view text);

/// Why a variable looks like a secret: by its name, or by what it holds. A literal; null when it does not.
[[nodiscard]] const char* suspicion_about(std::string_view name, std::string_view value);

/// The name of a credential for a variable: `STRIPE_API_KEY` → `stripe-api-key`. Empty when it gives none.
[[nodiscard]] std::string credential_name_for(std::string_view variable);

/// A credential's type for a variable, as far as its name and value tell.
[[nodiscard]] std::string_view credential_type_for(std::string_view name, std::string_view value);

}  // namespace chancery::cli
