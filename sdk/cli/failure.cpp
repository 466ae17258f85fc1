#include "sdk/cli/failure.hpp"

#include <cstring>

#include "sdk/json/reader.hpp"

namespace chancery::cli {
namespace {

// Busy, too slow and broken are no answers to what was asked.
ExitCode exit_code(const ClientError& error) {
  const bool not_an_answer = error.status >= 500 || error.status == 408 || error.status == 429;
  return error.refused() && !not_an_answer ? ExitCode::kDenied : ExitCode::kUndecided;
}

std::string member_text(const json::Value& object, std::string_view name) {
  const json::Value* member = object.find(name);
  return member == nullptr ? std::string() : std::string(member->string().value_or(member->source()));
}

// A refused chain's problem document says how it was refused.
std::string chain_verdict(const std::string& problem) {
  const auto document = json::Document::parse_borrowed(problem);
  if (!document || document->root().find("outcome") == nullptr) return {};
  const json::Value& root = document->root();
  return ": " + member_text(root, "outcome") + " at step " + member_text(root, "step") + ", token " +
         member_text(root, "hop") + ": " + member_text(root, "reason");
}

// Refused evidence says which check it failed.
std::string failed_check(const std::string& problem) {
  const auto document = json::Document::parse_borrowed(problem);
  if (!document || document->root().find("check") == nullptr) return {};
  return ", check " + member_text(document->root(), "check");
}

}  // namespace

Failure failure(const Error& error, std::string_view subject) {
  Failure out{ExitCode::kUndecided, std::string(error_name(error.code)), std::string(subject), {}};
  if (!out.message.empty()) out.message += ": ";
  out.message += error.what;
  const bool about_file =
      error.code == ErrorCode::kFileUnreadable || error.code == ErrorCode::kFileUnwritable;
  if (about_file && error.native != 0) {
    out.message.append(" (").append(std::strerror(static_cast<int>(error.native))).append(")");
  }
  return out;
}

Failure failure(const ClientError& error) {
  if (!error.refused()) return failure(error.error);
  return {
      exit_code(error), error.code,
      error.detail + " (" + error.code + failed_check(error.document) + ")" + chain_verdict(error.document),
      error.document};
}

Failure misuse(std::string message) {
  return {ExitCode::kUndecided, std::string(error_name(ErrorCode::kInvalidArgument)), std::move(message), {}};
}

}  // namespace chancery::cli
