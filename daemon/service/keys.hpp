#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/service/trust.hpp"
#include "daemon/store/store.hpp"
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

/// The daemon's issuer keys: the newest of the configured backend signs DT_0, all of them are published as
/// trust anchors. A backend's first is made when its device first answers. Thread-safe.
class IssuerKeys {
 public:
  IssuerKeys(store::Store& store, const Backends& backends, TrustPublisher& trust, std::string backend_name)
      : store_(store), backends_(backends), trust_(trust), backend_name_(std::move(backend_name)) {}

  /// Publishes the keys that the store holds; at start.
  [[nodiscard]] Status publish();

  /// The key that signs, made now if the configured backend has none yet.
  /// \return the key, or the store's or the device's error
  [[nodiscard]] Result<store::DaemonKey> current(std::chrono::sys_seconds now, hsm::Deadline deadline);

  /// The key that signs, or none when it was not made yet.
  [[nodiscard]] Result<std::optional<store::DaemonKey>> existing() const;

  /// Whose keys sign.
  [[nodiscard]] const std::string& backend_name() const noexcept { return backend_name_; }

  /// Every issuer key that the store holds, newest first.
  [[nodiscard]] Result<std::vector<store::DaemonKey>> all() const { return store_.daemon_keys(kPurpose); }

  [[nodiscard]] Result<Signature> sign(const store::DaemonKey& key, ByteView message,
                                       hsm::Deadline deadline) const;

 private:
  static constexpr std::string_view kPurpose = "issuer";

  [[nodiscard]] Result<store::DaemonKey> make(std::chrono::sys_seconds now, hsm::Deadline deadline);

  store::Store& store_;
  const Backends& backends_;
  TrustPublisher& trust_;
  const std::string backend_name_;
  std::mutex making_;
};

/// A fresh identifier: 128 random bits in hexadecimal.
[[nodiscard]] Result<std::string> random_id();

}  // namespace chancery::service
