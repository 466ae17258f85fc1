// Bodies under a Content-Encoding.

#include "sdk/redaction/body.hpp"

#include <boost/test/unit_test.hpp>
#include <zlib.h>

namespace chancery::redaction {
namespace {

constexpr std::string_view kValue = "tr0ub4dor&3-and-more";
const std::string kJson = R"({"a":"tr0ub4dor&3-and-more","n":1})";
constexpr int kGzip = 31;
constexpr int kZlib = 15;
constexpr int kBare = -15;

std::string deflated(std::string_view text, int window_bits) {
  z_stream stream{};
  BOOST_TEST_REQUIRE(::deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(::deflateBound(&stream, text.size()) + 32, '\0');
  std::string in(text);
  stream.next_in = reinterpret_cast<unsigned char*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<unsigned char*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  BOOST_TEST_REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

SecretFinder finder() {
  const auto known = std::make_shared<KnownSecrets>();
  BOOST_TEST_REQUIRE(known->add(as_bytes(kValue), "crm").has_value());
  return SecretFinder(known);
}

ErrorCode refusal(const char* encoding, std::string_view body, std::size_t max_octets = 1 << 20) {
  const auto decoded = decode_body(encoding, body, {max_octets});
  BOOST_TEST_REQUIRE(!decoded.has_value(), encoding);
  return decoded.error().code;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_body_is_redacted_whatever_its_encoding) {
  const SecretFinder secrets = finder();
  const std::string want = R"({"a":"[redacted]","n":1})";
  const std::vector<std::pair<const char*, std::string>> bodies{
      {"", kJson},
      {"identity", kJson},
      {"gzip", deflated(kJson, kGzip)},
      {" GZip ", deflated(kJson, kGzip)},
      {"x-gzip", deflated(kJson, kGzip)},
      {"deflate", deflated(kJson, kZlib)},
      {"deflate", deflated(kJson, kBare)},
      {"deflate, gzip", deflated(deflated(kJson, kZlib), kGzip)},
      {"gzip, identity", deflated(kJson, kGzip)},
      {"gzip", deflated(kJson.substr(0, 15), kGzip) + deflated(kJson.substr(15), kGzip)},
  };
  for (const auto& [encoding, body] : bodies) {
    const auto redacted = redact_body(secrets, encoding, body);
    BOOST_TEST_REQUIRE(redacted.has_value(), encoding);
    BOOST_TEST(redacted->text == want, encoding);
    BOOST_TEST(redacted->hits.size() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_json_is_redacted_as_text) {
  const auto redacted = redact_body(finder(), "gzip", deflated("it is tr0ub4dor&3-and-more.", kGzip));
  BOOST_TEST(redacted.value().text == "it is [redacted].");
}

BOOST_AUTO_TEST_CASE(an_encoding_that_cannot_be_read_is_refused) {
  for (const char* const encoding : {"br", "zstd", "compress", "gzip, br", "gzip, gzip, gzip", "x"})
    BOOST_TEST((refusal(encoding, "x") == ErrorCode::kUnsupportedAlgorithm), encoding);
}

BOOST_AUTO_TEST_CASE(a_body_that_is_not_what_it_says_is_refused) {
  const std::string good = deflated(kJson, kGzip);
  std::string changed = good;
  changed[changed.size() - 6] = static_cast<char>(changed[changed.size() - 6] ^ 1);  // the checksum
  for (const std::string& body : {std::string(), std::string("x"), kJson, good.substr(0, good.size() - 1),
                                  good.substr(0, 5), good + "x", changed})
    BOOST_TEST((refusal("gzip", body) == ErrorCode::kMalformed), body.size());
  const std::string zlib = deflated(kJson, kZlib);
  for (const std::string& body : {std::string(), zlib.substr(0, zlib.size() - 1), zlib + "x"})
    BOOST_TEST((refusal("deflate", body) == ErrorCode::kMalformed), body.size());
}

BOOST_AUTO_TEST_CASE(a_body_is_as_large_as_is_allowed) {
  const std::string zeros(100'000, '0');
  BOOST_TEST(decode_body("gzip", deflated(zeros, kGzip), {zeros.size()}).value() == zeros);
  BOOST_TEST((refusal("gzip", deflated(zeros, kGzip), zeros.size() - 1) == ErrorCode::kTooLarge));
  BOOST_TEST((refusal("deflate", deflated(zeros, kBare), 10) == ErrorCode::kTooLarge));
  BOOST_TEST((refusal("", zeros, zeros.size() - 1) == ErrorCode::kTooLarge));
  // A bomb in a bomb ends at the first.
  BOOST_TEST((refusal("gzip, gzip", deflated(deflated(zeros, kGzip), kGzip), 100) == ErrorCode::kTooLarge));
}

}  // namespace chancery::redaction
