#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/audit/checkpoint.hpp"
#include "sdk/base/base64.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/signing_key.hpp"

using namespace chancery;
using namespace chancery::audit;

namespace bdata = boost::unit_test::data;

namespace {

const std::string kOrigin = "chancery.example.org/audit/0123456789abcdef";

struct Log {
  SigningKey secret = *SigningKey::generate(Algorithm::kES256);
  NoteKey key{kOrigin, secret.public_key()};
  Checkpoint checkpoint{kOrigin, {20852163, sha256(as_bytes("some tree"))}};

  std::string line(const std::string& text) const {
    return *signature_line(key, *secret.sign(as_bytes(text)));
  }
  std::string note() const {
    const std::string text = checkpoint_text(checkpoint);
    return text + "\n" + line(text);
  }
  std::vector<NoteKey> keys() const { return {key}; }
};

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  BOOST_REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(checkpoints)

BOOST_AUTO_TEST_CASE(a_signed_checkpoint_is_read_back) {
  const Log log;
  const auto opened = open_checkpoint(log.note(), log.keys());
  BOOST_REQUIRE(opened);
  BOOST_TEST((*opened == log.checkpoint));
}

BOOST_AUTO_TEST_CASE(the_text_is_three_lines_and_extensions) {
  Checkpoint checkpoint{"example.com/log", {7, {}}, {"one", "two"}};
  BOOST_TEST(checkpoint_text(checkpoint) ==
             "example.com/log\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\none\ntwo\n");
  BOOST_TEST((*parse_checkpoint(checkpoint_text(checkpoint)) == checkpoint));
}

BOOST_AUTO_TEST_CASE(a_key_goes_round_as_a_verifier_key) {
  const Log log;
  const std::string text = *verifier_key(log.key);
  BOOST_TEST((*parse_verifier_key(text) == log.key));
  BOOST_TEST(text.starts_with(kOrigin + "+" + hex_encode(*note_key_id(log.key.key)) + "+"));
  const SigningKey other = *SigningKey::generate(Algorithm::kEd25519);
  BOOST_TEST((verifier_key({kOrigin, other.public_key()}).error().code == ErrorCode::kUnsupportedAlgorithm));
  BOOST_TEST((verifier_key({"with space", log.key.key}).error().code == ErrorCode::kInvalidArgument));
  BOOST_TEST((verifier_key({"", log.key.key}).error().code == ErrorCode::kInvalidArgument));
}

BOOST_AUTO_TEST_CASE(a_verifier_key_that_is_none_is_refused) {
  const Log log;
  const std::string good = *verifier_key(log.key);
  const std::string id = hex_encode(*note_key_id(log.key.key));
  const std::string typed = good.substr(good.rfind('+') + 1);
  Bytes octets = *base64_decode(good.substr(kOrigin.size() + 10));
  const auto with = [&](std::size_t at, std::uint8_t value) {
    Bytes changed = octets;
    changed[at] = value;
    return kOrigin + "+" + id + "+" + base64_encode(changed);
  };
  BOOST_TEST((parse_verifier_key("").error().code == ErrorCode::kMalformed));
  BOOST_TEST((parse_verifier_key(kOrigin).error().code == ErrorCode::kMalformed));
  BOOST_TEST((parse_verifier_key(kOrigin + "+" + id).error().code == ErrorCode::kMalformed));
  BOOST_TEST((parse_verifier_key(kOrigin + "+00000000+" + base64_encode(octets)).error().code ==
              ErrorCode::kMalformed));
  BOOST_TEST((parse_verifier_key(good + " ").error().code == ErrorCode::kMalformed));
  BOOST_TEST(
      (parse_verifier_key("+" + id + "+" + base64_encode(octets)).error().code == ErrorCode::kMalformed));
  BOOST_TEST((parse_verifier_key(with(0, 0x01)).error().code == ErrorCode::kUnsupportedAlgorithm));
  BOOST_TEST((parse_verifier_key(with(1, 0x31)).error().code == ErrorCode::kMalformed));
  BOOST_TEST((parse_verifier_key(with(40, octets[40] ^ 1)).error().code == ErrorCode::kInvalidKey));
}

BOOST_AUTO_TEST_CASE(an_altered_checkpoint_is_refused) {
  const Log log;
  const std::string note = log.note();
  const auto code = [&](const std::string& altered) {
    const auto opened = open_checkpoint(altered, log.keys());
    return opened ? ErrorCode{} : opened.error().code;
  };
  BOOST_TEST((code(replaced(note, "20852163", "20852164")) == ErrorCode::kSignatureInvalid));
  BOOST_TEST((code(replaced(note, kOrigin + "\n", "other\n")) == ErrorCode::kSignatureInvalid));
  BOOST_TEST((code(replaced(note, "\n\n", "\nextension\n\n")) == ErrorCode::kSignatureInvalid));
  // No octet of the note can be another, and none can be missing.
  for (std::size_t i = 0; i < note.size(); ++i) {
    std::string altered = note;
    altered[i] = static_cast<char>(altered[i] ^ 0x01);
    BOOST_TEST(!open_checkpoint(altered, log.keys()), "octet " << i);
    BOOST_TEST(!open_checkpoint(note.substr(0, i), log.keys()), "cut at " << i);
  }
}

BOOST_AUTO_TEST_CASE(signatures_of_others_count_neither_for_nor_against) {
  const Log log, other;
  const std::string text = checkpoint_text(log.checkpoint);
  const NoteKey witness{"witness.example.org/w1", other.secret.public_key()};
  const std::string foreign = *signature_line(witness, *other.secret.sign(as_bytes("something else")));
  BOOST_TEST(open_checkpoint(text + "\n" + foreign + log.line(text), log.keys()).has_value());
  BOOST_TEST(
      (open_checkpoint(text + "\n" + foreign, log.keys()).error().code == ErrorCode::kSignatureInvalid));
  // The same name, another key: it is another's.
  const std::string namesake =
      *signature_line({kOrigin, other.secret.public_key()}, *other.secret.sign(as_bytes(text)));
  BOOST_TEST(open_checkpoint(text + "\n" + namesake + log.line(text), log.keys()).has_value());
  BOOST_TEST(
      (open_checkpoint(text + "\n" + namesake, log.keys()).error().code == ErrorCode::kSignatureInvalid));
  // A known key's signature over something else spoils the note, though another one is good.
  const std::vector<NoteKey> both{log.key, witness};
  BOOST_TEST((open_checkpoint(text + "\n" + log.line(text) + foreign, both).error().code ==
              ErrorCode::kSignatureInvalid));
}

BOOST_AUTO_TEST_CASE(sixteen_signatures_are_taken_and_a_hundred_are_not) {
  const Log log, other;
  const std::string text = checkpoint_text(log.checkpoint);
  const std::string foreign =
      *signature_line({"w", other.secret.public_key()}, *other.secret.sign(as_bytes("something else")));
  std::string lines;
  for (int i = 0; i < 15; ++i) lines += foreign;
  BOOST_TEST(open_checkpoint(text + "\n" + lines + log.line(text), log.keys()).has_value());
  for (int i = 0; i < 85; ++i) lines += foreign;
  BOOST_TEST((open_checkpoint(text + "\n" + lines + log.line(text), log.keys()).error().code ==
              ErrorCode::kMalformed));
}

struct Bad {
  const char* name;
  const char* text;
};
std::ostream& operator<<(std::ostream& out, const Bad& bad) { return out << bad.name; }

#define ROOT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
const Bad kBad[] = {
    {"empty", ""},
    {"no root", "o\n1\n"},
    {"empty origin", "\n1\n" ROOT "\n"},
    {"a leading zero", "o\n01\n" ROOT "\n"},
    {"a sign", "o\n+1\n" ROOT "\n"},
    {"a negative size", "o\n-1\n" ROOT "\n"},
    {"a size beyond 64 bits", "o\n18446744073709551616\n" ROOT "\n"},
    {"a short root", "o\n1\nAAAA\n"},
    {"a root without padding", "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"},
    {"a root with spare bits", "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n"},
    {"no line feed at the end", "o\n1\n" ROOT},
    {"an empty extension", "o\n1\n" ROOT "\n\n"},
};
BOOST_DATA_TEST_CASE(what_is_no_checkpoint_is_refused, bdata::make(kBad), bad) {
  const auto parsed = parse_checkpoint(bad.text);
  BOOST_REQUIRE(!parsed);
  BOOST_TEST((parsed.error().code == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(only_text_of_lines_may_be_noted) {
  BOOST_TEST(may_be_noted("a\n"));
  BOOST_TEST(may_be_noted("\u00e9 \U0001f600\n\nb\n"));
  for (const char* text : {"", "a", "a\tb\n", "a\r\n", "\xff\n", "a\x01\n"}) BOOST_TEST(!may_be_noted(text));
}

BOOST_AUTO_TEST_SUITE_END()
