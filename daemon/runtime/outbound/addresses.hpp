#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

struct sockaddr;

namespace chancery::runtime {

/// An IPv4 or IPv6 address, without port and zone.
class Address {
 public:
  /// Reads the usual text forms: four decimal numbers, or RFC 4291 section 2.2. Nothing shorter, octal or hexadecimal is
  /// an IPv4 address here, whatever other readers make of it. \return kInvalidArgument
  [[nodiscard]] static Result<Address> parse(std::string_view text);
  /// \param address  of a socket, as its `sa_family` says. \return kInvalidArgument for another family
  [[nodiscard]] static Result<Address> from(const sockaddr& address);
  [[nodiscard]] static Address v4(const std::array<std::uint8_t, 4>& octets);

  [[nodiscard]] bool is_v6() const noexcept { return is_v6_; }
  /// 32 or 128.
  [[nodiscard]] unsigned bits() const noexcept { return is_v6_ ? 128 : 32; }
  /// In the order of the network; of an IPv4 address the first four.
  [[nodiscard]] const std::array<std::uint8_t, 16>& octets() const noexcept { return octets_; }
  [[nodiscard]] std::string text() const;

  friend bool operator==(const Address&, const Address&) = default;

 private:
  bool is_v6_ = false;
  std::array<std::uint8_t, 16> octets_{};
};

/// What stands behind an address, by the IANA registries of special-purpose addresses.
enum class AddressClass : std::uint8_t {
  kPublic,
  kUnspecified,  ///< 0.0.0.0 and ::, by which Linux reaches this machine
  kLoopback,
  kPrivate,    ///< RFC 1918, fc00::/7, and fec0::/10, which served for it once
  kShared,     ///< 100.64.0.0/10, between a provider and its customers (RFC 6598)
  kLinkLocal,  ///< 169.254.0.0/16, fe80::/10
  kMetadata,   ///< where clouds tell a machine its own secrets
  kMulticast,
  kBroadcast,
  kReserved,    ///< documentation, benchmarks, protocols, and what was not given to anybody
  kTranslated,  ///< IPv6 in whose stead an IPv4 address is reached: mapped, compatible, NAT64, 6to4, Teredo
};

[[nodiscard]] AddressClass classify(const Address& address) noexcept;

/// The IPv4 addresses that stand in one of class kTranslated, of Teredo the server's and the client's; else empty.
[[nodiscard]] std::vector<Address> embedded_in(const Address& address);

/// A range as in `10.1.0.0/16`; an address by itself is a range of one.
class AddressRange {
 public:
  /// \return kInvalidArgument, also where bits stand behind the prefix
  [[nodiscard]] static Result<AddressRange> parse(std::string_view text);

  [[nodiscard]] bool contains(const Address& address) const noexcept;
  /// Of the prefix, in bits.
  [[nodiscard]] unsigned length() const noexcept { return length_; }
  [[nodiscard]] bool is_single() const noexcept { return length_ == base_.bits(); }

  friend bool operator==(const AddressRange&, const AddressRange&) = default;

 private:
  AddressRange(const Address& base, unsigned length) : base_(base), length_(length) {}

  Address base_;
  unsigned length_;
};

/// Which addresses a call may reach: public ones, and those of the ranges that the tool's declaration names. A value.
///
/// A range is not enough for some: a metadata service must be declared by its very address. What is unspecified, multicast or
/// broadcast is nobody's server. A translated address needs a range for its form (for 64:ff9b:1::/48 one of 96 bits at
/// least, since where the IPv4 address stands depends on it), and the rule must hold for the IPv4 addresses in it.
class AddressRule {
 public:
  explicit AddressRule(std::vector<AddressRange> declared = {}) : declared_(std::move(declared)) {}

  /// \return kForbidden, with what stands behind the address; `native` is its AddressClass
  [[nodiscard]] Status check(const Address& address) const;

 private:
  [[nodiscard]] bool is_declared(const Address& address, unsigned least_length = 0) const noexcept;
  [[nodiscard]] bool admits(const Address& address, AddressClass found) const;

  std::vector<AddressRange> declared_;
};

}  // namespace chancery::runtime
