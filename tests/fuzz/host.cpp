#include <algorithm>
#include <cstdlib>

#include "tests/fuzz/recorded_host.hpp"
#include "tests/fuzz/target.hpp"

// A host's whole evidence with one field changed. An input's octets are steps of four: which field (the first step's
// counts), what is done, and where, which the fourth octet does it with. Whatever is changed, nothing is accepted that says
// something else than what the TPM signed.

namespace chancery::fuzz {
namespace {

const int kQuiet = ::setenv("TSS2_LOG", "all+none", 0);
constexpr std::size_t kStep = 4;
constexpr std::size_t kMostOctets = 1u << 14;

void change(Bytes& octets, ByteView step) {
  const std::size_t at = octets.empty() ? 0 : (std::size_t{step[1]} << 8 | step[2]) % octets.size();
  const auto place = octets.begin() + static_cast<std::ptrdiff_t>(at);
  switch (octets.empty() ? 4 : step[0] % 6) {
    case 0:
      *place = static_cast<std::uint8_t>(*place ^ 1U << step[3] % 8);
      break;
    case 1:
      *place = step[3];
      break;
    case 2:
      octets.resize(at);
      break;
    case 3:
      octets.erase(place);
      break;
    case 4:
      octets.insert(octets.begin() + static_cast<std::ptrdiff_t>(at), step[3]);
      break;
    default:
      if (octets.size() < kMostOctets) octets.insert(octets.end(), std::size_t{step[2]} + 1, step[3]);
  }
}

void check(ByteView input) {
  static const RecordedHost host = RecordedHost::load();
  if (input.size() < 1 + kStep) return;
  const std::size_t field = input[0] % host.fields().size();
  Bytes octets = host.fields()[field].octets;
  for (std::size_t at = 1; at + kStep <= input.size(); at += kStep) change(octets, input.subspan(at, kStep));
  require(!host.accepts_change(field, octets));
}

}  // namespace
}  // namespace chancery::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chancery::fuzz::check({data, size});
  return 0;
}
