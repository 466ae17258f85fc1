#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sdk/mcp/server_session.hpp"

namespace chancery::tests {

/// A host of tools that are what a test says. The caller "guest" may use `echo` alone.
class FixedHost final : public mcp::ToolHost {
 public:
  using Call = std::function<mcp::ToolAnswer(const mcp::ToolCall&, mcp::CallProgress&)>;

  void add(mcp::Tool tool, Call call) {
    const std::string name = tool.name;
    tools_.insert_or_assign(name, std::pair(std::move(tool), std::move(call)));
  }

  void add(const std::string& name, Call call) {
    add(mcp::Tool{name, {}, "What " + name + " does", R"({"type":"object"})", {}, {}}, std::move(call));
  }

  [[nodiscard]] Result<std::vector<mcp::Tool>> list(const mcp::Caller& caller,
                                                    const std::stop_token& cancelled) override {
    if (before_list) before_list(cancelled);
    if (fails) return Error{ErrorCode::kStoreUnavailable, "planted"};
    std::vector<mcp::Tool> out;
    for (const auto& [name, entry] : tools_) {
      if (may(caller, name)) out.insert(out.begin(), entry.first);  // not in order
    }
    return out;
  }

  [[nodiscard]] mcp::ToolAnswer call(const mcp::Caller& caller, const mcp::ToolCall& call,
                                     mcp::CallProgress& progress) override {
    const auto found = tools_.find(call.name);
    if (found == tools_.end() || !may(caller, call.name)) {
      return mcp::ToolRefused{mcp::RefusalKind::kUnknownTool, "unknown_tool", "there is none"};
    }
    return found->second.second(call, progress);
  }

  bool fails = false;
  std::function<void(const std::stop_token& cancelled)> before_list;

 private:
  static bool may(const mcp::Caller& caller, const std::string& name) {
    return caller.id != "guest" || name == "echo";
  }

  std::map<std::string, std::pair<mcp::Tool, Call>> tools_;
};

/// Keeps what was sent ahead of an answer.
class KeptOutlet final : public mcp::Outlet {
 public:
  void send(std::string message) override {
    const std::lock_guard lock(mutex_);
    sent_.push_back(std::move(message));
  }
  [[nodiscard]] std::vector<std::string> sent() const {
    const std::lock_guard lock(mutex_);
    return sent_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> sent_;
};

[[nodiscard]] inline mcp::ToolDone text_answer(const std::string& text) {
  return {
      json::to_jcs(json::Node::array({json::Node::object({{"type", "text"}, {"text", text}})})), {}, false};
}

/// Waits until what runs is cancelled. \return whether it was, within a time that no machine needs
[[nodiscard]] inline bool wait_for_cancellation(const std::stop_token& cancelled) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!cancelled.stop_requested()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

[[nodiscard]] inline bool wait_for_cancellation(const mcp::CallProgress& progress) {
  return wait_for_cancellation(progress.cancelled());
}

/// The tools of the conversations.
inline void add_usual_tools(FixedHost& host) {
  host.add("echo", [](const mcp::ToolCall& call, mcp::CallProgress&) { return text_answer(call.arguments); });
  host.add(
      mcp::Tool{"sum", "Sum", "Adds two numbers", R"({"type":"object","properties":{"a":{"type":"number"}}})",
                R"({"type":"object","properties":{"sum":{"type":"number"}},"required":["sum"]})",
                R"({"readOnlyHint":true})"},
      [](const mcp::ToolCall&, mcp::CallProgress&) {
        return mcp::ToolDone{"[]", R"({"sum":3})", false};
      });
  host.add(mcp::Tool{"numbers", {}, "Some numbers", R"({"type":"object"})", R"({"type":"array"})", {}},
           [](const mcp::ToolCall&, mcp::CallProgress&) {
             return mcp::ToolDone{"[]", "[1,2]", false};
           });
  host.add("broken", [](const mcp::ToolCall&, mcp::CallProgress&) {
    return mcp::ToolDone{R"([{"type":"text","text":"no such row"}])", {}, true};
  });
  host.add("denied", [](const mcp::ToolCall&, mcp::CallProgress&) {
    return mcp::ToolRefused{mcp::RefusalKind::kDenied, "budget_exhausted", "The budget of today is used up."};
  });
  host.add("wild", [](const mcp::ToolCall&, mcp::CallProgress&) {
    return mcp::ToolDone{R"([{"type":"script","text":"x"}])", {}, false};
  });
  host.add("approval", [](const mcp::ToolCall& call, mcp::CallProgress&) {
    return mcp::ToolPending{"req-7", "https://approve.example/req-7", R"({"tool":")" + call.name + R"("})"};
  });
  host.add("approval_nowhere", [](const mcp::ToolCall&, mcp::CallProgress&) {
    return mcp::ToolPending{"req-8", "", R"({"tool":"x"})"};
  });
  host.add("steps", [](const mcp::ToolCall&, mcp::CallProgress& progress) {
    progress.advance(1, 4, "begun");
    progress.advance(1, 4, "again");  // not further than before
    progress.log(mcp::LogLevel::kDebug, "fine print");
    progress.log(mcp::LogLevel::kError, "alarm");
    progress.advance(4, {}, {});
    return text_answer("done");
  });
}

}  // namespace chancery::tests
