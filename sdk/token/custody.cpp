#include <algorithm>
#include <array>
#include <utility>

#include <chancery/custody.hpp>

namespace chancery {
namespace {

constexpr std::array kCustodies{
    std::pair{Custody::kSoftware, std::string_view("software")},
    std::pair{Custody::kPkcs11Claimed, std::string_view("pkcs11-claimed")},
    std::pair{Custody::kPkcs11Attested, std::string_view("pkcs11-attested")},
    std::pair{Custody::kTpmCertifiedEmulated, std::string_view("tpm-certified-emulated")},
    std::pair{Custody::kTpmCertified, std::string_view("tpm-certified")},
    std::pair{Custody::kTpmQuoted, std::string_view("tpm-quoted")},
};

constexpr std::array kRequirements{
    std::pair{CustodyRequirement::kPkcs11Claimed, std::string_view("pkcs11-claimed")},
    std::pair{CustodyRequirement::kTpmCertifiedEmulated, std::string_view("tpm-certified-emulated")},
    std::pair{CustodyRequirement::kHardware, std::string_view("hardware")},
    std::pair{CustodyRequirement::kTpmCertified, std::string_view("tpm-certified")},
    std::pair{CustodyRequirement::kTpmQuoted, std::string_view("tpm-quoted")},
};

template <typename Table, typename Value>
std::string_view name_in(const Table& table, Value value) noexcept {
  return std::ranges::find(table, value, [](const auto& row) { return row.first; })->second;
}

template <typename Value, typename Table>
std::optional<Value> value_in(const Table& table, std::string_view name) noexcept {
  const auto* const row = std::ranges::find(table, name, [](const auto& pair) { return pair.second; });
  return row == table.end() ? std::nullopt : std::optional(row->first);
}

}  // namespace

std::string_view custody_name(Custody custody) noexcept { return name_in(kCustodies, custody); }

std::optional<Custody> parse_custody(std::string_view name) noexcept {
  return value_in<Custody>(kCustodies, name);
}

std::string_view requirement_name(CustodyRequirement requirement) noexcept {
  return name_in(kRequirements, requirement);
}

std::optional<CustodyRequirement> parse_requirement(std::string_view name) noexcept {
  return value_in<CustodyRequirement>(kRequirements, name);
}

bool satisfies(Custody custody, CustodyRequirement requirement) noexcept {
  const bool is_real_tpm = custody == Custody::kTpmCertified || custody == Custody::kTpmQuoted;
  const bool is_hardware = is_real_tpm || custody == Custody::kPkcs11Attested;
  switch (requirement) {
    case CustodyRequirement::kPkcs11Claimed:
      return is_hardware || custody == Custody::kPkcs11Claimed;
    case CustodyRequirement::kTpmCertifiedEmulated:
      return is_real_tpm || custody == Custody::kTpmCertifiedEmulated;
    case CustodyRequirement::kHardware:
      return is_hardware;
    case CustodyRequirement::kTpmCertified:
      return is_real_tpm;
    case CustodyRequirement::kTpmQuoted:
      return custody == Custody::kTpmQuoted;
  }
  return false;
}

}  // namespace chancery
