#include <chrono>
#include <cstdlib>
#include <deque>

#include "hsm/tpm/connection.hpp"
#include "hsm/tpm/gated_blob.hpp"
#include "hsm/tpm/key_blob.hpp"
#include "hsm/tpm/tcti.hpp"
#include "simulators/faults/tcti_fake.hpp"
#include "simulators/faults/tcti_wire.hpp"
#include "tests/fuzz/target.hpp"

// An input is what a TPM answers to the commands that make a connection ready, one response after the other; and, as it
// is, the blob of a key, a gated key or a sealed secret and the address of a TPM. The corpus has the responses of a swtpm (record_tpm),
// and blobs of keys that one wrapped.

namespace chancery::fuzz {
namespace {

using namespace std::chrono_literals;

// Responses stand one behind the other, each with its size in its header, which need not be true.
std::deque<Bytes> responses_of(ByteView input) {
  constexpr std::size_t kHeader = 10;
  std::deque<Bytes> responses;
  while (input.size() >= kHeader && responses.size() < 64) {
    const std::size_t said = simulators::number_at(input, 2);
    const std::size_t size = std::clamp(said, kHeader, input.size());
    responses.emplace_back(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size));
    input = input.subspan(size);
  }
  return responses;
}

// The connection ends with the script: nobody waits for a time limit.
void open_connection(ByteView input) {
  std::deque<Bytes> responses = responses_of(input);
  const simulators::FakeTpm tpm([&](int fd) {
    while (!responses.empty() && !simulators::read_message(fd).empty()) {
      simulators::write_octets(fd, responses.front());
      responses.pop_front();
    }
  });
  hsm::ConnectionOptions options;
  options.address = *hsm::TctiAddress::parse(tpm.tcti());
  options.sessions = hsm::SessionKind::kPlain;
  options.time_limit = 200ms;
  options.accept = [](const hsm::TpmFacts& facts, ByteView name) -> Status {
    require(facts.manufacturer.size() <= 64 && facts.firmware.size() <= 64 && name.size() <= 66);
    return {};
  };
  const hsm::Interrupt interrupt;
  hsm::LiveCounts live;
  const auto connection = hsm::TpmConnection::open(options, interrupt, live);
  if (!connection) require(connection.error().what != nullptr);
}

void read_sealed(ByteView input) {
  const auto parts = hsm::unmarshal_like(input, hsm::sealed_data_template());
  if (!parts) return;
  const auto again = hsm::marshal(*parts);
  require(again && std::ranges::equal(*again, input));
  require(!hsm::unmarshal(input));  // no key
}

void read_blob(ByteView input) {
  const auto parts = hsm::unmarshal(input);
  if (!parts) return;
  const auto again = hsm::marshal(*parts);
  require(again && std::ranges::equal(*again, input));
  require(hsm::signing_key_of(parts->public_area).has_value());
}

void read_gated_blob(ByteView input) {
  const auto parts = hsm::unmarshal_gated(input);
  if (!parts) return;
  const auto again = hsm::marshal(*parts);
  require(again && std::ranges::equal(*again, input));
  require(!hsm::unmarshal(input));  // no agent's key
}

void read_address(std::string_view text) {
  const auto address = hsm::TctiAddress::parse(text);
  if (address) require(address->path.starts_with('/'));
}

}  // namespace
}  // namespace chancery::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  static const bool is_quiet = ::setenv("TSS2_LOG", "all+none", 1) == 0;
  fuzz::require(is_quiet);
  fuzz::open_connection({data, size});
  fuzz::read_blob({data, size});
  fuzz::read_sealed({data, size});
  fuzz::read_gated_blob({data, size});
  fuzz::read_address(fuzz::text_of(data, size));
  return 0;
}
