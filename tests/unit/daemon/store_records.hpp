#pragma once

#include <string>

#include <boost/test/unit_test.hpp>

#include "daemon/store/store.hpp"

namespace chancery::store::testing {

/// The value of a result that must be one.
template <typename T>
T must(Result<T> result) {
  if (!result) BOOST_FAIL(error_name(result.error().code) << ": " << result.error().what);
  return std::move(*result);
}

inline void must(const Status& status) {
  if (!status) BOOST_FAIL(error_name(status.error().code) << ": " << status.error().what);
}

/// Why a result is none; kInternal when it is one, which no test expects.
template <typename T>
ErrorCode refusal(const Result<T>& result) {
  BOOST_CHECK_MESSAGE(!result, "succeeded unexpectedly");
  return result ? ErrorCode::kInternal : result.error().code;
}

/// A key that no other call gave; its blob is its identifier.
hsm::StoredKey fresh_key(const std::string& agent_id);

/// An active key of this owner.
Key fresh_key_of(const std::string& owner, std::int64_t created_at = 1'700'000'000);

/// An active agent with a fresh id and key.
Agent fresh_agent(const std::string& name);

/// A token that no other call gave.
IssuedToken fresh_token();

/// An entry that tells itself from others.
AuditEntry entry(const std::string& event, std::int64_t at = 1000);

void check_same(const Agent& got, const Agent& want);
void check_same(const Key& got, const Key& want);
void check_same(const hsm::StoredKey& got, const hsm::StoredKey& want);

}  // namespace chancery::store::testing
