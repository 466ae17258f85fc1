#pragma once

#include <chrono>

#include "daemon/rest/http.hpp"
#include "daemon/rest/routes.hpp"
#include "daemon/service/office.hpp"

namespace chancery::rest {

/// Finds the route of a request and runs its handler. Unknown paths are 404, known paths under another method
/// 405 with `Allow`, paths that do not exist where the request came in 404 with the reason. Who asks for a
/// privileged one over TLS is found out first. What is asked for and refused is recorded, unless it would only have read.
/// What is below `/ui` is for the console's page, and `/ui/api` for what that may ask of the interface.
class Router final : public Application {
 public:
  explicit Router(service::Office& office) : office_(office) {}

  [[nodiscard]] bool may_block(std::string_view method, std::string_view path) const override;
  [[nodiscard]] Response handle(Request& request) override;

 private:
  [[nodiscard]] Response dispatch(Request& request, std::string_view path);
  [[nodiscard]] Response run(const Route& route, Request& request, std::string_view argument);

  void tell(const Route& route, const Request& request, const Response& response,
            std::chrono::nanoseconds took) const;
  [[nodiscard]] Response answer(const Route& route, Request& request, std::string_view argument);
  [[nodiscard]] Response record_refusal(const Request& request, Response refused);
  [[nodiscard]] Response answer_holder(const Route& route, Request& request, std::string_view argument);
  [[nodiscard]] Response answer_visitor(const Route& route, Request& request, std::string_view argument);

  service::Office& office_;
};

}  // namespace chancery::rest
