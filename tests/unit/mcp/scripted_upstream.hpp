#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "sdk/mcp/upstream_client.hpp"

namespace chancery::tests {

/// An upstream that says what a test has it say: each question takes the next of its reactions, a list of messages in
/// which `$id` stands for the question's id. When nothing is left to be received, the time is over.
class ScriptedUpstream final : public mcp::UpstreamTransport {
 public:
  using Reaction = std::vector<std::string>;

  void react(Reaction reaction) { reactions_.push_back(std::move(reaction)); }

  [[nodiscard]] Status send(const mcp::Outgoing& message, mcp::Deadline) override {
    sent.push_back(message);
    if (!message.has_answer) return {};
    if (reactions_.empty()) return failure;
    const auto question = mcp::Message::read(message.text, {.max_octets = 1u << 24, .json = {}});
    const std::string id = json::to_jcs(mcp::id_node(*question->id()));
    for (std::string text : reactions_.front()) {
      for (auto at = text.find("$id"); at != std::string::npos; at = text.find("$id", at))
        text.replace(at, 3, id);
      inbox_.push_back(std::move(text));
    }
    reactions_.pop_front();
    return {};
  }

  [[nodiscard]] Result<std::string> receive(mcp::Deadline) override {
    if (inbox_.empty()) return Error{ErrorCode::kTimeout, "the script is over"};
    std::string text = std::move(inbox_.front());
    inbox_.pop_front();
    return text;
  }

  std::vector<mcp::Outgoing> sent;
  Error failure{ErrorCode::kRequestRefused, "no reaction is left"};  ///< to a question without a reaction

 private:
  std::deque<Reaction> reactions_;
  std::deque<std::string> inbox_;
};

inline std::string answer_with(const std::string& result) {
  return R"({"jsonrpc":"2.0","id":$id,"result":)" + result + "}";
}

}  // namespace chancery::tests
