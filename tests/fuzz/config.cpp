#include "daemon/config/config.hpp"

#include <string>
#include <variant>

#include "tests/fuzz/target.hpp"

// An input is the text of a configuration.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  const auto parsed = config::parse_config(fuzz::text_of(data, size));
  if (const auto* error = std::get_if<config::ConfigError>(&parsed)) {
    fuzz::require(!error->message.empty() && error->message.find('\n') == std::string::npos &&
                  error->line >= 0);
    return 0;
  }
  // What was taken keeps what options promise one another, and can be written down.
  const auto& config = std::get<config::Config>(parsed);
  fuzz::require(!config::check_config(config));
  const std::string text = config::to_toml(config);
  const auto again = config::parse_config(text);
  fuzz::require(std::holds_alternative<config::Config>(again));
  fuzz::require(config::to_toml(std::get<config::Config>(again)) == text);
  return 0;
}
