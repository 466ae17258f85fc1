// An enforcement point that does an action only once a person has approved it: it asks, waits for the decision or is called back, and asks
// again with a fresh proof. That something was approved does nothing by itself.
//
//   example_approval wait|tell CHAIN-FILE AUDIENCE SCOPE NAME=NUMBER
//
// Run it as the operator on the daemon's socket (CHANCERY_SOCKET says where it is), and as the agent's user: the proofs that the agent would
// send are made here too.
#include <cstdlib>
#include <fstream>
#include <future>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <chancery/approval_client.hpp>
#include <chancery/client.hpp>
#include <chancery/proof.hpp>
#include <chancery/verify.hpp>

namespace {

constexpr const char* kMethod = "POST";

// What is to be done, but for the proof.
std::optional<chancery::api::Authorize> action_of(char** argv) {
  std::ifstream file(argv[2]);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::string_view parameter = argv[5];
  const std::size_t equals = parameter.find('=');
  if (text.empty() || equals == std::string_view::npos) return std::nullopt;

  chancery::api::Authorize out;
  for (const std::string_view token : chancery::split_chain(text)) out.chain.emplace_back(token);
  out.method = kMethod;
  out.uri = argv[3] + std::string("/actions");
  out.audience = argv[3];
  out.scope = argv[4];
  out.params = "{\"" + std::string(parameter.substr(0, equals)) +
               "\":" + std::string(parameter.substr(equals + 1)) + "}";
  return out;
}

// Each try takes a proof of its own: one that was judged is used up.
chancery::ClientResult<chancery::api::Decision> ask(const chancery::Client& client,
                                                    chancery::api::Authorize action) {
  chancery::api::CreateProof wanted;
  wanted.chain = action.chain;
  wanted.htm = action.method;
  wanted.htu = action.uri;
  auto proof = client.prove(wanted);
  if (!proof) return proof.error();
  action.proof = std::move(proof->proof);
  return client.authorize(action);
}

using Decided = chancery::ClientResult<chancery::api::Approval>;

// This thread does nothing else meanwhile.
Decided by_waiting(const chancery::ApprovalClient& approvals, const std::string& id) {
  return approvals.wait_until_decided(id);
}

// This thread is free until it wants to know; a program with a loop of its own would post an event to it instead.
Decided by_being_told(const chancery::ApprovalClient& approvals, const std::string& id) {
  std::promise<Decided> told;
  std::future<Decided> answer = told.get_future();
  const std::jthread waiting =
      approvals.tell_when_decided(id, [&told](Decided approval) { told.set_value(std::move(approval)); });
  std::cerr << "meanwhile something else is done here\n";
  return answer.get();
}

int failed(const chancery::Error& why) {
  std::cerr << chancery::error_name(why.code) << ": " << why.what << '\n';
  return 2;
}

int tell(const chancery::api::Decision& decision) {
  std::cout << (decision.permitted ? "permitted" : decision.outcome) << '\n';
  return decision.permitted ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc == 6 ? argv[1] : "";
  const auto action = argc == 6 ? action_of(argv) : std::nullopt;
  if (!action || (how != "wait" && how != "tell")) {
    std::cerr << "usage: example_approval wait|tell CHAIN-FILE AUDIENCE SCOPE NAME=NUMBER\n";
    return 2;
  }
  const auto client = chancery::Client::connect();
  if (!client) return failed(client.error());
  const auto first = ask(*client, *action);
  if (!first) return failed(first.error().error);
  if (!first->approval) return tell(*first);

  std::cerr << "waits for `chancery approve " << first->approval->id << "`\n";
  const chancery::ApprovalClient approvals(*client);
  const Decided decided = how == "wait" ? by_waiting(approvals, first->approval->id)
                                        : by_being_told(approvals, first->approval->id);
  if (!decided) return failed(decided.error().error);
  std::cerr << decided->state << '\n';
  // Of one that expired nobody is asked anew without being told to.
  if (decided->state != "approved") return EXIT_FAILURE;
  const auto second = ask(*client, *action);
  return second ? tell(*second) : failed(second.error().error);
}
