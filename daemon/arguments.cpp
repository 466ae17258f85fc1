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

SIGTERM and SIGINT end it after the requests that run. SIGHUP has it read the configuration again, take
over what can change while it serves and log what takes a restart; it ends --dev.
)";
}

std::string man_page() {
  return R"(.TH CHANCERYD 8 "" "Chancery )" CHANCERY_VERSION R"(" "System administration"
.SH NAME
chanceryd \- keeper of agents' keys in hardware, which signs delegations
.SH SYNOPSIS
.nf
)" + config::roff(usage()) +
         R"(.fi
.SH FILES
.TP
.I /etc/chancery/chancery.toml
the configuration:
.BR chancery.toml (5)
.TP
.I /var/lib/chancery
the daemon's database and secrets, for its user alone
.TP
.I /run/chancery/chancery.sock
the socket for this machine
.SH ENVIRONMENT
.TP
.B CREDENTIALS_DIRECTORY
where
.B chancery.master
and
.BI chancery.pin. NAME
are looked for first
.TP
.BR LISTEN_FDS ", " NOTIFY_SOCKET ", " WATCHDOG_USEC
what a service manager sets: sockets of the names
.B chancery.sock
and
.B chancery.tls
serve in place of those that are configured
.SH EXIT STATUS
0 after SIGTERM and SIGINT; 1 when it could not start, with the reason on the standard error output; 2 after wrong arguments.
.SH SEE ALSO
.BR chancery (1),
.BR chancery.toml (5),
.BR systemd.service (5)
)";
}

std::variant<Arguments, std::string> parse_arguments(std::span<char* const> arguments) {
  using enum Arguments::Action;
  Arguments out;
  bool listen_given = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const bool takes_value = argument == "--config" || argument == "--listen" || argument == "--man-page";
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
    } else if (argument == "--man-page") {  // for who packs it
      out.action = kManPage;
      out.man_page = arguments[++i];
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
