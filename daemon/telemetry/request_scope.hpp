#pragma once

#include <string_view>

namespace chancery::telemetry {

/// By which a request is found again, in every layer.
struct RequestMark {
  std::string_view id{};        ///< the daemon's own
  std::string_view trace_id{};  ///< W3C Trace Context, 32 hexadecimal digits; empty when the caller told none
  std::string_view task{};      ///< what the caller says that it works on; empty when it does not
};

/// Says for which request this thread works, until it is destroyed: what is logged meanwhile carries the mark. The one
/// thing that passes beside the arguments, so that no interface of a device or of the store need know of requests.
class RequestScope {
 public:
  /// \param mark  borrowed for the scope's life
  explicit RequestScope(const RequestMark& mark) noexcept;
  ~RequestScope();
  RequestScope(const RequestScope&) = delete;
  RequestScope& operator=(const RequestScope&) = delete;

 private:
  const RequestMark* before_;
};

/// That of this thread; nullptr outside of requests.
[[nodiscard]] const RequestMark* current_request() noexcept;

}  // namespace chancery::telemetry
