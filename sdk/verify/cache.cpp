#include <algorithm>
#include <array>
#include <mutex>
#include <string_view>

#include <chancery/verify.hpp>

#include "sdk/verify/attestation_result.hpp"

namespace chancery {
namespace {

constexpr std::size_t kWays = 4;
constexpr std::size_t kLocks = 16;
// So that the places bound the memory too: a token that is longer is rare, and checked anew each time.
constexpr std::size_t kMaxRemembered = 8192;

// Set-associative: a token's hash names a set of four places, and the next one in turn is replaced. The hash
// only finds the place; the octets are then compared in full, so it need not be a cryptographic one.
template <typename Compact>
class Table {
 public:
  struct Place {
    std::shared_ptr<const Compact> held;
    Thumbprint verified_under;
  };

  explicit Table(std::size_t capacity) : sets_((std::max<std::size_t>(capacity, 1) + kWays - 1) / kWays) {}

  [[nodiscard]] Place find(std::string_view compact) const {
    const std::size_t index = index_of(compact);
    const std::lock_guard lock(locks_[index % kLocks]);
    for (const Place& place : sets_[index].ways) {
      if (place.held != nullptr && place.held->compact() == compact) return place;
    }
    return {};
  }

  void remember(std::shared_ptr<const Compact> held, const Thumbprint& verified_under) {
    if (held->compact().size() > kMaxRemembered) return;
    const std::size_t index = index_of(held->compact());
    const std::lock_guard lock(locks_[index % kLocks]);
    Set& set = sets_[index];
    for (Place& place : set.ways) {
      if (place.held != nullptr && place.held->compact() == held->compact()) {
        place.verified_under = verified_under;
        return;
      }
    }
    set.ways[set.next] = Place{std::move(held), verified_under};
    set.next = (set.next + 1) % kWays;
  }

 private:
  struct Set {
    std::array<Place, kWays> ways;
    std::size_t next = 0;
  };

  [[nodiscard]] std::size_t index_of(std::string_view compact) const noexcept {
    // A token's tail is its signature: as good as random, and cheaper to hash than the whole.
    const std::string_view tail = compact.substr(compact.size() - std::min<std::size_t>(compact.size(), 64));
    return std::hash<std::string_view>{}(tail) % sets_.size();
  }

  std::vector<Set> sets_;
  mutable std::array<std::mutex, kLocks> locks_;
};

}  // namespace

struct VerificationCache::Impl {
  explicit Impl(std::size_t capacity) : tokens(capacity), results(capacity) {}

  Table<Token> tokens;
  Table<SignedAttestationResult> results;
};

VerificationCache::VerificationCache(std::size_t capacity) : impl_(std::make_unique<Impl>(capacity)) {}
VerificationCache::~VerificationCache() = default;

std::optional<VerificationCache::Entry> VerificationCache::find(std::string_view compact) const {
  auto place = impl_->tokens.find(compact);
  if (place.held == nullptr) return std::nullopt;
  return Entry{std::move(place.held), place.verified_under};
}

void VerificationCache::remember(std::shared_ptr<const Token> token, const Thumbprint& verified_under) {
  impl_->tokens.remember(std::move(token), verified_under);
}

std::optional<VerificationCache::ResultEntry> VerificationCache::find_result(std::string_view compact) const {
  auto place = impl_->results.find(compact);
  if (place.held == nullptr) return std::nullopt;
  return ResultEntry{std::move(place.held), place.verified_under};
}

void VerificationCache::remember(std::shared_ptr<const SignedAttestationResult> result,
                                 const Thumbprint& verified_under) {
  impl_->results.remember(std::move(result), verified_under);
}

}  // namespace chancery
