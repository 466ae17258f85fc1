#pragma once

#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include "daemon/runtime/tools/prepare.hpp"
#include "daemon/runtime/tools/tool_file.hpp"

namespace chancery::tools {

/// A declaration with what every one needs; `rest` follows `[tool]` and its five options.
inline std::string declaration(std::string_view rest) {
  return "[tool]\nname = \"refunds.create\"\ndescription = \"Gives money back.\"\nscope = \"payments.refund\"\nrisk = \"high\"\n" +
         std::string(rest);
}

/// The same with an answer of which everything passes.
inline std::string with_response(std::string_view rest) {
  return declaration(rest) + "\n[tool.response]\nallow = [\"\"]\n";
}

inline Tool tool_of(const std::string& toml) {
  auto tool = parse_tool(toml, "refund.toml");
  BOOST_REQUIRE_MESSAGE(tool, toml << "\n" << (tool ? "" : load_error_text(tool.error())));
  return *std::move(tool);
}

inline Result<PreparedCall, CallRefusal> prepared(const Tool& tool, std::string_view arguments) {
  const auto document = json::Document::parse(std::string(arguments));
  BOOST_REQUIRE_MESSAGE(document, arguments);
  return prepare(tool, document->root());
}

inline PreparedCall call_of(const Tool& tool, std::string_view arguments) {
  auto call = prepared(tool, arguments);
  BOOST_REQUIRE_MESSAGE(call, arguments << ": " << (call ? "" : call.error().error.what));
  return *std::move(call);
}

inline HttpRequest request_of(const Tool& tool, std::string_view arguments) {
  return std::get<HttpRequest>(call_of(tool, arguments).request);
}

}  // namespace chancery::tools
