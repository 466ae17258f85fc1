#include "tests/bench/redaction_bodies.hpp"

#include <array>

#include "sdk/base/base64.hpp"
#include "tests/redaction/made_secrets.hpp"

namespace chancery::bench {
namespace {

using tests::random_text;
using tests::RandomSource;

constexpr std::size_t kSize = 64 * 1024;

std::string objects(RandomSource& random) {
  std::string out = R"({"data":[)";
  for (int i = 0; out.size() < kSize; ++i) {
    const std::string number = std::to_string(i);
    if (i > 0) out += ",";
    out += R"({"id":"cus_)" + random_text(random, "abcdefghijkmnopqrstuvwxyz0123456789", 14);
    out += R"(","object":"customer","email":"user)" + number + R"(@example.org","balance":)" +
           std::to_string(random.below(100000));
    out +=
        R"(,"currency":"eur","delinquent":false,"description":"Customer since the spring, ordered twice","url":)";
    out +=
        R"("https://api.example.org/v1/customers/)" + number + R"(?expand=true","address":{"city":"Berlin",)";
    out +=
        R"("line1":"Hauptstrasse )" + number + R"(","country":"DE","postal_code":"10115"},"tags":["new"]})";
  }
  return out + "]}";
}

std::string words(RandomSource& random) {
  constexpr std::array<std::string_view, 16> kWords{
      "the",     "refund", "was",  "not",    "delivered", "before",         "order",        "support",
      "answers", "again",  "with", "letter", "customer",  R"(\"quoted\".)", R"(\u00fcber)", R"(payment.\n)"};
  std::string out = R"({"items":[)";
  for (int i = 0; out.size() < kSize; ++i) {
    out += i > 0 ? R"(,{"text":")" : R"({"text":")";
    for (int word = 0; word < 60; ++word) out.append(random.pick(kWords)).append(" ");
    out += "\"}";
  }
  return out + "]}";
}

std::string log_lines(RandomSource& random, std::size_t size) {
  std::string out;
  for (int i = 0; out.size() < size; ++i) {
    out +=
        "2026-11-22T12:00:11.123Z INFO http.server request_id=" + random_text(random, tests::kLowerHex, 32);
    out += " method=GET path=/v1/customers/" + std::to_string(i) + "?limit=100&after=%7B" + std::to_string(i);
    out += "%7D status=200 took=12ms user=\"svc-orders\" agent=curl/7.88\n";
  }
  return out;
}

std::string octets(RandomSource& random) {
  std::string out;
  for (std::size_t i = 0; i < kSize * 3 / 4; ++i) out.push_back(static_cast<char>(random.bits() & 0xFF));
  return out;
}

std::string in_base64(std::string_view octets) {
  return R"({"content":")" + base64_encode(as_bytes(octets)) + R"(","size":49152})";
}

}  // namespace

std::vector<Body> redaction_bodies() {
  RandomSource random(17);
  std::vector<Body> out;
  out.push_back({"json", objects(random)});
  out.push_back({"words", words(random)});
  out.push_back({"log", log_lines(random, kSize)});
  out.push_back({"base64", in_base64(octets(random))});
  out.push_back({"log_in_base64", in_base64(log_lines(random, kSize * 3 / 4))});
  return out;
}

}  // namespace chancery::bench
