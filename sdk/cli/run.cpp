#include <cerrno>
#include <cstdlib>
#include <memory>
#include <utility>

#include <unistd.h>

#include <chancery/session.hpp>

#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/files.hpp"

namespace chancery::cli {
namespace {

constexpr int kSessionDescriptor = 3;
constexpr std::size_t kMostJoinToken = 4096;

struct RunArguments {
  std::string agent;
  std::string join;
  std::vector<std::string> chain;
  std::vector<std::string> command;
};

// Whose chain it is says its delegator; the daemon knows the key and asks for the process.
Checked<void> expect_agent(const std::vector<std::string>& chain, const std::string& agent) {
  const auto leaf = Token::parse(chain.back());
  if (!leaf) return failure(leaf.error(), "the chain's last token");
  if (leaf->claims().client_id.ends_with("/agent/" + agent)) return {};
  return failure({ErrorCode::kNotHolder, "the chain is not this agent's: delegate to it first"}, agent);
}

Failure cannot_start(const std::string& program) {
  return failure({ErrorCode::kProcessFailed, "cannot be started: is it there, and may it be executed?",
                  static_cast<std::uint64_t>(errno)},
                 program);
}

// Becomes the program, with the session as descriptor 3 and no other beyond the standard ones.
Failure become(const std::vector<std::string>& command, int session) {
  if (session != kSessionDescriptor && ::dup2(session, kSessionDescriptor) < 0)
    return cannot_start(command[0]);
  ::close_range(kSessionDescriptor + 1, ~0U, 0);
  ::setenv("CHANCERY_SESSION_FD", std::to_string(kSessionDescriptor).c_str(), 1);
  std::vector<char*> words;
  for (const std::string& word : command)
    words.push_back(const_cast<char*>(word.c_str()));  // execvp's old form
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  return cannot_start(command[0]);
}

// The secret goes to the daemon that the command line names, over TLS, and to no other.
Checked<HeldChain> join(const ClientOptions& daemon, const RunArguments& arguments) {
  CHANCERY_ASSIGN(const std::string token, read_secret(arguments.join, kMostJoinToken));
  const auto key = HolderKey::generate();
  if (!key) return failure(key.error());
  ClientOptions options = daemon;
  options.credential = join_credential(token, *key);
  const auto client = Client::connect(options);
  if (!client) return failure(client.error());
  auto joined = client->join();
  if (!joined) return failure(joined.error());
  if (joined->agent == arguments.agent) return HeldChain{std::move(joined->chain), *key};
  return failure({ErrorCode::kNotHolder, "the join token was another agent's: ask for a new one"},
                 arguments.agent);
}

Checked<SessionOptions> session_options(const Context& context, const RunArguments& arguments) {
  if (arguments.join.empty()) return options_of(context);
  if (context.daemon.address.empty())
    return misuse("--join goes with --addr: the daemon's https://HOST:PORT");
  SessionOptions options;
  options.daemon = context.daemon;
  CHANCERY_ASSIGN(options.access, join(context.daemon, arguments));
  return options;
}

// The secret is good once: what can fail without it comes first.
Checked<ExitCode> run(Context& context, const RunArguments& arguments) {
  CHANCERY_ASSIGN(std::vector<std::string> chain, read_chain(arguments.chain));
  CHANCERY_TRY(expect_agent(chain, arguments.agent));
  CHANCERY_ASSIGN(const SessionOptions options, session_options(context, arguments));
  const auto session = Session::open(options, std::move(chain));
  if (!session) return failure(session.error());
  const auto sealed = (*session)->seal();
  if (!sealed) return failure(sealed.error());
  return become(arguments.command, *sealed);
}

}  // namespace

void add_run(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<RunArguments>();
  CLI::App* command = app.add_subcommand("run", "Start a program with a session of its agent's");
  command->add_option("--agent", arguments->agent, "the agent that the program is")->required();
  add_repeatable(*command, "--chain", arguments->chain,
                 "the agent's chain: a file, or its text; default: standard input");
  command->add_option("--join", arguments->join,
                      "join first, with the secret in this file, or - for standard input (with --addr)");
  command->add_option("COMMAND", arguments->command, "the program and its arguments, after --")->required();
  command->footer(
      "The chain and a key in memory are in a sealed file in memory, which the program has as descriptor 3\n"
      "(CHANCERY_SESSION_FD=3): nothing secret is in its environment or on a disk. In C++ Session::inherited() reads\n"
      "it; commands such as `chancery present` and `chancery delegate` use it where no other daemon is named.\n\n"
      "A process that the daemon does not see on its socket joins, with a secret of `chancery join-token` in a file\n"
      "that its owner alone may read; its access is in the sealed file too, and renews the session. By a stored\n"
      "context a session is opened and not renewed: no program is given the context's key.\n\n"
      "Examples:\n  chancery run --agent support --chain support.txt -- ./support-agent --verbose\n"
      "  chancery run --agent support --chain support.txt --join token.txt --addr "
      "https://chancery.example.org:8443 \\\n"
      "    -- ./support-agent");
  command->callback(
      [arguments, &chosen] { chosen = [arguments](Context& context) { return run(context, *arguments); }; });
}

}  // namespace chancery::cli
