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

Result<std::vector<std::string>> chain_of(const Value& value) {
  constexpr const char* kShape =
      "a chain in JSON is an array of compact tokens, or an object with such a `chain`";
  if (value.string()) return parse_lines(*value.string());
  if (!value.is(Value::Kind::kArray)) return Error{ErrorCode::kMalformed, kShape};
  std::vector<std::string> tokens;
  for (const Value& item : value.items()) {
    if (!item.string()) return Error{ErrorCode::kMalformed, kShape};
    tokens.emplace_back(*item.string());
  }
  return tokens;
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

Result<std::vector<std::string>> parse_chain(std::string_view text) {
  text = trimmed(text);
  if (!text.starts_with('{') && !text.starts_with('[')) return parse_lines(text);
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(text));
  const Value* chain = &document.root();
  if (chain->is(Value::Kind::kObject)) chain = chain->find("chain");
  if (chain == nullptr) return Error{ErrorCode::kMalformed, "a JSON object that holds a chain has `chain`"};
  return chain_of(*chain);
}

Checked<std::vector<std::string>> read_chain(const std::vector<std::string>& arguments) {
  if (arguments.empty() && ::isatty(STDIN_FILENO) == 1) {
    return misuse("no chain: give a file, - for standard input, or the chain itself");
  }
  std::vector<std::string> tokens;
  for (const std::string& argument : arguments.empty() ? std::vector<std::string>{"-"} : arguments) {
    CHANCERY_ASSIGN(const std::string text, read_text(argument));
    auto part = parse_chain(text);
    // A chain given as an argument is long, and says nothing to a person.
    if (!part) return failure(part.error(), is_input(argument) ? argument : "the chain");
    std::ranges::move(*part, std::back_inserter(tokens));
  }
  return tokens;
}

Checked<std::string> read_token(const std::string& argument) {
  CHANCERY_ASSIGN(const std::string text, read_text(argument));
  return std::string(trimmed(text));
}

}  // namespace chancery::cli
