#include "daemon/runtime/tools/tool.hpp"

namespace chancery::tools {

const HttpLimits& limits_of(const Tool& tool) {
  return std::visit([](const auto& upstream) -> const HttpLimits& { return upstream.limits; }, tool.upstream);
}

bool speaks_mcp(const Tool& tool) noexcept { return !std::holds_alternative<HttpUpstream>(tool.upstream); }

const std::string& name_at_server(const Tool& tool) {
  const auto* const stdio = std::get_if<McpStdioUpstream>(&tool.upstream);
  return stdio != nullptr ? stdio->tool : std::get<McpHttpUpstream>(tool.upstream).tool;
}

std::optional<std::string> reviewed_digest(const Tool& tool) {
  return std::visit(
      [](const auto& upstream) -> std::optional<std::string> {
        if constexpr (requires { upstream.description_sha256; }) return upstream.description_sha256;
        return std::nullopt;
      },
      tool.upstream);
}

bool may_be_served(const Tool& tool) { return !speaks_mcp(tool) || reviewed_digest(tool).has_value(); }

}  // namespace chancery::tools
