#include "sdk/mcp/version.hpp"

#include <utility>

#include "sdk/base/printable.hpp"

namespace chancery::mcp {

json::Node versions_node() {
  json::Node versions = json::Node::array();
  for (const std::string_view version : kVersions) versions.push_back(version);
  return versions;
}

std::string unsupported_version_text(const std::optional<Id>& id, std::string_view requested) {
  constexpr std::size_t kMostShown = 64;
  json::Node data = json::Node::object(
      {{"supported", versions_node()}, {"requested", printable(requested.substr(0, kMostShown))}});
  return error_text(id, Code::kUnsupportedVersion,
                    "this version is not served this way: choose another of those that are supported",
                    std::move(data));
}

}  // namespace chancery::mcp
