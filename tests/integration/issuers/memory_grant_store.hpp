#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/vault/issuers/grant_store.hpp"

namespace chancery::tests {

/// A grant that is in memory alone, and what a test does to it.
class MemoryGrantStore final : public vault::GrantStore {
 public:
  using State = vault::StoredGrant::State;

  Result<vault::StoredGrant> load() override {
    const std::lock_guard lock(mutex_);
    return copy();
  }

  Result<std::uint64_t> replace(const vault::StoredGrant& grant) override {
    const auto generation = put(grant);
    std::function<void()> act;
    {
      const std::lock_guard lock(mutex_);
      if (generation && after_ == grant.state) act = std::exchange(act_, {});
    }
    if (act) act();
    return generation;
  }

  /// Once a grant of this state was put there next, and before who put it knows.
  void after_next(State state, std::function<void()> act) {
    const std::lock_guard lock(mutex_);
    after_ = state;
    act_ = std::move(act);
  }

 private:
  Result<std::uint64_t> put(const vault::StoredGrant& grant) {
    const std::lock_guard lock(mutex_);
    if (failing_on_ == grant.state) return Error{ErrorCode::kStoreUnavailable, "the test has the store fail"};
    if (grant.generation != grant_.generation) return Error{ErrorCode::kConflict, "another one is there"};
    grant_ = {grant.state, grant.since, SecretBytes(grant.refresh_token.view()), grant.generation + 1};
    states_.push_back(grant.state);
    return grant_.generation;
  }

 public:
  /// Has the store refuse grants of this state, or none.
  void fail_on(std::optional<State> state) {
    const std::lock_guard lock(mutex_);
    failing_on_ = state;
  }
  [[nodiscard]] State state() const {
    const std::lock_guard lock(mutex_);
    return grant_.state;
  }
  [[nodiscard]] std::string token() const {
    const std::lock_guard lock(mutex_);
    return std::string(as_text(grant_.refresh_token.view()));
  }
  /// The states of all grants that were put there, in order.
  [[nodiscard]] std::vector<State> states() const {
    const std::lock_guard lock(mutex_);
    return states_;
  }

 private:
  [[nodiscard]] vault::StoredGrant copy() const {
    return {grant_.state, grant_.since, SecretBytes(grant_.refresh_token.view()), grant_.generation};
  }

  mutable std::mutex mutex_;
  vault::StoredGrant grant_;
  std::optional<State> failing_on_;
  std::optional<State> after_;
  std::function<void()> act_;
  std::vector<State> states_;
};

}  // namespace chancery::tests
