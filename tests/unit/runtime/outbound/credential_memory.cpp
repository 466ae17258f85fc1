#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string_view>

#include <boost/test/unit_test.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"
#include "tests/integration/daemon/process_memory.hpp"
#include "tests/unit/runtime/outbound/upstream.hpp"

// A credential in this process's memory, while its owner has it and after. The upstream is another process, and so is who looks:
// neither's copies count. Nothing here has the credential in clear but the SecretBytes that it is for.

namespace {

using namespace chancery;
using namespace chancery::runtime;
using namespace chancery::testing;

constexpr std::uint8_t kScramble = 0x5a;
constexpr auto kScrambled = [] {
  constexpr std::string_view kClear = "cr-3f9a1c77d2e84b06-of-the-vault";
  std::array<std::uint8_t, kClear.size()> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(kClear[i]) ^ kScramble;
  return out;
}();

SecretBytes credential() {
  SecretBytes clear(kScrambled.size());
  const std::span<std::uint8_t> out = clear.writable();
  // volatile: or the compiler keeps the clear text as a constant.
  const volatile std::uint8_t* scrambled = kScrambled.data();
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(scrambled[i] ^ kScramble);
  return clear;
}

/// Runs something in a child, and gives its exit code.
int in_a_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

constexpr int kUnreadable = 200;

/// How often the credential stands in this process's memory, without the pages that are for secrets, or in these alone.
int occurrences(bool for_secrets) {
  const pid_t here = ::getpid();
  return in_a_child([here, for_secrets] {
    const tests::ProcessMemory memory(here);
    if (!memory.is_readable()) return kUnreadable;
    const SecretBytes wanted = credential();
    const auto found = memory.find(wanted.view());
    return static_cast<int>(std::ranges::count_if(found, [for_secrets](const tests::Occurrence& one) {
      return one.mapping.is_for_secrets() == for_secrets;
    }));
  });
}

/// An upstream in a process of its own, as what a test in this process needs of it.
class UpstreamProcess {
 public:
  UpstreamProcess() {
    int told[2];
    int held[2];
    BOOST_REQUIRE((::pipe(told) == 0 && ::pipe(held) == 0));
    child_ = ::fork();
    if (child_ == 0) {
      ::close(held[1]);
      serve(told[1], held[0]);
      ::_exit(0);
    }
    ::close(told[1]);
    ::close(held[0]);
    held_ = Descriptor(held[1]);
    const Descriptor reading(told[0]);
    char c = 0;
    std::string text;
    while (::read(reading.get(), &c, 1) == 1) text += c;
    url_ = text.substr(0, text.find('\n'));
    ca_file_ = text.substr(text.find('\n') + 1);
  }
  ~UpstreamProcess() {
    held_ = Descriptor();
    ::waitpid(child_, nullptr, 0);
  }
  UpstreamProcess(const UpstreamProcess&) = delete;
  UpstreamProcess& operator=(const UpstreamProcess&) = delete;

  [[nodiscard]] OutboundRequest request() const {
    OutboundRequest request;
    request.url = url_;
    request.ca_file = ca_file_;
    request.allowed.push_back(AddressRange::parse("127.0.0.1").value());
    request.method = "POST";
    request.body = "{}";
    return request;
  }

 private:
  static void serve(int told, int held) {
    const Upstream upstream(http_answer(200, "text/plain", "done"));
    const std::string text = upstream.origin() + "/\n" + upstream.request().ca_file;
    static_cast<void>(!::write(told, text.data(), text.size()));
    ::close(told);
    char c = 0;
    static_cast<void>(!::read(held, &c, 1));  // until the test's process closes it
  }

  pid_t child_ = -1;
  Descriptor held_;
  std::string url_;
  std::string ca_file_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(credential_memory)

BOOST_AUTO_TEST_CASE(a_credential_is_gone_when_its_owner_lets_it_go) {
  const UpstreamProcess upstream;
  CountingResolver resolver;
  OutboundCaller caller(resolver.asked());  // outlives the calls, with its connection
  {
    OutboundRequest request = upstream.request();
    request.credentials.push_back({"Authorization", credential()});
    if (occurrences(true) == kUnreadable) {
      BOOST_TEST_MESSAGE("skipped: this process's memory may not be read by another");
      return;
    }
    for (int i = 0; i < 3; ++i) BOOST_REQUIRE(caller.call(request).has_value());
    BOOST_TEST(occurrences(true) == 1);  // else looking would show nothing
    BOOST_TEST(occurrences(false) == 0);
  }
  BOOST_TEST(occurrences(true) == 0);
  BOOST_TEST(occurrences(false) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
