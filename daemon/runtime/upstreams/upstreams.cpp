#include "daemon/runtime/upstreams/upstreams.hpp"

#include <variant>

#include "daemon/runtime/upstreams/http_upstream.hpp"

namespace chancery::runtime {
namespace {

std::pair<std::string, std::string> key_of(const tools::Tool& tool) {
  return {tool.name, tools::reviewed_digest(tool).value_or("")};
}

}  // namespace

// Made once: it takes longer than all else that a start needs. It stays where it is, since optional does not move what it has.
Result<const SyscallFilter*> Upstreams::filter_for(bool network) {
  const std::lock_guard lock(mutex_);
  std::optional<SyscallFilter>& filter = network ? with_network_ : without_network_;
  if (!filter) {
    CHANCERY_ASSIGN(filter, SyscallFilter::make(network));
  }
  return &*filter;
}

LookAhead Upstreams::look_ahead(const tools::Tool& tool) const {
  if (tool.credential.empty()) return LookAhead::kSameConnection;
  if (std::holds_alternative<tools::McpStdioUpstream>(tool.upstream)) return LookAhead::kNever;
  const std::lock_guard lock(mutex_);
  return credential_first_.contains(key_of(tool)) ? LookAhead::kNever : LookAhead::kWithoutCredential;
}

Result<OpenTransport> Upstreams::open(const tools::Tool& tool) {
  if (const auto* const remote = std::get_if<tools::McpHttpUpstream>(&tool.upstream))
    return open_http(*remote, outbound_, ca_file_);
  const auto& server = std::get<tools::McpStdioUpstream>(tool.upstream);
  CHANCERY_ASSIGN(const SyscallFilter* const filter, filter_for(server.network));
  return open_stdio(server, *filter, [this] {
    if (!has_told_weaker_.exchange(true) && when_weaker_) when_weaker_();
  });
}

Result<std::unique_ptr<Upstream>> Upstreams::make(const tools::Tool& tool) {
  if (const auto* const http = std::get_if<tools::HttpUpstream>(&tool.upstream))
    return std::unique_ptr<Upstream>(std::make_unique<HttpUpstream>(*http, outbound_, ca_file_));
  CHANCERY_ASSIGN(OpenTransport opened, open(tool));
  return std::unique_ptr<Upstream>(std::make_unique<McpUpstream>(tool, std::move(opened), look_ahead(tool)));
}

Standing Upstreams::look(const tools::Tool& tool, Upstream& upstream, const std::stop_token& stop) {
  const Standing standing = upstream.look(stop);
  if (standing == Standing::kChanged) disable(tool);
  if (upstream.wants_credential()) {
    const std::lock_guard lock(mutex_);
    credential_first_.insert(key_of(tool));
  }
  return standing;
}

void Upstreams::disable(const tools::Tool& tool) {
  const std::lock_guard lock(mutex_);
  disabled_.insert(key_of(tool));
}

bool Upstreams::is_disabled(const tools::Tool& tool) const {
  const std::lock_guard lock(mutex_);
  return disabled_.contains(key_of(tool));
}

}  // namespace chancery::runtime
