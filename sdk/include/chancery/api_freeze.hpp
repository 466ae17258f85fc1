#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <chancery/bytes.hpp>

namespace chancery::api {

// Freezing agents' keys (docs/operations/incidents.md). An `enforcement` is "tpm" where the device itself refuses to sign with each
// of the keys that it is about, and "software" where the daemon does, for some of them at least.

inline constexpr const char* kByTpm = "tpm";
inline constexpr const char* kBySoftware = "software";

/// Outcome of an action whose chain has a key of a frozen agent in it.
inline constexpr const char* kAgentFrozen = "agent_frozen";

struct FreezeReason {
  std::string reason;  ///< one line for people; may be empty
};

/// What the operator's key is to sign for a kill switch (docs/protocol/kill-switch.md).
struct SwitchSetting {
  std::string backend;       ///< whose device it is
  std::uint32_t index = 0;   ///< of the bank: a handle of NV
  std::uint64_t frozen = 0;  ///< bits of the slots that stay frozen
  Bytes nonce;
  bool operator==(const SwitchSetting&) const = default;
};

/// A bank of a device's kill switch, as it is.
struct SwitchBank {
  std::string backend;
  std::uint32_t number =
      0;  ///< the slot of a bit is 64 times this and the bit's own; slot 0 is that of all keys
  std::uint32_t index = 0;   ///< its handle of NV
  bool is_armed = false;     ///< written once by the operator's word; what is not freezes
  std::uint64_t frozen = 0;  ///< bits; 0 unless it is armed
  bool operator==(const SwitchBank&) const = default;
};

struct SignedSetting {
  SwitchSetting setting;
  Bytes signature;  ///< r‖s, 64 octets
};

/// To change what a kill switch holds: without settings, what is to be signed is answered.
struct SignedSettings {
  std::vector<SignedSetting> settings;
};

struct AgentFreeze {
  std::string agent;
  bool is_frozen = false;
  std::string enforcement;
  std::vector<SwitchSetting> to_sign;  ///< before it is unfrozen; empty when nothing is left to be
  std::vector<SwitchBank> banks{};     ///< as FreezeState::banks, when something is to be signed
};

/// Of all agents.
struct FreezeState {
  bool is_frozen = false;
  std::string enforcement;
  std::optional<std::int64_t> since;
  std::string reason;
  std::vector<std::string> agents;  ///< that are frozen by themselves, by name
  std::uint64_t switched_keys = 0;  ///< keys of agents that hang on a kill switch
  std::uint64_t other_keys = 0;     ///< and that do not
  bool is_armed = false;  ///< whether there is a kill switch, and no bank of any waits for the operator
  std::vector<SwitchSetting> to_sign;  ///< empty when nothing is left to be
  std::vector<SwitchBank> banks;       ///< of devices that answer
};

}  // namespace chancery::api
