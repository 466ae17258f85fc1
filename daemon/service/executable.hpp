#pragma once

#include <cstdint>
#include <string>

namespace chancery::service {

/// The largest program that is hashed: a request must not keep a thread reading for long.
inline constexpr std::uint64_t kMaxExecutableSize = 256 * 1024 * 1024;

/// SHA-256 of the program that a process runs now, read in pieces. Everything is read through one handle on
/// the process, which is compared with `start_time` first: a later process of the same number is never taken
/// for it.
/// \param start_time  of the process that connected, as the edge noted it; 0, unknown, matches none
/// \param max_size  octets; larger programs have no digest
/// \return lower-case hexadecimal; empty when the process is another or has ended, its program is too large,
///         or the kernel does not let us look (that takes the same uid or CAP_SYS_PTRACE)
[[nodiscard]] std::string executable_digest(std::int32_t pid, std::uint64_t start_time,
                                            std::uint64_t max_size = kMaxExecutableSize);

}  // namespace chancery::service
