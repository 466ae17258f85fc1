// An orchestrator that hands a part of its authority to a subagent: the daemon signs with the orchestrator's
// key, which never leaves the hardware, and never gives more than the orchestrator has.
//
//   example_orchestrator CHAIN-FILE SUBAGENT SCOPE
//
// Run it as the user that the orchestrator is registered for; CHANCERY_SOCKET says where the daemon is.
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include <chancery/client.hpp>
#include <chancery/verify.hpp>

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: example_orchestrator CHAIN-FILE SUBAGENT SCOPE\n";
    return 2;
  }
  std::ifstream file(argv[1]);
  const std::string text{std::istreambuf_iterator<char>(file), {}};

  chancery::api::CreateDelegation request;
  for (const std::string_view token : chancery::split_chain(text)) request.chain.emplace_back(token);
  request.to = argv[2];
  request.authority.scopes = {argv[3]};
  request.lifetime = std::chrono::minutes(10);

  const auto client = chancery::Client::connect();
  if (!client) {
    std::cerr << client.error().what << '\n';
    return 2;
  }
  const auto delegation = client->delegate(request);
  if (!delegation) {
    const chancery::ClientError& why = delegation.error();
    std::cerr << (why.refused() ? chancery::error_name(why.error.code) : why.error.what) << '\n';
    return why.refused() ? 1 : 2;
  }
  if (!delegation->narrowed.empty()) std::cerr << "granted less than was asked for\n";
  const char* separator = "";
  for (const std::string& token : delegation->chain) {
    std::cout << separator << token;
    separator = "~";
  }
  std::cout << '\n';
}
