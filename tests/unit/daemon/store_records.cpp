#include "tests/unit/daemon/store_records.hpp"

#include <array>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/signing_key.hpp"

namespace chancery::store::testing {
namespace {

template <std::size_t N>
std::string random_hex() {
  std::array<std::uint8_t, N / 2> octets{};
  BOOST_REQUIRE(random_bytes(octets).has_value());
  return hex_encode(octets);
}

}  // namespace

hsm::StoredKey fresh_key(const std::string& agent_id) {
  const SigningKey key = must(SigningKey::generate(Algorithm::kES256));
  const std::string id = random_hex<16>();
  return {{agent_id, id}, key.public_key(), Bytes(id.begin(), id.end())};
}

Key fresh_key_of(const std::string& owner, std::int64_t created_at) {
  return {.owner = owner,
          .backend = "tpm0",
          .stored = fresh_key(is_daemons(owner) ? "daemon" : owner),
          .created_at = sys_seconds(std::chrono::seconds(created_at))};
}

Agent fresh_agent(const std::string& name) {
  const std::string id = random_hex<32>();
  return {.id = id,
          .name = name,
          .selectors = R"([{"uid":1000}])",
          .created_at = sys_seconds(std::chrono::seconds(1'700'000'000)),
          .retired_at = std::nullopt,
          .key = fresh_key_of(id)};
}

IssuedToken fresh_token() {
  return {.id = random_hex<64>(),
          .jti = random_hex<32>(),
          .parent_id = std::nullopt,
          .holder = {sha256(as_bytes(random_hex<32>()))},
          .agent_id = std::nullopt,
          .principal = "user:alice@example.org",
          .issued_at = sys_seconds(std::chrono::seconds(1'700'000'000)),
          .expires_at = sys_seconds(std::chrono::seconds(1'700'001'800)),
          .compact = "header.payload.signature",
          .status = std::nullopt};
}

AuditEntry entry(const std::string& event, std::int64_t at) {
  return {.at = sys_seconds(std::chrono::seconds(at)), .action = event};
}

void check_same(const hsm::StoredKey& got, const hsm::StoredKey& want) {
  BOOST_TEST((got.binding == want.binding));
  BOOST_TEST((got.public_key == want.public_key));
  BOOST_TEST(got.blob == want.blob);
}

void check_same(const Agent& got, const Agent& want) {
  BOOST_TEST(got.id == want.id);
  BOOST_TEST(got.name == want.name);
  BOOST_TEST(got.selectors == want.selectors);
  BOOST_TEST((got.created_at == want.created_at));
  BOOST_TEST((got.retired_at == want.retired_at));
  check_same(got.key, want.key);
}

void check_same(const Key& got, const Key& want) {
  BOOST_TEST(got.owner == want.owner);
  BOOST_TEST(got.backend == want.backend);
  BOOST_TEST(key_state_name(got.state) == key_state_name(want.state));
  BOOST_TEST(got.reason == want.reason);
  BOOST_TEST((got.created_at == want.created_at));
  BOOST_TEST((got.overlap_until == want.overlap_until));
  BOOST_TEST((got.ended_at == want.ended_at));
  BOOST_TEST((got.destroyed_at == want.destroyed_at));
  check_same(got.stored, want.stored);
}

}  // namespace chancery::store::testing
