#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/runtime/outbound/outbound_call.hpp"
#include "daemon/runtime/tools/tool.hpp"
#include "sdk/mcp/upstream_client.hpp"

namespace chancery::runtime {

/// Messages by Streamable HTTP (2025-11-25, Transports; 2026-07-28, Streamable HTTP), for one conversation: each is a POST, and its
/// answer a message or a stream of events. All that OutboundCaller checks holds for each of them, redirects are never followed.
/// A session that the server began is ended with this value, while there is time.
///
/// Answers are read on a thread of its own, so that what a server asks in the middle of a stream is refused while the stream goes on.
class HttpTransport final : public mcp::UpstreamTransport {
 public:
  /// Everything is borrowed and outlives the transport.
  struct Parts {
    OutboundCaller& outbound;
    const tools::McpHttpUpstream& server;
    const SecretBytes* credential = nullptr;  ///< that each request has; nullptr: none
  };

  /// \param ca_file  whom the server must be certified by; empty: the system's authorities
  /// \param stop     ends every wait within about a second
  HttpTransport(const Parts& parts, std::string ca_file, std::stop_token stop);
  ~HttpTransport() override;
  HttpTransport(const HttpTransport&) = delete;
  HttpTransport& operator=(const HttpTransport&) = delete;

  /// \return as OutboundCaller::call(); kRequestRefused (`native` is the status). A question's failures are receive()'s to tell
  [[nodiscard]] Status send(const mcp::Outgoing& message, mcp::Deadline deadline) override;
  /// \return the same; kBadResponse when the answer ends without a message
  [[nodiscard]] Result<std::string> receive(mcp::Deadline deadline) override;

 private:
  class Answer;

  [[nodiscard]] Result<OutboundRequest> request_of(const std::string& method, mcp::Deadline deadline) const;
  [[nodiscard]] Result<OutboundRequest> post_of(const mcp::Outgoing& message, mcp::Deadline deadline) const;
  void ask(OutboundRequest request, bool may_begin_session);
  void end_exchange();
  void end_session();

  const Parts parts_;
  const std::string ca_file_;
  const std::stop_token stop_;
  mcp::Deadline deadline_{};  // of what was sent last

  std::mutex mutex_;  // of the next
  std::condition_variable_any changed_;
  std::deque<std::string> messages_;
  std::optional<Error> end_;  // of the answer that is being read
  std::string session_;

  std::stop_source exchange_;
  std::thread reader_;
};

}  // namespace chancery::runtime
