#include <algorithm>
#include <array>
#include <memory>

#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/key_commands.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::cli {
namespace {

using Row = std::array<std::string, 7>;

std::string load_text(const api::BackendLoad& load) {
  return std::to_string(load.queued) + " queued, " + std::to_string(load.live_objects) + " objects, " +
         std::to_string(load.live_sessions) + " sessions, " + std::to_string(load.cached_keys) +
         " cached keys, " + std::to_string(load.recoveries) + " recoveries";
}

std::string role_text(const api::Backend& backend) {
  std::string text = backend.is_default ? "default" : "";
  if (backend.is_issuer) text.append(text.empty() ? "" : ", ").append("issuer");
  return text.empty() ? "-" : text;
}

std::string device_text(const api::Backend& backend) {
  if (backend.manufacturer.empty()) return "not met yet";
  return backend.manufacturer + " " + backend.firmware + (backend.emulated ? " (simulator)" : "");
}

Row row_of(const api::Backend& backend) {
  return {printable(backend.name),
          printable(backend.type),
          printable(backend.state),
          role_text(backend),
          std::to_string(backend.agent_keys),
          std::to_string(backend.load.queued),
          printable(device_text(backend))};
}

void show_table(Output& output, const std::vector<Row>& rows) {
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      line.append(row[i]).append(widths[i] + 2 - row[i].size(), ' ');
    }
    output.line(line + row.back());
  }
}

void show(Output& output, const api::BackendList& list) {
  if (output.json()) return output.document(wire::write(list));
  std::vector<Row> rows{{"NAME", "TYPE", "STATE", "ROLE", "KEYS", "QUEUED", "DEVICE"}};
  for (const api::Backend& backend : list.backends) rows.push_back(row_of(backend));
  show_table(output, rows);
}

void show_state(Output& output, const api::Backend& backend) {
  output.field("state", backend.native.empty() ? backend.state : backend.state + " (" + backend.native + ")");
  if (!backend.advice.empty()) output.field("what to do", backend.advice);
}

void show(Output& output, const api::Backend& backend) {
  if (output.json()) return output.document(wire::write(backend));
  output.line(output.paint(Colour::kBold, printable(backend.name)));
  output.field("type", backend.type);
  output.field("device", device_text(backend));
  std::string algorithms;
  for (const std::string& name : backend.algorithms) {
    algorithms.append(algorithms.empty() ? "" : ", ").append(name);
  }
  output.field("algorithms", algorithms);
  show_state(output, backend);
  output.field("role", role_text(backend));
  output.field("agents' keys", std::to_string(backend.agent_keys));
  output.field("load", load_text(backend.load));
  for (const api::Fact& fact : backend.facts) {
    output.line("  " + printable(fact.name) + ": " + printable(fact.value));
    if (!fact.advice.empty()) output.line("    -> " + printable(fact.advice));
  }
}

// A backend that does not serve is an answer, and no success.
ExitCode exit_code(bool all_serve) { return all_serve ? ExitCode::kSuccess : ExitCode::kUndecided; }

Checked<ExitCode> list(Context& context) {
  const auto client = connect(context);
  if (!client) return client.error();
  const auto backends = client->backends();
  if (!backends) return failure(backends.error());
  show(context.output, *backends);
  return exit_code(std::ranges::all_of(backends->backends,
                                       [](const api::Backend& backend) { return backend.state == "ok"; }));
}

Checked<ExitCode> show_one(Context& context, const std::string& name) {
  const auto client = connect(context);
  if (!client) return client.error();
  const auto backend = client->backend(name);
  if (!backend) return failure(backend.error());
  show(context.output, *backend);
  return exit_code(backend->state == "ok");
}

}  // namespace

void add_backend(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("backend", "List, show and adopt key backends (operator)");
  group->require_subcommand(1);
  CLI::App* all = group->add_subcommand("list", "List the backends: type, state, role, keys, device");
  all->footer("Exit status: 0 when all of them answer, 2 when one does not.");
  all->callback([&chosen] { chosen = list; });
  const auto name = std::make_shared<std::string>();
  CLI::App* one = group->add_subcommand("show", "Show one backend with the facts of its device");
  one->add_option("NAME", *name, "as in its [[backend]] section")->required();
  one->footer("Exit status: 0 when it answers, 2 when it does not.");
  one->callback([name, &chosen] { chosen = [name](Context& context) { return show_one(context, *name); }; });
  add_backend_adoption(*group, chosen);
}

}  // namespace chancery::cli
