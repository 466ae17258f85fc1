#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <chancery/result.hpp>
#include <chancery/trust.hpp>
#include <chancery/verify.hpp>

namespace chancery {

struct StatusCacheOptions {
  std::string ca_file{};  ///< PEM; must have issued the servers' certificates. Empty: the system's
  std::chrono::milliseconds timeout{5000};  ///< for one list
  std::size_t max_lists = 64;               ///< for the chains of one anchor; beyond it none is taken up
  std::chrono::seconds forget_after{3600};  ///< a list that no chain referred to for so long is dropped
  std::function<std::chrono::sys_seconds()> now{};  ///< empty: the system's clock
};

/// Keeps the status lists that chains refer to, so that revocations elsewhere are seen here:
/// `verify_chain(chain, cache.trust_for(chain), now, options)`.
///
/// A list is fetched when a chain whose signatures, narrowing and validity hold refers to it, from a URI in normal form
/// under the `status` prefixes of the anchor that the chain is rooted in (see TrustConfig::anchors); without prefixes
/// nothing is fetched. It is taken when one of that anchor's status keys signed it, `sub` is its URI, `iat` is not before that of the list held,
/// and `exp` is there and to come. Threads of the cache's renew it when half of its `ttl` (or of the time to `exp`) is
/// over. A server that cannot be reached, or takes more than half of the time-out, is asked again every ten seconds, and
/// the list held counts until its `ttl` is over; from then on tokens that refer to it are `status_unknown`. Lists of
/// other servers do not wait for it.
///
/// https only, no redirects, at most 16 MiB a list. Methods may be called from several threads at once.
class StatusCache {
 public:
  /// \return the cache, or kInvalidArgument (a time that is not positive)
  [[nodiscard]] static Result<StatusCache> open(TrustConfig trust, const StatusCacheOptions& options = {});

  /// Ends a fetch that is under way.
  ~StatusCache();
  StatusCache(StatusCache&&) noexcept;
  StatusCache& operator=(StatusCache&&) noexcept;

  /// The trust with every list that can be had for this chain. Waits for lists that are fetched for the first time.
  /// \param options  how the chain will be verified; its `request` is not looked at
  [[nodiscard]] TrustSnapshot trust_for(std::span<const std::string_view> chain,
                                        const VerifyOptions& options = {});

  /// The trust with the lists that are held at the moment.
  [[nodiscard]] TrustSnapshot trust() const;

  /// Takes other anchors and keys from now on. Lists that they still allow are kept: those of an anchor that may name
  /// their URI and has the key that signed them.
  void replace_trust(const TrustConfig& trust);

  /// Renews what is due, as the cache's own threads do every second, and returns when it is done.
  void refresh_due();

 private:
  struct Impl;
  explicit StatusCache(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace chancery
