#include "daemon/telemetry/request_scope.hpp"

#include <utility>

namespace chancery::telemetry {
namespace {

thread_local const RequestMark* current = nullptr;

}  // namespace

RequestScope::RequestScope(const RequestMark& mark) noexcept : before_(std::exchange(current, &mark)) {}

RequestScope::~RequestScope() { current = before_; }

const RequestMark* current_request() noexcept { return current; }

}  // namespace chancery::telemetry
