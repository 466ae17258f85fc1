#include <utility>

#include "daemon/config/config.hpp"
#include "daemon/config/options.hpp"

namespace chancery::config {
namespace {

// Gives one configuration the value that an option has in another.
struct Copy {
  Target from;
  Target to;

  template <typename Kind>
  void operator()(const Kind& kind) const {
    kind.at(to) = kind.at(from);
  }
  void operator()(const Choice& kind) const { kind.set(to, kind.get(from)); }
};

}  // namespace

TakenOver take_over(const Config& running, const Config& read) {
  TakenOver out{running, {}, {}};
  Config wanted = read;
  NoSections none;
  const Target from = none.with(wanted), to = none.with(out.config);
  for (const Option& option : options()) {
    if (is_list(section_of(option.name))) continue;
    if (value_text(option, from) == value_text(option, to)) continue;
    (is_live(option) ? out.changed : out.need_restart).emplace_back(option.name);
    if (is_live(option)) std::visit(Copy{from, to}, option.kind);
  }
  // Gates are rules alone: what they are about is looked up with each action.
  if (running.gates != read.gates) out.changed.emplace_back(kGateSection);
  out.config.gates = read.gates;
  if (running.backends != read.backends) out.need_restart.emplace_back("backend");
  if (running.vault.issuers != read.vault.issuers) out.need_restart.emplace_back(kVaultIssuerSection);
  // While a part of it waits for a restart, what governs is no file's text.
  out.config.source = out.need_restart.empty() ? read.source : to_toml(out.config);
  return out;
}

}  // namespace chancery::config
