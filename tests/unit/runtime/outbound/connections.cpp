#include <array>
#include <atomic>
#include <cstdlib>
#include <ostream>
#include <thread>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <curl/curl.h>

#include "daemon/curl_memory.hpp"
#include "daemon/runtime/outbound/exchange.hpp"
#include "daemon/runtime/outbound/handle_pool.hpp"
#include "tests/unit/runtime/outbound/upstream.hpp"

// To whom connections are made, and which are kept.

namespace {

using namespace chancery;
using namespace chancery::runtime;
using namespace chancery::testing;
namespace data = boost::unit_test::data;

Address address(const char* text) { return Address::parse(text).value(); }
AddressRange range(const char* text) { return AddressRange::parse(text).value(); }

struct Resolved {
  const char* name;
  std::vector<const char*> addresses;
  AddressClass refused;
};
std::ostream& operator<<(std::ostream& out, const Resolved& row) { return out << row.name; }

const std::array kResolved{
    Resolved{"to loopback", {"127.0.0.1"}, AddressClass::kLoopback},
    Resolved{"to loopback of IPv6", {"::1"}, AddressClass::kLoopback},
    Resolved{"to a private one", {"192.168.1.1"}, AddressClass::kPrivate},
    Resolved{"to a link-local one", {"169.254.1.1"}, AddressClass::kLinkLocal},
    Resolved{"to a metadata service", {"169.254.169.254"}, AddressClass::kMetadata},
    Resolved{"to a mapped one", {"::ffff:127.0.0.1"}, AddressClass::kTranslated},
    Resolved{"to a translated one", {"64:ff9b::7f00:1"}, AddressClass::kTranslated},
    Resolved{"to this machine", {"0.0.0.0"}, AddressClass::kUnspecified},
    Resolved{"to a public one and loopback", {"93.184.216.34", "127.0.0.1"}, AddressClass::kLoopback},
    Resolved{"to loopback and a public one", {"127.0.0.1", "93.184.216.34"}, AddressClass::kLoopback},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(connections)

BOOST_DATA_TEST_CASE(a_name_is_refused_with_any_address_that_is, data::make(kResolved), row) {
  const Upstream upstream(http_answer(200, "text/plain", "abc"));
  CountingResolver resolver(row.addresses);
  OutboundRequest request = upstream.request();
  request.allowed.clear();
  const auto response = OutboundCaller(resolver.asked()).call(request);
  BOOST_REQUIRE(!response.has_value());
  BOOST_TEST((response.error().code == ErrorCode::kForbidden));
  BOOST_TEST(response.error().native == static_cast<std::uint64_t>(row.refused));
  BOOST_TEST(upstream.connections() == 0);
}

BOOST_AUTO_TEST_CASE(an_address_in_the_url_is_refused_without_asking) {
  const Upstream upstream(http_answer(200, "text/plain", "abc"));
  CountingResolver resolver;
  OutboundCaller caller(resolver.asked());
  for (const std::string host : {"127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"}) {
    OutboundRequest request = upstream.request();
    request.allowed.clear();
    request.url = "https://" + host + ":" + upstream.port() + "/";
    BOOST_TEST((caller.call(request).error().code == ErrorCode::kForbidden), host);
  }
  BOOST_TEST(resolver.count() == 0);
  BOOST_TEST(upstream.connections() == 0);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_rebound_leads_to_where_it_led_first) {
  std::atomic<int> asked{0};
  // At first an address that is declared, then one that is not.
  OutboundCaller caller([&](const std::string&, std::chrono::milliseconds) {
    return Result<std::vector<Address>>({address(++asked == 1 ? "127.0.0.1" : "127.0.0.2")});
  });
  OutboundRequest request;
  {
    const Upstream upstream(http_answer(200, "text/plain", "abc"));
    request = upstream.request();
    request.allowed = {range("127.0.0.1")};
    for (int i = 0; i < 10; ++i) {
      const auto response = caller.call(request);
      BOOST_REQUIRE(response.has_value());
      BOOST_TEST(response->address.text() == "127.0.0.1");
    }
    BOOST_TEST(asked == 1);
    BOOST_TEST(upstream.connections() == 1);
  }
  // Once nobody is there, the name may have moved; it is asked for anew, and the rule holds as before.
  BOOST_TEST((caller.call(request).error().code == ErrorCode::kConnectFailed));
  BOOST_TEST(asked == 1);
  BOOST_TEST((caller.call(request).error().code == ErrorCode::kForbidden));
  BOOST_TEST(asked == 2);
}

BOOST_AUTO_TEST_CASE(a_socket_is_opened_to_pinned_addresses_alone) {
  BOOST_REQUIRE(cleanse_curl_memory());
  const CurlHandle curl(curl_easy_init(), curl_easy_cleanup);
  const Upstream upstream(http_answer(200, "text/plain", "abc"));
  OutboundRequest request = upstream.request();
  // As if something had led libcurl elsewhere than to what was resolved.
  const Target target = parse_target("https://127.0.0.2:" + upstream.port() + "/", false).value();
  const std::vector<Address> pinned{address("127.0.0.1")};
  const AddressRule rule(request.allowed);
  const auto done = exchange(curl.get(), {target, request, pinned, rule, std::chrono::seconds{60}, {}});
  BOOST_REQUIRE(!done.has_value());
  BOOST_TEST((done.error().code == ErrorCode::kForbidden));
}

BOOST_AUTO_TEST_CASE(a_kept_connection_is_judged_again_before_a_request_is_written) {
  BOOST_REQUIRE(cleanse_curl_memory());
  const CurlHandle curl(curl_easy_init(), curl_easy_cleanup);
  const Upstream upstream(http_answer(200, "text/plain", "abc"));
  const OutboundRequest request = upstream.request();
  const Target target = parse_target(request.url, false).value();
  const std::vector<Address> pinned{address("127.0.0.1")};
  const AddressRule wide(request.allowed);
  const AddressRule narrow;
  const std::stop_token stop;
  BOOST_REQUIRE(
      exchange(curl.get(), {target, request, pinned, wide, std::chrono::seconds{60}, stop}).has_value());
  const auto refused =
      exchange(curl.get(), {target, request, pinned, narrow, std::chrono::seconds{60}, stop});
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST((refused.error().code == ErrorCode::kForbidden));
  BOOST_TEST(upstream.requests().size() == 1);
  BOOST_TEST(upstream.connections() == 1);
}

BOOST_AUTO_TEST_CASE(a_thousand_calls_share_one_connection) {
  const Upstream upstream(http_answer(200, "text/plain", "abc"));
  CountingResolver resolver;
  OutboundCaller caller(resolver.asked());
  const OutboundRequest request = upstream.request();
  for (int i = 0; i < 1000; ++i) BOOST_REQUIRE(caller.call(request).has_value());
  BOOST_TEST(upstream.connections() == 1);
  BOOST_TEST(upstream.requests().size() == 1000);
}

BOOST_AUTO_TEST_CASE(concurrent_calls_share_as_many_as_there_are_threads) {
  constexpr int kThreads = 8;
  const Upstream upstream(http_answer(200, "text/plain", "abc"));
  CountingResolver resolver;
  OutboundCaller caller(resolver.asked());
  const OutboundRequest request = upstream.request();
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int call = 0; call < 50; ++call) answered += caller.call(request).has_value() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(answered == kThreads * 50);
  BOOST_TEST(upstream.connections() <= kThreads);
}

BOOST_AUTO_TEST_CASE(a_kept_connection_has_nothing_of_the_last_call) {
  const Upstream upstream(
      http_answer(200, "text/plain", "abc", "Set-Cookie: a=b\r\nStrict-Transport-Security: max-age=9\r\n"));
  CountingResolver resolver;
  OutboundCaller caller(resolver.asked());
  OutboundRequest first = upstream.request();
  first.method = "POST";
  first.body = "body";
  first.headers = {{"X-First", "yes"}, {"User-Agent", "first"}};
  first.credentials.push_back({"Authorization", SecretBytes(as_bytes("Bearer of the vault"))});
  BOOST_REQUIRE(caller.call(first).has_value());
  BOOST_REQUIRE(caller.call(upstream.request()).has_value());
  BOOST_TEST(upstream.connections() == 1);
  const std::string want =
      "GET / HTTP/1.1\r\nHost: localhost:" + upstream.port() +
      "\r\nUser-Agent: chancery-runtime\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n\r\n";
  BOOST_TEST(upstream.requests().at(1) == want);
}

BOOST_AUTO_TEST_CASE(a_connection_is_believed_by_the_authorities_of_its_own_call) {
  const Upstream upstream(http_answer(200, "text/plain", "abc"));
  const Upstream other(http_answer(200, "text/plain", "abc"));
  CountingResolver resolver;
  OutboundCaller caller(resolver.asked());
  BOOST_REQUIRE(caller.call(upstream.request()).has_value());
  for (const std::string& ca_file :
       {other.request().ca_file, std::string(), std::string("/nonexistent.pem")}) {
    OutboundRequest request = upstream.request();
    request.ca_file = ca_file;
    BOOST_TEST((caller.call(request).error().code == ErrorCode::kTlsFailed), ca_file);
  }
  BOOST_TEST(upstream.requests().size() == 1);
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_name_is_refused) {
  const Upstream upstream(http_answer(200, "text/plain", "abc"));
  CountingResolver resolver;
  OutboundCaller caller(resolver.asked());
  OutboundRequest request = upstream.request();
  request.url = "https://other.example:" + upstream.port() + "/";
  BOOST_TEST((caller.call(request).error().code == ErrorCode::kTlsFailed));
  BOOST_TEST(upstream.requests().empty());
}

BOOST_AUTO_TEST_CASE(a_request_that_changes_something_is_written_once) {
  std::atomic<int> served{0};
  // A server that ends a kept connection at the moment at which the next request comes.
  const Upstream upstream([&](Connection& connection, const std::string&) {
    if (++served == 2) {
      connection.hang_up();
      return false;
    }
    connection.write(http_answer(200, "text/plain", "abc"));
    return true;
  });
  CountingResolver resolver;
  OutboundCaller caller(resolver.asked());
  OutboundRequest request = upstream.request();
  request.method = "POST";
  BOOST_REQUIRE(caller.call(request).has_value());
  const auto response = caller.call(request);
  BOOST_REQUIRE(!response.has_value());
  BOOST_TEST((response.error().code == ErrorCode::kConnectFailed));
  BOOST_TEST(upstream.requests().size() == 2);
}

BOOST_AUTO_TEST_CASE(a_request_that_only_asks_is_written_again) {
  std::atomic<int> served{0};
  const Upstream upstream([&](Connection& connection, const std::string&) {
    if (++served == 2) {
      connection.hang_up();
      return false;
    }
    connection.write(http_answer(200, "text/plain", "abc"));
    return true;
  });
  CountingResolver resolver;
  OutboundCaller caller(resolver.asked());
  BOOST_REQUIRE(caller.call(upstream.request()).has_value());
  BOOST_TEST(caller.call(upstream.request()).has_value());
  BOOST_TEST(upstream.requests().size() == 3);
  BOOST_TEST(upstream.connections() == 2);
}

BOOST_AUTO_TEST_CASE(what_is_behind_an_answer_is_not_the_next_one) {
  std::atomic<int> served{0};
  const Upstream upstream([&](Connection& connection, const std::string&) {
    const std::string smuggled = ++served == 1 ? http_answer(200, "text/plain", "smuggled") : "";
    connection.write(http_answer(200, "text/plain", "abc") + smuggled);
    return true;
  });
  CountingResolver resolver;
  OutboundCaller caller(resolver.asked());
  for (int i = 0; i < 3; ++i) {
    const auto response = caller.call(upstream.request());
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->body == "abc");
  }
}

BOOST_AUTO_TEST_CASE(the_environment_names_no_proxy) {
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
    ::setenv(name, "http://127.0.0.1:1", 1);
  const Upstream upstream(http_answer(200, "text/plain", "abc"));
  CountingResolver resolver;
  const auto response = OutboundCaller(resolver.asked()).call(upstream.request());
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
  BOOST_TEST(response.has_value());
}

BOOST_AUTO_TEST_CASE(what_is_refused_is_refused_before_anybody_is_asked) {
  CountingResolver resolver;
  OutboundCaller caller(resolver.asked());
  const Upstream upstream(http_answer(200, "text/plain", "abc"));
  OutboundRequest request = upstream.request();
  request.headers = {{"X", "a\r\nHost: evil.example"}};
  BOOST_TEST((caller.call(request).error().code == ErrorCode::kInvalidArgument));
  request = upstream.request("/../admin");
  BOOST_TEST((caller.call(request).error().code == ErrorCode::kInvalidArgument));
  request = upstream.request();
  request.url = "http://localhost:" + upstream.port() + "/";
  BOOST_TEST((caller.call(request).error().code == ErrorCode::kInvalidArgument));
  BOOST_TEST(resolver.count() == 0);
  BOOST_TEST(upstream.connections() == 0);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_not_resolved_is_an_error_of_its_own) {
  OutboundCaller caller([](const std::string&, std::chrono::milliseconds) -> Result<std::vector<Address>> {
    return Error{ErrorCode::kTimeout, "not in time"};
  });
  OutboundRequest request;
  request.url = "https://api.example.com/";
  BOOST_TEST((caller.call(request).error().code == ErrorCode::kTimeout));
  OutboundCaller empty([](const std::string&, std::chrono::milliseconds) {
    return Result<std::vector<Address>>(std::vector<Address>());
  });
  BOOST_TEST((empty.call(request).error().code == ErrorCode::kConnectFailed));
}

BOOST_AUTO_TEST_SUITE_END()
