// `chancery vault issuers` and `chancery vault consent`: who makes credentials for one call, and who must allow it.

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include <chancery/vault_client.hpp>

#include "sdk/base/cleanse.hpp"
#include "sdk/base/name.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/redirect_listener.hpp"
#include "sdk/cli/time_syntax.hpp"
#include "sdk/cli/vault_commands.hpp"
#include "sdk/wire/vault_messages.hpp"

namespace chancery::cli {
namespace {

constexpr std::size_t kLongestRedirect = 16 * 1024;

void show(Output& output, const api::CredentialIssuer& issuer) {
  if (output.json()) return output.document(wire::write(issuer));
  const Colour colour = issuer.state == "ready" ? Colour::kGreen : Colour::kRed;
  std::string line = printable(issuer.name) + "  " + printable(issuer.type) + "  " +
                     output.paint(colour, printable(issuer.state));
  if (issuer.since) line += "  since " + utc_text(static_cast<double>(*issuer.since));
  output.line(line);
  if (issuer.state == "ready") return;
  output.field("why", issuer.why + " (" + issuer.error + ")");
  if (issuer.state == "needs_consent") output.field("do", "chancery vault consent " + issuer.name);
}

Checked<ExitCode> list(Context& context) {
  const auto client = connect(context);
  if (!client) return client.error();
  const auto all = VaultClient(*client).issuers();
  if (!all) return failure(all.error());
  const bool is_well =
      std::ranges::all_of(all->issuers, [](const auto& issuer) { return issuer.state == "ready"; });
  if (context.output.json()) {
    context.output.document(wire::write(*all));
  } else {
    if (all->issuers.empty())
      context.output.line("No issuer is configured: see [[vault.issuer]] in chancery.toml(5).");
    for (const api::CredentialIssuer& issuer : all->issuers) show(context.output, issuer);
  }
  return is_well ? ExitCode::kSuccess : ExitCode::kDenied;
}

// The whole address, or its query alone.
Checked<SecretBytes> pasted_query() {
  std::string text;
  char c = 0;
  while (text.size() <= kLongestRedirect && std::cin.get(c) && c != '\n') text += c;
  if (text.ends_with('\r')) text.pop_back();
  const std::size_t mark = text.find('?');
  std::string_view query(text);
  if (mark != std::string::npos) query.remove_prefix(mark + 1);
  query = query.substr(0, query.find('#'));
  SecretBytes out{as_bytes(query)};
  cleanse(text);
  if (out.empty() || out.size() > kLongestRedirect)
    return misuse("paste the whole address that the browser was sent to, in one line");
  return out;
}

void ask_for_consent(Output& output, const api::BegunConsent& begun, bool is_pasted) {
  output.note("open this address in the browser of whoever is to consent, by " +
              utc_text(static_cast<double>(begun.expires_at)) + ":");
  output.line(printable(begun.authorization_url));
  static_cast<void>(output.flush());
  if (is_pasted)
    output.note("then paste the address that the browser is sent to (it need not load) and press Enter:");
}

Checked<ExitCode> finish(Context& context, const Client& client, const std::string& name, SecretBytes query) {
  const auto issuer = VaultClient(client).finish_consent(name, {std::move(query)});
  if (!issuer) return failure(issuer.error());
  show(context.output, *issuer);
  return ExitCode::kSuccess;
}

Checked<ExitCode> consent(Context& context, const std::string& name, bool is_pasted) {
  if (!is_name(name)) return misuse("NAME is the issuer's name, as `chancery vault issuers` shows it");
  const auto client = connect(context);
  if (!client) return client.error();
  if (is_pasted) {
    const auto begun = VaultClient(*client).begin_consent(name);
    if (!begun) return failure(begun.error());
    ask_for_consent(context.output, *begun, true);
    CHANCERY_ASSIGN(SecretBytes query, pasted_query());
    return finish(context, *client, name, std::move(query));
  }
  CHANCERY_ASSIGN(RedirectListener listener, RedirectListener::open());
  const auto begun = VaultClient(*client).begin_consent(name, {listener.port()});
  if (!begun) return failure(begun.error());
  ask_for_consent(context.output, *begun, false);
  const std::int64_t left = begun->expires_at - context.now.time_since_epoch().count();
  CHANCERY_ASSIGN(SecretBytes query, listener.wait(std::chrono::seconds(left)));
  return finish(context, *client, name, std::move(query));
}

}  // namespace

void add_vault_issuers(CLI::App& group, Command& chosen) {
  CLI::App* all = group.add_subcommand("issuers", "Show who makes credentials for one call, and how each is");
  all->footer("Exit status: 1 when one is failing or needs consent.");
  all->callback([&chosen] { chosen = list; });

  const auto name = std::make_shared<std::string>();
  const auto is_pasted = std::make_shared<bool>(false);
  CLI::App* one = group.add_subcommand("consent", "Have a person allow an issuer of type oauth_grant");
  one->add_option("NAME", *name, "the issuer")->required();
  one->add_flag(
      "--paste", *is_pasted,
      "read the address that the browser is sent to from standard input, in place of listening on loopback");
  one->footer(
      "Prints the address to open, and opens nothing. The browser comes back to a port of 127.0.0.1 of this machine: with a\n"
      "browser elsewhere, or a redirect address that is not on loopback, use --paste.\n\n"
      "Example:\n  chancery vault consent calendar");
  one->callback([name, is_pasted, &chosen] {
    chosen = [name, is_pasted](Context& context) { return consent(context, *name, *is_pasted); };
  });
}

}  // namespace chancery::cli
