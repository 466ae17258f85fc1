#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "hsm/key_backend.hpp"

namespace chancery::service {

/// The configured key backends by name. Filled by main before anything is served, then read only.
class Backends {
 public:
  /// The first one added is the default.
  void add(std::string name, std::unique_ptr<hsm::KeyBackend> backend);

  /// \return the backend, or kBackendUnknown
  [[nodiscard]] Result<hsm::KeyBackend*> find(std::string_view name) const;
  [[nodiscard]] const std::string& default_name() const noexcept { return names_.front(); }
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::unique_ptr<hsm::KeyBackend>, std::less<>> backends_;
};

}  // namespace chancery::service
