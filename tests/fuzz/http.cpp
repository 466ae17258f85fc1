#include <string>

#include "daemon/edge/request_reader.hpp"
#include "tests/fuzz/target.hpp"

// An input is what a connection sends: requests one after the other. However it is cut into pieces, the same requests come
// out of it, or the same refusal.

namespace chancery::fuzz {
namespace {

constexpr std::size_t kMostRequests = 64;

edge::Limits small_limits() {
  edge::Limits limits;
  limits.header_bytes = 2048;
  limits.body_bytes = 4096;
  return limits;
}

void describe(std::string& out, edge::RequestReader& reader) {
  const rest::Request& request = reader.request();
  out += request.method + " " + request.path + "?" + request.query + "\n";
  for (const auto& [name, value] : request.headers) {
    require(!name.empty());
    require((name + value).find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
    out.append(name).append(":").append(value).append("\n");
  }
  require(request.body.size() <= small_limits().body_bytes);
  out += std::to_string(request.body.size()) + "\n" + request.body + "\n";
}

// Everything that a connection gets out of the octets, which arrive `piece` at a time.
std::string read_all(std::string_view octets, std::size_t piece) {
  const edge::Limits limits = small_limits();
  edge::RequestReader reader(limits);
  std::string out, held;
  std::size_t requests = 0;
  while (requests < kMostRequests && (!octets.empty() || !held.empty())) {
    const std::size_t arrived = std::min(piece, octets.size());
    held += octets.substr(0, arrived);
    octets.remove_prefix(arrived);
    const auto consumed = reader.feed(held);
    if (!consumed) return out + "refused " + std::to_string(consumed.error().status);
    require(*consumed <= held.size());
    held.erase(0, *consumed);
    if (reader.is_whole()) {
      describe(out, reader);
      ++requests;
      if (!reader.head().keep_alive) return out + "closed";
      reader.restart();
    } else if (arrived == 0) {
      return out + "incomplete";
    }
  }
  return out + (reader.has_head() ? "incomplete" : "end");
}

// An empty line alone may precede a request, and none may come: what is left over then is neither.
std::string outcome(std::string text) {
  for (const std::string_view end : {"incomplete", "end"}) {
    if (text.ends_with(end)) text.resize(text.size() - end.size());
  }
  return text;
}

}  // namespace
}  // namespace chancery::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  const std::string_view octets = fuzz::text_of(data, size);
  const std::string whole = fuzz::outcome(fuzz::read_all(octets, octets.size() + 1));
  fuzz::require(fuzz::outcome(fuzz::read_all(octets, 1)) == whole);
  fuzz::require(fuzz::outcome(fuzz::read_all(octets, 7)) == whole);
  return 0;
}
