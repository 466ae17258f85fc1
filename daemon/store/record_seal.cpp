#include "daemon/store/record_seal.hpp"

#include <initializer_list>
#include <string>

#include "sdk/crypto/hash.hpp"

namespace chancery::store {
namespace {

// Each part with its length in front, so that no two records give the same text.
std::string covered(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text.append(std::to_string(part.size())).append(":").append(part);
  return text;
}

std::string text_of(sys_seconds time) { return std::to_string(time.time_since_epoch().count()); }
std::string text_of(const std::optional<sys_seconds>& time) { return time ? text_of(*time) : ""; }

}  // namespace

Sha256Digest RecordSeal::of(const Key& key) const {
  const hsm::KeyBinding& binding = key.stored.binding;
  const std::string text =
      covered({"chancery key record", key.owner, key.backend, binding.agent_id, binding.key_id,
               key.stored.public_key.jwk(), as_text(key.stored.blob), key_state_name(key.state), key.reason,
               text_of(key.created_at), text_of(key.overlap_until), text_of(key.ended_at),
               text_of(key.destroyed_at)});
  return hmac_sha256(key_.view(), as_bytes(text));
}

Sha256Digest RecordSeal::of(const Agent& agent, std::int64_t key_place) const {
  const std::string text =
      covered({"chancery agent record", agent.id, agent.name, agent.selectors, text_of(agent.created_at),
               text_of(agent.retired_at), std::to_string(key_place)});
  return hmac_sha256(key_.view(), as_bytes(text));
}

Sha256Digest RecordSeal::of(const Approver& approver) const {
  std::string text = covered({"chancery approver record", approver.principal});
  for (const std::string& group : approver.groups) text += covered({group});
  return hmac_sha256(key_.view(), as_bytes(text));
}

Sha256Digest RecordSeal::of(const ApproverKey& key, std::string_view principal) const {
  const std::string text = covered({"chancery approver key record", principal, key.jkt.text(), key.kind,
                                    key.jwk, key.credential_id, approver_key_state_name(key.state),
                                    text_of(key.enrolled_at), key.enrolled_by, text_of(key.ended_at)});
  return hmac_sha256(key_.view(), as_bytes(text));
}

Sha256Digest RecordSeal::of(const LetThrough& value) const {
  return hmac_sha256(key_.view(),
                     as_bytes(covered({"chancery value that was let through", value.gate, value.value})));
}

Sha256Digest RecordSeal::of(const GateKeyOpeners& openers) const {
  return hmac_sha256(key_.view(),
                     as_bytes(covered({"chancery gate key openers", openers.gate_key, openers.openers})));
}

}  // namespace chancery::store
