// An agent that has a tool called for it: it shows its chain and a proof, and never has the tool's credential.
//
//   example_tools RUNTIME-URL CHAIN-FILE TOOL ARGUMENTS
//
// Run it as the user that the agent is registered for; CHANCERY_SOCKET says where the daemon is, and
// CHANCERY_RUNTIME_SOCKET where the runtime is, if it is not to be called at its URL.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <chancery/tool_client.hpp>
#include <chancery/verify.hpp>

namespace {

int complain(const chancery::ClientError& why) {
  std::cerr << (why.refused() ? why.code.c_str() : why.error.what) << '\n';
  return why.refused() ? 1 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: example_tools RUNTIME-URL CHAIN-FILE TOOL ARGUMENTS\n";
    return 2;
  }
  std::ifstream file(argv[2]);
  std::string text;
  std::getline(file, text);
  std::vector<std::string> chain;
  for (const std::string_view token : chancery::split_chain(text)) chain.emplace_back(token);

  // The agent's hardware signs once; the session's key, in this process, proves each call.
  const auto session = chancery::Session::open({}, std::move(chain));
  if (!session) return complain(session.error());

  chancery::ToolClientOptions options;
  options.runtime = argv[1];
  if (const char* socket = std::getenv("CHANCERY_RUNTIME_SOCKET")) options.socket = socket;
  const auto tools = chancery::ToolClient::connect(options, *session);
  if (!tools) {
    std::cerr << tools.error().what << '\n';
    return 2;
  }
  const auto outcome = tools->call(argv[3], argv[4]);
  if (!outcome) return complain(outcome.error());
  if (outcome->kind != chancery::ToolOutcome::Kind::kDone) {
    std::cerr << outcome->code << ": " << outcome->message << '\n';
    return 1;
  }
  std::cout << outcome->result << '\n';
}
