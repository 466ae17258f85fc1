#include "daemon/runtime/schema/schema.hpp"

#include <string>

#include "sdk/json/writer.hpp"
#include "tests/fuzz/target.hpp"

// An input is a line with a schema, and behind it an instance.

namespace chancery::fuzz {
namespace {

// Little of everything, so that an input that is slow is an input that is wrong.
constexpr std::size_t kMostSteps = 20000;

void check_instance(const schema::Schema& schema, std::string_view text) {
  json::Limits limits;
  limits.allow_unsafe_integers = true;
  const auto instance = json::Document::parse_borrowed(text, limits);
  if (!instance) return;
  schema::Bounds bounds;
  bounds.max_steps = kMostSteps;
  const auto findings = schema.check(instance->root(), bounds);
  if (!findings) {
    require(findings.error().code == ErrorCode::kTooLarge);
    return;
  }
  require(findings->size() <= bounds.max_findings);
  for (const schema::Finding& finding : *findings) {
    require(!finding.message.empty() && finding.message.find('\n') == std::string::npos);
  }
  // Another spelling of the same instance, and another compilation of the same schema, say the same.
  const auto again = json::Document::parse(json::to_jcs(instance->root()), limits);
  require(again.has_value());
  const auto same = schema.check(again->root(), bounds);
  if (same) require(same->empty() == findings->empty());
}

}  // namespace
}  // namespace chancery::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  const std::string_view text = fuzz::text_of(data, size);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return 0;
  json::Limits limits;
  limits.allow_unsafe_integers = true;
  const auto document = json::Document::parse_borrowed(text.substr(0, end), limits);
  if (!document) return 0;
  schema::Options options;
  options.assert_formats = true;
  options.max_patterns = 8;
  const auto schema = schema::Schema::compile(document->root(), options);
  if (!schema) {
    fuzz::require(!schema.error().message.empty());
    return 0;
  }
  fuzz::check_instance(*schema, text.substr(end + 1));
  // What was compiled is a schema again.
  fuzz::require(schema::Schema::compile(schema->document(), options).has_value());
  return 0;
}
