#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace chancery::cli {

/// An end of a TCP connection on this machine.
struct LoopbackEnd {
  bool is_v6 = false;
  std::uint16_t port = 0;
};

/// The user whose socket is one end of a connection over 127.0.0.1 or ::1, by a table as Linux has it in /proc/net/tcp or
/// tcp6. A loopback port is open to every user of the machine; this is how one of them is told from the others.
/// \param own    the end whose user is asked for
/// \param other  the one that it is connected to
/// \return nullopt when the table has no such connection
[[nodiscard]] std::optional<uid_t> user_in_table(std::string_view table, const LoopbackEnd& own,
                                                 const LoopbackEnd& other);

/// The same by the kernel's own table.
[[nodiscard]] std::optional<uid_t> user_of(const LoopbackEnd& own, const LoopbackEnd& other);

}  // namespace chancery::cli
