#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include <chancery/bytes.hpp>

namespace chancery::simulators {

// TPM commands and responses on a socket; both begin with tag, size and code (TPM 2.0 part 1, section 18).

/// A connection to what listens there, or -1.
[[nodiscard]] int connect_to(const std::filesystem::path& socket);

/// One whole command or response; empty when the other side has gone.
Bytes read_message(int fd);
void write_octets(int fd, ByteView octets);

/// Numbers of four octets, big endian.
void put_number(Bytes& message, std::size_t offset, std::uint32_t number);
[[nodiscard]] std::uint32_t number_at(ByteView message, std::size_t offset);

/// A response without parameters.
[[nodiscard]] Bytes response_of(std::uint32_t code, std::uint32_t size = 10);
/// The code of a command or response.
[[nodiscard]] std::uint32_t code_of(ByteView message);
/// Makes the size in its header that of the message.
void fix_size(Bytes& message);

/// Returns when the other side has gone.
void wait_for_end(int fd);
/// Waits, but no longer than the other side does.
void wait_on(int fd, std::chrono::milliseconds time);

}  // namespace chancery::simulators
