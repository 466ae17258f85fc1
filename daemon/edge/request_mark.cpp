#include "daemon/edge/request_mark.hpp"

#include <array>
#include <cstdlib>

#include <openssl/rand.h>

#include "sdk/base/hex.hpp"

namespace chancery::edge {

std::string random_id() {
  std::array<std::uint8_t, 16> octets;
  if (RAND_bytes(octets.data(), octets.size()) != 1)
    std::abort();  // without random numbers nothing here is safe
  return hex_encode(octets);
}

std::chrono::sys_seconds now_in_seconds() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace chancery::edge
