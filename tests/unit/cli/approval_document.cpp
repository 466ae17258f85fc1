// What is shown of a document that a person would approve, and what is shown of none.

#include "sdk/cli/approval_document.hpp"

#include <string>
#include <string_view>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::cli::testing {
namespace {

constexpr std::string_view kArguments = R"({"amount":75,"charge":"ch_1"})";

std::string digest_of(std::string_view text) { return hex_encode(sha256(as_bytes(text))); }

std::string document() {
  return R"({"arguments":)" + std::string(kArguments) + R"(,"arguments_sha256":")" + digest_of(kArguments) +
         R"(","asked_at":1800000000,"audience":"https://tools.example","client_id":"c",)"
         R"("debits":{"amount":"75"},"expires_at":1800000900,"id":"5f3c","key":"k","principal":"user:a",)"
         R"("risk":"high","runtime":"r","scope":"payments.refund","token":"t","tool":"refund",)"
         R"("typ":"chancery-approval-request","uri":"https://tools.example/v1/tools/refund","v":1})";
}

api::Approval approval_with(const std::string& text) {
  api::Approval approval;
  approval.id = "5f3c";
  approval.state = "pending";
  approval.sha256 = digest_of(text);
  approval.document = text;
  return approval;
}

struct Changed {
  std::string_view name;
  std::string_view what;
  std::string_view by;
};
std::ostream& operator<<(std::ostream& out, const Changed& row) { return out << row.name; }

constexpr Changed kKnown[] = {
    {"nothing", "", ""},
    {"a description", R"("expires_at")", R"("description":"Gives money back.","expires_at")"},
    {"a credential", R"("debits")", R"("credential":"psp","debits")"},
    {"an agent and a session", R"("typ")", R"("agent":"spiffe://a","session_key":"s","typ")"},
    {"no debits", R"({"amount":"75"},"expires)", R"({},"expires)"},
};

constexpr Changed kUnknown[] = {
    {"another kind", "chancery-approval-request", "chancery-approval-wish"},
    {"the next version", R"("v":1)", R"("v":2)"},
    {"a version between", R"("v":1)", R"("v":1.5)"},
    {"a version in a text", R"("v":1)", R"("v":"1")"},
    {"a member that is not known", R"("typ")", R"("standing":true,"typ")"},
    {"no kind", R"("typ":"chancery-approval-request",)", ""},
    {"no version", R"(,"v":1)", ""},
    {"no principal", R"("principal":"user:a",)", ""},
    {"no debits", R"("debits":{"amount":"75"},)", ""},
    {"debits that are none", R"({"amount":"75"},"expires)", R"([],"expires)"},
    {"a debit that is a number", R"({"amount":"75"},"expires)", R"({"amount":75},"expires)"},
    {"a risk that is no text", R"("risk":"high")", R"("risk":{"low":true})"},
    {"half a second", "1800000900", "1800000900.5"},
    {"another id", R"("id":"5f3c")", R"("id":"5f3d")"},
    {"arguments that were hashed otherwise", R"("amount":75)", R"("amount":76)"},
};

std::string changed(const Changed& row) {
  std::string text = document();
  if (row.what.empty()) return text;
  const std::size_t at = text.find(row.what);
  BOOST_REQUIRE(at != std::string::npos);
  return text.replace(at, row.what.size(), row.by);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(approval_document)

BOOST_DATA_TEST_CASE(a_document_is_shown_with, boost::unit_test::data::make(kKnown), row) {
  const auto read = read_document(approval_with(changed(row)));
  BOOST_REQUIRE(read);
  BOOST_TEST(*read->root().find("tool")->string() == "refund");
}

BOOST_DATA_TEST_CASE(a_document_is_not_shown_with, boost::unit_test::data::make(kUnknown), row) {
  const api::Approval approval = approval_with(changed(row));
  BOOST_TEST(check_document(approval).has_value());  // printed as JSON all the same
  const auto read = read_document(approval);
  BOOST_REQUIRE(!read);
  BOOST_TEST((read.error().code == ErrorCode::kBadResponse));
}

BOOST_AUTO_TEST_CASE(a_document_whose_digest_is_another_is_not_shown_at_all) {
  api::Approval approval = approval_with(document());
  approval.sha256 = digest_of("another");
  BOOST_TEST(!check_document(approval).has_value());
  BOOST_TEST(!read_document(approval).has_value());
  approval = approval_with(document());
  approval.document.clear();
  BOOST_TEST(!read_document(approval).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::cli::testing
