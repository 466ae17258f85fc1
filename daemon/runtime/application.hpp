#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/client.hpp>

#include "daemon/rest/http.hpp"
#include "daemon/runtime/call_desk.hpp"
#include "daemon/runtime/call_figures.hpp"
#include "daemon/runtime/readiness.hpp"
#include "daemon/runtime/receipts.hpp"
#include "daemon/runtime/tools/tool.hpp"
#include "daemon/telemetry/edge_refusals.hpp"

namespace chancery::runtime {

/// What the runtime answers over HTTP (docs/protocol/runtime.md): `GET /v1/tools`, `POST /v1/tools/{name}`,
/// `GET /v1/receipts/{permit}`, and for who watches it `GET /healthz`, `GET /readyz` and `GET /metrics`. Thread-safe.
class Application final : public rest::Application {
 public:
  /// Everything is borrowed and outlives the application.
  struct Parts {
    const Client& daemon;
    CallDesk& desk;
    const Receipts& receipts;
    Readiness& readiness;
    const telemetry::EdgeRefusals& refusals;
  };

  Application(Parts parts, std::string url, std::vector<tools::Tool> tools);

  [[nodiscard]] bool may_block(std::string_view, std::string_view path) const override;
  [[nodiscard]] rest::Response handle(rest::Request& request) override;

  /// Serves these tools from now on. A call that is under way keeps the tool that it began with.
  void use(std::vector<tools::Tool> tools);

  /// Ends calls that are under way, as OutboundCaller::call() does, and refuses those that have not begun. What they come to is recorded
  /// and answered all the same.
  void stop_calls() noexcept { stop_.request_stop(); }

 private:
  using ToolSet = std::map<std::string, tools::Tool, std::less<>>;

  [[nodiscard]] rest::Response list(const rest::Request& request) const;
  [[nodiscard]] rest::Response call(const rest::Request& request, std::string_view name);
  [[nodiscard]] rest::Response show_receipt(std::string_view permit) const;
  [[nodiscard]] rest::Response show_readiness() const;
  [[nodiscard]] rest::Response show_metrics(const rest::Request& request) const;
  [[nodiscard]] Result<std::vector<std::string>> scopes_of(const rest::Request& request,
                                                           const ToolSet& tools) const;
  [[nodiscard]] std::shared_ptr<const ToolSet> tools() const;

  const Parts parts_;
  const std::string url_;
  CallFigures figures_;
  std::stop_source stop_;
  mutable std::mutex mutex_;  // of the next
  std::shared_ptr<const ToolSet> tools_;
};

}  // namespace chancery::runtime
