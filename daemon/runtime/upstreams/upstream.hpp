#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/runtime/tools/prepare.hpp"
#include "sdk/mcp/upstream_client.hpp"

namespace chancery::runtime {

/// Of a call that its runtime's end, or its caller's, cut off.
inline constexpr Error kCallStopped{ErrorCode::kShuttingDown,
                                    "the call was ended: whether the server acted is not known"};

/// How a tool describes itself against what was reviewed.
enum class Standing : std::uint8_t {
  kAsReviewed,  ///< or not to be told before the call
  kChanged,     ///< otherwise than it was reviewed
  kGone,        ///< not at all: the server does not offer it
};

/// What came of asking an upstream. All texts are the upstream's and not to be trusted.
struct UpstreamOutcome {
  enum class Kind : std::uint8_t {
    kNeverSent,   ///< nothing of the call can have reached the upstream; `error` says why
    kMaybeSent,   ///< it may have, and there is no answer; `error` says why
    kChanged,     ///< never sent: the tool is not the one that was reviewed, as `standing` says
    kUnreadable,  ///< it answered with something that is no JSON
    kAnswered,
  };
  Kind kind = Kind::kNeverSent;
  Error error{};
  Standing standing = Standing::kAsReviewed;
  std::string raw{};       ///< what it answered, as it came; empty: nothing
  std::string heard{};     ///< what it said besides
  std::string document{};  ///< its answer as JSON; empty: it has none that can be read
  bool is_error = false;   ///< the upstream says that it failed
  bool is_refusal =
      false;       ///< an error of the protocol, not of a tool: `document` has the server's words in one text
  int status = 0;  ///< over HTTP; of an MCP server only when it refuses a request
};

/// The upstream of one call. It is asked at most once. Not thread-safe.
class Upstream {
 public:
  virtual ~Upstream() = default;

  /// Whether the tool is as it was reviewed, as far as that is to be told without a credential: so that none is released for one
  /// that is not. What else fails here fails in call(), where it is recorded.
  [[nodiscard]] virtual Standing look(const std::stop_token&) { return Standing::kAsReviewed; }

  /// Makes the call.
  /// \param credential  nullptr when the tool needs none; borrowed for the call
  [[nodiscard]] virtual UpstreamOutcome call(const tools::PreparedCall& prepared,
                                             const SecretBytes* credential, const std::stop_token& stop) = 0;

  /// Whether look() was refused for want of a credential.
  [[nodiscard]] virtual bool wants_credential() const noexcept { return false; }

  /// What a server that was started wrote to its standard error, its beginning: it may say why it failed, and may hold secrets.
  [[nodiscard]] virtual std::string complaint() const { return {}; }

  /// What the upstream did besides answering. After it there is nothing more to be asked.
  [[nodiscard]] virtual std::vector<mcp::UpstreamEvent> take_events() { return {}; }
};

}  // namespace chancery::runtime
