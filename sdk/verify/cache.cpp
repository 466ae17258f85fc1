#include <algorithm>
#include <array>
#include <mutex>
#include <string_view>

#include <chancery/verify.hpp>

namespace chancery {
namespace {

constexpr std::size_t kWays = 4;
constexpr std::size_t kLocks = 16;
// So that the places bound the memory too: a token that is longer is rare, and checked anew each time.
constexpr std::size_t kMaxRemembered = 8192;

}  // namespace

// Set-associative: a token's hash names a set of four places, and the next one in turn is replaced. The hash
// only finds the place; the octets are then compared in full, so it need not be a cryptographic one.
struct VerificationCache::Impl {
  struct Set {
    std::array<Entry, kWays> ways;
    std::size_t next = 0;
  };
  explicit Impl(std::size_t capacity) : sets((std::max<std::size_t>(capacity, 1) + kWays - 1) / kWays) {}

  [[nodiscard]] std::size_t index(std::string_view compact) const noexcept {
    // A token's tail is its signature: as good as random, and cheaper to hash than the whole.
    const std::string_view tail = compact.substr(compact.size() - std::min<std::size_t>(compact.size(), 64));
    return std::hash<std::string_view>{}(tail) % sets.size();
  }

  std::vector<Set> sets;
  mutable std::array<std::mutex, kLocks> locks;
};

VerificationCache::VerificationCache(std::size_t capacity) : impl_(std::make_unique<Impl>(capacity)) {}
VerificationCache::~VerificationCache() = default;

std::optional<VerificationCache::Entry> VerificationCache::find(std::string_view compact) const {
  const std::size_t index = impl_->index(compact);
  const std::lock_guard lock(impl_->locks[index % kLocks]);
  for (const Entry& entry : impl_->sets[index].ways) {
    if (entry.token != nullptr && entry.token->compact() == compact) return entry;
  }
  return std::nullopt;
}

void VerificationCache::remember(std::shared_ptr<const Token> token, const Thumbprint& verified_under) {
  if (token->compact().size() > kMaxRemembered) return;
  const std::size_t index = impl_->index(token->compact());
  const std::lock_guard lock(impl_->locks[index % kLocks]);
  Impl::Set& set = impl_->sets[index];
  for (Entry& entry : set.ways) {
    if (entry.token != nullptr && entry.token->compact() == token->compact()) {
      entry.verified_under = verified_under;
      return;
    }
  }
  set.ways[set.next] = Entry{std::move(token), verified_under};
  set.next = (set.next + 1) % kWays;
}

}  // namespace chancery
