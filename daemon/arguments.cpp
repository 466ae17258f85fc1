#include "daemon/arguments.hpp"

#include <string_view>

#include "daemon/config/values.hpp"

namespace chancery {

std::string usage() {
  return R"(usage: chanceryd [--config FILE] [--check]
       chanceryd --dev [--listen HOST:PORT]

  --config FILE        the configuration; default /etc/chancery/chancery.toml
  --check              read the configuration and the files that it names, say whether they are good,
                       and end; writes nothing and asks no device
  --dev                everything in one command on a simulated TPM; keeps nothing
  --listen HOST:PORT   where --dev listens with TLS; loopback only; default 127.0.0.1:0, any free port
  --help-config        every option with its default and meaning
  --version, --help

SIGTERM and SIGINT end it after the requests that run. The configuration is read at start only:
SIGHUP is logged and changes nothing, save that it ends --dev.
)";
}

std::variant<Arguments, std::string> parse_arguments(std::span<char* const> arguments) {
  using enum Arguments::Action;
  Arguments out;
  bool listen_given = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const bool takes_value = argument == "--config" || argument == "--listen";
    if (takes_value && i + 1 == arguments.size()) return std::string(argument) + " needs a value: see --help";
    if (argument == "--config") {
      out.config_file = arguments[++i];
    } else if (argument == "--listen") {
      const auto address = config::parse_address(arguments[++i]);
      if (!address) return std::string("--listen takes a numeric address and a port, such as 127.0.0.1:8443");
      out.dev_listen = *address;
      listen_given = true;
    } else if (argument == "--check") {
      out.check_only = true;
    } else if (argument == "--dev") {
      out.action = kDev;
    } else if (argument == "--help" || argument == "-h") {
      out.action = kHelp;
    } else if (argument == "--help-config") {
      out.action = kHelpConfig;
    } else if (argument == "--version") {
      out.action = kVersion;
    } else {
      return "unknown argument " + std::string(argument) + ": see --help";
    }
  }
  if (listen_given && out.action != kDev)
    return std::string("--listen belongs to --dev: configure [server] tls_listen instead");
  if (out.check_only && out.action == kDev)
    return std::string("--check belongs to --config: --dev has nothing to check");
  return out;
}

}  // namespace chancery
