#include "sdk/audit/exported_line.hpp"

#include <charconv>

#include "sdk/base/hex.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::audit {
namespace {

using json::Node;

constexpr std::string_view kFormat = "chancery-audit-1";
constexpr std::string_view kEntryBegin = R"({"entry":)";
constexpr std::string_view kLeafBegin = R"(,"leaf":")";
constexpr std::string_view kSequenceBegin = R"(","sequence":)";
constexpr std::size_t kHashDigits = 64;
constexpr std::size_t kAfterEntry = kLeafBegin.size() + kHashDigits + kSequenceBegin.size();

constexpr Error kMalformedLine{ErrorCode::kMalformed,
                               "not a line of an exported audit log: export it with `chancery audit export`"};

// By hand, since a log has millions of them: the sequence is found from the end, and what stands before it is as long as
// it always is.
Result<ExportedLine> parse_entry(std::string_view line) {
  if (!line.ends_with('}')) return kMalformedLine;
  const std::string_view inside = line.substr(0, line.size() - 1);
  const std::size_t digits = inside.size() - (inside.find_last_not_of("0123456789") + 1);
  if (digits == 0 || inside[inside.size() - digits] == '0') return kMalformedLine;
  if (inside.size() < kEntryBegin.size() + kAfterEntry + digits) return kMalformedLine;
  const std::string_view after = inside.substr(inside.size() - digits - kAfterEntry, kAfterEntry);
  if (!after.starts_with(kLeafBegin) || !after.ends_with(kSequenceBegin)) return kMalformedLine;
  const auto leaf = hex_decode_exactly<32>(after.substr(kLeafBegin.size(), kHashDigits));
  ExportedEntry entry;
  const std::string_view number = inside.substr(inside.size() - digits);
  const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), entry.sequence);
  if (!leaf || failure != std::errc()) return kMalformedLine;
  entry.leaf = *leaf;
  entry.entry = inside.substr(kEntryBegin.size(), inside.size() - kEntryBegin.size() - kAfterEntry - digits);
  return ExportedLine(entry);
}

Result<ExportedLine> parse_other(std::string_view line) {
  const auto document = json::Document::parse_borrowed(line);
  if (!document || !document->canonical()) return kMalformedLine;
  const json::Value& root = document->root();
  if (root.has_only({"checkpoint"})) {
    const json::Value* note = root.find("checkpoint");
    if (note == nullptr || !note->string()) return kMalformedLine;
    return ExportedLine(ExportedCheckpoint{std::string(*note->string())});
  }
  const json::Value* format = root.find("format");
  const json::Value* origin = root.find("origin");
  const bool is_header = root.has_only({"format", "origin"}) && format != nullptr && origin != nullptr &&
                         format->string() == kFormat && origin->string();
  if (!is_header) return kMalformedLine;
  return ExportedLine(ExportHeader{std::string(*origin->string())});
}

}  // namespace

std::string exported_header(std::string_view origin) {
  return json::to_jcs(Node::object({{"format", kFormat}, {"origin", origin}})) + "\n";
}

std::string exported_entry(const ExportedEntry& entry) {
  std::string line(kEntryBegin);
  line.append(entry.entry).append(kLeafBegin).append(hex_encode(entry.leaf)).append(kSequenceBegin);
  return line.append(std::to_string(entry.sequence)).append("}\n");
}

std::string exported_checkpoint(std::string_view note) {
  return json::to_jcs(Node::object({{"checkpoint", note}})) + "\n";
}

Result<ExportedLine> parse_exported_line(std::string_view line) {
  return line.starts_with(kEntryBegin) ? parse_entry(line) : parse_other(line);
}

}  // namespace chancery::audit
