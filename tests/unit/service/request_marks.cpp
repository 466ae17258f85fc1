// What a request's headers say of the work that it is a part of.

#include "daemon/rest/request_marks.hpp"

#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace chancery::rest {
namespace {

constexpr const char* kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";

/// \param want  empty: it is not valid
struct ParentCase {
  const char* name;
  std::string parent;
  const char* want = "";
};
std::ostream& operator<<(std::ostream& out, const ParentCase& c) { return out << c.name; }

const std::string kParent = std::string("00-") + kTrace + "-00f067aa0ba902b7-01";
const std::array kParents{
    ParentCase{"the standard's example", kParent, kTrace},
    ParentCase{"not sampled", kParent.substr(0, 53) + "00", kTrace},
    ParentCase{"a later version", "cc" + kParent.substr(2), kTrace},
    ParentCase{"a later version with more", "cc" + kParent.substr(2) + "-what-will-be", kTrace},
    ParentCase{"a later version with more in no part of its own", "cc" + kParent.substr(2) + ".x"},
    ParentCase{"version 00 with more", kParent + "-x"},
    ParentCase{"version ff", "ff" + kParent.substr(2)},
    ParentCase{"nothing", ""},
    ParentCase{"one character less", kParent.substr(0, 54)},
    ParentCase{"upper case", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"},
    ParentCase{"no trace", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"},
    ParentCase{"no parent", std::string("00-") + kTrace + "-0000000000000000-01"},
    ParentCase{"flags that are no number", std::string("00-") + kTrace + "-00f067aa0ba902b7-0x"},
    ParentCase{"another separator", std::string("00_") + kTrace + "-00f067aa0ba902b7-01"},
};

Request with(std::vector<std::pair<std::string, std::string>> headers) {
  Request request;
  request.headers = std::move(headers);
  return request;
}

}  // namespace

BOOST_DATA_TEST_CASE(a_traceparent_counts_when_it_is_valid, boost::unit_test::data::make(kParents), c) {
  BOOST_TEST(trace_id_of(c.parent) == c.want);
  Request request = with({{"traceparent", c.parent}});
  BOOST_TEST(read_marks(request).has_value());
  BOOST_TEST(request.trace_id == c.want);
}

BOOST_AUTO_TEST_CASE(a_traceparent_that_is_repeated_is_ignored) {
  Request request = with({{"traceparent", kParent}, {"traceparent", kParent}});
  BOOST_TEST(read_marks(request).has_value());
  BOOST_TEST(request.trace_id == "");
}

BOOST_AUTO_TEST_CASE(a_task_is_printable_and_bounded) {
  const std::string longest(128, '~');
  for (const std::string& task : {std::string("refund 17"), longest}) {
    Request request = with({{"chancery-task", task}});
    BOOST_TEST(read_marks(request).has_value());
    BOOST_TEST(request.task == task);
  }
  for (const std::string& task : {std::string(), longest + "~", std::string("a\tb"), std::string("ä")}) {
    Request request = with({{"chancery-task", task}});
    BOOST_TEST((read_marks(request).error().code == ErrorCode::kBadRequest), task);
    BOOST_TEST(request.task == "");
  }
  Request repeated = with({{"chancery-task", "a"}, {"chancery-task", "a"}});
  BOOST_TEST(!read_marks(repeated));
}

BOOST_AUTO_TEST_CASE(nothing_is_left_of_the_request_before) {
  Request request;
  request.task = "before";
  request.trace_id = kTrace;
  BOOST_TEST(read_marks(request).has_value());
  BOOST_TEST(request.task + request.trace_id == "");
}

BOOST_AUTO_TEST_CASE(an_answer_tells_the_trace_and_its_own_part_of_it) {
  const std::string value = traceresponse(kTrace, "0123456789abcdef0123456789abcdef");
  BOOST_TEST(value == std::string("00-") + kTrace + "-0123456789abcdef-00");
  BOOST_TEST(trace_id_of(value) == kTrace);
}

}  // namespace chancery::rest
