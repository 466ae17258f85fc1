#pragma once

#include <chancery/api_incident.hpp>
#include <chancery/client.hpp>

namespace chancery {

/// The call that opens an incident (docs/operations/incidents.md); everything that Client says of its own holds for it. Borrows
/// the client, which must outlive it but may be moved.
class IncidentClient {
 public:
  explicit IncidentClient(const Client& daemon) noexcept : impl_(daemon.impl_.get()) {}

  /// \return the bundle as the daemon wrote it, at most 64 MiB, nothing of it verified
  ClientResult<api::Incident> open(const api::OpenIncident& request) const;

 private:
  Client::Impl* impl_;
};

}  // namespace chancery
