#include "daemon/runtime/outbound/addresses.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <span>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace chancery::runtime {
namespace {

using enum AddressClass;
using Octets = std::array<std::uint8_t, 16>;

struct Special {
  Octets base;  // of IPv4 the first four
  unsigned length;
  AddressClass is;
};

// Of several that contain an address the first counts, so that single addresses stand before the ranges around them.
// Where the registry says "globally reachable" of a part of a range that is not, nobody's upstream is there: the whole is refused.
constexpr std::array kSpecialV4{
    Special{{0, 0, 0, 0}, 32, kUnspecified},
    Special{{0, 0, 0, 0}, 8, kReserved},
    Special{{169, 254, 169, 254}, 32, kMetadata},  // most clouds
    Special{{169, 254, 170, 2}, 32, kMetadata},    // AWS, tasks
    Special{{169, 254, 170, 23}, 32, kMetadata},   // AWS, pods
    Special{{169, 254, 0, 23}, 32, kMetadata},     // Tencent
    Special{{100, 100, 100, 200}, 32, kMetadata},  // Alibaba
    Special{{168, 63, 129, 16}, 32, kMetadata},    // Azure, in a public range
    Special{{192, 0, 0, 192}, 32, kMetadata},      // Oracle, formerly
    Special{{10, 0, 0, 0}, 8, kPrivate},
    Special{{100, 64, 0, 0}, 10, kShared},
    Special{{127, 0, 0, 0}, 8, kLoopback},
    Special{{169, 254, 0, 0}, 16, kLinkLocal},
    Special{{172, 16, 0, 0}, 12, kPrivate},
    Special{{192, 0, 0, 0}, 24, kReserved},  // protocol assignments
    Special{{192, 0, 2, 0}, 24, kReserved},  // documentation
    Special{{192, 88, 99, 0}, 24, kReserved},
    Special{{192, 168, 0, 0}, 16, kPrivate},
    Special{{198, 18, 0, 0}, 15, kReserved},    // benchmarks
    Special{{198, 51, 100, 0}, 24, kReserved},  // documentation
    Special{{203, 0, 113, 0}, 24, kReserved},   // documentation
    Special{{224, 0, 0, 0}, 4, kMulticast},
    Special{{255, 255, 255, 255}, 32, kBroadcast},
    Special{{240, 0, 0, 0}, 4, kReserved},
};

constexpr std::array kSpecialV6{
    Special{{}, 128, kUnspecified},
    Special{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, kLoopback},
    Special{{}, 96, kTranslated},                                          // compatible
    Special{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, kTranslated},  // mapped
    Special{{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, kTranslated},        // SIIT (RFC 2765)
    Special{{0x00, 0x64, 0xff, 0x9b}, 96, kTranslated},                    // NAT64
    Special{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, kTranslated},        // NAT64, local use
    Special{{0x20, 0x01, 0x00, 0x00}, 32, kTranslated},                    // Teredo
    Special{{0x20, 0x02}, 16, kTranslated},                                // 6to4
    Special{{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128, kMetadata},  // AWS
    Special{{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x23}, 128, kMetadata},     // AWS, pods
    Special{{0xfd, 0x20, 0x00, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128, kMetadata},  // Google
    Special{{0xfc}, 7, kPrivate},
    Special{{0xfe, 0x80}, 10, kLinkLocal},
    Special{{0xfe, 0xc0}, 10, kPrivate},
    Special{{0xff}, 8, kMulticast},
    Special{{0x20, 0x01, 0x00}, 23, kReserved},        // protocol assignments
    Special{{0x20, 0x01, 0x0d, 0xb8}, 32, kReserved},  // documentation
    Special{{0x3f, 0xff}, 20, kReserved},              // documentation
    Special{{0x20}, 3, kPublic},
};

constexpr Octets kLocalNat64{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01};
constexpr unsigned kLocalNat64Length = 48;
constexpr unsigned kWholePrefix = 96;  // of a translator whose IPv4 addresses stand at the end

bool has_prefix(const Octets& octets, const Octets& base, unsigned length) noexcept {
  const std::size_t whole = length / 8;
  if (!std::equal(base.begin(), base.begin() + whole, octets.begin())) return false;
  const unsigned rest = length % 8;
  if (rest == 0) return true;
  const unsigned mask = 0xffu << (8 - rest) & 0xffu;
  return (octets[whole] & mask) == (base[whole] & mask);
}

AddressClass look_up(const Octets& octets, std::span<const Special> table, AddressClass otherwise) noexcept {
  const auto found = std::ranges::find_if(
      table, [&](const Special& row) { return has_prefix(octets, row.base, row.length); });
  return found == table.end() ? otherwise : found->is;
}

Address embedded_at(const Octets& octets, std::size_t place, std::uint8_t flip = 0) {
  std::array<std::uint8_t, 4> found{};
  std::transform(octets.begin() + place, octets.begin() + place + 4, found.begin(),
                 [flip](std::uint8_t octet) { return static_cast<std::uint8_t>(octet ^ flip); });
  return Address::v4(found);
}

Error refusal(AddressClass found) {
  const auto refused = [found](const char* what) {
    return Error{ErrorCode::kForbidden, what, static_cast<std::uint64_t>(found)};
  };
  switch (found) {
    case kPublic:
      break;
    case kUnspecified:
      return refused("the upstream's address is the unspecified one, which is this machine");
    case kLoopback:
      return refused("the upstream's address is a loopback one, which the tool does not declare");
    case kPrivate:
      return refused("the upstream's address is a private one, which the tool does not declare");
    case kShared:
      return refused("the upstream's address is in 100.64.0.0/10, which the tool does not declare");
    case kLinkLocal:
      return refused("the upstream's address is a link-local one, which the tool does not declare");
    case kMetadata:
      return refused(
          "the upstream's address is a cloud's metadata service, not declared by that very address");
    case kMulticast:
      return refused("the upstream's address is a multicast one, behind which no server is");
    case kBroadcast:
      return refused("the upstream's address is the broadcast one, behind which no server is");
    case kReserved:
      return refused("the upstream's address is a reserved one, which the tool does not declare");
    case kTranslated:
      return refused(
          "the upstream's address is an IPv6 form of an IPv4 address (mapped, NAT64, 6to4, Teredo), not declared");
  }
  return refused("the upstream's address is not one that the tool declares");
}

std::optional<unsigned> parse_length(std::string_view text, unsigned most) {
  unsigned length = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), length);
  const bool is_whole = failure == std::errc() && end == text.data() + text.size();
  const bool is_plain = text.size() == 1 || !text.starts_with('0');
  if (!is_whole || !is_plain || length > most) return std::nullopt;
  return length;
}

}  // namespace

Address Address::v4(const std::array<std::uint8_t, 4>& octets) {
  Address address;
  std::ranges::copy(octets, address.octets_.begin());
  return address;
}

Result<Address> Address::parse(std::string_view text) {
  constexpr Error kNoAddress{
      ErrorCode::kInvalidArgument,
      "this is no IP address: write 192.0.2.1 or 2001:db8::1, without zone and brackets"};
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return kNoAddress;
  const std::string terminated(text);
  Address address;
  address.is_v6_ = text.find(':') != std::string_view::npos;
  const int family = address.is_v6_ ? AF_INET6 : AF_INET;
  if (::inet_pton(family, terminated.c_str(), address.octets_.data()) != 1) return kNoAddress;
  return address;
}

Result<Address> Address::from(const sockaddr& address) {
  Address found;
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    std::memcpy(found.octets_.data(), &v4.sin_addr, sizeof v4.sin_addr);
    return found;
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    std::memcpy(found.octets_.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    found.is_v6_ = true;
    return found;
  }
  return Error{ErrorCode::kInvalidArgument, "this is an address of neither IPv4 nor IPv6"};
}

std::string Address::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  ::inet_ntop(is_v6_ ? AF_INET6 : AF_INET, octets_.data(), out.data(), out.size());
  return out.data();
}

AddressClass classify(const Address& address) noexcept {
  // Of IPv6 only 2000::/3 was given out; what is new there later has to be looked at first.
  return address.is_v6() ? look_up(address.octets(), kSpecialV6, kReserved)
                         : look_up(address.octets(), kSpecialV4, kPublic);
}

std::vector<Address> embedded_in(const Address& address) {
  if (classify(address) != kTranslated) return {};
  const Octets& octets = address.octets();
  if (octets[0] == 0x20 && octets[1] == 0x02) return {embedded_at(octets, 2)};  // RFC 3056 section 2
  // RFC 4380 section 4: the server, and the client with each bit turned.
  if (octets[0] == 0x20) return {embedded_at(octets, 4), embedded_at(octets, 12, 0xff)};
  return {embedded_at(octets, 12)};
}

Result<AddressRange> AddressRange::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  CHANCERY_ASSIGN(const Address base, Address::parse(text.substr(0, slash)));
  if (slash == std::string_view::npos) return AddressRange(base, base.bits());
  const auto length = parse_length(text.substr(slash + 1), base.bits());
  if (!length) {
    return Error{ErrorCode::kInvalidArgument,
                 "an address range ends in a prefix length: 0 to 32 for IPv4, 0 to 128 for IPv6"};
  }
  Octets rest = base.octets();
  for (unsigned bit = 0; bit < *length; ++bit)
    rest[bit / 8] = static_cast<std::uint8_t>(rest[bit / 8] & ~(0x80u >> bit % 8));
  if (rest != Octets{}) {
    return Error{ErrorCode::kInvalidArgument,
                 "an address range has bits behind its prefix: write the first address of the range"};
  }
  return AddressRange(base, *length);
}

bool AddressRange::contains(const Address& address) const noexcept {
  return address.is_v6() == base_.is_v6() && has_prefix(address.octets(), base_.octets(), length_);
}

bool AddressRule::is_declared(const Address& address, unsigned least_length) const noexcept {
  return std::ranges::any_of(declared_, [&](const AddressRange& range) {
    return range.length() >= least_length && range.contains(address);
  });
}

bool AddressRule::admits(const Address& address, AddressClass found) const {
  switch (found) {
    case kPublic:
      return true;
    case kUnspecified:
    case kMulticast:
    case kBroadcast:
      return false;
    case kMetadata:
      return is_declared(address, address.bits());
    case kLoopback:
    case kPrivate:
    case kShared:
    case kLinkLocal:
    case kReserved:
      return is_declared(address);
    case kTranslated:
      return is_declared(address,
                         has_prefix(address.octets(), kLocalNat64, kLocalNat64Length) ? kWholePrefix : 0);
  }
  return false;
}

Status AddressRule::check(const Address& address) const {
  const AddressClass found = classify(address);
  if (!admits(address, found)) return refusal(found);
  for (const Address& embedded : embedded_in(address)) CHANCERY_TRY(check(embedded));
  return {};
}

}  // namespace chancery::runtime
