#include <array>
#include <functional>
#include <ostream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/client.hpp>
#include <chancery/credential.hpp>

#include "sdk/base/descriptor.hpp"
#include "sdk/client/sealed_session.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

// Keys that a signer holds, in the place of one in memory.

namespace {

using namespace chancery;
using namespace std::chrono_literals;

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

/// Signs as it is told to, and names this key.
class ScriptedSigner final : public Signer {
 public:
  using Script = std::function<Result<Signature>(ByteView)>;
  ScriptedSigner(const PublicKey& key, Script script) : key_(key), script_(std::move(script)) {}

  const PublicKey& public_key() const noexcept override { return key_; }
  Result<Signature> sign(ByteView message) const override { return script_(message); }

 private:
  const PublicKey key_;
  const Script script_;
};

/// A signer with a key of its own.
std::shared_ptr<const Signer> device(Algorithm algorithm = Algorithm::kES256) {
  const auto key = std::make_shared<const SigningKey>(SigningKey::generate(algorithm).value());
  return std::make_shared<ScriptedSigner>(key->public_key(),
                                          [key](ByteView message) { return key->sign(message); });
}

HolderKey held(const std::shared_ptr<const Signer>& signer) { return HolderKey::held_by(signer).value(); }

/// A key whose signer gives this each time.
HolderKey held_with(const Result<Signature>& answer) {
  return held(
      std::make_shared<ScriptedSigner>(device()->public_key(), [answer](ByteView) { return answer; }));
}

/// A chain of one token that this key holds and may delegate; nobody verifies it here.
std::vector<std::string> chain_of(const HolderKey& key) {
  Claims claims;
  claims.iss = "https://issuer.example";
  claims.sub = "user:alice@example.org";
  claims.aud = {"https://api.example"};
  claims.jti = "0123456789abcdef";
  claims.client_id = "spiffe://example.org/operator/admin";
  claims.holder = key.public_key().thumbprint();
  claims.iat = static_cast<double>(now().time_since_epoch().count());
  claims.exp = claims.iat + 600;
  claims.del_max_depth = 3;
  claims.authority.scopes = {"chancery.agents.read"};
  const HolderKey issuer = HolderKey::generate().value();
  const UnsignedToken unsigned_token = UnsignedToken::encode(claims, issuer.public_key(), false);
  return {unsigned_token.with(issuer.sign(as_bytes(unsigned_token.signing_input())).value())};
}

DelegationRequest request_for(const HolderKey& holder) {
  DelegationRequest request;
  request.client_id = "spiffe://example.org/caller/crm";
  request.holder = holder.public_key().thumbprint();
  request.lifetime = 60s;
  request.authority.scopes = {"chancery.agents.read"};
  return request;
}

template <typename T, typename E>
std::string outcome(const Result<T, E>& result) {
  return result ? "" : std::string(error_name(result.error().code));
}

struct SignerCase {
  const char* name;
  Result<Signature> answer;
  const char* error;
};
std::ostream& operator<<(std::ostream& out, const SignerCase& c) { return out << c.name; }

const std::array kFailing{
    SignerCase{"a device that is away", Error{ErrorCode::kDeviceUnavailable, "put the token in"},
               "device_unavailable"},
    SignerCase{"an error of the program's own", Error{ErrorCode::kRequestRefused, "the key service refused"},
               "request_refused"},
    SignerCase{"a signature that is none", Signature{}, "key_mismatch"},
    SignerCase{"a signature by another key", HolderKey::generate()->sign(as_bytes("another")).value(),
               "key_mismatch"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(holder_key)

BOOST_AUTO_TEST_CASE(a_signer_signs_as_a_key_in_memory_does) {
  for (const Algorithm algorithm : {Algorithm::kES256, Algorithm::kEd25519}) {
    BOOST_TEST_CONTEXT(algorithm_name(algorithm)) {
      const HolderKey key = held(device(algorithm));
      const Signature signature = key.sign(as_bytes("message")).value();
      BOOST_TEST(VerifyKey::from(key.public_key())->verify(as_bytes("message"), signature));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_signer_delegates_and_proves) {
  const HolderKey key = held(device());
  const HolderKey other = HolderKey::generate().value();
  const auto longer = delegate_with(key, chain_of(key), request_for(other), now());
  BOOST_REQUIRE(outcome(longer) == "");
  BOOST_TEST((Token::parse(longer->back())->claims().holder == other.public_key().thumbprint()));
  const auto credential = credential_of(chain_of(key), key);
  BOOST_REQUIRE(outcome(credential) == "");
  BOOST_TEST(outcome((*credential)->present("GET", "https://api.example/", std::nullopt)) == "");
}

BOOST_DATA_TEST_CASE(what_is_wrong_with_a_signer_reaches_whoever_wanted_the_signature,
                     boost::unit_test::data::make(kFailing), c) {
  const HolderKey key = held_with(c.answer);
  BOOST_TEST(outcome(key.sign(as_bytes("message"))) == c.error);
  BOOST_TEST(outcome(delegate_with(key, chain_of(key), request_for(key), now())) == c.error);
  const auto credential = credential_of(chain_of(key), key).value();
  BOOST_TEST(outcome(credential->present("GET", "https://api.example/", std::nullopt)) == c.error);
  BOOST_TEST(outcome(join_credential("token", key)->present("POST", "https://a.example/", std::nullopt)) ==
             c.error);
}

BOOST_DATA_TEST_CASE(a_call_ends_in_its_signers_error_before_anything_is_sent,
                     boost::unit_test::data::make(kFailing), c) {
  const HolderKey key = held_with(c.answer);
  ClientOptions options;
  options.address = "https://localhost:1";  // nobody is there: to reach it would be another error
  options.credential = credential_of(chain_of(key), key).value();
  const auto agents = Client::connect(options).value().agents();
  BOOST_REQUIRE(!agents);
  BOOST_TEST(std::string(error_name(agents.error().error.code)) == c.error);
}

BOOST_AUTO_TEST_CASE(what_a_signer_holds_goes_into_no_file_and_no_memory) {
  const HolderKey key = held(device());
  const testing::TemporaryFolder folder;
  const std::string file = (folder.path() / "key.pem").string();
  BOOST_TEST(outcome(key.pem()) == "invalid_argument");
  BOOST_TEST(outcome(key.save(file)) == "invalid_argument");
  BOOST_TEST(!std::filesystem::exists(file));

  SessionOptions options;
  options.access = HeldChain{{"a.b.c"}, key};
  const client::SessionState state{
      options, {"g.h.i"}, "https://chancery.example/v1/sessions", HolderKey::generate().value(), {}};
  BOOST_TEST(outcome(client::seal(state)) == "invalid_argument");
}

BOOST_AUTO_TEST_CASE(a_key_has_a_signer_and_is_on_its_curve) {
  BOOST_TEST(outcome(HolderKey::held_by(nullptr)) == "invalid_argument");
  const auto off_curve = std::make_shared<ScriptedSigner>(
      PublicKey::p256({1}, {2}), [](ByteView) -> Result<Signature> { return Signature{}; });
  BOOST_TEST(outcome(HolderKey::held_by(off_curve)) == "invalid_key");
}

BOOST_AUTO_TEST_SUITE_END()
