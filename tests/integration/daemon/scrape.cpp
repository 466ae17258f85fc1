#include "tests/integration/daemon/scrape.hpp"

#include <charconv>

#include <boost/test/unit_test.hpp>

#include "tests/integration/edge/raw_client.hpp"

namespace chancery::tests {

std::string scrape(const DaemonProcess& daemon) {
  auto client = testing::RawClient::to_unix(daemon.socket());
  client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto answer = client.receive();
  BOOST_REQUIRE(answer);
  BOOST_REQUIRE_MESSAGE(answer->status == 200, answer->body);
  return answer->body;
}

std::optional<double> metric(const std::string& scraped, const std::string& series) {
  const std::string wanted = "\n" + series + " ";
  const std::string text = "\n" + scraped;
  const std::size_t at = text.find(wanted);
  if (at == std::string::npos) return std::nullopt;
  double value = 0;
  const char* const begin = text.data() + at + wanted.size();
  std::from_chars(begin, text.data() + text.size(), value);
  return value;
}

}  // namespace chancery::tests
