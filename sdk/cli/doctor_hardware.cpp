#include "sdk/cli/failure.hpp"
#include "sdk/cli/finding.hpp"

namespace chancery::cli {
namespace {

Level level_of(std::string_view severity) {
  if (severity == "ok") return Level::kFine;
  return severity == "warn" ? Level::kRemark : Level::kProblem;
}

void add_facts(std::vector<Finding>& findings, const std::string& subject,
               const std::vector<api::Fact>& facts) {
  for (const api::Fact& fact : facts) {
    findings.push_back({level_of(fact.severity), subject + ", " + fact.name, fact.value, fact.advice});
  }
}

void add_backend(std::vector<Finding>& findings, const api::Backend& backend) {
  const std::string subject = "backend " + backend.name;
  if (backend.state == "ok") {
    findings.push_back(
        {Level::kFine,
         subject,
         backend.type + ", answers, has " + std::to_string(backend.agent_keys) + " agents' keys",
         {}});
  } else {
    const std::string native = backend.native.empty() ? "" : " (" + backend.native + ")";
    findings.push_back({Level::kProblem, subject, backend.state + native, backend.advice});
  }
  add_facts(findings, subject, backend.facts);
}

void add_failure(std::vector<Finding>& findings, const std::string& subject, const ClientError& error) {
  const Failure why = failure(error);
  findings.push_back({Level::kProblem, subject, why.code, why.message});
}

}  // namespace

void check_hardware(std::vector<Finding>& findings, const Client& client) {
  const auto list = client.backends();
  if (!list && list.error().refused() && list.error().status < 500) {
    findings.push_back({Level::kRemark, "devices",
                        "only the operator is told of them, on the daemon's socket",
                        "run `chancery doctor` there as the daemon's user, root, or in the operator group"});
    return;
  }
  if (!list) return add_failure(findings, "devices", list.error());
  for (const api::Backend& listed : list->backends) {
    const auto backend = client.backend(listed.name);
    if (backend) {
      add_backend(findings, *backend);
    } else {
      add_failure(findings, "backend " + listed.name, backend.error());
    }
  }
  const auto process = client.process();
  if (!process) return add_failure(findings, "daemon's process", process.error());
  add_facts(findings, "daemon's process", process->facts);
}

}  // namespace chancery::cli
