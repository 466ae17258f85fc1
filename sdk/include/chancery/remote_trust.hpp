#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>
#include <chancery/trust.hpp>

namespace chancery {

struct RemoteTrustOptions {
  std::string origin;  ///< the other daemon: `https://HOST[:PORT]`
  /// What its chains may say. Keys and status keys are what is followed; without `iss` it is the origin, without
  /// `status_prefixes` `ORIGIN/v1/status-lists/`.
  TrustAnchor limits{};
  std::vector<Thumbprint> pins{};  ///< keys of which one must be published at first; empty: the first seen
  std::vector<Thumbprint> status_pins{};   ///< the same for its status keys
  std::chrono::seconds refresh{300};       ///< between two looks
  std::chrono::seconds overlap{8 * 3600};  ///< how long a key counts after it has disappeared
  std::string ca_file{};  ///< PEM; must have issued the server's certificate. Empty: the system's
  std::chrono::milliseconds timeout{5000};
  /// Called with the anchor after each change, on the thread that saw it; must not destroy the RemoteTrust.
  std::function<void(const TrustAnchor&)> changed{};
  /// Called when a look has failed in another way than the one before it; as `changed`.
  std::function<void(const Error&)> failed{};
  bool wait_for_first_look = true;  ///< false: follow() returns at once, and the first look is the thread's
  std::function<std::chrono::sys_seconds()> now{};  ///< empty: the system's clock
};

/// How following stands.
struct RemoteTrustState {
  std::optional<std::chrono::sys_seconds> seen_at;  ///< when both key sets were last read and taken
  std::optional<Error> problem;  ///< of the last look: kConflict says that a whole key set changed at once
};

/// Follows the keys of another daemon, so that its rotations need nobody here.
///
/// Reads `/.well-known/jwks.json` and `/.well-known/status-jwks.json` of the origin. A set is taken when it shares a key
/// with what is held, at first with the pins; a set that shares none is refused and reported, since a rotation that
/// Chancery makes publishes the old key beside the new one, and a stolen name or server does not. So whoever controls
/// the server can add keys as long as it still publishes a known one: the anchor's limits bound what they may say. A key
/// that disappears counts until `overlap` is over. More than sixteen keys at a time are not followed. A server that cannot be reached changes nothing. To pin across
/// restarts, give the thumbprints of anchor().keys as pins again.
///
/// https only, no redirects, at most 1 MiB a set; a thread of its own looks again every `refresh`. Methods may be called
/// from several threads at once.
class RemoteTrust {
 public:
  /// Looks once before it returns, unless told not to wait; when that fails nothing is trusted yet, and state() says
  /// why.
  /// \return kInvalidArgument for an origin that is none, or a time that is not positive
  [[nodiscard]] static Result<RemoteTrust> follow(const RemoteTrustOptions& options);

  /// Ends a look that is under way.
  ~RemoteTrust();
  RemoteTrust(RemoteTrust&&) noexcept;
  RemoteTrust& operator=(RemoteTrust&&) noexcept;

  /// The anchor of the moment, for a TrustConfig beside others; without keys while none was taken.
  [[nodiscard]] TrustAnchor anchor() const;
  /// A snapshot that trusts this anchor alone.
  [[nodiscard]] TrustSnapshot trust() const;
  [[nodiscard]] RemoteTrustState state() const;

  /// Looks now, as its own thread does. \return the problem, if there was one
  Status look();

 private:
  struct Impl;
  explicit RemoteTrust(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace chancery
