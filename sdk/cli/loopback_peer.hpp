#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include <sys/types.h>

namespace chancery::cli {

/// An end of a TCP connection on this machine.
struct LoopbackEnd {
  using Address = std::array<std::uint8_t, 16>;

  Address address{};  ///< in network order; one of IPv4 as ::ffff:a.b.c.d, as IPv6 writes it
  std::uint16_t port = 0;
};

/// The user whose socket is one end of a connection, by a table as Linux has it in /proc/net/tcp or tcp6. A loopback port is
/// open to every user of the machine; this is how one of them is told from the others. Both ends count with address and
/// port: somebody else may have the same port at 127.0.0.2.
/// \param own    the end whose user is asked for
/// \param other  the one that it is connected to
/// \return nullopt when the table has no such connection, or one that nobody holds any more: of a socket that was closed the
///         kernel writes the user 0, whosever it was
[[nodiscard]] std::optional<uid_t> user_in_table(std::string_view table, const LoopbackEnd& own,
                                                 const LoopbackEnd& other);

/// The same by the kernel's own tables. A connection over IPv4 stands in that of IPv6 when its socket is one for both.
[[nodiscard]] std::optional<uid_t> user_of(const LoopbackEnd& own, const LoopbackEnd& other);

}  // namespace chancery::cli
