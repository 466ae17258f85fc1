#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/client.hpp>

#include "daemon/rest/http.hpp"
#include "daemon/runtime/call_desk.hpp"
#include "daemon/runtime/receipts.hpp"
#include "daemon/runtime/tools/tool.hpp"

namespace chancery::runtime {

/// What the runtime answers over HTTP (docs/protocol/runtime.md): `GET /v1/tools`, `POST /v1/tools/{name}`,
/// `GET /v1/receipts/{permit}` and `GET /healthz`. Thread-safe.
class Application final : public rest::Application {
 public:
  /// \param tools   by name
  /// \param daemon  borrowed, as the desk and the receipts
  Application(std::vector<tools::Tool> tools, const Client& daemon, CallDesk& desk, const Receipts& receipts,
              std::string url);

  [[nodiscard]] bool may_block(std::string_view, std::string_view path) const override;
  [[nodiscard]] rest::Response handle(rest::Request& request) override;

 private:
  [[nodiscard]] rest::Response list(const rest::Request& request) const;
  [[nodiscard]] rest::Response call(const rest::Request& request, std::string_view name) const;
  [[nodiscard]] rest::Response show_receipt(std::string_view permit) const;
  [[nodiscard]] Result<std::vector<std::string>> scopes_of(const rest::Request& request) const;

  const std::map<std::string, tools::Tool, std::less<>> tools_;
  const Client& daemon_;
  CallDesk& desk_;
  const Receipts& receipts_;
  const std::string url_;
};

}  // namespace chancery::runtime
