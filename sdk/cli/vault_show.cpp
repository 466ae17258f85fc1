// `chancery vault list`, `show` and `age`: what there is, without any value.

#include <algorithm>
#include <memory>
#include <utility>

#include <chancery/vault_client.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/time_syntax.hpp"
#include "sdk/cli/vault_commands.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/vault_messages.hpp"

namespace chancery::cli {
namespace {

using json::Node;

constexpr std::size_t kPage = 1000;

Checked<std::vector<api::Credential>> all_credentials(const Context& context) {
  const auto client = connect(context);
  if (!client) return client.error();
  std::vector<api::Credential> out;
  std::string after;
  do {
    auto page = VaultClient(*client).credentials(after, kPage);
    if (!page) return failure(page.error());
    out.insert(out.end(), std::make_move_iterator(page->credentials.begin()),
               std::make_move_iterator(page->credentials.end()));
    after = page->next;
  } while (!after.empty());
  return out;
}

std::string value_text(const api::Credential& credential) {
  const api::CredentialVersion* const active = active_version(credential);
  if (active == nullptr) return "no value";
  if (!credential.issuer.empty()) return "by " + printable(credential.issuer);
  return "version " + std::to_string(active->number);
}

Checked<ExitCode> list(Context& context) {
  CHANCERY_ASSIGN(std::vector<api::Credential> credentials, all_credentials(context));
  if (context.output.json()) {
    context.output.document(wire::write(api::CredentialPage{std::move(credentials), {}}));
    return ExitCode::kSuccess;
  }
  if (credentials.empty()) context.output.line("The vault is empty.");
  for (const api::Credential& credential : credentials) {
    context.output.line(printable(credential.name) + "  " + printable(credential.type) + "  " +
                        printable(credential.scope) + "  for " + printable(joined(credential.tools)) + "  " +
                        value_text(credential));
  }
  return ExitCode::kSuccess;
}

Checked<ExitCode> show(Context& context, const std::string& name) {
  CHANCERY_TRY(require_credential_name(name));
  const auto client = connect(context);
  if (!client) return client.error();
  const auto credential = VaultClient(*client).credential(name);
  if (!credential) return failure(credential.error());
  show_credential(context.output, *credential);
  return ExitCode::kSuccess;
}

// --- age

struct Age {
  std::string name;
  std::int64_t version = 0;  ///< that is active; 0: none
  std::int64_t seconds = 0;
  std::optional<std::int64_t> expires_at;
  std::string verdict;  ///< "ok", "old", "expired", "no value", "issued"
};

Age age_of(const api::Credential& credential, std::int64_t now, std::int64_t limit) {
  const api::CredentialVersion* const active = active_version(credential);
  if (active == nullptr) return {credential.name, 0, 0, std::nullopt, "no value"};
  if (!credential.issuer.empty()) return {credential.name, 0, 0, std::nullopt, "issued"};
  Age age{credential.name, active->number, std::max<std::int64_t>(now - active->created_at, 0),
          active->expires_at, "ok"};
  if (age.seconds > limit) age.verdict = "old";
  if (active->expires_at && *active->expires_at <= now) age.verdict = "expired";
  return age;
}

bool is_bad(const Age& age) { return age.verdict == "old" || age.verdict == "expired"; }

Node age_node(const Age& age) {
  Node node = Node::object({{"name", age.name}, {"verdict", age.verdict}});
  if (age.version == 0) return node;
  node.set("version", age.version);
  node.set("age_s", age.seconds);
  if (age.expires_at) node.set("expires_at", *age.expires_at);
  return node;
}

void show(Output& output, const Age& age) {
  std::string line = printable(age.name) + "  ";
  if (age.version > 0) {
    line += "version " + std::to_string(age.version) + ", " + std::to_string(age.seconds / 86'400) + " days";
    if (age.expires_at) line += ", expires " + utc_text(static_cast<double>(*age.expires_at));
    line += "  ";
  }
  const bool has_none = age.verdict == "no value";
  const Colour colour = is_bad(age) ? Colour::kRed : has_none ? Colour::kYellow : Colour::kGreen;
  output.line(line + output.paint(colour, age.verdict));
}

Checked<ExitCode> report_ages(Context& context, const std::string& older_than) {
  const auto limit = parse_duration(older_than);
  if (!limit) return failure(limit.error(), "--older-than");
  CHANCERY_ASSIGN(const std::vector<api::Credential> credentials, all_credentials(context));
  std::vector<Age> ages;
  for (const api::Credential& credential : credentials)
    ages.push_back(age_of(credential, context.now.time_since_epoch().count(), limit->count()));
  std::ranges::stable_sort(ages, std::ranges::greater(), &Age::seconds);
  if (context.output.json()) {
    Node list = Node::array();
    for (const Age& age : ages) list.push_back(age_node(age));
    context.output.document(json::to_jcs(Node::object({{"credentials", std::move(list)}})));
  } else {
    for (const Age& age : ages) show(context.output, age);
    if (ages.empty()) context.output.line("The vault is empty.");
  }
  return std::ranges::any_of(ages, is_bad) ? ExitCode::kDenied : ExitCode::kSuccess;
}

}  // namespace

void add_vault_show(CLI::App& group, Command& chosen) {
  CLI::App* all = group.add_subcommand("list", "List the credentials; their values are never shown");
  all->callback([&chosen] { chosen = list; });

  const auto name = std::make_shared<std::string>();
  CLI::App* one =
      group.add_subcommand("show", "Show a credential and its versions; its values are never shown");
  one->add_option("NAME", *name, "the credential")->required();
  one->callback([name, &chosen] { chosen = [name](Context& context) { return show(context, *name); }; });

  const auto older_than = std::make_shared<std::string>("90d");
  CLI::App* age =
      group.add_subcommand("age", "Tell how old the values are that are released now, oldest first");
  age->add_option("--older-than", *older_than, "what is too old; default 90d");
  age->footer(
      "Exit status: 1 when a value is older than that, or has expired.\n\nExample:\n  chancery vault age --older-than 30d");
  age->callback([older_than, &chosen] {
    chosen = [older_than](Context& context) { return report_ages(context, *older_than); };
  });
}

}  // namespace chancery::cli
