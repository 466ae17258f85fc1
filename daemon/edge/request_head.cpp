#include "daemon/edge/request_head.hpp"

#include <limits>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

namespace chancery::edge {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

std::string_view view(string_view text) { return {text.data(), text.size()}; }

std::string lower_case(string_view text) {
  std::string lower(text.size(), '\0');
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    lower[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return lower;
}

// Fills a rest::Request from Beast's callbacks, without the detour of Beast's own message and its
// allocations. Bodies never come here: put() is given the head and no octet more.
class HeadParser final : public http::basic_parser<true> {
 public:
  explicit HeadParser(rest::Request& request) : request_(request) {
    // The connection and HeadScan apply their own. (Not boost::none: every length compares greater with it.)
    body_limit(std::numeric_limits<std::uint64_t>::max());
    header_limit(std::numeric_limits<std::uint32_t>::max());
    request_.headers.clear();
  }

  // By which rule the head is refused, when it is not by Beast's.
  [[nodiscard]] const std::optional<Refusal>& refusal() const noexcept { return refusal_; }
  [[nodiscard]] const Framing& framing() const noexcept { return rules_.framing(); }
  [[nodiscard]] int version() const noexcept { return version_; }

 private:
  void refuse(const Refusal& refusal, error_code& ec) {
    refusal_ = refusal;
    ec = http::error::bad_value;
  }

  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       error_code& ec) override {
    const auto parts = read_target(view(target));
    if (!parts) return refuse(parts.error(), ec);
    request_.method.assign(method.data(), method.size());
    request_.path = parts->path;
    request_.query = parts->query;
    authority_ = parts->authority;
    version_ = version;
  }

  void on_field_impl(http::field name, string_view text, string_view value, error_code& ec) override {
    if (const auto refusal = rules_.add(name, view(value))) return refuse(*refusal, ec);
    const bool replaced = name == http::field::host && !authority_.empty();
    request_.headers.emplace_back(lower_case(text), replaced ? authority_ : view(value));
  }

  void on_header_impl(error_code& ec) override {
    if (const auto refusal = rules_.finish(version_)) refuse(*refusal, ec);
  }

  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  rest::Request& request_;
  FieldRules rules_;
  std::optional<Refusal> refusal_;
  std::string_view authority_;
  int version_ = 11;
};

Refusal refusal_of(const error_code& ec) {
  using http::error;
  if (ec == error::bad_method)
    return {.detail = "the request line does not begin with a method and one space"};
  if (ec == error::bad_target) return {.detail = "the request line has no target between single spaces"};
  if (ec == error::bad_version) return {.status = 505, .detail = "this server speaks HTTP/1.1 and HTTP/1.0"};
  if (ec == error::bad_field)
    return {.detail = "a header has no name of token characters, directly followed by a colon"};
  if (ec == error::bad_content_length) {
    return {.detail =
                "Content-Length is not one decimal number below 2^64, without Transfer-Encoding beside it"};
  }
  if (ec == error::bad_transfer_encoding) {
    return {.detail = "the request has both Content-Length and Transfer-Encoding, or repeats the latter"};
  }
  return {.detail = "the request's head is not well-formed HTTP/1.1"};
}

}  // namespace

Result<RequestHead, Refusal> read_head(std::string_view octets, rest::Request& request) {
  HeadParser parser(request);
  error_code ec;
  parser.put(boost::asio::const_buffer(octets.data(), octets.size()), ec);
  if (parser.refusal()) return *parser.refusal();
  if (ec || !parser.is_header_done()) return refusal_of(ec);
  const Framing& framing = parser.framing();
  return RequestHead{.content_length = parser.content_length().value_or(0),
                     .chunked = framing.chunked,
                     .expects_continue = framing.expects_continue,
                     .keep_alive = parser.keep_alive(),
                     .version = parser.version()};
}

}  // namespace chancery::edge
