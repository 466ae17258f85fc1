#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <chancery/attestation_relay.hpp>

#include "attest/verify/endorsement.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/cli/attestation_parties.hpp"
#include "sdk/cli/attestation_text.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/attestation_messages.hpp"

namespace chancery::cli {
namespace {

using json::Node;

struct EnrolArguments {
  std::string url;
  std::string name;
  std::string backend;
};

// The backend that was named, or else the one where agents' keys are made.
Checked<api::Backend> backend_of(const Client& daemon, const std::string& given) {
  if (!given.empty()) {
    auto backend = daemon.backend(given);
    if (!backend) return failure(backend.error());
    return *std::move(backend);
  }
  auto all = daemon.backends();
  if (!all) return failure(all.error());
  for (api::Backend& backend : all->backends) {
    if (backend.is_default) return std::move(backend);
  }
  return misuse("the daemon has no default backend: give --backend");
}

/// What is known of an enrolment once it is done.
struct Enrolment {
  api::AttestedHost host;  ///< by the name that was asked for, with the machine's EK
  std::string ek;          ///< fingerprint, as this machine's TPM shows it
  std::string verifier;
  bool is_emulated = false;
};

enum class HostState { kWaiting, kEnrolled, kQuarantined };

Checked<HostState> state_of(const api::AttestedHost& host) {
  if (host.state == "waiting") return HostState::kWaiting;
  if (host.state == "enrolled") return HostState::kEnrolled;
  if (host.state == "quarantined") return HostState::kQuarantined;
  return failure({ErrorCode::kBadResponse, "the verifier says a state of the host that is none"}, host.state);
}

// What the operator of the verifier compares must come from the machine: the verifier's own word would be compared with
// itself.
Checked<std::vector<std::string>> eks_of_machine(const Client& daemon, const std::string& backend) {
  const auto identity = AttestationClient(daemon).identity(backend);
  if (!identity) return failure(identity.error());
  auto eks = attest::ek_fingerprints(identity->ek_public, identity->ek_certificate);
  if (!eks) return failure({ErrorCode::kEvidenceRefused, eks.error().what}, "the EK of this machine");
  return *std::move(eks);
}

// What follows names the host in a command to be run: a verifier must not choose what that says.
Checked<void> check_answer(const api::AttestedHost& host, const std::string& name,
                           const std::vector<std::string>& eks) {
  if (host.name != name)
    return failure({ErrorCode::kBadResponse, "the verifier answered about another host"}, host.name);
  if (std::ranges::find(eks, host.ek) == eks.end()) {
    return failure(
        {ErrorCode::kBadResponse,
         "the verifier has another EK for this host than the machine's TPM shows: have nothing approved "
         "before you know why"},
        host.ek);
  }
  return {};
}

// What a host is worth that waits is its verifier's operator's to say; a simulator is worth what one is.
std::string approval_of(const Enrolment& enrolment) {
  const Custody worth = enrolment.is_emulated ? Custody::kTpmCertifiedEmulated : Custody::kTpmCertified;
  return "chancery attest host approve " + enrolment.host.name + " --custody " +
         std::string(custody_name(worth));
}

// The host as the verifier says it, with the machine's own word, and the command that it waits for.
std::string to_json(const Enrolment& enrolment, HostState state) {
  Node node = Node::object({{"host", Node::canonical(wire::write(enrolment.host))}});
  node.set("machine_ek", enrolment.ek);
  if (state == HostState::kWaiting) node.set("approve_with", approval_of(enrolment));
  return json::to_jcs(node);
}

std::string heading(const Output& output, HostState state) {
  switch (state) {
    case HostState::kWaiting:
      return output.paint(Colour::kYellow, "WAITING");
    case HostState::kEnrolled:
      return output.paint(Colour::kGreen, "ENROLLED");
    case HostState::kQuarantined:
      return output.paint(Colour::kRed, "QUARANTINED");
  }
  std::abort();
}

void show_next_step(Output& output, const Enrolment& enrolment, HostState state) {
  switch (state) {
    case HostState::kWaiting:
      output.line(
          "Nothing speaks for its EK. The machine's EK above is its TPM's own: the verifier's operator compares");
      output.line(
          "it with the EK that `chancery attest host show` gives there, and then says what it is worth:");
      output.line("  " + printable(approval_of(enrolment)));
      return;
    case HostState::kEnrolled:
      return;
    case HostState::kQuarantined:
      output.line("What it proved does not count. The verifier's operator finds out why and removes it:");
      output.line("  " + printable("chancery attest host remove " + enrolment.host.name));
      return;
  }
}

ExitCode exit_of(HostState state) {
  switch (state) {
    case HostState::kWaiting:
      return ExitCode::kUndecided;
    case HostState::kEnrolled:
      return ExitCode::kSuccess;
    case HostState::kQuarantined:
      return ExitCode::kDenied;
  }
  std::abort();
}

Checked<ExitCode> report(Output& output, const Enrolment& enrolment) {
  CHANCERY_ASSIGN(const HostState state, state_of(enrolment.host));
  if (output.json()) {
    output.document(to_json(enrolment, state));
    return exit_of(state);
  }
  output.line(heading(output, state));
  output.field("verifier", enrolment.verifier);
  output.field("machine's EK", enrolment.ek);
  show_host(output, enrolment.host);
  show_next_step(output, enrolment, state);
  return exit_of(state);
}

// A key of the backend's, whichever: of the issuer, else of an agent.
Checked<std::string> key_in(const Client& daemon, const std::string& backend) {
  const auto issuer = daemon.issuer_keys();
  if (!issuer) return failure(issuer.error());
  for (const api::Key& key : issuer->keys) {
    if (key.backend == backend && key.state == "active") return key.jkt;
  }
  const auto agents = daemon.agents();
  if (!agents) return failure(agents.error());
  for (const api::Agent& agent : agents->agents) {
    if (agent.backend == backend && agent.state == "active") return agent.jkt;
  }
  return failure({ErrorCode::kNotFound, "holds no key yet: the daemon enrols its device with the first"},
                 backend);
}

// A daemon enrols its own devices by itself, with the first key about which it is asked. Why there is no result then, a
// state that keeps the host from any says itself.
Checked<api::AttestedHost> enrol_own(const Client& daemon, const std::string& backend) {
  CHANCERY_ASSIGN(const std::string jkt, key_in(daemon, backend));
  const auto results = AttestationClient(daemon).results(jkt);
  auto host = AttestationClient(daemon).host(own_host_name(backend));
  if (!host) return failure(results ? host.error() : results.error());
  CHANCERY_ASSIGN(const HostState state, state_of(*host));
  if (!results && state == HostState::kEnrolled) return failure(results.error());
  return *std::move(host);
}

Checked<api::AttestedHost> enrol_with(const Client& verifier, const Client& daemon, const std::string& name,
                                      const std::string& backend) {
  auto host = enroll_host(AttestationClient(daemon), AttestationClient(verifier), name, backend);
  if (!host) return failure(host.error());
  return *std::move(host);
}

Checked<ExitCode> enrol(Context& context, const EnrolArguments& arguments) {
  const bool is_own = verifies_itself(context, arguments.url);
  if (is_own && !arguments.name.empty())
    return misuse("a daemon calls its own devices local.BACKEND: --name is for another verifier");
  CHANCERY_ASSIGN(const Client daemon, connect_host(context));
  CHANCERY_ASSIGN(const Client verifier, connect_verifier(context, arguments.url));
  CHANCERY_ASSIGN(const api::Backend backend, backend_of(daemon, arguments.backend));
  CHANCERY_ASSIGN(const std::string name,
                  is_own ? Checked<std::string>(own_host_name(backend.name)) : host_name(arguments.name));
  CHANCERY_ASSIGN(const std::vector<std::string> eks, eks_of_machine(daemon, backend.name));
  CHANCERY_ASSIGN(api::AttestedHost host, is_own ? enrol_own(daemon, backend.name)
                                                 : enrol_with(verifier, daemon, name, backend.name));
  CHANCERY_TRY(check_answer(host, name, eks));
  std::string ek = host.ek;
  return report(context.output, {std::move(host), std::move(ek), verifier.endpoint(), backend.emulated});
}

}  // namespace

void add_host(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("host", "This machine, as one whose keys others may want to judge");
  group->require_subcommand(1);
  const auto arguments = std::make_shared<EnrolArguments>();
  CLI::App* command =
      group->add_subcommand("enroll", "Prove to a verifier which TPM this machine has (operator)");
  command->add_option(
      "URL", arguments->url,
      "the verifier: the address of a stored context; default: the daemon of this machine itself");
  command->add_option("--name", arguments->name, "of this host at its verifier; default: the machine's own");
  command->add_option("--backend", arguments->backend, "whose device; default: the daemon's first");
  command->footer(
      "The verifier makes a credential that this TPM alone can open, for its attestation key alone. The daemon\n"
      "of this machine is called on its socket, the verifier as its context says; they need not reach each other.\n"
      "The EK that it shows is the machine's own; a verifier that names another is refused.\n"
      "Exit status: 0 enrolled; 1 the host is quarantined; 2 it waits for the verifier's operator.\n\n"
      "Example:\n  chancery host enroll https://verifier.example.org:8443 --name build-7");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return enrol(context, *arguments); };
  });
}

}  // namespace chancery::cli
