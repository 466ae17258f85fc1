#pragma once

#include <string>

#include "daemon/runtime/outbound/outbound_call.hpp"
#include "daemon/runtime/tools/tool.hpp"
#include "daemon/runtime/upstreams/upstream.hpp"

namespace chancery::runtime {

/// The limits of a call as its declaration has them.
[[nodiscard]] OutboundLimits outbound_limits(const tools::HttpLimits& declared);

/// The ranges that a declaration allows besides public addresses. \return kInvalidArgument
[[nodiscard]] Result<std::vector<AddressRange>> allowed_ranges(const tools::HttpLimits& declared);

/// An API that is asked one request (docs/operations/tools.md, `[tool.http]`).
class HttpUpstream final : public Upstream {
 public:
  /// \param declared  borrowed, as the caller: both outlive it
  /// \param ca_file   whom the API must be certified by; empty: the system's authorities
  HttpUpstream(const tools::HttpUpstream& declared, OutboundCaller& outbound, std::string ca_file)
      : declared_(declared), outbound_(outbound), ca_file_(std::move(ca_file)) {}

  [[nodiscard]] UpstreamOutcome call(const tools::PreparedCall& prepared, const SecretBytes* credential,
                                     const std::stop_token& stop) override;

 private:
  [[nodiscard]] Result<OutboundRequest> request_of(const tools::HttpRequest& composed,
                                                   const SecretBytes* credential) const;

  const tools::HttpUpstream& declared_;
  OutboundCaller& outbound_;
  const std::string ca_file_;
};

}  // namespace chancery::runtime
