#include "daemon/edge/response_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <boost/beast/http/status.hpp>

namespace chancery::edge {
namespace {

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_two_digits(std::string& out, std::uint64_t number) {
  out += static_cast<char>('0' + number / 10);
  out += static_cast<char>('0' + number % 10);
}

// IMF-fixdate of RFC 9110 section 5.6.7; strftime's names would follow the locale.
std::string http_date(std::chrono::sys_seconds now) {
  constexpr std::array kDays{"Sun, ", "Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, "};
  constexpr std::array kMonths{" Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ",
                               " Jul ", " Aug ", " Sep ", " Oct ", " Nov ", " Dec "};
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(now - day);
  std::string text = kDays[std::chrono::weekday(day).c_encoding()];
  append_two_digits(text, unsigned{date.day()});
  text += kMonths[unsigned{date.month()} - 1];
  append_number(text, static_cast<std::uint64_t>(int{date.year()}));
  for (const auto part : {time.hours().count(), time.minutes().count(), time.seconds().count()}) {
    text += text.size() == 16 ? ' ' : ':';
    append_two_digits(text, static_cast<std::uint64_t>(part));
  }
  return text += " GMT";
}

// The same text serves a whole second.
const std::string& cached_date(std::chrono::sys_seconds now) {
  thread_local std::chrono::sys_seconds second{};
  thread_local std::string text;
  if (text.empty() || second != now) {
    text = http_date(now);
    second = now;
  }
  return text;
}

bool has_header(const rest::Response& response, std::string_view name) {
  return std::ranges::any_of(response.headers, [&](const auto& header) { return header.first == name; });
}

}  // namespace

void append_response(std::string& out, const rest::Response& response, const ResponseFrame& frame) {
  namespace http = boost::beast::http;
  const auto reason = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(response.status)));
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(response.status));
  out.append(" ").append(reason.data(), reason.size());
  out.append("\r\nDate: ").append(cached_date(frame.now));
  out.append("\r\nRequest-Id: ").append(frame.request_id);
  out += "\r\nX-Content-Type-Options: nosniff";
  if (!has_header(response, "Cache-Control")) out += "\r\nCache-Control: no-store";
  for (const auto& [name, value] : response.headers)
    out.append("\r\n").append(name).append(": ").append(value);
  if (!frame.keep_alive) {
    out += "\r\nConnection: close";
  } else if (frame.version < 11) {
    out += "\r\nConnection: keep-alive";
  }
  // RFC 9110 section 8.6: No Content has no Content-Length, and Not Modified none but that of what it spares.
  const bool has_content = response.status != 204 && response.status != 304;
  if (has_content) {
    out.append("\r\nContent-Type: ").append(response.content_type).append("\r\nContent-Length: ");
    append_number(out, response.body.size());
  }
  out += "\r\n\r\n";
  if (!frame.omit_body && has_content) out += response.body;
}

}  // namespace chancery::edge
