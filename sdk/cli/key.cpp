#include <functional>
#include <memory>
#include <utility>

#include <chancery/attestation_client.hpp>
#include <chancery/audit_client.hpp>
#include <chancery/overview_client.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/key_commands.hpp"
#include "sdk/cli/time_syntax.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::cli {
namespace {

constexpr const char* kOwnListHelp = "List its keys: key, state, backend, algorithm, created, reason";

std::string time_text(std::int64_t time) { return utc_text(static_cast<double>(time)); }

void show_key(Output& output, const char* title, const api::Key& key) {
  output.line(output.paint(Colour::kBold, printable(title)));
  output.field("key", key.jkt);
  output.field("owner", key.owner);
  output.field("backend", key.backend);
  output.field("algorithm", key.algorithm);
  output.field("state", key.reason.empty() ? key.state : key.state + ": " + key.reason);
  output.field("created", time_text(key.created_at));
  if (key.overlap_until && key.state == "rotating")
    output.field("serves until", time_text(*key.overlap_until));
  if (key.ended_at) output.field("ended", time_text(*key.ended_at));
  if (key.destroyed_at) output.field("destroyed", time_text(*key.destroyed_at));
}

void show(Output& output, const api::Rotation& rotation) {
  if (output.json()) return output.document(wire::write(rotation));
  show_key(output, "new key", rotation.key);
  if (rotation.former) show_key(output, "former key", *rotation.former);
}

void show(Output& output, const api::KeyList& list) {
  if (output.json()) return output.document(wire::write(list));
  for (const api::Key& key : list.keys) {
    output.line(printable(key.jkt) + "\t" + printable(key.state) + "\t" + printable(key.backend) + "\t" +
                printable(key.algorithm) + "\t" + time_text(key.created_at) + "\t" + printable(key.reason));
  }
}

void show(Output& output, const api::Adoption& adoption) {
  if (output.json()) return output.document(wire::write(adoption));
  output.line(output.paint(Colour::kBold, printable(adoption.backend)));
  output.field("device", adoption.device);
}

void show(Output& output, const api::Revocation& revocation) {
  if (output.json()) return output.document(wire::write(revocation));
  show_key(output, "revoked", revocation.key);
  show_ended(output, revocation.ended);
}

template <typename Answer>
Checked<ExitCode> show_result(Context& context, const ClientResult<Answer>& answer) {
  if (!answer) return failure(answer.error());
  show(context.output, *answer);
  return ExitCode::kSuccess;
}

/// Connects, and shows what `call` gives: const Client& → ClientResult<Answer>.
template <typename Ask>
Checked<ExitCode> ask(Context& context, Ask call) {
  const auto client = connect(context);
  if (!client) return client.error();
  return show_result(context, call(*client));
}

/// The arguments of rotations; what is not given is not said.
struct RotationArguments {
  std::string name;
  std::string overlap;
  std::string backend;
  std::string algorithm;
};

Checked<api::RotateKey> rotation_of(const RotationArguments& arguments) {
  api::RotateKey request{std::nullopt, arguments.backend, arguments.algorithm};
  if (arguments.overlap.empty()) return request;
  if (arguments.overlap == "0" || arguments.overlap == "0s") {
    request.overlap = std::chrono::seconds(0);
    return request;
  }
  const auto overlap = parse_duration(arguments.overlap);
  if (!overlap) return failure(overlap.error(), "--overlap " + arguments.overlap);
  request.overlap = *overlap;
  return request;
}

void add_overlap(CLI::App& command, std::string& overlap) {
  command.add_option("--overlap", overlap,
                     "how long the former key serves what it holds, such as 10m; 0 ends it at once; default: "
                     "as the daemon is configured");
}

void add_place(CLI::App& command, std::string& backend, std::string& algorithm) {
  command.add_option("--backend", backend, "where the new key is made; default: where the former one is");
  command.add_option("--algorithm", algorithm, "ES256 or Ed25519; default: as the former key's");
}

void add_rotate(CLI::App& group, Command& chosen) {
  const auto arguments = std::make_shared<RotationArguments>();
  CLI::App* command =
      group.add_subcommand("rotate", "Follow an agent's key with a new one, without downtime");
  command->add_option("NAME", arguments->name, "the agent's name")->required();
  add_overlap(*command, arguments->overlap);
  add_place(*command, arguments->backend, arguments->algorithm);
  command->footer(
      "New tokens for the agent are bound to the new key at once. Chains that the former one holds go on\n"
      "working until they expire or the overlap ends; then the former key is destroyed in its device.\n\n"
      "Example:\n  chancery agent rotate support --overlap 10m");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) -> Checked<ExitCode> {
      CHANCERY_ASSIGN(const api::RotateKey request, rotation_of(*arguments));
      return ask(context,
                 [&](const Client& client) { return client.rotate_agent(arguments->name, request); });
    };
  });
}

void add_reenroll(CLI::App& group, Command& chosen) {
  const auto name = std::make_shared<std::string>();
  const auto request = std::make_shared<api::ReenrollAgent>();
  CLI::App* command =
      group.add_subcommand("reenroll", "Give an agent whose key is lost or revoked a new one");
  command->add_option("NAME", *name, "the agent's name")->required();
  add_place(*command, request->backend, request->algorithm);
  command->add_flag("--revoke", request->revoke,
                    "revoke what the agent lost too: chains through it are denied");
  command->footer("Example:\n  chancery agent reenroll support --revoke");
  command->callback([name, request, &chosen] {
    chosen = [name, request](Context& context) {
      return ask(context, [&](const Client& client) { return client.reenroll_agent(*name, *request); });
    };
  });
}

void add_key_list(CLI::App& group, Command& chosen) {
  const auto agent = std::make_shared<std::string>();
  CLI::App* command = group.add_subcommand(
      "list", "List the keys of an agent, or the issuer's: key, state, backend, algorithm, created, reason");
  command->add_option("AGENT", *agent, "the agent's name; default: the issuer");
  command->callback([agent, &chosen] {
    chosen = [agent](Context& context) {
      return ask(context, [&](const Client& client) {
        return agent->empty() ? client.issuer_keys() : client.agent_keys(*agent);
      });
    };
  });
}

void add_key_revoke(CLI::App& group, Command& chosen) {
  const auto jkt = std::make_shared<std::string>();
  const auto request = std::make_shared<api::RevokeKey>();
  CLI::App* command = group.add_subcommand("revoke", "End a key at once: chains through it are denied");
  command->add_option("KEY", *jkt, "its thumbprint, as `chancery key list` shows it")->required();
  command->add_option("--reason", request->reason, "why, for the audit log");
  command->footer(
      "The daemon denies every chain in which the key holds a token. An agent whose present key is revoked\n"
      "gets another one by `chancery agent reenroll`.\n\n"
      "Example:\n  chancery key revoke nQ1yX6C4m0i1Hq0hGZ7cC5vN0yKq3b5JQd0H1XoEWJk --reason \"lost laptop\"");
  command->callback([jkt, request, &chosen] {
    chosen = [jkt, request](Context& context) {
      return ask(context, [&](const Client& client) { return client.revoke_key(*jkt, *request); });
    };
  });
}

using Rotate = std::function<ClientResult<api::Rotation>(const Client&, const api::RotateKey&)>;

/// A command that follows a key of the daemon's own with a new one.
CLI::App& add_own_rotation(CLI::App& command, Command& chosen, Rotate rotate) {
  const auto arguments = std::make_shared<RotationArguments>();
  add_overlap(command, arguments->overlap);
  command.callback([arguments, rotate = std::move(rotate), &chosen] {
    chosen = [arguments, rotate](Context& context) -> Checked<ExitCode> {
      CHANCERY_ASSIGN(const api::RotateKey request, rotation_of(*arguments));
      return ask(context, [&](const Client& client) { return rotate(client, request); });
    };
  });
  return command;
}

/// A command that lists keys of the daemon's own.
void add_own_list(CLI::App& command, Command& chosen,
                  std::function<ClientResult<api::KeyList>(const Client&)> list) {
  command.callback([list = std::move(list), &chosen] {
    chosen = [list](Context& context) { return ask(context, list); };
  });
}

}  // namespace

void show_ended(Output& output, const api::Ended& ended) {
  output.field("tokens ended", std::to_string(ended.held));
  output.field("delegated from those", std::to_string(ended.descendants));
  std::string agents;
  for (const std::string& agent : ended.agents) agents += (agents.empty() ? "" : ", ") + agent;
  if (!agents.empty()) output.field("held by", agents);
  if (ended.until) output.field("would have lasted to", time_text(*ended.until));
}

void add_agent_rotation(CLI::App& agents, Command& chosen) {
  add_rotate(agents, chosen);
  add_reenroll(agents, chosen);
}

void add_backend_adoption(CLI::App& backends, Command& chosen) {
  const auto name = std::make_shared<std::string>();
  CLI::App* command =
      backends.add_subcommand("adopt", "Take the device that answers in place of a backend's former one");
  command->add_option("NAME", *name, "the backend's name")->required();
  command->footer(
      "After a TPM was cleared or replaced. The keys that the former device holds are lost for good; give\n"
      "their agents new ones by `chancery agent reenroll`, and the issuer by `chancery issuer rotate`.");
  command->callback([name, &chosen] {
    chosen = [name](Context& context) {
      return ask(context, [&](const Client& client) { return client.adopt_backend(*name); });
    };
  });
}

void add_attestation_keys(CLI::App& attest, Command& chosen) {
  CLI::App* list = attest.add_subcommand("keys", "List the keys that sign attestation results (operator)");
  add_own_list(*list, chosen, [](const Client& client) { return AttestationClient(client).keys(); });
  CLI::App* rotate = attest.add_subcommand("rotate-key", "Follow that key with a new one (operator)");
  add_own_rotation(*rotate, chosen,
                   [](const Client& client, const api::RotateKey& request) {
                     return AttestationClient(client).rotate_key(request);
                   })
      .footer(
          "Both keys are published until the overlap ends: choose it no shorter than results count. Relying\n"
          "parties that keep the keys in a file need the new one before that.\n\n"
          "Example:\n  chancery attest rotate-key --overlap 8h");
}

void add_key(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("key", "List and revoke keys (operator)");
  group->require_subcommand(1);
  add_key_list(*group, chosen);
  add_key_revoke(*group, chosen);
}

void add_issuer(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("issuer", "The key that signs grants (operator)");
  group->require_subcommand(1);
  CLI::App* rotate = group->add_subcommand("rotate", "Follow the issuer's key with a new one");
  add_own_rotation(*rotate, chosen, &Client::rotate_issuer)
      .footer(
          "Both keys are published until the overlap ends: choose it no shorter than the longest grant.\n\n"
          "Example:\n  chancery issuer rotate --overlap 8h");
}

void add_status_key(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("status-key", "The key that signs status lists (operator)");
  group->require_subcommand(1);
  CLI::App* list = group->add_subcommand("list", kOwnListHelp);
  add_own_list(*list, chosen, &Client::status_keys);
  CLI::App* rotate = group->add_subcommand("rotate", "Follow it with a new one");
  add_own_rotation(*rotate, chosen, &Client::rotate_status_key)
      .footer(
          "Both keys are published until the overlap ends; a list that the former one signed may be used for\n"
          "two minutes. Verifiers that keep the keys in a file need the new one before that.\n\n"
          "Example:\n  chancery status-key rotate");
}

void add_audit_key(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("audit-key", "The key that signs the audit log (operator)");
  group->require_subcommand(1);
  CLI::App* rotate = group->add_subcommand("rotate", "Follow it with a new one");
  add_own_rotation(*rotate, chosen,
                   [](const Client& client, const api::RotateKey& request) {
                     return AuditClient(client).rotate_key(request);
                   })
      .footer(
          "What the former key signed counts for good. Whoever verifies the log needs the new key too.\n\n"
          "Example:\n  chancery audit-key rotate");
}

void add_webhook_key(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("webhook-key",
                                       "The key that signs what the webhook of anomalies is told (operator)");
  group->require_subcommand(1);
  CLI::App* list = group->add_subcommand("list", kOwnListHelp);
  add_own_list(*list, chosen, [](const Client& client) { return OverviewClient(client).webhook_keys(); });
  CLI::App* rotate = group->add_subcommand("rotate", "Follow it with a new one");
  add_own_rotation(*rotate, chosen,
                   [](const Client& client, const api::RotateKey& request) {
                     return OverviewClient(client).rotate_webhook_key(request);
                   })
      .footer(
          "Both keys are published until the overlap ends. A receiver that keeps the keys in a file needs the\n"
          "new one at once: it signs from now on.\n\n"
          "Example:\n  chancery webhook-key rotate");
}

}  // namespace chancery::cli
