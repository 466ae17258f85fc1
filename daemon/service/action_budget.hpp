#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <chancery/token.hpp>
#include <chancery/verify.hpp>

#include "daemon/store/ledger.hpp"

namespace chancery::service {

/// One of a chain's tokens, and a constraint of it.
struct BoundPlace {
  std::size_t hop = 0;
  const Constraint* constraint = nullptr;
};

/// What an action adds to the totals that its chain bounds. Borrows from the tokens.
struct ActionBudget {
  std::vector<store::Debit> debits;  ///< one a total
  std::vector<BoundPlace> bounds;    ///< of each debit the narrowest
  /// For verify_chain, leaf first: the least that each total can be, this action included. Whether it is more
  /// is left to the ledger, which checks and debits at once.
  std::vector<HeldTotals> totals;
  /// What is wrong with the amounts themselves; for these no total is given, so that verification denies.
  std::optional<Denial> fault;
};

/// What a constraint bounds a total to.
struct TotalBound {
  store::TotalKind kind = store::TotalKind::kLifetime;
  store::Millionths bound = 0;
  std::int64_t window = 0;                            ///< of a rate: when the window of now began
  std::optional<std::chrono::sys_seconds> ends_at{};  ///< of a rate: when it is over
};
/// Nothing for a constraint that bounds no total.
[[nodiscard]] std::optional<TotalBound> bound_of_total(const Constraint& constraint,
                                                       std::chrono::sys_seconds now);

/// Computes it, by the ledger rules of docs/protocol/delegation-chain.md. Pure.
///
/// `max_lifetime` is debited at the token that acts, `max_subtree` and `max_rate`, within the window of now, at it
/// and all its ancestors. A session
/// token has no totals of its own: what it does counts as its parent's, within its own bounds too.
/// `max_lifetime` of an ancestor bounds what that did itself, and each of its own actions was held to it, so
/// there is nothing to check again.
/// \param tokens  a chain, root first; not empty. Unverified ones are fine when verification follows
[[nodiscard]] ActionBudget budget_of(std::span<const std::shared_ptr<const Token>> tokens,
                                     const ActionRequest& request, std::chrono::sys_seconds now);

/// Why an action is denied whose debit would bring a total beyond its bound.
[[nodiscard]] Denial over_bound(const BoundPlace& bound, store::Millionths total);

}  // namespace chancery::service
