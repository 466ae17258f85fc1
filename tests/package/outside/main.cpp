// outside TRUST-FILE CHAIN-FILE SECONDS: verifies a chain as of that instant. Exit status 0 when it is valid, else 1.
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include <chancery/client.hpp>
#include <chancery/trust.hpp>
#include <chancery/verify.hpp>

namespace {

std::string read_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  auto config = chancery::TrustConfig::parse(read_file(argv[1]));
  if (!config) return 2;
  const chancery::TrustSnapshot trust(*std::move(config));
  const std::string text = read_file(argv[2]);
  const auto now = std::chrono::sys_seconds(std::chrono::seconds(std::atoll(argv[3])));
  const chancery::Verdict verdict = chancery::verify_chain(chancery::split_chain(text), trust, now);
  // Nobody answers there: it is linked, and fails as it says.
  const auto client = chancery::Client::connect({.socket = "/nonexistent/chancery.sock"});
  if (!client || client->metadata()) return 2;
  std::cout << (verdict.valid() ? "valid" : "denied") << '\n';
  return verdict.valid() ? 0 : 1;
}
