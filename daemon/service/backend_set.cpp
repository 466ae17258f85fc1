#include "daemon/service/backend_set.hpp"

namespace chancery::service {

void Backends::add(std::string name, std::unique_ptr<hsm::KeyBackend> backend) {
  names_.push_back(name);
  auto observed = std::make_unique<ObservedBackend>(name, std::move(backend), log_);
  backends_.emplace(std::move(name), std::move(observed));
}

Result<hsm::KeyBackend*> Backends::find(std::string_view name) const {
  const auto found = backends_.find(name);
  if (found == backends_.end()) {
    return Error{ErrorCode::kBackendUnknown, "no key backend of that name is configured: see [[backend]]"};
  }
  return found->second.get();
}

}  // namespace chancery::service
