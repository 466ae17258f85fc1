#include "sdk/incident/judge.hpp"
#include "tests/fuzz/target.hpp"

// An input is a bundle of an incident, as somebody sent it.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  const std::string_view text = fuzz::text_of(data, size);
  const auto bundle = incident::read_bundle(text);
  if (!bundle) return 0;
  fuzz::require(bundle->proof.paths.size() == bundle->evidence.entries.size());
  // What is read is written in one form, which is read as the same.
  const std::string evidence = incident::write_evidence(bundle->evidence);
  const auto again = incident::read_bundle(incident::write_bundle(evidence, bundle->proof));
  fuzz::require(again.has_value());
  fuzz::require(incident::write_evidence(again->evidence) == evidence);
  fuzz::require(again->proof.paths == bundle->proof.paths);
  // Without a key of the log nothing is sound.
  fuzz::require(!incident::judge(*bundle, {}).is_sound());
  return 0;
}
