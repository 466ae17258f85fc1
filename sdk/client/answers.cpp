#include "sdk/client/answers.hpp"

#include <algorithm>
#include <utility>

#include "sdk/json/reader.hpp"

namespace chancery::client {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Compares the media type without its parameters.
bool is_type(std::string_view header, std::string_view type) {
  header = header.substr(0, header.find(';'));
  while (header.ends_with(' ') || header.ends_with('\t')) header.remove_suffix(1);
  return std::ranges::equal(header, type, {}, lower);
}

ErrorCode code_named(std::string_view name) {
  const auto codes = all_error_codes();
  const auto found = std::ranges::find(codes, name, error_name);
  return found == codes.end() ? ErrorCode::kRequestRefused : *found;
}

std::string text_member(const json::Value& object, std::string_view name) {
  const json::Value* member = object.find(name);
  return member == nullptr ? std::string() : std::string(member->string().value_or(""));
}

ClientError bad_response(int status, const char* what) {
  return {
      .error = {ErrorCode::kBadResponse, what}, .status = status, .code = {}, .detail = {}, .document = {}};
}

ClientError refusal(HttpAnswer answer) {
  constexpr const char* kNotOurs =
      "the refusal is no problem document: something else than chanceryd answered";
  if (!is_type(answer.content_type, "application/problem+json")) return bad_response(answer.status, kNotOurs);
  ClientError out = bad_response(answer.status, "the daemon refused: its own words say why");
  {
    const auto document = json::Document::parse_borrowed(answer.body);
    if (!document) return bad_response(answer.status, kNotOurs);
    out.code = text_member(document->root(), "code");
    out.detail = text_member(document->root(), "detail");
    if (out.detail.empty()) out.detail = text_member(document->root(), "title");
  }
  if (out.code.empty()) return bad_response(answer.status, kNotOurs);
  out.error.code = code_named(out.code);
  out.document = std::move(answer.body);
  return out;
}

}  // namespace

ClientResult<std::string> accept_answer(HttpAnswer answer, std::string_view content_type, int other_status) {
  const bool success = answer.status >= 200 && answer.status < 300;
  const bool typed = is_type(answer.content_type, content_type);
  if (typed && (success || answer.status == other_status)) return std::move(answer.body);
  if (success)
    return bad_response(answer.status,
                        "the answer is not of the type that was asked for: is this really chanceryd?");
  if (answer.status >= 400) return refusal(std::move(answer));
  return bad_response(answer.status, "the answer is a redirect, and none is followed: correct CHANCERY_ADDR");
}

}  // namespace chancery::client
