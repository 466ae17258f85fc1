#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <chancery/verify.hpp>

#include "daemon/service/recent_uses.hpp"
#include "daemon/store/status_book.hpp"

namespace chancery::service {

/// What verification has seen of tokens since the start: when each was accepted last, and which chains were
/// denied because a token is suspended. In memory and bounded, so that noting costs no more than a look-up.
/// Thread-safe.
class TokenActivity {
 public:
  /// \param trust  that the verdict was found under
  void note(const Verdict& verdict, std::span<const std::string_view> chain, const TrustSnapshot& trust,
            std::chrono::sys_seconds now);

  [[nodiscard]] std::optional<std::chrono::sys_seconds> last_used(const Sha256Digest& token) const {
    return recent_uses_.find(token);
  }

  /// The denials that were noted since this was asked last. Beyond a thousand chains the others stand together under
  /// store::kOtherLeaves.
  [[nodiscard]] std::vector<store::DeniedUse> take_denied();

 private:
  void note_denied(const Denial& denial, std::span<const std::string_view> chain, const TrustSnapshot& trust,
                   std::chrono::sys_seconds now);

  RecentUses recent_uses_;
  std::mutex denied_mutex_;
  std::map<std::pair<Sha256Digest, Sha256Digest>, store::DeniedUse> denied_;  // by token and leaf
};

}  // namespace chancery::service
