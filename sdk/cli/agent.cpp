#include <cstdio>
#include <memory>
#include <utility>

#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/freeze_commands.hpp"
#include "sdk/cli/key_commands.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::cli {
namespace {

struct ListArguments {
  std::size_t limit = 0;  ///< 0: all
};

std::string selectors_text(const api::Selectors& selectors) {
  std::string out;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out.append(out.empty() ? "" : ", ").append(name).append(" ").append(value);
  };
  add("uid", selectors.uid ? std::to_string(*selectors.uid) : "");
  add("gid", selectors.gid ? std::to_string(*selectors.gid) : "");
  add("unit", selectors.unit);
  add("executable", selectors.executable);
  add("sha256", selectors.executable_sha256);
  return out;
}

// As `chancery freeze show` and an unfreezing name banks and bits.
std::string place_text(const api::KeySwitch& key) {
  if (!key.bank) return "none: the daemon alone refuses for this key";
  std::string out = "bank " + std::to_string(*key.bank) + ", bit " + std::to_string(*key.bit);
  if (*key.bank == 0 && *key.bit == 0) out += ", that of all agents: it has no slot of its own";
  return out;
}

void show_switch(Output& output, const api::Agent& agent) {
  for (const api::KeySwitch& key : agent.kill_switch) {
    const bool is_obvious = agent.kill_switch.size() == 1 && key.jkt == agent.jkt;
    output.field("kill switch", (is_obvious ? "" : key.jkt + " (" + key.state + "): ") + place_text(key));
  }
}

void show_fields(Output& output, const api::Agent& agent) {
  output.line(output.paint(Colour::kBold, printable(agent.name)));
  output.field("id", agent.id);
  output.field("state", agent.reason.empty() ? agent.state : agent.state + ": " + agent.reason);
  output.field("key", agent.jkt);
  output.field("backend", agent.backend);
  output.field("recognised by", selectors_text(agent.selectors));
  output.field("created", utc_text(static_cast<double>(agent.created_at)));
  if (agent.retired_at) output.field("retired", utc_text(static_cast<double>(*agent.retired_at)));
  if (agent.frozen_since) {
    const std::string since = utc_text(static_cast<double>(*agent.frozen_since));
    output.field("frozen", since + (agent.frozen_reason.empty() ? "" : ": " + agent.frozen_reason));
  }
  if (!agent.freeze_enforcement.empty()) output.field("freezing", "by " + agent.freeze_enforcement);
  show_switch(output, agent);
}

void show(Output& output, const api::Agent& agent) {
  if (output.json()) return output.document(wire::write(agent));
  show_fields(output, agent);
}

void show(Output& output, const api::Retirement& retirement) {
  if (output.json()) return output.document(wire::write(retirement));
  show_fields(output, retirement.agent);
  show_ended(output, retirement.ended);
}

void show(Output& output, const api::AgentPage& page) {
  if (output.json()) return output.document(wire::write(page));
  for (const api::Agent& agent : page.agents) {
    output.line(printable(agent.name) + "\t" + printable(agent.state) + "\t" + printable(agent.backend) +
                "\t" + printable(agent.jkt));
  }
}

template <typename Answer>
Checked<ExitCode> show_result(Context& context, const ClientResult<Answer>& answer) {
  if (!answer) return failure(answer.error());
  show(context.output, *answer);
  return ExitCode::kSuccess;
}

Checked<ExitCode> create(Context& context, const api::CreateAgent& request) {
  const api::Selectors& selectors = request.selectors;
  if (!selectors.uid && !selectors.gid && selectors.unit.empty()) {
    return misuse("give --uid, --gid or --unit: by them the daemon knows the agent's process");
  }
  const auto client = connect(context);
  if (!client) return client.error();
  const auto agent = client->create_agent(request);
  if (agent && (!selectors.executable.empty() || !selectors.executable_sha256.empty())) {
    context.output.note(
        "note: executable and hash only narrow: another process of the same user can get around them");
  }
  return show_result(context, agent);
}

Checked<ExitCode> list(Context& context, const ListArguments& arguments) {
  constexpr std::size_t kMostAPage = 1000;
  const auto client = connect(context);
  if (!client) return client.error();
  api::AgentPage all;
  do {
    const std::size_t wanted = arguments.limit == 0 ? kMostAPage : arguments.limit - all.agents.size();
    auto page = client->agents(all.next, std::min(wanted, kMostAPage));
    if (!page) return failure(page.error());
    const bool stuck = page->agents.empty() || page->next == all.next;
    all.next = stuck ? std::string() : page->next;
    std::move(page->agents.begin(), page->agents.end(), std::back_inserter(all.agents));
  } while (!all.next.empty() && (arguments.limit == 0 || all.agents.size() < arguments.limit));
  show(context.output, all);
  return ExitCode::kSuccess;
}

void add_selectors(CLI::App& command, api::Selectors& selectors) {
  command.add_option("--uid", selectors.uid, "the numeric user id that its process runs as");
  command.add_option("--gid", selectors.gid, "its numeric group id");
  command.add_option("--unit", selectors.unit, "its systemd unit, such as support-agent.service");
  command.add_option("--executable", selectors.executable,
                     "narrow further: the absolute path of its program");
  command.add_option("--executable-sha256", selectors.executable_sha256,
                     "narrow further: its program's SHA-256, in hex");
}

void add_create(CLI::App& group, Command& chosen) {
  const auto request = std::make_shared<api::CreateAgent>();
  CLI::App* command = group.add_subcommand("create", "Register an agent and make its key in hardware");
  command->add_option("NAME", request->name, "[a-z0-9][a-z0-9._-]{0,62}")->required();
  command->add_option("--backend", request->backend,
                      "where its key is made; default: the daemon's first backend");
  command->add_option("--algorithm", request->algorithm,
                      "ES256 (default), or Ed25519 where its backend offers it");
  add_selectors(*command, request->selectors);
  command->footer(
      "One of --uid, --gid and --unit is needed; all that are given must match. --executable and\n"
      "--executable-sha256 only narrow: they do not protect against the same user.\n\n"
      "Example:\n  chancery agent create support --uid 1001");
  command->callback(
      [request, &chosen] { chosen = [request](Context& context) { return create(context, *request); }; });
}

void add_list(CLI::App& group, Command& chosen) {
  const auto arguments = std::make_shared<ListArguments>();
  CLI::App* command = group.add_subcommand("list", "List the agents: name, state, backend, key");
  command->add_option("--limit", arguments->limit, "at most so many; default: all");
  command->callback(
      [arguments, &chosen] { chosen = [arguments](Context& context) { return list(context, *arguments); }; });
}

template <typename Answer>
void add_named(CLI::App& group, Command& chosen, const char* verb, const char* help,
               ClientResult<Answer> (Client::*call)(std::string_view) const) {
  const auto name = std::make_shared<std::string>();
  CLI::App* command = group.add_subcommand(verb, help);
  command->add_option("NAME", *name, "the agent's name")->required();
  command->callback([name, call, &chosen] {
    chosen = [name, call](Context& context) -> Checked<ExitCode> {
      const auto client = connect(context);
      if (!client) return client.error();
      return show_result(context, ((*client).*call)(*name));
    };
  });
}

}  // namespace

void add_agent(CLI::App& app, Command& chosen) {
  CLI::App* group =
      app.add_subcommand("agent", "Register, list, show, rotate, freeze and retire agents (operator)");
  group->require_subcommand(1);
  add_create(*group, chosen);
  add_list(*group, chosen);
  add_named(*group, chosen, "show", "Show one agent", &Client::agent);
  add_agent_rotation(*group, chosen);
  add_agent_freeze(*group, chosen);
  add_named(*group, chosen, "retire",
            "Retire an agent for good: its keys are destroyed; shows what that ends", &Client::retire_agent);
}

}  // namespace chancery::cli
