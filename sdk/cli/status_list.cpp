#include <memory>
#include <set>

#include <chancery/token.hpp>

#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

using json::Node;

// Addresses that the tokens name; what cannot be read is for verification to complain of.
std::set<std::string> lists_of(const std::vector<std::string>& chain) {
  std::set<std::string> out;
  for (const std::string& compact : chain) {
    const auto token = Token::parse(compact);
    if (token && token->claims().status) out.insert(token->claims().status->uri);
  }
  return out;
}

// Only the daemon that was named is asked, and only for lists of its own: addresses of tokens are not followed.
Checked<ExitCode> fetch(Context& context, const std::vector<std::string>& arguments) {
  CHANCERY_ASSIGN(const std::vector<std::string> chain, read_chain(arguments));
  const auto client = connect(context);
  if (!client) return client.error();
  const auto metadata = client->metadata();
  if (!metadata) return failure(metadata.error());
  const std::string& prefix = metadata->status_list_prefix;
  Node lists = Node::array();
  for (const std::string& uri : lists_of(chain)) {
    if (prefix.empty() || !uri.starts_with(prefix)) {
      context.output.note("not this daemon's, left out: " + uri);
      continue;
    }
    const auto list = client->status_list(std::string_view(uri).substr(prefix.size()));
    if (!list) return failure(list.error());
    lists.push_back(Node::object(
        {{"uri", uri}, {"token", *list}, {"fetched_at", context.now.time_since_epoch().count()}}));
  }
  context.output.document(json::to_jcs(lists));
  return ExitCode::kSuccess;
}

}  // namespace

void add_status_list(CLI::App& app, Command& chosen) {
  const auto chain = std::make_shared<std::vector<std::string>>();
  CLI::App* command =
      app.add_subcommand("status-list", "Fetch from the daemon the status lists that a chain refers to");
  add_chain_argument(*command, *chain);
  command->footer(
      "The answer is what `verify --status-list` takes; it may be used for a minute.\n\n"
      "Example:\n  chancery status-list chain.txt > lists.json && chancery verify chain.txt --status-list "
      "lists.json");
  command->callback(
      [chain, &chosen] { chosen = [chain](Context& context) { return fetch(context, *chain); }; });
}

}  // namespace chancery::cli
