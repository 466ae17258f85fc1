#include <algorithm>
#include <charconv>
#include <optional>

#include <tss2/tss2_tpm2_types.h>

#include "attest/policy/policy.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/toml/toml.hpp"

namespace chancery::attest {
namespace {

constexpr std::size_t kMostOctets = 1024 * 1024;
constexpr std::size_t kMostId = 128;
constexpr PcrIndex kPcrs = 24;  // of a PC's TPM

Error wrong(const toml::node& node, const char* what) {
  return {ErrorCode::kConfigInvalid, what, node.source().begin.line};
}

// Results carry it in JSON and logs: printable ASCII.
Status read_id(const toml::node& node, Policy& policy) {
  policy.id = node.value_exact<std::string>().value_or("");
  const bool is_plain =
      std::ranges::all_of(policy.id, [](char letter) { return letter >= ' ' && letter <= '~'; });
  if (!policy.id.empty() && policy.id.size() <= kMostId && is_plain) return {};
  return wrong(node, "id: write a name of at most 128 ASCII characters; it stands in attestation results");
}

// Firmware has 64 bits, which results show in decimal and vendors in hexadecimal; TOML's integers have 63.
std::optional<std::uint64_t> firmware_number(std::string_view text) {
  const bool is_hex = text.starts_with("0x");
  if (is_hex) text.remove_prefix(2);
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number, is_hex ? 16 : 10);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

Status read_minimum_firmware(const toml::node& node, Policy& policy) {
  const std::int64_t number = node.value_exact<std::int64_t>().value_or(-1);
  const auto text = firmware_number(node.value_exact<std::string>().value_or(""));
  if (number < 0 && !text) {
    return wrong(
        node,
        "minimum_firmware: write firmware as an attestation result shows it, such as 0x2019002300163636, or "
        "in quotes from 0x8000000000000000 on");
  }
  policy.least_firmware = text.value_or(static_cast<std::uint64_t>(number));
  return {};
}

Status read_on_reset(const toml::node& node, Policy& policy) {
  const std::string said = node.value_exact<std::string>().value_or("");
  if (said != "accept" && said != "refuse")
    return wrong(node, "on_reset: write \"accept\", or \"refuse\" where a restarted host has to enrol anew");
  policy.on_reset = said == "accept" ? OnReset::kAccept : OnReset::kRefuse;
  return {};
}

// Anybody who may use the TPM may reset the PCRs 16 and 23, and then extend them to any value (PC Client Platform TPM
// Profile 1.05, 4.6.1).
bool proves_something(PcrIndex index) { return index < kPcrs && index != 16 && index != 23; }

std::optional<PcrIndex> pcr_index(std::string_view text) {
  PcrIndex index = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, index);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == end && std::to_string(index) == text;
  return is_number && proves_something(index) ? std::optional(index) : std::nullopt;
}

Result<std::set<Bytes>> read_values(const toml::node& node, Hash bank) {
  constexpr const char* kWrong =
      "pcrs: write the values that a PCR may have as a list of one or more digests of its bank in hexadecimal";
  const toml::array* const list = node.as_array();
  if (list == nullptr || list->empty()) return wrong(node, kWrong);
  std::set<Bytes> out;
  for (const toml::node& item : *list) {
    const std::optional<std::string> text = item.value_exact<std::string>();
    const Result<Bytes> digest = hex_decode(text ? *text : "");
    if (!digest || digest->size() != bank.size()) return wrong(item, kWrong);
    out.insert(*digest);
  }
  return out;
}

Status read_bank(std::string_view name, const toml::node& node, Policy& policy) {
  const auto bank = Hash::named(name);
  if (!bank || bank->is_weak())
    return wrong(node, "pcrs: write a bank of SHA-256 or stronger, such as [pcrs.sha256]");
  const toml::table* const rows = node.as_table();
  if (rows == nullptr || rows->empty())
    return wrong(node, "pcrs: a bank is a table with a row for each PCR, such as 7 = [\"…\"]");
  for (const auto& [key, values] : *rows) {
    const auto index = pcr_index(key.str());
    if (!index)
      return wrong(values, "pcrs: write a PCR from 0 to 22, and not 16, which like 23 anybody may set");
    CHANCERY_ASSIGN(policy.pcrs[*bank][*index], read_values(values, *bank));
  }
  return {};
}

Status read_pcrs(const toml::node& node, Policy& policy) {
  const toml::table* const banks = node.as_table();
  if (banks == nullptr || banks->size() != 1)
    return wrong(node, "pcrs: write one table of one bank, such as [pcrs.sha256]");
  for (const auto& [name, content] : *banks) CHANCERY_TRY(read_bank(name.str(), content, policy));
  return {};
}

struct Key {
  std::string_view name;
  Status (*read)(const toml::node& node, Policy& policy);
};
constexpr std::array kKeys{Key{"id", read_id}, Key{"minimum_firmware", read_minimum_firmware},
                           Key{"on_reset", read_on_reset}, Key{"pcrs", read_pcrs}};

}  // namespace

Result<Policy> parse_policy(std::string_view toml) {
  if (toml.size() > kMostOctets)
    return Error{ErrorCode::kConfigInvalid, "a policy's file has at most 1 MiB: take values out"};
  const toml::parse_result document = toml::parse(toml);
  if (!document)
    return Error{ErrorCode::kConfigInvalid, "the policy is no TOML: mend that line",
                 document.error().source().begin.line};
  Policy policy;
  for (const auto& [name, node] : document.table()) {
    const auto* const key = std::ranges::find(kKeys, name.str(), &Key::name);
    if (key == kKeys.end())
      return wrong(node, "a policy has the keys id, minimum_firmware, on_reset and pcrs: no other is known");
    CHANCERY_TRY(key->read(node, policy));
  }
  if (policy.id.empty())
    return Error{ErrorCode::kConfigInvalid, "id: give the policy a name; it stands in attestation results"};
  return policy;
}

}  // namespace chancery::attest
