#pragma once

#include <cstdint>
#include <variant>

#include <chancery/result.hpp>

#include "hsm/key_backend.hpp"
#include "hsm/pkcs11/session_pool.hpp"
#include "hsm/pkcs11/token.hpp"
#include "hsm/pkcs11/token_owner.hpp"
#include "sdk/base/cleansed_bytes.hpp"

namespace chancery::hsm {

// What passes between the daemon and the process that holds a token's module, each message one packet:
//
//   to it     Start, once and first; then TokenOrder
//   from it   LoginNews and TokenFacts as they come; TokenAnswer, one for each order, in any order
//
// Numbers are little endian and of fixed width, texts and octets have their length in front, four octets.
// Reading is strict: bounded, nothing left over, nothing out of its range; else kMalformed. Neither side
// trusts the other's memory.

/// The longest message that Ed25519 signs over there; a packet is somewhat longer.
inline constexpr std::size_t kLongestInput = 128 * 1024;
inline constexpr std::size_t kLongestPacket = kLongestInput + 8 * 1024;

struct Start {
  TokenOptions token;
  PoolOptions pool;
};

struct TokenOrder {
  std::uint64_t id = 0;
  TokenRequest request;
};

struct TokenAnswer {
  std::uint64_t id = 0;
  BackendLoad load;
  Result<TokenReply> result;
};

/// How a login goes on. A PIN is presented between kBegins and the next one.
struct LoginNews {
  LoginStep step = LoginStep::kBegins;
  std::uint64_t native = 0;  ///< kRefused: the CK_RV
};

using OwnerMessage = std::variant<TokenAnswer, TokenFacts, LoginNews>;

/// The PIN stands in it, and nowhere else afterwards.
[[nodiscard]] SecretBytes encode(const Start& start);
// What is to be sealed stands in an order, and what was opened in an answer.
[[nodiscard]] CleansedBytes encode(std::uint64_t id, const TokenRequest& request);
[[nodiscard]] CleansedBytes encode(const TokenAnswer& answer);
[[nodiscard]] CleansedBytes encode(const TokenFacts& facts);
[[nodiscard]] CleansedBytes encode(const LoginNews& news);

[[nodiscard]] Result<Start> decode_start(ByteView packet);
[[nodiscard]] Result<TokenOrder> decode_order(ByteView packet);
/// An error's text does not pass: it is found again by code and native code.
[[nodiscard]] Result<OwnerMessage> decode_from_owner(ByteView packet);

}  // namespace chancery::hsm
