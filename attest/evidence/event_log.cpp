#include "attest/evidence/event_log.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include <tss2/tss2_tpm2_types.h>

#include "attest/evidence/octet_reader.hpp"

namespace chancery::attest {
namespace {

using namespace std::string_view_literals;

constexpr std::uint32_t kNoAction = 0x00000003;
constexpr std::uint32_t kHcrtm = 0x80000010;
constexpr std::uint8_t kHcrtmStart = 4;  // what PCR 0 begins with after an H-CRTM sequence (Part 1, 34.3)
constexpr std::size_t kSha1Size = 20;
constexpr std::size_t kMostPcrs = 32;

// With the zero that ends each.
constexpr std::string_view kSpecId = "Spec ID Event03\0"sv;
constexpr std::string_view kStartupLocality = "StartupLocality\0"sv;

constexpr Refusal kIncomplete{Check::kLogParse, "the event log ends in the middle of a record, or is none"};
constexpr Refusal kUndeclared{Check::kLogParse,
                              "the event log has a digest of an algorithm that it did not declare"};

/// A record, its event borrowed.
struct Record {
  Measurement measurement;
  std::uint32_t type = 0;
  ByteView event;
};

/// Banks of a crypto agile log and the sizes of their digests. One that is not known here can be skipped.
using Banks = std::map<std::uint16_t, std::size_t>;

// TCG_PCR_EVENT
std::optional<Record> read_sha1_record(OctetReader& reader) {
  Record record;
  record.measurement.pcr = reader.u32();
  record.type = reader.u32();
  const ByteView digest = reader.take(kSha1Size);
  record.measurement.digests[*Hash::of(TPM2_ALG_SHA1)] = {digest.begin(), digest.end()};
  record.event = reader.take(reader.u32());
  return reader.ok() ? std::optional(std::move(record)) : std::nullopt;
}

// TCG_PCR_EVENT2
Judged<Record> read_agile_record(OctetReader& reader, const Banks& banks) {
  Record record;
  record.measurement.pcr = reader.u32();
  record.type = reader.u32();
  const std::uint32_t count = reader.u32();
  if (reader.ok() && count > banks.size()) return kUndeclared;
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    const std::uint16_t algorithm = reader.u16();
    const auto bank = banks.find(algorithm);
    if (reader.ok() && bank == banks.end()) return kUndeclared;
    const ByteView digest = reader.take(bank == banks.end() ? 0 : bank->second);
    const auto hash = Hash::of(algorithm);
    if (hash) record.measurement.digests[*hash] = {digest.begin(), digest.end()};
  }
  record.event = reader.take(reader.u32());
  if (!reader.ok()) return kIncomplete;
  return record;
}

bool begins_with(ByteView event, std::string_view signature) {
  return as_text(event).substr(0, signature.size()) == signature;
}

// TCG_EfiSpecIDEvent
Judged<Banks> read_banks(ByteView event) {
  OctetReader reader(event);
  (void)reader.take(kSpecId.size());
  (void)reader.take(8);  // platform class, versions, size of its integers
  Banks banks;
  const std::uint32_t count = reader.u32();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    const std::uint16_t algorithm = reader.u16();
    const std::size_t size = reader.u16();
    const auto hash = Hash::of(algorithm);
    if (reader.ok() && hash && hash->size() != size)
      return Refusal{Check::kLogParse,
                     "the event log declares a digest of another size than its algorithm has"};
    banks[algorithm] = size;
  }
  (void)reader.take(reader.u8());  // the vendor's
  if (!reader.ok() || !reader.at_end()) return kIncomplete;
  return banks;
}

Judged<void> add(EventLog& log, Record record) {
  ++log.records;
  if (record.measurement.pcr >= kMostPcrs)
    return Refusal{Check::kLogParse, "the event log names a PCR that no TPM has"};
  if (record.type == kNoAction) {
    if (begins_with(record.event, kStartupLocality)) {
      if (record.event.size() != kStartupLocality.size() + 1) return kIncomplete;
      log.start_locality = record.event.back();
    }
    return {};
  }
  if (record.type == kHcrtm) log.start_locality = kHcrtmStart;
  log.measurements.push_back(std::move(record.measurement));
  return {};
}

}  // namespace

Judged<EventLog> read_event_log(ByteView octets) {
  OctetReader reader(octets);
  EventLog log;
  std::optional<Record> first = read_sha1_record(reader);
  if (!first) return kIncomplete;
  std::optional<Banks> banks;
  if (first->type == kNoAction && begins_with(first->event, kSpecId)) {
    CHANCERY_ASSIGN(banks, read_banks(first->event));
  }
  CHANCERY_TRY(add(log, *std::move(first)));
  while (!reader.at_end()) {
    if (banks) {
      CHANCERY_ASSIGN(Record record, read_agile_record(reader, *banks));
      CHANCERY_TRY(add(log, std::move(record)));
    } else {
      std::optional<Record> record = read_sha1_record(reader);
      if (!record) return kIncomplete;
      CHANCERY_TRY(add(log, *std::move(record)));
    }
  }
  return log;
}

PcrValues replay(const EventLog& log) {
  PcrValues values;
  for (const Measurement& measurement : log.measurements) {
    for (const auto& [hash, digest] : measurement.digests) {
      auto [value, is_first] = values[hash].try_emplace(measurement.pcr, Bytes(hash.size()));
      if (is_first && measurement.pcr == 0) value->second.back() = log.start_locality;
      value->second = hash({value->second, digest});
    }
  }
  return values;
}

Judged<void> check_replay(const EventLog& log, const PcrValues& known) {
  const PcrValues replayed = replay(log);
  for (const auto& [hash, values] : replayed) {
    const auto bank = known.find(hash);
    if (bank == known.end()) continue;
    for (const auto& [index, value] : values) {
      const auto own = bank->second.find(index);
      if (own != bank->second.end() && own->second != value)
        return Refusal{Check::kLogReplay, "the event log does not lead to the values of the PCRs"};
    }
  }
  return {};
}

}  // namespace chancery::attest
