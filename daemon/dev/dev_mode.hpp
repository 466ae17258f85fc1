#pragma once

#include <filesystem>
#include <string>

#include <chancery/result.hpp>

#include "daemon/config/config.hpp"
#include "simulators/swtpm/swtpm.hpp"

namespace chancery::dev {

/// Everything that `chanceryd --dev` brings along: a temporary folder, a freshly manufactured swtpm with EK
/// certificates, and a configuration for a daemon on loopback that keeps nothing. The destructor ends the TPM
/// and removes the folder.
class DevMode {
 public:
  /// \param listen  where TLS listens; loopback only, port 0 takes a free one
  /// \return kInvalidArgument (listen), kProcessFailed (swtpm), kFileUnwritable
  [[nodiscard]] static Result<DevMode> prepare(const config::ListenAddress& listen);
  ~DevMode();
  DevMode(DevMode&& other) noexcept;
  DevMode& operator=(DevMode&&) = delete;

  [[nodiscard]] const config::Config& config() const noexcept { return config_; }
  /// Where the certificate belongs that clients are told to trust.
  [[nodiscard]] std::filesystem::path authority() const { return folder_ / "ca.pem"; }

  /// That nothing here is hardware and nothing is kept, and the `export` lines for the command line.
  [[nodiscard]] std::string banner() const;

 private:
  DevMode(std::filesystem::path folder, simulators::Swtpm tpm);

  std::filesystem::path folder_;
  simulators::Swtpm tpm_;
  config::Config config_;
};

}  // namespace chancery::dev
