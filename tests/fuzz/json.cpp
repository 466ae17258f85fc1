#include <string>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "tests/fuzz/target.hpp"

namespace chancery::fuzz {
namespace {

// Canonical is what the writer would write; and what it writes is canonical and stays so.
void check_canonical(std::string_view text, const json::Limits& limits) {
  const auto document = json::Document::parse_borrowed(text, limits);
  if (!document) return;
  const std::string jcs = json::to_jcs(document->root());
  require(document->canonical() == (text == jcs));
  require(document->root().source().size() <= text.size());
  const auto again = json::Document::parse_borrowed(jcs, limits);
  require(again && again->canonical() && json::to_jcs(again->root()) == jcs);
}

// Stricter limits refuse more, and never change what is read.
void check_limits(std::string_view text) {
  const auto strict = json::Document::parse_borrowed(text);
  const auto lenient = json::Document::parse_borrowed(text, {.allow_unsafe_integers = true});
  require(!strict || lenient);
  if (strict) require(json::to_jcs(strict->root()) == json::to_jcs(lenient->root()));
}

}  // namespace
}  // namespace chancery::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::check_canonical(text, {});
  fuzz::check_canonical(text, {.max_depth = 4, .max_values = 50, .allow_unsafe_integers = true});
  fuzz::check_limits(text);
  return 0;
}
