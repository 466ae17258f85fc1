#include "sdk/cli/chain_input.hpp"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include <chancery/verify.hpp>

#include "sdk/cli/files.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::cli {
namespace {

using json::Value;

// Far above what a verifier takes by default (256 KiB), so that its own verdict is what people see.
constexpr std::size_t kMaxInput = 4 * 1024 * 1024;

void append_line(std::vector<std::string>& tokens, std::string_view line) {
  line = trimmed(line);
  if (line.empty()) return;
  for (const std::string_view token : split_chain(line)) tokens.emplace_back(token);
}

std::vector<std::string> parse_lines(std::string_view text) {
  std::vector<std::string> tokens;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    append_line(tokens, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return tokens;
}

constexpr const char* kResults =
    "attestation results in JSON are an array of compact eat+jwt, or an object with such "
    "`attestation_results`";

Result<std::vector<std::string>> texts_of(const Value& value, const char* what) {
  if (!value.is(Value::Kind::kArray)) return Error{ErrorCode::kMalformed, what};
  std::vector<std::string> texts;
  for (const Value& item : value.items()) {
    if (!item.string()) return Error{ErrorCode::kMalformed, what};
    texts.emplace_back(*item.string());
  }
  return texts;
}

Result<std::vector<std::string>> chain_of(const Value& value) {
  if (value.string()) return parse_lines(*value.string());
  return texts_of(value, "a chain in JSON is an array of compact tokens, or an object with such a `chain`");
}

// What nobody would name a file: compact tokens, or JSON.
bool is_chain_text(std::string_view text) {
  text = trimmed(text);
  return text.starts_with('{') || text.starts_with('[') ||
         std::ranges::count(text.substr(0, text.find('~')), '.') == 2;
}

Checked<std::string> read_text(const std::string& argument) {
  if (is_input(argument) || !is_chain_text(argument)) return read_input(argument, kMaxInput);
  return argument;
}

}  // namespace

Result<Bundle> parse_bundle(std::string_view text) {
  text = trimmed(text);
  if (!text.starts_with('{') && !text.starts_with('[')) return Bundle{parse_lines(text), {}};
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(text));
  const Value& root = document.root();
  Bundle out;
  if (!root.is(Value::Kind::kObject)) {
    CHANCERY_ASSIGN(out.tokens, chain_of(root));
    return out;
  }
  const Value* chain = root.find("chain");
  if (chain == nullptr) return Error{ErrorCode::kMalformed, "a JSON object that holds a chain has `chain`"};
  CHANCERY_ASSIGN(out.tokens, chain_of(*chain));
  if (const Value* results = root.find("attestation_results")) {
    CHANCERY_ASSIGN(out.attestation_results, texts_of(*results, kResults));
  }
  return out;
}

Result<std::vector<std::string>> parse_chain(std::string_view text) {
  CHANCERY_ASSIGN(Bundle bundle, parse_bundle(text));
  return std::move(bundle.tokens);
}

Result<std::vector<std::string>> parse_attestation_results(std::string_view text) {
  text = trimmed(text);
  if (!text.starts_with('{') && !text.starts_with('[')) return parse_lines(text);
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(text));
  const Value* results = &document.root();
  if (results->is(Value::Kind::kObject)) results = results->find("attestation_results");
  if (results == nullptr) return Error{ErrorCode::kMalformed, kResults};
  return texts_of(*results, kResults);
}

Checked<Bundle> read_bundle(const std::vector<std::string>& arguments) {
  if (arguments.empty() && ::isatty(STDIN_FILENO) == 1) {
    return misuse("no chain: give a file, - for standard input, or the chain itself");
  }
  Bundle out;
  for (const std::string& argument : arguments.empty() ? std::vector<std::string>{"-"} : arguments) {
    CHANCERY_ASSIGN(const std::string text, read_text(argument));
    auto part = parse_bundle(text);
    // A chain given as an argument is long, and says nothing to a person.
    if (!part) return failure(part.error(), is_input(argument) ? argument : "the chain");
    std::ranges::move(part->tokens, std::back_inserter(out.tokens));
    std::ranges::move(part->attestation_results, std::back_inserter(out.attestation_results));
  }
  return out;
}

Checked<std::vector<std::string>> read_chain(const std::vector<std::string>& arguments) {
  CHANCERY_ASSIGN(Bundle bundle, read_bundle(arguments));
  return std::move(bundle.tokens);
}

Checked<std::string> read_token(const std::string& argument) {
  CHANCERY_ASSIGN(const std::string text, read_text(argument));
  return std::string(trimmed(text));
}

}  // namespace chancery::cli
