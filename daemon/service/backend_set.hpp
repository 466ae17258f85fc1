#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/service/observed_backend.hpp"
#include "hsm/key_backend.hpp"

namespace chancery::service {

/// The configured key backends by name. Filled by main before anything is served, then read only.
class Backends {
 public:
  /// \param log  what their commands are told to; borrowed, outlives them; null: nothing is told
  explicit Backends(const telemetry::Log* log = nullptr) noexcept : log_(log) {}

  /// The first one added is the default.
  void add(std::string name, std::unique_ptr<hsm::KeyBackend> backend);

  /// \return the backend, or kBackendUnknown
  [[nodiscard]] Result<hsm::KeyBackend*> find(std::string_view name) const;
  /// How long its signatures took. \param name  one of names()
  [[nodiscard]] const telemetry::Histogram& signing(std::string_view name) const {
    return backends_.find(name)->second->signing();
  }
  [[nodiscard]] const std::string& default_name() const noexcept { return names_.front(); }
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

 private:
  const telemetry::Log* log_;
  std::vector<std::string> names_;
  std::map<std::string, std::unique_ptr<ObservedBackend>, std::less<>> backends_;
};

}  // namespace chancery::service
