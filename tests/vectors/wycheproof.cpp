#include <set>

#include <boost/test/unit_test.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/jwk.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "sdk/token/jws.hpp"
#include "tests/vectors/source_files.hpp"

namespace chancery::tests {
namespace {

using json::Value;

json::Document read(std::string_view name) {
  return read_source_json(std::string("tests/vectors/data/wycheproof/").append(name));
}

std::array<std::uint8_t, 32> octets(ByteView from) {
  std::array<std::uint8_t, 32> out;
  std::ranges::copy(from.first(32), out.begin());
  return out;
}

PublicKey p256_key(const Value& group) {
  const Bytes point = hex_decode(group.find("publicKey")->find("uncompressed")->string().value()).value();
  return PublicKey::p256(octets(ByteView(point).subspan(1)), octets(ByteView(point).subspan(33)));
}

PublicKey ed25519_key(const Value& group) {
  return PublicKey::ed25519(
      octets(hex_decode(group.find("publicKey")->find("pk")->string().value()).value()));
}

struct Counts {
  std::size_t rows = 0;
  std::size_t valid = 0;
};

void check_row(const Value& row, const PublicKey& key, Counts& counts) {
  const Bytes message = hex_decode(row.find("msg")->string().value()).value();
  const Bytes signature = hex_decode(row.find("sig")->string().value()).value();
  const bool want = row.find("result")->string() == "valid";
  BOOST_TEST_CONTEXT("row " << *row.find("tcId")->integer() << ": "
                            << row.find("comment")->string().value()) {
    BOOST_TEST(verify_signature(key, sha256(message), message, signature) == want);
    BOOST_TEST(VerifyKey::from(key).value().verify(message, signature) == want);
    BOOST_TEST(VerifyKey::from(key).value().verify(sha256(message), message, signature) == want);
  }
  ++counts.rows;
  counts.valid += want;
}

template <typename ReadKey>
Counts check_signatures(std::string_view file, ReadKey read_key) {
  const json::Document document = read(file);
  Counts counts;
  for (const Value& group : document.root().find("testGroups")->items()) {
    const PublicKey key = read_key(group);
    for (const Value& row : group.find("tests")->items()) check_row(row, key, counts);
  }
  return counts;
}

// The keys of a group's `public`, a JWK or a JWK Set, that we would use at all.
std::vector<PublicKey> usable_keys(const Value& group) {
  std::vector<PublicKey> keys;
  const auto add = [&](const Value& jwk) {
    if (const auto key = public_key_from_jwk(jwk)) keys.push_back(*key);
  };
  const Value* given = group.find("public");
  if (given == nullptr) return keys;
  const Value* set = given->find("keys");
  if (set == nullptr) add(*given);
  if (set != nullptr) {
    for (const Value& jwk : set->items()) add(jwk);
  }
  return keys;
}

// A JWS as the library's readers take it apart, but for the payload, which need not be JSON here.
bool verifies(std::string_view compact, const PublicKey& key) {
  const auto parts = JwsParts::split(compact);
  if (!parts) return false;
  const auto header = decode_json_object(parts->header);
  if (!header || !refuse_extensions(header->root())) return false;
  const auto algorithm = read_algorithm(header->root());
  const auto signature = base64url_decode(parts->signature);
  if (!algorithm || !signature || !base64url_decode(parts->payload)) return false;
  const ByteView message = as_bytes(parts->signing_input);
  return *algorithm == algorithm_name(key.algorithm()) &&
         verify_signature(key, sha256(message), message, *signature);
}

struct Accepted {
  std::size_t rows = 0;
  std::set<std::int64_t> ids;
};

Accepted accepted_rows(std::string_view file) {
  const json::Document document = read(file);
  Accepted out;
  for (const Value& group : document.root().find("testGroups")->items()) {
    for (const Value& row : group.find("tests")->items()) {
      ++out.rows;
      for (const PublicKey& key : usable_keys(group)) {
        if (verifies(row.find("jws")->string().value(), key)) out.ids.insert(*row.find("tcId")->integer());
      }
    }
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(wycheproof)

BOOST_AUTO_TEST_CASE(ecdsa_p256_rows) {
  const Counts counts = check_signatures("ecdsa_secp256r1_sha256_p1363_test.json", p256_key);
  BOOST_TEST(counts.rows == 262u);
  BOOST_TEST(counts.valid == 173u);
}

BOOST_AUTO_TEST_CASE(ed25519_rows) {
  const Counts counts = check_signatures("ed25519_test.json", ed25519_key);
  BOOST_TEST(counts.rows == 151u);
  BOOST_TEST(counts.valid == 88u);
}

BOOST_AUTO_TEST_CASE(of_the_jws_rows_two_are_accepted) {
  const Accepted accepted = accepted_rows("json_web_signature_test.json");
  BOOST_TEST(accepted.rows == 401u);
  BOOST_TEST(accepted.ids == (std::set<std::int64_t>{18, 378}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(of_the_jwk_rows_none_is_accepted) {
  const Accepted accepted = accepted_rows("json_web_key_test.json");
  BOOST_TEST(accepted.rows == 26u);
  BOOST_TEST(accepted.ids.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
