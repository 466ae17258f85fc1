// An approver's signature for the TPM, as it is looked at before it counts.

#include "daemon/service/policy_signature.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/signing_key.hpp"

namespace chancery::tests {
namespace {

/// A gate with one approver, and a request for a grant.
struct Signed {
  SigningKey approver = *SigningKey::generate(Algorithm::kES256);
  SigningKey other = *SigningKey::generate(Algorithm::kES256);
  service::GatedIssuer issuer = issuer_of(approver.public_key());
  std::string token = token_for(issuer.key.stored.public_key);

  static service::GatedIssuer issuer_of(const PublicKey& approver) {
    service::GatedIssuer out;
    out.policy = {{approver}, 1, "deploys"};
    out.name.fill(7);
    out.key.stored.public_key = SigningKey::generate(Algorithm::kES256)->public_key();
    return out;
  }
  static std::string token_for(const PublicKey& signer) {
    const std::string header = R"({"kid":")" + signer.thumbprint().text() + "\"}";
    return base64url_encode(as_bytes(header)) + ".eyJi";
  }
  [[nodiscard]] std::string document() const { return document_with(token); }
  static std::string document_with(const std::string& token) {
    return R"({"kind":"grant","unsigned_token":")" + token + "\"}";
  }
  [[nodiscard]] std::string signature(const SigningKey& key, const attest::Name& name,
                                      const std::string& over, const std::string& gate) const {
    return base64url_encode(*key.sign(attest::policy_signature_input(name, as_bytes(over), gate)));
  }
};

struct Checked {
  const char* name;
  std::function<Status(const Signed& world)> check;
  std::optional<ErrorCode> want;
};
std::ostream& operator<<(std::ostream& out, const Checked& row) { return out << row.name; }

Status checked(const Signed& world, const std::string& signature) {
  return service::check_policy_signature(world.issuer, "deploys", world.document(),
                                         world.approver.public_key(), signature);
}

const std::array kChecked{
    Checked{"over this token, for this gate and key",
            [](const Signed& world) {
              return checked(world,
                             world.signature(world.approver, world.issuer.name, world.token, "deploys"));
            },
            {}},
    Checked{"over another token",
            [](const Signed& world) {
              return checked(world,
                             world.signature(world.approver, world.issuer.name, "eyJh.eyJj", "deploys"));
            },
            ErrorCode::kSignatureInvalid},
    Checked{"for another gate",
            [](const Signed& world) {
              return checked(world,
                             world.signature(world.approver, world.issuer.name, world.token, "refunds"));
            },
            ErrorCode::kSignatureInvalid},
    Checked{"for another key of the TPM's",
            [](const Signed& world) {
              return checked(world, world.signature(world.approver, {}, world.token, "deploys"));
            },
            ErrorCode::kSignatureInvalid},
    Checked{"by another key than it says",
            [](const Signed& world) {
              return checked(world, world.signature(world.other, world.issuer.name, world.token, "deploys"));
            },
            ErrorCode::kSignatureInvalid},
    Checked{"by a key that does not open the gate",
            [](const Signed& world) {
              return service::check_policy_signature(
                  world.issuer, "deploys", world.document(), world.other.public_key(),
                  world.signature(world.other, world.issuer.name, world.token, "deploys"));
            },
            ErrorCode::kForbidden},
    Checked{"for a token of a former key of the gate's",
            [](const Signed& world) {
              const std::string former = Signed::token_for(world.other.public_key());
              return service::check_policy_signature(
                  world.issuer, "deploys", Signed::document_with(former), world.approver.public_key(),
                  world.signature(world.approver, world.issuer.name, former, "deploys"));
            },
            ErrorCode::kConflict},
    Checked{"for a token whose header cannot be read",
            [](const Signed& world) {
              return service::check_policy_signature(
                  world.issuer, "deploys", Signed::document_with("eyJh.eyJi"), world.approver.public_key(),
                  world.signature(world.approver, world.issuer.name, "eyJh.eyJi", "deploys"));
            },
            {}},
    Checked{"that is too short",
            [](const Signed& world) { return checked(world, base64url_encode(Bytes(63, 1))); },
            ErrorCode::kInvalidArgument},
    Checked{"for a request without a token",
            [](const Signed& world) {
              return service::check_policy_signature(
                  world.issuer, "deploys", "{}", world.approver.public_key(),
                  world.signature(world.approver, world.issuer.name, "", "deploys"));
            },
            ErrorCode::kSignatureInvalid},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_signature_for_a_tpm, boost::unit_test::data::make(kChecked), row) {
  const Signed world;
  const Status status = row.check(world);
  BOOST_TEST(status.has_value() == !row.want);
  if (!status && row.want) BOOST_TEST((status.error().code == *row.want));
}

}  // namespace chancery::tests
