#pragma once

#include <string>

#include <boost/test/unit_test.hpp>

#include "daemon/runtime/tools/tool_file.hpp"

namespace chancery::testing {

/// A tool of an MCP server. \param section  `[tool.mcp_…]` without `tool`, and what else stands there
/// \param response  the options of `[tool.response]`
[[nodiscard]] inline tools::Tool mcp_tool(const std::string& section,
                                          const std::string& response = "allow = [\"\"]",
                                          const std::string& head = {}) {
  const auto tool = tools::parse_tool(
      "[tool]\nname = \"refund\"\ndescription = \"Refunds.\"\nscope = \"payments.refund\"\n"
      "risk = \"high\"\n" +
          head + section + "tool = \"create_refund\"\n[tool.response]\n" + response + "\n",
      "refund.toml");
  BOOST_REQUIRE_MESSAGE(tool.has_value(), (tool ? "" : tool.error().message));
  return *tool;
}

}  // namespace chancery::testing
