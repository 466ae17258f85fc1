// What a program of somebody else has of it.

#include <boost/test/unit_test.hpp>

#include <chancery/redaction.hpp>

namespace chancery {

BOOST_AUTO_TEST_CASE(a_program_takes_its_secrets_out_of_its_log) {
  Redactor redactor = Redactor::create().value();
  BOOST_TEST_REQUIRE(redactor.hide(SecretBytes(as_bytes("hunter22\n"))).has_value());
  BOOST_TEST(redactor.redact("with hunter22, or aHVudGVyMjI=") == "with [redacted], or [redacted]=");
  BOOST_TEST(redactor.redact("Authorization: Bearer abc") == "Authorization: Bearer [redacted]");
  BOOST_TEST(redactor.redact_json(R"({"n":1,"a":"hunter22","api_key":"x"})") ==
             R"({"a":"[redacted]","api_key":"[redacted]","n":1})");
  const Redactor moved = std::move(redactor);
  BOOST_TEST(moved.redact("hunter22") == "[redacted]");
}

BOOST_AUTO_TEST_CASE(a_program_has_patterns_of_its_own) {
  RedactorOptions options;
  options.patterns = {"customer-\\d+"};
  BOOST_TEST(Redactor::create(options).value().redact("of customer-17") == "of [redacted]");
  options.patterns = {"("};
  BOOST_TEST((Redactor::create(options).error().code == ErrorCode::kConfigInvalid));
}

BOOST_AUTO_TEST_CASE(random_tokens_are_left_unless_asked_for) {
  const std::string text = std::string("id aZ3kQ9pL2x") + "T7vB4nM8rW1cY6hD0s";
  BOOST_TEST(Redactor::create().value().redact(text) == text);
  RedactorOptions options;
  options.random_tokens = true;
  BOOST_TEST(Redactor::create(options).value().redact(text) == "id [redacted]");
}

BOOST_AUTO_TEST_CASE(a_value_that_cannot_be_hidden_is_refused) {
  Redactor redactor = Redactor::create().value();
  BOOST_TEST((redactor.hide(as_bytes("abc")).error().code == ErrorCode::kInvalidArgument));
}

}  // namespace chancery
