#include <memory>
#include <string>

#include "sdk/json/reader.hpp"
#include "sdk/redaction/body.hpp"
#include "sdk/redaction/known_secrets.hpp"
#include "sdk/redaction/log_redactor.hpp"
#include "sdk/redaction/secret_finder.hpp"
#include "sdk/redaction/stream_redactor.hpp"
#include "tests/fuzz/target.hpp"

// An input's first octet says where the rest, a text, is divided into chunks; `z` and `g` in front: the rest is a body
// under deflate and gzip.

namespace chancery::fuzz {
namespace {

using namespace redaction;

constexpr std::string_view kSecret = "correct horse/battery+staple";

const SecretFinder& finder() {
  static const SecretFinder kFinder = [] {
    const auto known = std::make_shared<KnownSecrets>();
    require(known->add(as_bytes(kSecret), "secret").has_value());
    require(known->add(as_bytes("4711"), "pin").has_value());
    FinderOptions options;
    options.personal = {true, true, true, true};
    return SecretFinder(known, options);
  }();
  return kFinder;
}

void check_chunks(std::string_view text, const std::string& whole, std::size_t size) {
  StreamRedactor stream(finder());
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += size) out += stream.feed(text.substr(at, size));
  out += stream.finish();
  // What is longer than can be held back ends the text.
  require(stream.was_cut() ? text.size() > finder().reach() : out == whole);
}

void check_text(std::string_view text, std::size_t size) {
  const Redacted whole = finder().redact(text);
  for (const Hit& hit : whole.hits)
    require(hit.extent.begin < hit.extent.end && hit.extent.end <= text.size());
  require(whole.text.find(kSecret) == std::string::npos);
  require(whole.hits.empty() == (whole.text == text) || whole.text.find(kRedacted) != std::string::npos);
  check_chunks(text, whole.text, size);
}

void check_json(std::string_view text) {
  const Redacted redacted = finder().redact_json(text);
  if (!json::Document::parse_borrowed(text)) return;
  require(json::Document::parse_borrowed(redacted.text).has_value());
  require(redacted.text.find(kSecret) == std::string::npos);
  if (redacted.hits.empty()) require(redacted.text == text);
}

void check_log(std::string_view text) {
  static const LogRedactor kRedactor;
  (void)kRedactor.text(text);
  const std::string json = kRedactor.json(std::string(text));
  if (json::Document::parse_borrowed(text)) require(json::Document::parse_borrowed(json).has_value());
}

}  // namespace
}  // namespace chancery::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  if (size == 0) return 0;
  const std::string_view text = fuzz::text_of(data, size).substr(1);
  constexpr std::size_t kMost = 1 << 16;
  if (data[0] == 'z' || data[0] == 'g')
    (void)redaction::redact_body(fuzz::finder(), data[0] == 'z' ? "deflate" : "gzip", text, {}, {kMost});
  fuzz::check_text(text, std::size_t{1} + data[0]);
  fuzz::check_json(text);
  fuzz::check_log(text);
  return 0;
}
