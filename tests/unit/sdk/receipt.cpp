// Receipts of tool calls: which count, and which somebody made up.

#include "sdk/verify/receipt.hpp"

#include <array>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/token/jws.hpp"

namespace chancery::tests {
namespace {

using json::Node;

constexpr std::int64_t kAt = 1'800'000'000;

/// A receipt and its signature as the daemon makes them; a row changes what a forger would.
struct Made {
  Made()
      : runtime(*SigningKey::generate(Algorithm::kES256)), other(*SigningKey::generate(Algorithm::kES256)) {}

  std::string receipt_json() const {
    Node node = Node::object({{"arguments_sha256", std::string(64, 'a')},
                              {"at", at},
                              {"decision", "d1"},
                              {"key", "k1"},
                              {"permit", permit},
                              {"result_sha256", result},
                              {"runtime", "spiffe://test.example/agent/tools"},
                              {"status", "done"},
                              {"token", "t1"},
                              {"tool", "refund"}});
    if (has_more) node.set("more", "x");
    return json::to_jcs(node);
  }

  std::string signed_by(const SigningKey& signer, const std::vector<std::string>& digests) const {
    Node list = Node::array();
    for (const std::string& digest : digests) list.push_back(digest);
    const PublicKey& shown = shown_key == nullptr ? signer.public_key() : shown_key->public_key();
    const Node header = Node::object({{"alg", "ES256"},
                                      {"jwk", Node::canonical(shown.jwk())},
                                      {"kid", shown.thumbprint().text()},
                                      {"typ", type}});
    const Node payload = Node::object({{"iat", signed_at}, {"iss", issuer}, {"receipts", std::move(list)}});
    const std::string input = signing_input_of(header, payload);
    return input + "." + base64url_encode(*signer.sign(as_bytes(input)));
  }

  static std::string digest_of(const std::string& receipt) { return hex_encode(sha256(as_bytes(receipt))); }
  static std::string document(const std::string& receipt, const std::string& jws) {
    return R"({"receipt":)" + receipt + R"(,"signed":")" + jws + "\"}";
  }
  /// The code with which the runtime's keys refuse it; nothing when they do not.
  std::optional<ErrorCode> refusal(const std::string& text) const {
    const auto receipt = read_receipt(text);
    if (!receipt) return receipt.error().code;
    const std::array keys{runtime.public_key().thumbprint()};
    const Status verified = verify_receipt(*receipt, keys);
    return verified ? std::nullopt : std::optional(verified.error().code);
  }

  SigningKey runtime;
  SigningKey other;
  std::string permit = std::string(32, 'b');
  std::string result = std::string(64, 'c');
  std::string issuer = "spiffe://test.example/agent/tools";
  std::string type = "chancery-receipts+jwt";
  std::int64_t at = kAt;
  std::int64_t signed_at = kAt;
  bool has_more = false;
  const SigningKey* shown_key = nullptr;
};

struct Forgery {
  const char* name;
  std::string (*make)(Made& made);
  ErrorCode why;
};
std::ostream& operator<<(std::ostream& out, const Forgery& row) { return out << row.name; }

std::string honest(const Made& made) {
  const std::string receipt = made.receipt_json();
  return Made::document(receipt, made.signed_by(made.runtime, {Made::digest_of(receipt)}));
}

const std::array kForgeries{
    Forgery{"a result that was changed",
            [](Made& made) {
              const std::string jws = made.signed_by(made.runtime, {Made::digest_of(made.receipt_json())});
              made.result = std::string(64, 'd');
              return Made::document(made.receipt_json(), jws);
            },
            ErrorCode::kSignatureInvalid},
    Forgery{"signed by another key",
            [](Made& made) {
              const std::string receipt = made.receipt_json();
              return Made::document(receipt, made.signed_by(made.other, {Made::digest_of(receipt)}));
            },
            ErrorCode::kSignatureInvalid},
    Forgery{"signed by another key that shows the runtime's",
            [](Made& made) {
              made.shown_key = &made.runtime;
              const std::string receipt = made.receipt_json();
              return Made::document(receipt, made.signed_by(made.other, {Made::digest_of(receipt)}));
            },
            ErrorCode::kSignatureInvalid},
    Forgery{"a list of other receipts",
            [](Made& made) {
              return Made::document(made.receipt_json(),
                                    made.signed_by(made.runtime, {std::string(64, 'e')}));
            },
            ErrorCode::kSignatureInvalid},
    Forgery{"a list of none",
            [](Made& made) { return Made::document(made.receipt_json(), made.signed_by(made.runtime, {})); },
            ErrorCode::kSignatureInvalid},
    Forgery{"another runtime's list",
            [](Made& made) {
              made.issuer = "spiffe://test.example/agent/other-tools";
              return honest(made);
            },
            ErrorCode::kSignatureInvalid},
    Forgery{"a signature from before the call",
            [](Made& made) {
              made.signed_at = kAt - 1;
              return honest(made);
            },
            ErrorCode::kSignatureInvalid},
    Forgery{"something else that the runtime's key signed",
            [](Made& made) {
              made.type = "dpop+jwt";
              return honest(made);
            },
            ErrorCode::kMalformed},
    Forgery{"more than a receipt says",
            [](Made& made) {
              made.has_more = true;
              return honest(made);
            },
            ErrorCode::kMalformed},
    Forgery{"a permit that is none",
            [](Made& made) {
              made.permit = "b";
              return honest(made);
            },
            ErrorCode::kMalformed},
    Forgery{"no signature yet", [](Made& made) { return R"({"receipt":)" + made.receipt_json() + "}"; },
            ErrorCode::kMalformed},
    Forgery{"a signature that is a list",
            [](Made& made) { return R"({"receipt":)" + made.receipt_json() + R"(,"signed":[]})"; },
            ErrorCode::kMalformed},
    Forgery{"the receipt alone", [](Made& made) { return made.receipt_json(); }, ErrorCode::kMalformed},
    Forgery{"no JSON", [](Made&) { return std::string("receipt"); }, ErrorCode::kMalformed},
    Forgery{"a member twice",
            [](Made& made) { return R"({"receipt":{},"receipt":)" + made.receipt_json() + "}"; },
            ErrorCode::kDuplicateMember},
    Forgery{"more than anybody reads", [](Made&) { return std::string(kMaxReceiptSize + 1, ' '); },
            ErrorCode::kTooLarge},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(receipts)

BOOST_AUTO_TEST_CASE(a_receipt_in_a_list_that_the_runtime_signed_is_good) {
  const Made made;
  BOOST_TEST(!made.refusal(honest(made)));
  const auto receipt = read_receipt(honest(made));
  BOOST_REQUIRE(receipt);
  BOOST_TEST(receipt->permit == made.permit);
  BOOST_TEST(receipt->result_sha256 == made.result);
  BOOST_TEST(receipt->at == kAt);
  BOOST_TEST(receipt->digest == Made::digest_of(made.receipt_json()));
}

BOOST_AUTO_TEST_CASE(its_hash_is_over_its_canonical_form_however_it_is_written) {
  const Made made;
  std::string spaced = honest(made);
  spaced.insert(spaced.find("\"at\":") + 5, "  ");
  BOOST_TEST(!made.refusal(spaced));
}

BOOST_AUTO_TEST_CASE(one_of_many_in_a_list_counts) {
  const Made made;
  const std::string receipt = made.receipt_json();
  const std::string jws =
      made.signed_by(made.runtime, {std::string(64, '1'), Made::digest_of(receipt), std::string(64, '2')});
  BOOST_TEST(!made.refusal(Made::document(receipt, jws)));
}

BOOST_DATA_TEST_CASE(it_is_no_receipt_with, boost::unit_test::data::make(kForgeries), row) {
  Made made;
  const auto refused = made.refusal(row.make(made));
  BOOST_REQUIRE(refused.has_value());
  BOOST_TEST(error_name(*refused) == error_name(row.why));
}

BOOST_AUTO_TEST_CASE(whoever_knows_no_key_of_the_runtime_believes_nothing) {
  const Made made;
  const auto receipt = read_receipt(honest(made));
  BOOST_REQUIRE(receipt);
  BOOST_TEST(!verify_receipt(*receipt, {}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
