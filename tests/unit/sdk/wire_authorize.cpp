// Messages of enforcement points, both ways.

#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/wire/messages.hpp"

namespace chancery::tests {
namespace {

constexpr const char* kWhole =
    R"({"action":{"params":{"amount":12.5},"scope":"payments.refund"},"ada":"required",)"
    R"("audience":"https://api.example.org","chain":["a","b"],"idempotency_key":"order-1","method":"POST",)"
    R"("proof":"p","reserve_s":60,"uri":"https://api.example.org/refunds"})";

std::string replaced(std::string text, std::string_view part, std::string_view by) {
  return text.replace(text.find(part), part.size(), by);
}

struct Malformed {
  const char* part;
  const char* by;
};
std::ostream& operator<<(std::ostream& out, const Malformed& row) { return out << row.by; }

constexpr std::array kMalformed{
    Malformed{R"("reserve_s":60)", R"("reserve_s":0)"},
    Malformed{R"("reserve_s":60)", R"("reserve_s":86401)"},
    Malformed{R"("reserve_s":60)", R"("reserve_s":1.5)"},
    Malformed{R"("ada":"required")", R"("ada":"optional")"},
    Malformed{R"("ada":"required")", R"("totals":{})"},
    Malformed{"order-1", "order 1"},
    Malformed{R"("params":{"amount":12.5})", R"("params":[])"},
    Malformed{R"("scope":"payments.refund")", R"("totals":{})"},
    Malformed{R"("proof":"p")", R"("proof":"")"},
};

constexpr const char* kTerms = R"("attestation_results":["r"],"chain":["a","b"],"custody_max_age_s":60)";

}  // namespace

BOOST_AUTO_TEST_CASE(terms_of_custody_come_back_as_they_were_written) {
  const std::string verification = "{" + std::string(kTerms) + R"(,"require_custody":"hardware"})";
  const auto read = wire::read_verify_chain(verification);
  BOOST_REQUIRE(read);
  BOOST_TEST((read->custody.require == CustodyRequirement::kHardware));
  BOOST_TEST(read->custody.max_age->count() == 60);
  BOOST_TEST(wire::write(*read) == verification);
  const std::string authorization =
      replaced(replaced(kWhole, R"("audience")", R"("attestation_results":["r"],"audience")"),
               R"("reserve_s")", R"("require_custody":"tpm-quoted","reserve_s")");
  BOOST_TEST(wire::write(wire::read_authorize(authorization).value()) == authorization);
}

BOOST_AUTO_TEST_CASE(an_authorization_comes_back_as_it_was_written) {
  const auto read = wire::read_authorize(kWhole);
  BOOST_REQUIRE(read);
  BOOST_TEST(read->reserve.count() == 60);
  BOOST_TEST(read->ada_required);
  BOOST_TEST(wire::write(*read) == kWhole);
}

BOOST_DATA_TEST_CASE(a_malformed_authorization_is_refused, boost::unit_test::data::make(kMalformed), row) {
  const auto read = wire::read_authorize(replaced(kWhole, row.part, row.by));
  BOOST_REQUIRE(!read);
  BOOST_TEST((read.error().code == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(an_idempotency_key_has_at_most_128_characters) {
  BOOST_TEST(wire::read_authorize(replaced(kWhole, "order-1", std::string(128, 'k'))).has_value());
  BOOST_TEST(!wire::read_authorize(replaced(kWhole, "order-1", std::string(129, 'k'))).has_value());
}

BOOST_AUTO_TEST_CASE(decisions_come_back_as_they_were_written) {
  for (
      const char* const json :
      {R"({"decision":"permit","decision_id":"d","expires_at":5,"leaf":{"agent":"a","principal":"p"},)"
       R"("not_performed":["custody"]})",
       R"({"decision":"deny","expected":"e","found":"f","hop":1,"not_performed":[],"outcome":"expired",)"
       R"("reason":"r","remedy":"m","step":5})",
       R"({"custody":[{"how":"unproven"}],"decision":"deny","not_performed":[],"outcome":"custody_unproven",)"
       R"("reason":"r","step":"custody"})",
       R"({"decision":"deny","not_performed":[],"outcome":"malformed","reason":"r","step":"parse"})"}) {
    const auto read = wire::read_decision(json);
    BOOST_REQUIRE(read);
    BOOST_TEST(wire::write(*read) == json);
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_called_a_permit_is_none) {
  const auto read = wire::read_decision(
      R"({"decision":"Permit","decision_id":"d","leaf":{"principal":"p"},"not_performed":[],"outcome":"x","reason":"r","step":5})");
  BOOST_REQUIRE(read);
  BOOST_TEST(!read->permitted);
}

BOOST_AUTO_TEST_CASE(settlements_and_budgets_come_back_as_they_were_written) {
  const auto settlement = wire::read_settlement(R"({"amounts":{"amount":1.5,"fee":0}})");
  BOOST_REQUIRE(settlement);
  BOOST_TEST(wire::write(*settlement) == R"({"amounts":{"amount":1.5,"fee":0}})");
  BOOST_TEST(wire::read_settlement("{}").has_value());
  BOOST_TEST(!wire::read_settlement(R"({"amounts":{"amount":"1"}})").has_value());
  const char* const budget =
      R"({"checkpoint":"counter","reason":"why","reservations":1,"state":"halted","totals":2})";
  BOOST_TEST(wire::write(wire::read_budget(budget).value()) == budget);
  const char* const ended = R"({"decision_id":"d","state":"settled"})";
  BOOST_TEST(wire::write(wire::read_ended_reservation(ended).value()) == ended);
}

}  // namespace chancery::tests
