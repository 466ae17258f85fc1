#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/runtime/outbound/addresses.hpp"

namespace chancery::runtime {

struct OutboundHeader {
  std::string name;
  std::string value;
};

/// A header whose value nobody may see but the upstream.
struct CredentialHeader {
  std::string name;
  SecretBytes value;  ///< all of it, `Bearer …` included
};

/// Whether an upstream's redirect is followed.
enum class Redirects : std::uint8_t {
  kNone,        ///< a redirect is an error
  kSameOrigin,  ///< three at most, to the same scheme, host and port, and only with GET or HEAD
};

/// What bounds a call in time and size.
struct OutboundLimits {
  std::size_t max_response = 1u << 20;        ///< octets of the body, as sent and as decoded
  std::size_t max_headers = 64u << 10;        ///< octets of all header lines of an answer
  std::chrono::milliseconds timeout{10'000};  ///< for everything: names, connecting, redirects, the answer
  std::chrono::milliseconds connect_timeout{5'000};  ///< for names and connecting
  std::size_t least_speed = 64;        ///< octets a second; who is slower for `slow_time` is given up …
  std::chrono::seconds slow_time{30};  ///< … also who thinks for so long; whole seconds
};

/// Takes an answer that is no redirect as it comes, on the thread of the call.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  /// Once, before the body.
  virtual void begin(int status, const std::vector<OutboundHeader>& headers) = 0;
  /// The next part of the body, decoded; no more than `max_response` in all. \return false: the exchange ends, as kBadResponse
  [[nodiscard]] virtual bool take(std::string_view part) = 0;
};

/// One call to an upstream. The caller has decided that it may happen; here it is only made safely.
struct OutboundRequest {
  std::string method = "GET";  ///< GET, HEAD, OPTIONS, POST, PUT, PATCH or DELETE
  std::string url;
  std::vector<OutboundHeader> headers{};  ///< none that HTTP or the runtime sets, as Host
  std::vector<CredentialHeader> credentials{};
  std::string body{};
  std::vector<AddressRange> allowed{};  ///< besides public addresses
  bool http_allowed = false;            ///< without TLS
  Redirects redirects = Redirects::kNone;
  OutboundLimits limits{};
  std::string ca_file{};       ///< PEM of the authorities to accept; empty: the system's
  AnswerSink* sink = nullptr;  ///< borrowed; gets the body in place of OutboundResponse
};

struct OutboundResponse {
  int status = 0;
  std::vector<OutboundHeader> headers{};  ///< as they were sent, without trailers
  std::string body{};                     ///< decoded
  Address address{};                      ///< of the server that answered
};

/// Whether a header's name or a token is this one, whatever its case. \param lower_case  has no capitals
[[nodiscard]] bool is_alike(std::string_view text, std::string_view lower_case) noexcept;

/// The value of the first header of that name, of which `lower_case` has no capitals; empty when there is none. Borrowed.
[[nodiscard]] std::string_view header_of(const std::vector<OutboundHeader>& headers,
                                         std::string_view lower_case) noexcept;

/// Whether a request can be written down without one part of it becoming another: a known method, header names that are tokens,
/// values without CR, LF, NUL and other control characters, nothing that frames or routes messages, no
/// second header of the credential's name, 32 KiB at most.
/// \return kInvalidArgument, or kTooLarge
[[nodiscard]] Status check_request(const OutboundRequest& request);

/// Whether nothing of a request can have reached its upstream, to judge by what refused the call: so nothing came of it.
[[nodiscard]] bool was_never_sent(const Error& refusal) noexcept;

/// Whether a request of this method only asks (RFC 9110 section 9.2.1), so that it may be sent a second time.
[[nodiscard]] bool is_safe_method(const std::string& method) noexcept;

}  // namespace chancery::runtime
