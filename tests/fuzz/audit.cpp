#include <algorithm>
#include <string>
#include <vector>

#include "sdk/audit/entry_proof.hpp"
#include "sdk/audit/event_formats.hpp"
#include "sdk/audit/exported_line.hpp"
#include "sdk/audit/log_verifier.hpp"
#include "sdk/json/reader.hpp"
#include "tests/fuzz/target.hpp"

// An input is whatever an auditor is handed: an exported log, a note, a verifier key, the proof of an entry, an entry.

namespace chancery::fuzz {
namespace {

// Of the logs in the corpus.
constexpr const char* kKey =
    "chancery.example.org/audit/0123456789abcdef+14c61d12+"
    "AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJuPmOZ+ejnm9NIgMRwHrZ3lGgyiZnANFQUDBRDW/Mgh2ebzTCBQV3ZhYM7Cj3nVUZ6WSV8HFE1Fnc+vya7CKW4=";

std::vector<audit::NoteKey> keys() {
  static const std::vector<audit::NoteKey> kKeys = [] {
    const auto key = audit::parse_verifier_key(kKey);
    require(key.has_value());
    return std::vector{*key};
  }();
  return kKeys;
}

audit::ReadMore reading(std::string_view text, std::size_t piece) {
  return [text, piece](std::span<char> buffer) mutable -> Result<std::size_t> {
    const std::size_t size = std::min({buffer.size(), piece, text.size()});
    std::copy_n(text.begin(), size, buffer.begin());
    text.remove_prefix(size);
    return size;
  };
}

void check_log(std::string_view text) {
  const auto report =
      audit::verify_log(reading(text, text.size() + 1), {.keys = keys(), .threads = 1, .block = 4096});
  if (!report) return;
  const auto again = audit::verify_log(reading(text, 13), {.keys = keys(), .threads = 2, .block = 64});
  require(again && again->fault == report->fault && again->entries == report->entries);
  if (!report->fault) return;
  require(report->fault->first >= 1 || report->fault->kind == audit::LogFault::Kind::kMalformed);
  require(report->fault->first <= report->fault->last || report->fault->last == 0);
}

void check_line(std::string_view text) {
  const auto line = audit::parse_exported_line(text);
  if (!line) return;
  const auto written = [&] {
    if (const auto* entry = std::get_if<audit::ExportedEntry>(&*line)) return audit::exported_entry(*entry);
    if (const auto* header = std::get_if<audit::ExportHeader>(&*line))
      return audit::exported_header(header->origin);
    return audit::exported_checkpoint(std::get<audit::ExportedCheckpoint>(*line).note);
  }();
  // Hexadecimal digits of a hash are the only thing that could be written in two ways.
  require(written.size() == text.size() + 1);
}

void check_notes(std::string_view text) {
  const auto opened = audit::open_note(text, keys());
  if (opened) require(audit::may_be_noted(*opened));
  if (const auto checkpoint = audit::parse_checkpoint(text))
    require(audit::checkpoint_text(*checkpoint) == text);
  if (const auto key = audit::parse_verifier_key(text)) {
    const auto again = audit::parse_verifier_key(*audit::verifier_key(*key));
    require(again && *again == *key);
  }
}

void check_proof(std::string_view text) {
  const auto proof = audit::parse_entry_proof(text);
  if (!proof) return;
  require(audit::write_entry_proof(*proof) == text);
  (void)audit::check_entry_proof(*proof, keys());
}

void check_entry(std::string_view text) {
  const auto entry = audit::Entry::parse(7, std::string(text));
  if (!entry) return;
  require(json::Document::parse(audit::ocsf_event(*entry, keys().front().name)).has_value());
  const std::string message = audit::syslog_message(*entry, keys().front().name);
  require(message.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
}

}  // namespace
}  // namespace chancery::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::check_log(text);
  fuzz::check_line(text);
  fuzz::check_notes(text);
  fuzz::check_proof(text);
  fuzz::check_entry(text);
  return 0;
}
