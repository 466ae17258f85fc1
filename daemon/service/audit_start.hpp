#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/store/audit_book.hpp"
#include "daemon/store/checkpoint_book.hpp"
#include "daemon/store/store.hpp"
#include "sdk/audit/note.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::service {

/// Whether the audit log is the one that was signed last, and agrees with what the store says of the device's counter: at
/// the start, before anything is written or served.
/// \return kStoreCorrupt, with what disagrees
[[nodiscard]] Status check_audit_log(store::AuditBook& log, store::Store& store,
                                     store::CheckpointBook& checkpoints);

/// How the daemon was started.
struct DaemonStart {
  std::string version{};  ///< of the program
  std::string policy{};   ///< the version of the configuration
  std::chrono::sys_seconds now{};
};

/// Records the start, whether the stop before it was clean, whether the configuration is another, and whether the clock is
/// behind the log.
[[nodiscard]] Status record_start(store::AuditBook& log, store::Store& store, const DaemonStart& start);

/// Records that another configuration is about to govern, or does since the start. The log says which one it is by
/// AuditBook::govern_by(), which is for when it does.
/// \param details  what is different, where that is known
[[nodiscard]] Status record_change(store::Store& store, std::string_view former, const DaemonStart& present,
                                   json::Node details = json::Node::object());

/// By which the entries about starts, stops and configuration are found.
inline constexpr const char* kDaemonRef = "daemon";
/// By which those that say the value of the device's counter are.
inline constexpr const char* kCounterRef = "counter";

/// Of all keys that ever signed checkpoints, under the log's name.
[[nodiscard]] Result<std::vector<audit::NoteKey>> audit_note_keys(store::Store& store,
                                                                  const std::string& origin);

}  // namespace chancery::service
