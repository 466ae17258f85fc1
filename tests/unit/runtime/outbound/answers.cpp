#include <array>
#include <optional>
#include <ostream>
#include <string>
#include <thread>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <zlib.h>

#include "tests/unit/runtime/outbound/upstream.hpp"

// What upstreams answer, well and badly, and how much of it is taken.

namespace {

using namespace chancery;
using namespace chancery::runtime;
using namespace chancery::testing;
using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

constexpr std::size_t kMost = 1000;

// As gzip (RFC 1952) or zlib (RFC 1950, which HTTP calls deflate).
std::string deflated(const std::string& text, bool gzip) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, gzip ? 31 : 15, 9, Z_DEFAULT_STRATEGY);
  std::string out(compressBound(text.size()) + 64, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string encoded(const std::string& coding, const std::string& body) {
  return http_answer(200, "text/plain", body, "Content-Encoding: " + coding + "\r\n");
}

std::string in_chunks(const std::string& body, std::size_t size, const std::string& trailer = {}) {
  std::string out = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::array<char, 20> length;
  for (std::size_t i = 0; i < body.size(); i += size) {
    const std::string chunk = body.substr(i, size);
    std::snprintf(length.data(), length.size(), "%zx\r\n", chunk.size());
    out += length.data() + chunk + "\r\n";
  }
  return out + "0\r\n" + trailer + "\r\n";
}

std::string many(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

struct Answered {
  const char* name;
  std::string octets;
  std::optional<ErrorCode> error;
  std::string body{};
};
std::ostream& operator<<(std::ostream& out, const Answered& row) { return out << row.name; }

const std::array kAnswers{
    Answered{"a body", http_answer(200, "text/plain", "abc"), std::nullopt, "abc"},
    Answered{"no body", "HTTP/1.1 204 No Content\r\n\r\n", std::nullopt, ""},
    Answered{"an error of the upstream's", http_answer(404, "text/plain", "none"), std::nullopt, "none"},
    Answered{"a body until the end of the connection", "HTTP/1.0 200 OK\r\n\r\nabc", std::nullopt, "abc"},
    Answered{"chunks of one octet", in_chunks(std::string(kMost, 'a'), 1), std::nullopt,
             std::string(kMost, 'a')},
    Answered{"informational answers before",
             many("HTTP/1.1 103 Early Hints\r\n\r\n", 10) + http_answer(200, "a/b", "abc"), std::nullopt,
             "abc"},
    Answered{"gzip", encoded("gzip", deflated("abc", true)), std::nullopt, "abc"},
    Answered{"deflate", encoded("deflate", deflated("abc", false)), std::nullopt, "abc"},
    Answered{"identity", encoded("identity", "abc"), std::nullopt, "abc"},
    Answered{"as much as is taken", http_answer(200, "a/b", std::string(kMost, 'a')), std::nullopt,
             std::string(kMost, 'a')},
    Answered{"one octet more", http_answer(200, "a/b", std::string(kMost + 1, 'a')), ErrorCode::kTooLarge},
    Answered{"one octet more in chunks", in_chunks(std::string(kMost + 1, 'a'), 100), ErrorCode::kTooLarge},
    Answered{"one octet more until the end", "HTTP/1.0 200 OK\r\n\r\n" + std::string(kMost + 1, 'a'),
             ErrorCode::kTooLarge},
    Answered{"one octet more when decoded", encoded("gzip", deflated(std::string(kMost + 1, 'a'), true)),
             ErrorCode::kTooLarge},
    Answered{"as much as is taken when decoded", encoded("gzip", deflated(std::string(kMost, 'a'), true)),
             std::nullopt, std::string(kMost, 'a')},
    Answered{"a gzip bomb", encoded("gzip", deflated(std::string(600'000, '\0'), true)),
             ErrorCode::kTooLarge},
    Answered{"a deflate bomb", encoded("deflate", deflated(std::string(600'000, '\0'), false)),
             ErrorCode::kTooLarge},
    Answered{"a gzip bomb in chunks",
             "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" +
                 in_chunks(deflated(std::string(600'000, '\0'), true), 7).substr(17),
             ErrorCode::kTooLarge},
    Answered{"gzip twice", encoded("gzip, gzip", deflated(deflated("abc", true), true)),
             ErrorCode::kBadResponse},
    Answered{"gzip in two lines",
             http_answer(200, "a/b", deflated(deflated("abc", true), true),
                         "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"),
             ErrorCode::kBadResponse},
    Answered{"an encoding that was not asked for", encoded("zstd", "abc"), ErrorCode::kBadResponse},
    Answered{"another one", encoded("br", "abc"), ErrorCode::kBadResponse},
    Answered{"gzip that is none", encoded("gzip", "abcdefghijklmnop"), ErrorCode::kBadResponse},
    Answered{"a transfer encoding beside chunked",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
             ErrorCode::kBadResponse},
    Answered{"a length that is larger than the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
             ErrorCode::kBadResponse},
    Answered{"a length that is larger than is taken",
             "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nabc", ErrorCode::kTooLarge},
    Answered{"a length below zero", "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc",
             ErrorCode::kBadResponse},
    Answered{"a length that is smaller than the body", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc",
             std::nullopt, "ab"},
    Answered{"a chunk of a negative size",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n", ErrorCode::kBadResponse},
    Answered{"chunks without an end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
             ErrorCode::kBadResponse},
    Answered{"headers without end", "HTTP/1.1 200 OK\r\n" + many("X: " + std::string(1000, 'a') + "\r\n", 70),
             ErrorCode::kTooLarge},
    Answered{"one header without end", "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'a') + "\r\n\r\n",
             ErrorCode::kTooLarge},
    Answered{"informational answers without end", many("HTTP/1.1 103 Early Hints\r\n\r\n", 3000),
             ErrorCode::kTooLarge},
    Answered{"a trailer without end", in_chunks("abc", 3, many("X: " + std::string(1000, 'a') + "\r\n", 70)),
             ErrorCode::kTooLarge},
    Answered{"a redirect", http_answer(302, "text/plain", "abc", "Location: /other\r\n"),
             ErrorCode::kBadResponse},
    Answered{"no HTTP", "hello\r\n\r\n", ErrorCode::kBadResponse},
    Answered{"nothing", "", ErrorCode::kBadResponse},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(answers)

BOOST_DATA_TEST_CASE(only_a_whole_answer_within_the_limits_is_passed, data::make(kAnswers), row) {
  const Upstream upstream([&](Connection& connection, const std::string&) {
    connection.write(row.octets);
    return false;  // what has no length ends here
  });
  CountingResolver resolver;
  OutboundCaller caller(resolver.asked());
  OutboundRequest request = upstream.request();
  request.limits.max_response = kMost;
  const auto response = caller.call(request);
  BOOST_REQUIRE(response.has_value() == !row.error.has_value());
  if (response) {
    BOOST_TEST(response->body == row.body);
  } else {
    BOOST_TEST((response.error().code == *row.error), error_name(response.error().code)
                                                          << response.error().what);
  }
}

BOOST_AUTO_TEST_CASE(a_large_answer_that_makes_nothing_is_bounded_as_it_is_sent) {
  // Empty blocks of deflate (RFC 1951 section 3.2.4): octets without end, of which nothing comes.
  std::string stream = "\x78\x9c";
  for (int i = 0; i < 100'000; ++i) stream += std::string("\0\0\0\xff\xff", 5);
  const Upstream upstream([&](Connection& connection, const std::string&) {
    connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + stream);
    return false;
  });
  CountingResolver resolver;
  OutboundRequest request = upstream.request();
  request.limits.max_response = kMost;
  BOOST_TEST((OutboundCaller(resolver.asked()).call(request).error().code == ErrorCode::kTooLarge));
}

BOOST_AUTO_TEST_CASE(status_headers_and_address_are_told_and_trailers_are_not) {
  const Upstream upstream([](Connection& connection, const std::string&) {
    connection.write(
        "HTTP/1.1 201 Created\r\nX-One: a\r\nX-Two: b\r\nx-one: c\r\nTransfer-Encoding: chunked\r\n\r\n" +
        std::string("3\r\nabc\r\n0\r\nX-Late: d\r\n\r\n"));
    return true;
  });
  CountingResolver resolver;
  const auto response = OutboundCaller(resolver.asked()).call(upstream.request());
  BOOST_REQUIRE(response.has_value());
  BOOST_TEST(response->status == 201);
  BOOST_TEST(response->address.text() == "127.0.0.1");
  std::string told;
  for (const OutboundHeader& header : response->headers) told += header.name + "=" + header.value + ";";
  BOOST_TEST(told == "X-One=a;X-Two=b;x-one=c;Transfer-Encoding=chunked;");
}

BOOST_AUTO_TEST_CASE(a_request_is_sent_as_it_was_given_and_no_more) {
  const Upstream upstream(http_answer(200, "text/plain", "abc"));
  CountingResolver resolver;
  OutboundCaller caller(resolver.asked());
  OutboundRequest request = upstream.request("/v1/refunds?id=%41&x=a+b");
  request.method = "PATCH";
  request.body = "{\"amount\": 5}";
  request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
  request.credentials.push_back({"Authorization", SecretBytes(as_bytes("Bearer of the vault"))});
  BOOST_REQUIRE(caller.call(request).has_value());
  const std::string want =
      "PATCH /v1/refunds?id=%41&x=a+b HTTP/1.1\r\nHost: localhost:" + upstream.port() +
      "\r\nUser-Agent: chancery-runtime\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n"
      "Content-Type: application/json\r\nX-Empty:\r\nAuthorization: Bearer of the vault\r\n"
      "Content-Length: 13\r\n\r\n{\"amount\": 5}";
  BOOST_TEST(upstream.requests().at(0) == want);
}

BOOST_AUTO_TEST_CASE(each_method_is_sent_with_the_body_that_it_has) {
  const Upstream upstream([](Connection& connection, const std::string& request) {
    connection.write(request.starts_with("HEAD") ? "HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n"
                                                 : http_answer(200, "text/plain", "abc"));
    return true;
  });
  CountingResolver resolver;
  OutboundCaller caller(resolver.asked());
  for (const char* method : {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}) {
    OutboundRequest request = upstream.request();
    request.method = method;
    const auto response = caller.call(request);
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->body == (request.method == "HEAD" ? "" : "abc"), method);
    BOOST_TEST(upstream.requests().back().starts_with(request.method + " / HTTP/1.1\r\n"), method);
    BOOST_TEST((upstream.requests().back().find("Content-Length: 0") != std::string::npos) ==
                   request.method.starts_with("P"),
               method);
  }
  BOOST_TEST(upstream.connections() == 1);
}

BOOST_AUTO_TEST_CASE(a_server_that_says_nothing_is_waited_for_no_longer_than_allowed) {
  const Upstream upstream([](Connection& connection, const std::string&) {
    connection.wait_for_peer();
    return false;
  });
  CountingResolver resolver;
  OutboundRequest request = upstream.request();
  request.limits.timeout = 200ms;
  BOOST_TEST((OutboundCaller(resolver.asked()).call(request).error().code == ErrorCode::kTimeout));
}

BOOST_AUTO_TEST_CASE(a_server_that_drips_is_given_up_long_before_the_end) {
  std::atomic<bool> done{false};
  const Upstream upstream([&](Connection& connection, const std::string&) {
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    while (!done) {
      connection.write("a");
      std::this_thread::sleep_for(50ms);
    }
    return false;
  });
  CountingResolver resolver;
  OutboundRequest request = upstream.request();
  request.limits.timeout = 24h;
  request.limits.least_speed = 1000;
  request.limits.slow_time = 1s;
  const auto response = OutboundCaller(resolver.asked()).call(request);
  done = true;
  BOOST_TEST((response.error().code == ErrorCode::kTimeout));
}

BOOST_AUTO_TEST_CASE(a_call_ends_when_it_is_told_to) {
  std::stop_source stop;
  const Upstream upstream([&](Connection& connection, const std::string&) {
    stop.request_stop();
    connection.wait_for_peer();
    return false;
  });
  CountingResolver resolver;
  const auto response = OutboundCaller(resolver.asked()).call(upstream.request(), stop.get_token());
  BOOST_TEST((response.error().code == ErrorCode::kShuttingDown));
}

BOOST_AUTO_TEST_SUITE_END()
