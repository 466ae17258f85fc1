#include "daemon/runtime/tools/request.hpp"

#include <algorithm>
#include <set>

#include "daemon/runtime/schema/pointer.hpp"
#include "sdk/base/percent.hpp"
#include "sdk/json/number.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::tools {
namespace {

using Kind = json::Value::Kind;

CallRefusal refusal(const char* what, std::string argument) {
  return {Error{ErrorCode::kInvalidArgument, what}, std::move(argument), {}};
}

// A string, a number or a truth value as one word of a request; lists, objects and null have no such form.
std::optional<std::string> word_of(const json::Value& value) {
  if (const auto text = value.string()) return std::string(*text);
  if (const auto truth = value.boolean()) return *truth ? "true" : "false";
  const auto number = value.number();
  if (!number) return std::nullopt;
  std::string text;
  json::append_number(text, *number);
  return text;
}

/// Arguments that some part of the request takes as words.
class Words {
 public:
  explicit Words(const json::Value& arguments) : arguments_(arguments) {}

  /// The word at a pointer; nothing when the argument is not there.
  Result<std::optional<std::string>, CallRefusal> at(const Pointer& pointer) {
    const json::Value* value = schema::value_at(arguments_, pointer.tokens);
    if (value == nullptr) return std::optional<std::string>();
    if (pointer.tokens.size() == 1) used_.insert(pointer.tokens.front());
    auto word = word_of(*value);
    if (!word)
      return refusal("an argument of a URL, header or form must be a string, a number, true or false",
                     pointer.text);
    return word;
  }

  Result<std::vector<std::pair<std::string, std::string>>, CallRefusal> all(
      const std::vector<NamedPointer>& sources) {
    std::vector<std::pair<std::string, std::string>> words;
    for (const auto& [name, pointer] : sources) {
      CHANCERY_ASSIGN(auto word, at(pointer));
      if (word) words.emplace_back(name, *std::move(word));
    }
    return words;
  }

  /// Arguments that nothing has taken whole.
  [[nodiscard]] std::vector<const json::Member*> rest() const {
    std::vector<const json::Member*> members;
    for (const json::Member& member : arguments_.members()) {
      if (!used_.contains(member.name)) members.push_back(&member);
    }
    return members;
  }

 private:
  const json::Value& arguments_;
  std::set<std::string, std::less<>> used_;
};

Result<Url, CallRefusal> compose_url(const HttpUpstream& upstream, Words& words) {
  std::vector<std::string> values;
  for (const std::string& place : upstream.url.places()) {
    const Pointer pointer{"/" + schema::escape_token(place), {place}};
    CHANCERY_ASSIGN(auto word, words.at(pointer));
    if (!word) return refusal("an argument of the URL's path is missing", pointer.text);
    values.push_back(*std::move(word));
  }
  CHANCERY_ASSIGN(const auto query, words.all(upstream.query));
  auto url = upstream.url.fill(values, query);
  if (!url) return CallRefusal{url.error(), {}, {}};
  return *std::move(url);
}

// RFC 9110 section 5.5, and ASCII alone: what other octets mean there nobody agrees on.
bool is_header_value(std::string_view text) {
  const bool printable = std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 127; });
  return printable && !text.starts_with(' ') && !text.ends_with(' ');
}

Result<std::string, CallRefusal> compose_json(const HttpUpstream& upstream, const json::Value& arguments,
                                              const Words& words) {
  if (upstream.body_value) {
    const json::Value* value = schema::value_at(arguments, upstream.body_value->tokens);
    return value == nullptr ? std::string() : json::to_jcs(*value);
  }
  json::Node body = json::Node::object();
  for (const auto& [name, pointer] : upstream.body_members) {
    const json::Value* value = schema::value_at(arguments, pointer.tokens);
    if (value != nullptr) body.set(name, json::Node::copy(*value));
  }
  if (upstream.body_members.empty()) {
    for (const json::Member* member : words.rest())
      body.set(std::string(member->name), json::Node::copy(member->value));
  }
  return json::to_jcs(body);
}

Result<std::string, CallRefusal> compose_form(const HttpUpstream& upstream, Words& words) {
  std::vector<NamedPointer> sources = upstream.body_members;
  if (sources.empty()) {
    for (const json::Member* member : words.rest()) {
      const std::string name(member->name);
      sources.push_back({name, Pointer{"/" + schema::escape_token(name), {name}}});
    }
  }
  CHANCERY_ASSIGN(const auto pairs, words.all(sources));
  std::string body;
  for (const auto& [name, value] : pairs) {
    body += (body.empty() ? "" : "&") + percent_encode(name) + "=" + percent_encode(value);
  }
  return body;
}

}  // namespace

Result<HttpRequest, CallRefusal> compose(const HttpUpstream& upstream, const json::Value& arguments) {
  Words words(arguments);
  HttpRequest request;
  request.method = upstream.method;
  CHANCERY_ASSIGN(request.url, compose_url(upstream, words));
  request.headers.emplace_back("accept", "application/json");
  CHANCERY_ASSIGN(const auto headers, words.all(upstream.headers));
  for (const auto& [name, value] : headers) {
    if (!is_header_value(value)) {
      const auto source = std::ranges::find(upstream.headers, name, &NamedPointer::first);
      return refusal(
          "an argument of a header holds control characters, other characters than ASCII, or spaces at its ends",
          source->second.text);
    }
    request.headers.emplace_back(name, value);
  }
  switch (upstream.body) {
    case BodyForm::kNone:
      break;
    case BodyForm::kJson: {
      CHANCERY_ASSIGN(request.body, compose_json(upstream, arguments, words));
      if (!request.body.empty()) request.headers.emplace_back("content-type", "application/json");
      break;
    }
    case BodyForm::kForm: {
      CHANCERY_ASSIGN(request.body, compose_form(upstream, words));
      request.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
      break;
    }
  }
  return request;
}

}  // namespace chancery::tools
