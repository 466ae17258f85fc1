#pragma once

#include <chrono>
#include <string>

namespace chancery::systemd {

// What a service manager is told (sd_notify(3)). Where none listens, nothing happens.

/// The sockets serve.
void notify_ready(const std::string& status);
/// The configuration is read again; notify_ready() ends it.
void notify_reloading();
void notify_stopping();
/// The daemon works: to be said again and again, see watchdog_time().
void notify_alive();

/// How long the manager waits for notify_alive() before it takes the daemon for dead; zero when it does not.
[[nodiscard]] std::chrono::milliseconds watchdog_time();

}  // namespace chancery::systemd
