#include "sdk/wire/freeze_messages.hpp"

#include <array>

#include "sdk/base/hex.hpp"
#include "sdk/wire/attestation_fields.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::wire {
namespace {

using json::Document;
using json::Node;
using json::Value;

constexpr std::size_t kBitsSize = 8;
constexpr std::size_t kSignatureSize = 64;
constexpr Range kAnyHandle{0, 0xFFFFFFFF};
constexpr Range kAnyBank{0, 1023};

constexpr const char* kSettingHas =
    "a setting has `backend`, `index`, `frozen` (16 hexadecimal digits) and `nonce` (base64url)";

// JSON has no whole numbers of 64 bits that every reader takes.
std::string bits_text(std::uint64_t bits) {
  std::array<std::uint8_t, kBitsSize> octets;
  for (std::size_t i = 0; i < kBitsSize; ++i)
    octets[i] = static_cast<std::uint8_t>(bits >> 8 * (kBitsSize - 1 - i) & 0xFF);
  return hex_encode(octets);
}

Result<std::uint64_t> bits_from(const Value& object) {
  CHANCERY_ASSIGN(const std::string text, need_text(object, "frozen", kSettingHas));
  const auto octets = hex_decode_exactly<kBitsSize>(text);
  if (!octets) return malformed(kSettingHas);
  std::uint64_t bits = 0;
  for (const std::uint8_t octet : *octets) bits = bits << 8 | octet;
  return bits;
}

Node setting_node(const api::SwitchSetting& setting) {
  Node node = Node::object({{"backend", setting.backend},
                            {"index", std::int64_t{setting.index}},
                            {"frozen", bits_text(setting.frozen)}});
  set_octets(node, "nonce", setting.nonce);
  return node;
}

Result<api::SwitchSetting> setting_from(const Value& object) {
  api::SwitchSetting out;
  CHANCERY_ASSIGN(out.backend, need_text(object, "backend", kSettingHas));
  CHANCERY_ASSIGN(const std::int64_t index, need_number(object, "index", kAnyHandle, kSettingHas));
  out.index = static_cast<std::uint32_t>(index);
  CHANCERY_ASSIGN(out.frozen, bits_from(object));
  CHANCERY_ASSIGN(out.nonce, need_octets(object, "nonce", kSettingHas));
  return out;
}

Result<api::SignedSetting> signed_setting_from(const Value& object) {
  CHANCERY_TRY(allow_only(object, {"backend", "index", "frozen", "nonce", "signature"}, kSettingHas));
  api::SignedSetting out;
  CHANCERY_ASSIGN(out.setting, setting_from(object));
  constexpr const char* kWhat = "`signature` is 64 octets in base64url, as ES256 has them";
  CHANCERY_ASSIGN(out.signature, need_octets(object, "signature", kWhat));
  if (out.signature.size() != kSignatureSize) return malformed(kWhat);
  return out;
}

Result<std::vector<api::SwitchSetting>> to_sign_from(const Value& object) {
  if (object.find("to_sign") == nullptr) return std::vector<api::SwitchSetting>();
  return items_from<api::SwitchSetting>(object, "to_sign", "`to_sign` is an array of settings", setting_from);
}

Node bank_node(const api::SwitchBank& bank) {
  return Node::object({{"backend", bank.backend},
                       {"number", std::int64_t{bank.number}},
                       {"index", std::int64_t{bank.index}},
                       {"armed", bank.is_armed},
                       {"frozen", bits_text(bank.frozen)}});
}

Result<api::SwitchBank> bank_from(const Value& object) {
  constexpr const char* kWhat =
      "a bank has `backend`, `number`, `index`, `armed` and `frozen` (16 hexadecimal digits)";
  api::SwitchBank out;
  CHANCERY_ASSIGN(out.backend, need_text(object, "backend", kWhat));
  CHANCERY_ASSIGN(const std::int64_t number, need_number(object, "number", kAnyBank, kWhat));
  CHANCERY_ASSIGN(const std::int64_t index, need_number(object, "index", kAnyHandle, kWhat));
  out.number = static_cast<std::uint32_t>(number);
  out.index = static_cast<std::uint32_t>(index);
  CHANCERY_ASSIGN(out.is_armed, flag(object, "armed", kWhat));
  CHANCERY_ASSIGN(out.frozen, bits_from(object));
  return out;
}

void set_to_sign(Node& node, const std::vector<api::SwitchSetting>& settings) {
  if (!settings.empty()) node.set("to_sign", array_of(settings, setting_node));
}

void set_banks(Node& node, const std::vector<api::SwitchBank>& banks) {
  if (!banks.empty()) node.set("banks", array_of(banks, bank_node));
}

Result<std::vector<api::SwitchBank>> banks_from(const Value& object) {
  if (object.find("banks") == nullptr) return std::vector<api::SwitchBank>();
  return items_from<api::SwitchBank>(object, "banks", "`banks` is an array of banks", bank_from);
}

}  // namespace

std::string write(const api::FreezeReason& message) {
  Node node = Node::object();
  set_unless_empty(node, "reason", message.reason);
  return json::to_jcs(node);
}

Result<api::FreezeReason> read_freeze_reason(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_TRY(allow_only(document.root(), {"reason"}, "the request takes `reason` alone"));
  api::FreezeReason out;
  CHANCERY_ASSIGN(out.reason, text_or_empty(document.root(), "reason", "`reason` must be a string"));
  return out;
}

std::string write(const api::SignedSettings& message) {
  Node node = Node::object();
  if (message.settings.empty()) return json::to_jcs(node);
  node.set("settings", array_of(message.settings, [](const api::SignedSetting& each) {
             Node item = setting_node(each.setting);
             set_octets(item, "signature", each.signature);
             return item;
           }));
  return json::to_jcs(node);
}

Result<api::SignedSettings> read_signed_settings(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root, {"settings"}, "the request takes `settings` alone"));
  api::SignedSettings out;
  if (root.find("settings") == nullptr) return out;
  CHANCERY_ASSIGN(out.settings,
                  items_from<api::SignedSetting>(
                      root, "settings", "`settings` is an array of signed settings", signed_setting_from));
  return out;
}

std::string write(const api::AgentFreeze& message) {
  Node node = Node::object(
      {{"agent", message.agent}, {"frozen", message.is_frozen}, {"enforcement", message.enforcement}});
  set_to_sign(node, message.to_sign);
  set_banks(node, message.banks);
  return json::to_jcs(node);
}

Result<api::AgentFreeze> read_agent_freeze(std::string_view json) {
  constexpr const char* kWhat = "the answer has `agent`, `frozen` and `enforcement`";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  api::AgentFreeze out;
  CHANCERY_ASSIGN(out.agent, need_text(root, "agent", kWhat));
  CHANCERY_ASSIGN(out.is_frozen, flag(root, "frozen", kWhat));
  CHANCERY_ASSIGN(out.enforcement, need_text(root, "enforcement", kWhat));
  CHANCERY_ASSIGN(out.to_sign, to_sign_from(root));
  CHANCERY_ASSIGN(out.banks, banks_from(root));
  return out;
}

std::string write(const api::FreezeState& message) {
  Node node = Node::object({{"frozen", message.is_frozen},
                            {"enforcement", message.enforcement},
                            {"agents", text_array(message.agents)},
                            {"switched_keys", static_cast<std::int64_t>(message.switched_keys)},
                            {"other_keys", static_cast<std::int64_t>(message.other_keys)},
                            {"armed", message.is_armed}});
  set_optional(node, "since", message.since);
  set_unless_empty(node, "reason", message.reason);
  set_to_sign(node, message.to_sign);
  set_banks(node, message.banks);
  return json::to_jcs(node);
}

Result<api::FreezeState> read_freeze_state(std::string_view json) {
  constexpr const char* kWhat =
      "the answer has `frozen`, `enforcement`, `agents`, `switched_keys`, `other_keys` and `armed`";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  api::FreezeState out;
  CHANCERY_ASSIGN(out.is_frozen, flag(root, "frozen", kWhat));
  CHANCERY_ASSIGN(out.enforcement, need_text(root, "enforcement", kWhat));
  CHANCERY_ASSIGN(out.agents, string_array(root, "agents", kWhat));
  CHANCERY_ASSIGN(const std::int64_t switched, need_number(root, "switched_keys", kAnyCount, kWhat));
  CHANCERY_ASSIGN(const std::int64_t others, need_number(root, "other_keys", kAnyCount, kWhat));
  out.switched_keys = static_cast<std::uint64_t>(switched);
  out.other_keys = static_cast<std::uint64_t>(others);
  CHANCERY_ASSIGN(out.is_armed, flag(root, "armed", kWhat));
  CHANCERY_ASSIGN(out.since, integer(root, "since", kAnyTime, "`since` is a time"));
  CHANCERY_ASSIGN(out.reason, text_or_empty(root, "reason", "`reason` is a string"));
  CHANCERY_ASSIGN(out.to_sign, to_sign_from(root));
  CHANCERY_ASSIGN(out.banks, banks_from(root));
  return out;
}

}  // namespace chancery::wire
