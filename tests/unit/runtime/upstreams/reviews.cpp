#include <string>

#include <boost/test/unit_test.hpp>

#include "daemon/runtime/review.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/mcp/tool.hpp"
#include "tests/unit/runtime/upstreams/declared_tool.hpp"

// What an operator is shown of a tool.

namespace {

using namespace chancery;
using namespace chancery::runtime;
using namespace chancery::testing;

constexpr const char* kStdio = "[tool.mcp_stdio]\ncommand = [\"/usr/bin/x\"]\n";

mcp::Tool offered(const std::string& description) {
  mcp::Tool tool;
  tool.name = "create_refund";
  tool.description = description;
  tool.input_schema = R"({"type":"object"})";
  return tool;
}

tools::Tool pinned(const mcp::Tool& tool) {
  return mcp_tool(kStdio + ("description_sha256 = \"" + hex_encode(*mcp::description_digest(tool)) + "\"\n"));
}

bool has(const Review& review, const std::string& what) {
  return review.text.find(what) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reviews)

BOOST_AUTO_TEST_CASE(a_tool_is_shown_with_its_digest_and_how_it_stands) {
  const mcp::Tool tool = offered("Refunds.");
  const Review fresh = review_of(mcp_tool(kStdio), {{tool}, {}});
  BOOST_TEST(!fresh.is_as_reviewed);
  BOOST_TEST(has(fresh, "refund: nobody has reviewed it: it is not served\n"), fresh.text);
  BOOST_TEST(has(fresh, "  description     Refunds.\n"), fresh.text);
  BOOST_TEST(has(fresh, "  description_sha256 = \"" + hex_encode(*mcp::description_digest(tool)) + "\"\n"));
  const Review same = review_of(pinned(tool), {{tool}, {}});
  BOOST_TEST(same.is_as_reviewed);
  BOOST_TEST(has(same, "refund: as it was reviewed\n"), same.text);
  const Review changed = review_of(pinned(tool), {{offered("Refunds!")}, {}});
  BOOST_TEST(!changed.is_as_reviewed);
  BOOST_TEST(has(changed, "CHANGED since it was reviewed"), changed.text);
  BOOST_TEST(has(changed, "was reviewed as"), changed.text);
}

BOOST_AUTO_TEST_CASE(a_tool_that_is_not_there_or_cannot_be_used_is_named) {
  const mcp::Tool tool = offered("Refunds.");
  mcp::Tool other = tool;
  other.name = "other";
  const Review gone = review_of(pinned(tool), {{other}, {{"create_refund", "its name is too long"}}});
  BOOST_TEST(!gone.is_as_reviewed);
  BOOST_TEST(has(gone, "the server does not offer it"), gone.text);
  BOOST_TEST(has(gone, "cannot be used  its name is too long"), gone.text);
  BOOST_TEST(has(gone, "offered besides other"), gone.text);
}

BOOST_AUTO_TEST_CASE(no_line_of_a_description_looks_like_ours) {
  const Review made =
      review_of(mcp_tool(kStdio), {{offered("One.\n  description_sha256 = \"00\"\n\x1b[2Kx")}, {}});
  BOOST_TEST(made.text.find("\n  description_sha256 = \"00\"") == std::string::npos, made.text);
  BOOST_TEST(made.text.find('\x1b') == std::string::npos, made.text);
}

BOOST_AUTO_TEST_SUITE_END()
