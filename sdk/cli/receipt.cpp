// `chancery receipt`: whether a tool call was made as its receipt says.

#include "sdk/verify/receipt.hpp"

#include <memory>
#include <optional>

#include <chancery/audit_client.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/cli/audit_commands.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/cli/key_set_input.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

using json::Node;
using Thumbprints = std::vector<Thumbprint>;

constexpr std::string_view kAgentPath = "/agent/";

struct VerifyArguments {
  std::string file;
  std::string keys;  ///< a file; empty: the daemon is asked for keys, and for the log
};

Failure denied(const Error& error, std::string_view subject) {
  Failure out = failure(error, subject);
  if (error.code == ErrorCode::kSignatureInvalid) out.exit = ExitCode::kDenied;
  return out;
}

Checked<Thumbprints> kept_keys(const std::string& file) {
  CHANCERY_ASSIGN(const std::vector<VerifyKey> keys, read_verify_keys(file));
  Thumbprints out;
  for (const VerifyKey& key : keys) out.push_back(key.public_key().thumbprint());
  return out;
}

struct RuntimeKeys {
  Thumbprints good;     // also former ones: a receipt stays one when the runtime's key is replaced
  Thumbprints revoked;  // may be in other hands
};

Checked<RuntimeKeys> keys_of_runtime(const Client& daemon, const Receipt& receipt) {
  const std::size_t at = receipt.runtime.rfind(kAgentPath);
  if (at == std::string::npos)
    return denied({ErrorCode::kSignatureInvalid, "the receipt names no runtime of a daemon's"},
                  receipt.runtime);
  const std::string name = receipt.runtime.substr(at + kAgentPath.size());
  const auto agent = daemon.agent(name);
  if (!agent) return failure(agent.error());
  if (agent->id != receipt.runtime)
    return denied({ErrorCode::kSignatureInvalid, "the receipt is of a runtime of another trust domain"},
                  receipt.runtime);
  const auto keys = daemon.agent_keys(name);
  if (!keys) return failure(keys.error());
  RuntimeKeys out;
  for (const api::Key& key : keys->keys) {
    const auto octets = base64url_decode_exactly<32>(key.jkt);
    if (octets) (key.state == "revoked" ? out.revoked : out.good).push_back(Thumbprint{*octets});
  }
  return out;
}

// What claims to be signed and is not, in whatever way, is no good receipt. Of one without a signature nothing can be told.
std::optional<Failure> refusal_of(const Receipt& receipt, const RuntimeKeys& keys, std::string_view subject) {
  const Status good = verify_receipt(receipt, keys.good);
  if (good) return std::nullopt;
  constexpr Error kRevoked{
      ErrorCode::kSignatureInvalid,
      "the receipt is signed by a key of the runtime's that was revoked since: it may be from before, or by whoever has the "
      "key now. Look in the audit log for the `tool.result` of its permit"};
  const bool is_by_revoked = verify_receipt(receipt, keys.revoked).has_value();
  Failure out = failure(is_by_revoked ? kRevoked : good.error(), subject);
  if (!receipt.jws.empty()) out.exit = ExitCode::kDenied;
  return out;
}

// The result that the log has of that permit must be this one.
Checked<std::uint64_t> entry_of(const Client& daemon, const Receipt& receipt) {
  const auto page = AuditClient(daemon).entries({.limit = 1000, .ref = receipt.permit});
  if (!page) return failure(page.error());
  for (const api::AuditEntry& one : page->entries) {
    CHANCERY_ASSIGN(const audit::Entry entry, read_entry(one));
    if (entry.action() != "tool.result" || entry.id("permit") != receipt.permit) continue;
    if (entry.id("receipt") == receipt.digest) return entry.sequence();
    return denied({ErrorCode::kSignatureInvalid, "the log has another result of this permit"},
                  receipt.permit);
  }
  return denied({ErrorCode::kSignatureInvalid, "the log has no result of this permit"}, receipt.permit);
}

void show(Output& output, const Receipt& receipt, std::optional<std::uint64_t> entry) {
  if (output.json()) {
    Node node = Node::object({{"good", true},
                              {"permit", receipt.permit},
                              {"receipt_sha256", receipt.digest},
                              {"runtime", receipt.runtime},
                              {"status", receipt.status},
                              {"tool", receipt.tool}});
    if (entry) node.set("entry", *entry);
    return output.document(json::to_jcs(node));
  }
  output.line(output.paint(Colour::kGreen, "GOOD"));
  output.field("tool", receipt.tool + ": " + receipt.status);
  output.field("recorded", utc_text(static_cast<double>(receipt.at)));
  output.field("runtime", receipt.runtime);
  output.field("permit", receipt.permit);
  output.field("arguments", receipt.arguments_sha256);
  output.field("result", receipt.result_sha256);
  output.field("audit log", entry ? "entry " + std::to_string(*entry) : "not asked");
}

Checked<ExitCode> verify(Context& context, const VerifyArguments& arguments) {
  CHANCERY_ASSIGN(const std::string text, read_input(arguments.file, kMaxReceiptSize));
  const auto receipt = read_receipt(text);
  if (!receipt) return failure(receipt.error(), arguments.file);
  if (!arguments.keys.empty()) {
    CHANCERY_ASSIGN(const Thumbprints keys, kept_keys(arguments.keys));
    if (auto refused = refusal_of(*receipt, {keys, {}}, arguments.file)) return *std::move(refused);
    show(context.output, *receipt, std::nullopt);
    return ExitCode::kSuccess;
  }
  const auto client = connect(context);
  if (!client) return client.error();
  CHANCERY_ASSIGN(const RuntimeKeys keys, keys_of_runtime(*client, *receipt));
  if (auto refused = refusal_of(*receipt, keys, arguments.file)) return *std::move(refused);
  CHANCERY_ASSIGN(const std::uint64_t entry, entry_of(*client, *receipt));
  show(context.output, *receipt, entry);
  return ExitCode::kSuccess;
}

}  // namespace

void add_receipt(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("receipt", "Receipts of tool calls");
  group->require_subcommand(1);
  const auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* command =
      group->add_subcommand("verify", "Check that a tool call was made, and came out, as its receipt says");
  command
      ->add_option("FILE", arguments->file,
                   "what the runtime answers to GET /v1/receipts/PERMIT; - for standard input")
      ->required();
  command->add_option("--key", arguments->keys,
                      "a file with the runtime's keys that you keep, a JWK Set: then no daemon is asked");
  command->footer(
      "The receipt must stand in a list that a key of the runtime's signed, and the audit log must have the same\n"
      "receipt of that permit. With --key the log is not asked: its `tool.result` has the receipt's SHA-256.\n\n"
      "Exit status: 0 when the receipt is good; 1 when it is not; 2 when that could not be told.\n\n"
      "Example:\n"
      "  curl --unix-socket /run/chancery-runtime/runtime.sock http://runtime/v1/receipts/$PERMIT |\n"
      "    chancery receipt verify -");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return verify(context, *arguments); };
  });
}

}  // namespace chancery::cli
