#pragma once

#include <filesystem>

#include "daemon/edge/server.hpp"
#include "daemon/runtime/application.hpp"
#include "daemon/runtime/settings.hpp"
#include "daemon/telemetry/log.hpp"

namespace chancery::runtime {

/// Has a runtime that serves take over what can change in its file and in the folder of declarations, while calls go on. Used by one thread.
class Reload {
 public:
  /// Everything is borrowed.
  struct Parts {
    Application& application;
    edge::Server& server;
    telemetry::Log& log;
  };

  /// \param file     read anew each time
  /// \param running  what the runtime was started with
  Reload(std::filesystem::path file, Settings running, Parts parts);

  /// Reads the file, all declarations, certificate and key, and takes over what is live: all of it, or nothing when anything of it is
  /// wrong. Says in the log what has changed and what takes a restart, or what is wrong, with file and line.
  void again();

  /// What is in force.
  [[nodiscard]] const Settings& running() const noexcept { return running_; }

 private:
  void take(const Settings& read);
  void complain(const std::filesystem::path& file, int line, const std::string& what) const;

  const std::filesystem::path file_;
  Settings running_;
  const Parts parts_;
};

}  // namespace chancery::runtime
