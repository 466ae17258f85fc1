#include "attest/evidence/measurement_log.hpp"

#include <algorithm>
#include <optional>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::attest {
namespace {

constexpr std::size_t kMostAgent = 128;

std::optional<Sha256Digest> digest_member(const json::Value& entry, const char* name) {
  const json::Value* const member = entry.find(name);
  const Result<Bytes> octets = hex_decode(member == nullptr ? "" : member->string().value_or(""));
  Sha256Digest out{};
  if (!octets || octets->size() != out.size()) return std::nullopt;
  std::ranges::copy(*octets, out.begin());
  return out;
}

std::optional<AgentMeasurement> read_entry(const json::Value& entry) {
  if (!entry.has_only({"agent", "at", "executable_sha256", "manifest_sha256", "seq"})) return std::nullopt;
  const auto integer = [&entry](const char* name) {
    const json::Value* const member = entry.find(name);
    return member == nullptr ? -1 : member->integer().value_or(-1);
  };
  const json::Value* const agent = entry.find("agent");
  const auto executable = digest_member(entry, "executable_sha256");
  const auto manifest = digest_member(entry, "manifest_sha256");
  const std::int64_t seq = integer("seq");
  const std::int64_t at = integer("at");
  const std::string name(agent == nullptr ? "" : agent->string().value_or(""));
  if (!executable || !manifest || seq < 1 || at < 0 || name.empty() || name.size() > kMostAgent)
    return std::nullopt;
  return AgentMeasurement{static_cast<std::uint64_t>(seq), std::chrono::sys_seconds(std::chrono::seconds(at)),
                          name, *executable, *manifest};
}

}  // namespace

json::Node to_node(const AgentMeasurement& entry) {
  return json::Node::object({{"agent", entry.agent},
                             {"at", entry.at.time_since_epoch().count()},
                             {"executable_sha256", hex_encode(entry.executable)},
                             {"manifest_sha256", hex_encode(entry.manifest)},
                             {"seq", entry.seq}});
}

Sha256Digest digest_of(const AgentMeasurement& entry) {
  return sha256(as_bytes(json::to_jcs(to_node(entry))));
}

Judged<MeasurementLog> read_measurement_log(const json::Value& array) {
  if (!array.is(json::Value::Kind::kArray))
    return Refusal{Check::kLogParse, "the log of what was measured is an array of entries"};
  MeasurementLog log;
  for (const json::Value& item : array.items()) {
    auto entry = read_entry(item);
    if (!entry)
      return Refusal{Check::kLogParse,
                     "an entry of the log of what was measured lacks a member, or has one of another form"};
    if (entry->seq != log.size() + 1)
      return Refusal{Check::kLogParse, "the log of what was measured leaves an entry out"};
    log.push_back(*std::move(entry));
  }
  return log;
}

Sha256Digest replay(const MeasurementLog& log) {
  Sha256Digest value{};
  for (const AgentMeasurement& entry : log) {
    Bytes both(value.begin(), value.end());
    const Sha256Digest extension = digest_of(entry);
    both.insert(both.end(), extension.begin(), extension.end());
    value = sha256(both);
  }
  return value;
}

}  // namespace chancery::attest
