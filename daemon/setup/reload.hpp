#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>

#include "daemon/config/config.hpp"
#include "daemon/edge/server.hpp"
#include "daemon/service/premises.hpp"
#include "daemon/setup/options.hpp"
#include "daemon/telemetry/log.hpp"

namespace chancery::setup {

/// Has a daemon that serves take over what can change in its configuration, while requests go on: each look of theirs sees
/// what was before or what is after. Used by one thread.
class Reload {
 public:
  /// \param file  read anew each time
  /// \param running  what the daemon was started with, and \param files  what it named was read then
  Reload(std::filesystem::path file, config::Config running, PolicyFiles files, service::Premises& premises,
         edge::Server& server, telemetry::Log& log);

  /// Reads the file and what it names, records `config.change`, and then takes over what is live (config::take_over);
  /// says in the log what has changed and what takes a restart. When anything is wrong with the file or what it names,
  /// or cannot be recorded, that is logged with its place and nothing changes.
  void again(std::chrono::sys_seconds now);

  /// What is in force.
  [[nodiscard]] const config::Config& running() const noexcept { return running_; }

 private:
  using Complaint = std::variant<config::ConfigError, Error>;

  [[nodiscard]] std::optional<Complaint> take(const config::Config& read, std::chrono::sys_seconds now);
  [[nodiscard]] Status take_over(const config::TakenOver& taken, Prepared prepared,
                                 std::chrono::sys_seconds now);
  void complain(const Complaint& complaint) const;

  const std::filesystem::path file_;
  config::Config running_;
  PolicyFiles files_;    // as they stood when what governs was made of them
  std::string version_;  // of what governs, as entries of the audit log say it
  service::Premises& premises_;
  edge::Server& server_;
  telemetry::Log& log_;
};

}  // namespace chancery::setup
