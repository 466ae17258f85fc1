#pragma once

#include <string_view>

#include <chancery/api_attestation.hpp>
#include <chancery/result.hpp>

#include "sdk/wire/fields.hpp"

namespace chancery::wire {

// The parts of the messages around attestation, each both ways, and octets in base64url.

/// Empty when it is absent.
[[nodiscard]] Result<Bytes> octets_or_empty(const json::Value& object, std::string_view name,
                                            const char* what);
/// At least one, that must be there.
[[nodiscard]] Result<Bytes> need_octets(const json::Value& object, std::string_view name, const char* what);
/// A member that must be there.
[[nodiscard]] Result<const json::Value*> need(const json::Value& object, std::string_view name,
                                              const char* what);
void set_octets(json::Node& node, const char* name, const Bytes& octets);  ///< unless they are empty

[[nodiscard]] json::Node selection_node(const api::PcrSelection& selection);
[[nodiscard]] json::Node identity_node(const api::HostIdentity& identity);
[[nodiscard]] json::Node challenge_node(const api::AttestationChallenge& challenge);
[[nodiscard]] json::Node activation_node(const api::Activation& activation);
[[nodiscard]] json::Node key_evidence_node(const api::KeyEvidence& evidence);
[[nodiscard]] json::Node measurements_node(const api::Measurements& measurements);

/// The member `pcrs`; none when it is absent.
[[nodiscard]] Result<api::PcrSelection> selection_from(const json::Value& object);
[[nodiscard]] Result<api::HostIdentity> identity_from(const json::Value& object);
[[nodiscard]] Result<api::AttestationChallenge> challenge_from(const json::Value& object);
[[nodiscard]] Result<api::Activation> activation_from(const json::Value& object);
[[nodiscard]] Result<api::KeyEvidence> key_evidence_from(const json::Value& object);
[[nodiscard]] Result<api::Measurements> measurements_from(const json::Value& object);
/// A number that must be there.
[[nodiscard]] Result<std::int64_t> need_number(const json::Value& object, std::string_view name, Range range,
                                               const char* what);

}  // namespace chancery::wire
