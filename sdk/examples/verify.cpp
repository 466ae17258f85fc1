// A service that checks a delegation chain with the library alone: no daemon, no network.
//
//   example_verify TRUST-FILE CHAIN-FILE [LIST-URI LIST-FILE]
//
// The status list is one that was fetched from its URI just now: what the chain's tokens refer to.
// Prints the verdict as JSON. Exit status: 0 valid; 1 denied, and a chain that cannot be read is denied; 2
// when there is nothing to trust.
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include <chancery/api.hpp>
#include <chancery/trust.hpp>
#include <chancery/verify.hpp>

namespace {

std::string read_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 5) {
    std::cerr << "usage: example_verify TRUST-FILE CHAIN-FILE [LIST-URI LIST-FILE]\n";
    return 2;
  }
  auto trusted = chancery::TrustConfig::parse(read_file(argv[1]));
  if (!trusted) {
    std::cerr << argv[1] << ": " << trusted.error().what << '\n';
    return 2;
  }
  const std::string text = read_file(argv[2]);
  const auto chain = chancery::split_chain(text);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (argc == 5) trusted->status_lists = {{argv[3], read_file(argv[4]), now}};

  const chancery::TrustSnapshot trust(*std::move(trusted));
  const chancery::Verdict verdict = chancery::verify_chain(chain, trust, now);
  std::cout << chancery::api::to_verification(verdict).json << '\n';
  return verdict.valid() ? 0 : 1;
}
