#include "daemon/service/challenges.hpp"

#include <algorithm>
#include <utility>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

constexpr std::size_t kIdSize = 16;
constexpr std::size_t kNonceSize = 32;

constexpr Error kNotOpen{ErrorCode::kNotFound,
                         "the challenge is not open: it was answered, or has expired; ask for another"};

}  // namespace

Status Challenge::draw_nonce() {
  nonce.resize(kNonceSize);
  return random_bytes(nonce);
}

Result<Challenges::Opened> Challenges::open(Challenge challenge, std::chrono::sys_seconds now) {
  Bytes id(kIdSize);
  CHANCERY_TRY(random_bytes(id));
  CHANCERY_TRY(challenge.draw_nonce());
  Opened opened{base64url_encode(id), challenge.nonce, now + limits_.lifetime};
  const std::lock_guard lock(mutex_);
  forget_expired(now);
  const auto of_host = std::ranges::count_if(
      open_, [&](const auto& other) { return other.second.challenge.host == challenge.host; });
  if (open_.size() >= limits_.open || std::cmp_greater_equal(of_host, limits_.of_host)) {
    return Error{ErrorCode::kOverloaded,
                 "too many challenges wait for their answers: answer those, or try again in some minutes"};
  }
  open_.emplace(opened.id, Open{std::move(challenge), opened.expires_at});
  return opened;
}

Result<std::string> Challenges::host_of(std::string_view id, std::chrono::sys_seconds now) const {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end() || found->second.expires_at <= now) return kNotOpen;
  return found->second.challenge.host;
}

Result<Challenge> Challenges::take(std::string_view id, std::chrono::sys_seconds now) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end()) return kNotOpen;
  Open taken = std::move(found->second);
  open_.erase(found);
  if (taken.expires_at <= now) return kNotOpen;
  return std::move(taken.challenge);
}

void Challenges::forget_expired(std::chrono::sys_seconds now) {
  std::erase_if(open_, [&](const auto& other) { return other.second.expires_at <= now; });
}

}  // namespace chancery::service
