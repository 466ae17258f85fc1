#include "sdk/cli/output.hpp"

#include <algorithm>
#include <cstdio>

#include "sdk/base/printable.hpp"
#include "sdk/json/ascii.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

void write(std::FILE* stream, std::string_view text) { std::fwrite(text.data(), 1, text.size(), stream); }

std::string_view escape_sequence(Colour colour) {
  switch (colour) {
    case Colour::kRed:
      return "\x1b[1;31m";
    case Colour::kGreen:
      return "\x1b[1;32m";
    case Colour::kYellow:
      return "\x1b[1;33m";
    case Colour::kBold:
      return "\x1b[1m";
  }
  return "";
}

std::string json_failure(const Failure& failure) {
  json::Node node =
      json::Node::object({{"code", printable(failure.code)}, {"detail", printable(failure.message)}});
  if (const auto problem = json::Document::parse(failure.problem))
    node.set("problem", json::Node::copy(problem->root()));
  return json::ascii_json(json::to_jcs(node));
}

}  // namespace

void Output::line(std::string_view text) {
  write(stdout, text);
  write(stdout, "\n");
}

void Output::lines(std::string_view text, std::string_view indent) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    line(std::string(indent) + printable(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void Output::field(std::string_view label, std::string_view value) {
  constexpr std::size_t kLabelWidth = 13;
  std::string text = "  " + std::string(label);
  text.append(kLabelWidth > label.size() ? kLabelWidth - label.size() : 1, ' ');
  line(text + printable(value));
}

void Output::document(std::string_view json) {
  line(options_.terminal ? json::ascii_json(json) : std::string(json));
}

void Output::note(std::string_view text) { write(stderr, "chancery: " + printable(text) + "\n"); }

void Output::report(const Failure& failure) {
  if (json()) {
    write(stderr, json_failure(failure) + "\n");
  } else {
    note(failure.message);
  }
}

std::string Output::paint(Colour colour, std::string_view text) const {
  if (!options_.coloured) return std::string(text);
  return std::string(escape_sequence(colour)).append(text).append("\x1b[0m");
}

bool Output::flush() { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0; }

}  // namespace chancery::cli
