// The hosts of a verifier, for its operator.

#include <functional>
#include <iterator>
#include <memory>
#include <utility>

#include <chancery/attestation_client.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/attest_commands.hpp"
#include "sdk/cli/attestation_text.hpp"
#include "sdk/wire/attestation_messages.hpp"

namespace chancery::cli {
namespace {

using AskAboutHost =
    std::function<ClientResult<api::AttestedHost>(const AttestationClient&, const std::string& name)>;

Checked<api::AttestedHostList> all_hosts(const AttestationClient& verifier) {
  constexpr std::size_t kMostAPage = 1000;
  api::AttestedHostList all;
  do {
    auto page = verifier.hosts(all.next, kMostAPage);
    if (!page) return failure(page.error());
    const bool is_stuck = page->hosts.empty() || page->next == all.next;
    all.next = is_stuck ? std::string() : page->next;
    std::move(page->hosts.begin(), page->hosts.end(), std::back_inserter(all.hosts));
  } while (!all.next.empty());
  return all;
}

Checked<ExitCode> list(Context& context) {
  const auto client = connect(context);
  if (!client) return client.error();
  CHANCERY_ASSIGN(const api::AttestedHostList all, all_hosts(AttestationClient(*client)));
  if (context.output.json()) {
    context.output.document(wire::write(all));
    return ExitCode::kSuccess;
  }
  for (const api::AttestedHost& host : all.hosts) {
    context.output.line(printable(host.name) + "\t" + printable(host.state) + "\t" +
                        (host.custody.empty() ? "-" : printable(host.custody)) + "\t" +
                        printable(host.endorsement) + "\t" + printable(host.ek) + "\t" +
                        printable(host.reason));
  }
  return ExitCode::kSuccess;
}

Checked<ExitCode> ask(Context& context, const std::string& name, const AskAboutHost& call) {
  const auto client = connect(context);
  if (!client) return client.error();
  const auto host = call(AttestationClient(*client), name);
  if (!host) return failure(host.error());
  if (context.output.json()) {
    context.output.document(wire::write(*host));
  } else {
    show_host(context.output, *host);
  }
  return ExitCode::kSuccess;
}

/// A command about the host that it names.
CLI::App& add_about_host(CLI::App& command, Command& chosen, AskAboutHost call) {
  const auto name = std::make_shared<std::string>();
  command.add_option("NAME", *name, "the host's name")->required();
  command.callback([name, call = std::move(call), &chosen] {
    chosen = [name, call](Context& context) { return ask(context, *name, call); };
  });
  return command;
}

void add_approve(CLI::App& group, Command& chosen) {
  const auto custody = std::make_shared<std::string>();
  CLI::App* command = group.add_subcommand("approve", "Say what a host is worth for whose EK nothing speaks");
  command
      ->add_option("--custody", *custody,
                   "of the keys that it certifies: tpm-certified, or tpm-certified-emulated for a simulator")
      ->required()
      ->check(CLI::IsMember({"tpm-certified", "tpm-certified-emulated"}));
  add_about_host(*command, chosen,
                 [custody](const AttestationClient& verifier, const std::string& name) {
                   return verifier.approve(name, {*parse_custody(*custody)});
                 })
      .footer(
          "Compare the EK that `chancery attest host show` gives here with the machine's EK that `chancery host enroll`\n"
          "shows there, from the machine's own TPM, before you say that it is a TPM: a simulator can have one, too.\n\n"
          "Example:\n  chancery attest host approve build-7 --custody tpm-certified");
}

}  // namespace

void add_attest_hosts(CLI::App& attest, Command& chosen) {
  CLI::App* group = attest.add_subcommand("host", "The hosts that are enrolled here (operator)");
  group->require_subcommand(1);
  group->add_subcommand("list", "List them: name, state, custody, endorsement, EK, why it is quarantined")
      ->callback([&chosen] { chosen = list; });
  add_about_host(
      *group->add_subcommand("show", "Show one host"), chosen,
      [](const AttestationClient& verifier, const std::string& name) { return verifier.host(name); });
  add_approve(*group, chosen);
  add_about_host(
      *group->add_subcommand("remove", "Forget a host: what it proved does not count any more"), chosen,
      [](const AttestationClient& verifier, const std::string& name) { return verifier.remove(name); })
      .footer(
          "It may enrol again after that: when its TPM was cleared or replaced, or after a quarantine that was\n"
          "looked into.");
}

}  // namespace chancery::cli
