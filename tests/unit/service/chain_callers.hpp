#pragma once

#include <memory>
#include <string>
#include <vector>

#include <chancery/token.hpp>

#include "sdk/crypto/signing_key.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {

/// An operator's chain over an office, what is delegated from it offline, and who acts by it.
struct ChainCallers {
  /// A key that no daemon knows, and the chain whose last token it holds.
  struct Holder {
    SigningKey key = fresh_key();
    std::vector<std::string> chain{};
  };

  explicit ChainCallers(OfficeFixture& office) : fixture(office) {
    const rest::Response minted = fixture.call(
        "POST", "/v1/operators",
        R"({"name":"admin","jkt":")" + root.key.public_key().thumbprint().text() + R"("})", kOperatorUid);
    BOOST_REQUIRE_MESSAGE(minted.status == 201, minted.body);
    root.chain = texts(OfficeFixture::chain_of(minted));
  }

  static SigningKey fresh_key() {
    auto key = SigningKey::generate(Algorithm::kES256);
    BOOST_REQUIRE(key);
    return *std::move(key);
  }

  /// A JSON array of strings.
  static std::vector<std::string> texts(const std::string& array) {
    const auto document = json::Document::parse(array);
    BOOST_REQUIRE(document);
    std::vector<std::string> out;
    for (const json::Value& text : document->root().items()) out.emplace_back(*text.string());
    return out;
  }

  [[nodiscard]] VerifiedChain verified(const std::vector<std::string>& chain) const {
    const std::vector<std::string_view> tokens(chain.begin(), chain.end());
    const Verdict verdict = verify_chain(tokens, fixture.office().trust.own(), kNow, {});
    BOOST_REQUIRE(verdict.valid());
    return verdict.chain();
  }

  /// `from` delegates offline to a key. \param authority  as JSON
  [[nodiscard]] std::vector<std::string> delegated(const Holder& from, const Thumbprint& to,
                                                   const std::string& authority) const {
    const VerifiedChain parent = verified(from.chain);
    DelegationRequest request;
    request.client_id = client_id;
    request.holder = to;
    request.jti = to.text();
    request.lifetime = std::chrono::hours(1);
    const auto asked = Authority::parse(authority);
    BOOST_REQUIRE(asked);
    request.authority = *asked;
    const auto child = attenuate(parent.leaf(), parent.max_depth(), request, kNow);
    BOOST_REQUIRE(child);
    const UnsignedToken token = UnsignedToken::encode(child->claims, from.key.public_key(), true);
    std::vector<std::string> chain = from.chain;
    chain.push_back(token.with(*from.key.sign(as_bytes(token.signing_input()))));
    return chain;
  }
  [[nodiscard]] Holder delegate(const Holder& from, const std::string& authority) const {
    Holder holder;
    holder.chain = delegated(from, holder.key.public_key().thumbprint(), authority);
    return holder;
  }

  [[nodiscard]] service::CallContext by(const Holder& holder, std::chrono::sys_seconds now = kNow) const {
    service::CallContext context;
    context.caller.chain = verified(holder.chain);
    context.request_id = "req-1";
    context.now = now;
    context.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    return context;
  }

  OfficeFixture& fixture;
  Holder root;
  std::string client_id = "spiffe://example.org/service/other";  ///< that delegated tokens name
};

}  // namespace chancery::tests
