#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <sys/stat.h>

#include <chancery/bytes.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "tests/integration/daemon/daemon_process.hpp"

namespace chancery::tests {

// What the tests share that plant secrets and look where they come to light.

struct Secret {
  std::string name;
  Bytes octets;
};

inline Bytes planted_master() {
  Bytes master(32);
  for (std::size_t i = 0; i < master.size(); ++i) master[i] = static_cast<std::uint8_t>(0xC3 ^ (i * 29));
  return master;
}

/// Gives a daemon that has not been started this master secret.
inline void plant_master(const DaemonProcess& daemon) {
  BOOST_REQUIRE(::mkdir(daemon.state().c_str(), 0700) == 0);
  const std::filesystem::path file = daemon.state() / "master.key";
  const Bytes master = planted_master();
  std::ofstream(file, std::ios::binary) << as_text(master);
  BOOST_REQUIRE(::chmod(file.c_str(), 0600) == 0);
}

/// A secret as it may have been written down: as it is, in hexadecimal of either case, in base64url.
inline std::vector<Bytes> forms_of(const Secret& secret) {
  std::string hex = hex_encode(secret.octets);
  std::string upper = hex;
  std::ranges::transform(upper, upper.begin(), [](char c) { return c >= 'a' ? char(c - 32) : c; });
  std::vector<Bytes> forms{secret.octets};
  for (const std::string& text : {hex, upper, base64url_encode(secret.octets)}) {
    const ByteView octets = as_bytes(text);
    forms.emplace_back(octets.begin(), octets.end());
  }
  return forms;
}

inline bool contains(ByteView text, ByteView part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end()) != text.end();
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace chancery::tests
