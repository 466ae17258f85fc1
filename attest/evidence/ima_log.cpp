// Logs of the Linux Integrity Measurement Architecture (kernel documentation, security/IMA-templates).

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include <tss2/tss2_tpm2_types.h>

#include "attest/evidence/event_log.hpp"
#include "attest/evidence/octet_reader.hpp"
#include "sdk/base/hex.hpp"

namespace chancery::attest {
namespace {

constexpr std::size_t kSha1Size = 20;
constexpr std::size_t kOldNameSize = 256;  // what the template `ima` pads a name to
constexpr Refusal kNoRecord{Check::kLogParse, "the IMA log has a line that is no record"};

/// A record: the template's hash, and what it is the hash of.
struct Record {
  PcrIndex pcr = 0;
  Bytes template_hash;
  Bytes data;
};

void append(Bytes& out, ByteView octets) { out.insert(out.end(), octets.begin(), octets.end()); }

void append_field(Bytes& out, ByteView field) {
  const auto size = static_cast<std::uint32_t>(field.size());
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(size >> shift));
  append(out, field);
}

// A violation (a file that was open for writing while it was measured) stands as zeros, and is extended as ones.
bool is_violation(const Bytes& hash) {
  return std::ranges::all_of(hash, [](std::uint8_t octet) { return octet == 0; });
}

Judged<void> add(EventLog& log, const Record& record) {
  const Hash sha1 = *Hash::of(TPM2_ALG_SHA1);
  const Hash sha256 = *Hash::of(TPM2_ALG_SHA256);
  ++log.records;
  Measurement measurement{record.pcr, {}};
  if (is_violation(record.template_hash)) {
    measurement.digests = {{sha1, Bytes(sha1.size(), 0xFF)}, {sha256, Bytes(sha256.size(), 0xFF)}};
  } else {
    if (sha1({record.data}) != record.template_hash)
      return Refusal{Check::kLogReplay, "the IMA log has a record that is not what its template hash says"};
    // Kernels since 5.8 extend each bank with a hash of its own.
    measurement.digests = {{sha1, record.template_hash}, {sha256, sha256({record.data})}};
  }
  log.measurements.push_back(std::move(measurement));
  return {};
}

std::string_view take_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  return word;
}

Bytes with_zero(std::string_view text) {
  Bytes out(text.begin(), text.end());
  out.push_back(0);
  return out;
}

// "sha256:…", or for the first templates the digits alone.
Result<Bytes> digest_field(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return hex_decode(text);
  Bytes out = with_zero(text.substr(0, colon + 1));
  CHANCERY_ASSIGN(const Bytes digest, hex_decode(text.substr(colon + 1)));
  append(out, digest);
  return out;
}

// d-ng|n-ng and d-ng|n-ng|sig; a name may hold spaces, a signature stands behind the last one.
Result<Bytes> template_data(std::string_view name, std::string_view rest) {
  const std::string_view digest = take_word(rest);
  std::string_view signature;
  if (name == "ima-sig" && rest.ends_with(' ')) {
    rest.remove_suffix(1);
  } else if (name == "ima-sig" && rest.find(' ') != std::string_view::npos) {
    signature = rest.substr(rest.rfind(' ') + 1);
    rest.remove_suffix(signature.size() + 1);
  }
  Bytes data;
  CHANCERY_ASSIGN(const Bytes field, digest_field(digest));
  if (name == "ima") {
    data = field;
    append(data, as_bytes(rest));
    data.resize(std::max(data.size(), field.size() + kOldNameSize));
    return data;
  }
  append_field(data, field);
  append_field(data, with_zero(rest));
  if (name == "ima-sig") {
    CHANCERY_ASSIGN(const Bytes octets, hex_decode(signature));
    append_field(data, octets);
  }
  return data;
}

Judged<Record> read_line(std::string_view line) {
  while (line.starts_with(' ')) line.remove_prefix(1);
  const std::string_view pcr = take_word(line);
  const auto hash = hex_decode(take_word(line));
  const std::string_view name = take_word(line);
  Record record;
  const auto parsed = std::from_chars(pcr.data(), pcr.data() + pcr.size(), record.pcr);
  const bool is_number = !pcr.empty() && parsed.ec == std::errc() && parsed.ptr == pcr.data() + pcr.size();
  const bool is_known = name == "ima" || name == "ima-ng" || name == "ima-sig";
  if (!is_number || record.pcr > 31 || !hash || hash->size() != kSha1Size || !is_known) return kNoRecord;
  const auto data = template_data(name, line);
  if (!data) return kNoRecord;
  record.template_hash = *hash;
  record.data = *data;
  return record;
}

}  // namespace

Judged<EventLog> read_ima_text(ByteView octets) {
  EventLog log;
  std::string_view text = as_text(octets);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    CHANCERY_ASSIGN(const Record record, read_line(line));
    CHANCERY_TRY(add(log, record));
  }
  return log;
}

Judged<EventLog> read_ima_binary(ByteView octets) {
  EventLog log;
  OctetReader reader(octets);
  while (!reader.at_end()) {
    Record record;
    record.pcr = reader.u32();
    const ByteView hash = reader.take(kSha1Size);
    record.template_hash = {hash.begin(), hash.end()};
    const std::string_view name = as_text(reader.take(reader.u32()));
    if (name == "ima") {
      const ByteView digest = reader.take(kSha1Size);
      const ByteView file = reader.take(reader.u32());
      append(record.data, digest);
      append(record.data, file);
      record.data.resize(std::max(record.data.size(), kSha1Size + kOldNameSize));
    } else {
      append(record.data, reader.take(reader.u32()));
    }
    if (!reader.ok() || record.pcr > 31) return kNoRecord;
    CHANCERY_TRY(add(log, record));
  }
  return log;
}

}  // namespace chancery::attest
