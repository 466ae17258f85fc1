#include <utility>

#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

using json::Node;

struct DaemonStatus {
  std::string endpoint;
  api::Readiness readiness;
  Metadata metadata;
  KeySet keys;  ///< empty while the daemon is not ready to say
};

Checked<DaemonStatus> ask(const Context& context) {
  const auto client = connect(context);
  if (!client) return client.error();
  DaemonStatus status;
  status.endpoint = client->endpoint();
  auto readiness = client->readiness();
  if (!readiness) return failure(readiness.error());
  status.readiness = *std::move(readiness);
  auto metadata = client->metadata();
  if (!metadata) return failure(metadata.error());
  status.metadata = *std::move(metadata);
  if (auto keys = client->jwks()) status.keys = *std::move(keys);
  return status;
}

std::string to_json(const DaemonStatus& status) {
  Node missing = Node::array();
  for (const std::string& what : status.readiness.missing) missing.push_back(what);
  Node keys = Node::array();
  for (const PublicKey& key : status.keys.keys) keys.push_back(key.thumbprint().text());
  return json::to_jcs(Node::object({{"endpoint", status.endpoint},
                                    {"ready", status.readiness.ready},
                                    {"missing", std::move(missing)},
                                    {"issuer", status.metadata.issuer},
                                    {"issuer_keys", std::move(keys)}}));
}

void show(Output& output, const DaemonStatus& status) {
  output.line(status.readiness.ready ? output.paint(Colour::kGreen, "READY")
                                     : output.paint(Colour::kRed, "NOT READY"));
  output.field("daemon", status.endpoint);
  output.field("issuer", status.metadata.issuer);
  for (const PublicKey& key : status.keys.keys) output.field("issuer key", key.thumbprint().text());
  for (const std::string& what : status.readiness.missing) output.field("missing", what);
}

}  // namespace

void add_status(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("status", "Ask the daemon whether it is ready, and who it is");
  command->callback([&chosen] {
    chosen = [](Context& context) -> Checked<ExitCode> {
      CHANCERY_ASSIGN(const DaemonStatus status, ask(context));
      if (context.output.json()) {
        context.output.document(to_json(status));
      } else {
        show(context.output, status);
      }
      return status.readiness.ready ? ExitCode::kSuccess : ExitCode::kUndecided;
    };
  });
}

}  // namespace chancery::cli
