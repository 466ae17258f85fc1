#include "sdk/cli/custody_arguments.hpp"

#include <iterator>
#include <utility>

#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/cli/time_syntax.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::cli {
namespace {

using json::Value;

constexpr std::size_t kMaxResults = 4 * 1024 * 1024;
constexpr const char* kLevels =
    "hardware, pkcs11-claimed, tpm-certified-emulated, tpm-certified or tpm-quoted";

std::string text_of(const Value& object, std::string_view name) {
  const Value* member = object.find(name);
  return std::string(member == nullptr ? "" : member->string().value_or(member->source()));
}

}  // namespace

void add_custody_options(CLI::App& command, CustodyArguments& arguments) {
  command.add_option("--require", arguments.require,
                     std::string("what must be proved of where every key lives: ") + kLevels);
  command.add_option("--max-age", arguments.max_age,
                     "with --require: how long ago that may have been judged, such as 15m");
  add_repeatable(
      command, "--attestation-results", arguments.results,
      "a file of attestation results beside those in a bundle: a bundle, a JSON array, or one a line; "
      "repeatable");
}

Checked<std::optional<CustodyRequirement>> parse_required_custody(const std::string& name) {
  const auto known = parse_requirement(name);
  if (known || name.empty()) return known;
  return misuse("--require " + name + ": a level is " + kLevels);
}

Checked<api::CustodyTerms> read_custody_terms(const CustodyArguments& arguments,
                                              std::vector<std::string> bundled) {
  api::CustodyTerms terms;
  CHANCERY_ASSIGN(terms.require, parse_required_custody(arguments.require));
  if (!arguments.max_age.empty()) {
    if (!terms.require) return misuse("--max-age goes with --require: of what may the evidence be so old?");
    const auto max_age = parse_duration(arguments.max_age);
    if (!max_age) return failure(max_age.error(), "--max-age " + arguments.max_age);
    terms.max_age = *max_age;
  }
  terms.attestation_results = std::move(bundled);
  for (const std::string& file : arguments.results) {
    CHANCERY_ASSIGN(const std::string text, read_input(file, kMaxResults));
    auto results = parse_attestation_results(text);
    if (!results) return failure(results.error(), file);
    std::ranges::move(*results, std::back_inserter(terms.attestation_results));
  }
  return terms;
}

void show_custody(Output& output, std::string_view judgement_json) {
  const auto document = json::Document::parse_borrowed(judgement_json);
  if (!document) return;
  if (const Value* custody = document->root().find("custody")) {
    std::size_t hop = 0;
    for (const Value& item : custody->items())
      output.field("key of " + std::to_string(hop++), text_of(item, "says"));
  }
  if (const Value* ignored = document->root().find("ignored_results")) {
    for (const Value& item : ignored->items())
      output.field("ignored",
                   "attestation result " + text_of(item, "index") + ": " + text_of(item, "reason"));
  }
}

}  // namespace chancery::cli
