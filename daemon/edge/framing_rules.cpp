#include "daemon/edge/framing_rules.hpp"

#include <algorithm>
#include <array>

namespace chancery::edge {
namespace {

namespace http = boost::beast::http;

/// Far more than any client sends; bounds the work that a head can cause.
constexpr std::size_t kMaxFields = 100;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_visible(char c) { return c > ' ' && c < '\x7f'; }

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_ignoring_case(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, {}, lower);
}

bool starts_with_ignoring_case(std::string_view text, std::string_view lower_case) {
  return equal_ignoring_case(text.substr(0, lower_case.size()), lower_case);
}

// HTAB, SP, VCHAR and obs-text: what a line of a head consists of.
constexpr auto kInLine = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < table.size(); ++c) table[c] = c == '\t' || (c >= ' ' && c != 0x7f);
  return table;
}();

// uri-host [ ":" port ] of RFC 3986; with the octets that it consists of, not its grammar: nothing here acts
// on it.
bool is_host(std::string_view value) {
  constexpr std::string_view kOthers = "-._~!$&'()*+,;=%:[]";
  return std::ranges::all_of(value, [&](char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || kOthers.find(c) != std::string_view::npos;
  });
}

constexpr Refusal kControl{.detail = "a control octet such as NUL stands in the request's head"};
constexpr Refusal kBareCr{.detail = "a CR without LF stands in the request's head: end lines with CRLF"};
constexpr Refusal kBareLf{.detail = "an LF without CR stands in the request's head: end lines with CRLF"};
constexpr Refusal kFolded{
    .detail = "a line of the request's head begins with white space: send each field on one line"};
constexpr Refusal kHeadTooLong{431, ErrorCode::kHeadersTooLarge,
                               "the request line and headers are longer than this server reads"};
constexpr Refusal kTooManyFields{431, ErrorCode::kHeadersTooLarge, "the request has more than 100 headers"};

}  // namespace

Result<std::optional<HeadExtent>, Refusal> HeadScan::look(std::string_view octets) noexcept {
  using Found = std::optional<HeadExtent>;
  const std::size_t last = std::min(octets.size(), begin_ + limit_);
  while (position_ < last) {
    const char c = octets[position_];
    const bool line_begins = position_ == begin_ || octets[position_ - 1] == '\n';
    if (c == '\r') {
      if (position_ + 1 == last) break;
      if (octets[position_ + 1] != '\n') return kBareCr;
      position_ += 2;
      if (!line_begins) continue;
      if (position_ > 2) return Found(HeadExtent{begin_, position_});
      begin_ = position_;
    } else if (c == '\n') {
      return kBareLf;
    } else if (line_begins && (c == ' ' || c == '\t')) {
      return kFolded;
    } else {
      while (position_ < last && kInLine[static_cast<unsigned char>(octets[position_])]) ++position_;
      const bool ended = position_ == last || octets[position_] == '\r' || octets[position_] == '\n';
      if (!ended) return kControl;
    }
  }
  if (octets.size() >= begin_ + limit_) return kHeadTooLong;
  return Found();
}

std::optional<Refusal> FieldRules::add(http::field name, std::string_view value) {
  if (++fields_ > kMaxFields) return kTooManyFields;
  if (name == http::field::content_length) {
    // Beast takes `5, 5` and repetitions; RFC 9110 section 8.6 allows to refuse both.
    if (has_length_) return Refusal{.detail = "the request has more than one Content-Length"};
    if (!std::ranges::all_of(value, is_digit))
      return Refusal{.detail = "Content-Length is not one decimal number"};
    has_length_ = true;
  } else if (name == http::field::transfer_encoding) {
    // Beast ignores codings that it does not know, and would take the body for the next request.
    if (framing_.chunked) return Refusal{.detail = "the request has more than one Transfer-Encoding"};
    if (!equal_ignoring_case(value, "chunked")) {
      return Refusal{.detail = "the only Transfer-Encoding that this server reads is `chunked`, alone"};
    }
    framing_.chunked = true;
  } else if (name == http::field::host) {
    if (framing_.host) return Refusal{.detail = "the request has more than one Host"};
    if (!is_host(value)) return Refusal{.detail = "Host is not a host name or address with an optional port"};
    framing_.host = value;
  } else if (name == http::field::expect) {
    if (!equal_ignoring_case(value, "100-continue")) {
      return Refusal{.status = 417,
                     .detail = "the only expectation that this server meets is `100-continue`"};
    }
    framing_.expects_continue = true;
  }
  return std::nullopt;
}

std::optional<Refusal> FieldRules::finish(int version) {
  if (framing_.chunked && has_length_) {
    return Refusal{.detail = "the request has both Content-Length and Transfer-Encoding"};
  }
  if (version >= 11) {
    if (!framing_.host) return Refusal{.detail = "the request has no Host"};
    return std::nullopt;
  }
  if (framing_.chunked)
    return Refusal{.detail = "HTTP/1.0 has no Transfer-Encoding: send HTTP/1.1, or Content-Length"};
  framing_.expects_continue = false;  // RFC 9110 section 10.1.1: an HTTP/1.0 client cannot wait for it
  return std::nullopt;
}

Result<Target, Refusal> read_target(std::string_view target) {
  Target parts;
  if (!std::ranges::all_of(target, is_visible) || target.find('#') != std::string_view::npos) {
    return Refusal{.detail = "the request target has octets that no URI has: percent-encode them"};
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!starts_with_ignoring_case(target, scheme)) continue;
    target.remove_prefix(scheme.size());
    parts.authority = target.substr(0, target.find_first_of("/?"));
    target.remove_prefix(parts.authority.size());
    if (parts.authority.empty() || !is_host(parts.authority)) {
      return Refusal{.detail = "the request target's authority is not a host with an optional port"};
    }
    if (!target.starts_with('/')) {  // RFC 9110 section 4.2.3: an empty path is `/`
      parts.path = "/";
      parts.query = target.empty() ? target : target.substr(1);
      return parts;
    }
  }
  if (!target.starts_with('/')) {
    return Refusal{.detail =
                       "the request target must be a path that begins with `/`, or an http or https URI"};
  }
  parts.path = target.substr(0, target.find('?'));
  parts.query = target.substr(std::min(parts.path.size() + 1, target.size()));
  return parts;
}

}  // namespace chancery::edge
