#include "sdk/client/sealed_session.hpp"

#include <array>
#include <ostream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"

namespace {

using namespace chancery;
using namespace chancery::client;

SessionState some_state() {
  SessionOptions options;
  options.daemon.address = "https://chancery.example:8443";
  options.daemon.ca_file = "ca.pem";
  options.access = HeldChain{{"a.b.c", "d.e.f"}, HolderKey::generate().value()};
  options.lifetime = std::chrono::seconds(90);
  const Lease lease{{"g.h.i", "j.k.l"}, std::chrono::sys_seconds(std::chrono::seconds(1772366400))};
  return {
      options, {"g.h.i"}, "https://chancery.example:8443/v1/sessions", HolderKey::generate().value(), lease};
}

int file_with(std::string_view text) {
  const int file = ::memfd_create("test", 0);
  BOOST_REQUIRE(::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  return file;
}

std::string pem() { return std::string(as_text(HolderKey::generate()->pem()->view())); }

constexpr const char* kWhole =
    R"({"access_chain":["a.b.c"],"agent_chain":["g.h.i"],"chain":["j.k.l"],"daemon":{},"expires_at":9,"lifetime_s":9,"uri":"u"})";
constexpr const char* kNoLease =
    R"({"agent_chain":["g.h.i"],"chain":["j.k.l"],"daemon":{},"lifetime_s":9,"uri":"u"})";
constexpr const char* kNoAgent =
    R"({"agent_chain":[],"chain":["j.k.l"],"daemon":{},"expires_at":9,"lifetime_s":9,"uri":"u"})";
constexpr const char* kTooLong =
    R"({"agent_chain":["g.h.i"],"chain":["j.k.l"],"daemon":{},"expires_at":9,"lifetime_s":601,"uri":"u"})";

struct UnreadableCase {
  const char* name;
  const char* json;
  int keys;
  ErrorCode error;
};
std::ostream& operator<<(std::ostream& out, const UnreadableCase& c) { return out << c.name; }

constexpr std::array kUnreadable{
    UnreadableCase{"an empty file", "", 0, ErrorCode::kMalformed},
    UnreadableCase{"no key", kNoLease, 0, ErrorCode::kInvalidKey},
    UnreadableCase{"no JSON", "", 1, ErrorCode::kMalformed},
    UnreadableCase{"no members", "{}", 1, ErrorCode::kMalformed},
    UnreadableCase{"no expiry", kNoLease, 1, ErrorCode::kMalformed},
    UnreadableCase{"no chain of the agent's", kNoAgent, 1, ErrorCode::kMalformed},
    UnreadableCase{"a lifetime above ten minutes", kTooLong, 1, ErrorCode::kMalformed},
    UnreadableCase{"access without its key", kWhole, 1, ErrorCode::kInvalidKey},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(sealed_session)

BOOST_AUTO_TEST_CASE(what_was_sealed_is_read_again) {
  const SessionState written = some_state();
  const Descriptor file(seal(written).value());
  const SessionState read = read_sealed(file.get()).value();
  BOOST_TEST(read.agent_chain == written.agent_chain);
  BOOST_TEST(read.uri == written.uri);
  BOOST_TEST(read.lease.chain == written.lease.chain);
  BOOST_TEST((read.lease.expires_at == written.lease.expires_at));
  BOOST_TEST((read.options.lifetime == written.options.lifetime));
  BOOST_TEST((read.key.public_key().thumbprint() == written.key.public_key().thumbprint()));
  BOOST_TEST_REQUIRE(read.options.access.has_value());
  BOOST_TEST(read.options.access->chain == written.options.access->chain);
  BOOST_TEST((read.options.access->key.public_key().thumbprint() ==
              written.options.access->key.public_key().thumbprint()));
  BOOST_TEST(read.options.daemon.address == written.options.daemon.address);
  // Whoever reads it may be in another folder.
  BOOST_TEST(read.options.daemon.ca_file.starts_with('/'));
  BOOST_TEST(read.options.daemon.ca_file.ends_with("/ca.pem"));
}

BOOST_AUTO_TEST_CASE(nobody_changes_what_was_sealed) {
  const Descriptor file(seal(some_state()).value());
  BOOST_TEST(::write(file.get(), "x", 1) == -1);
  BOOST_TEST(::ftruncate(file.get(), 0) == -1);
}

BOOST_AUTO_TEST_CASE(a_session_without_access_has_one_key) {
  SessionState state = some_state();
  state.options.access.reset();
  const Descriptor file(seal(state).value());
  BOOST_TEST(!read_sealed(file.get())->options.access.has_value());
}

BOOST_DATA_TEST_CASE(what_is_no_session_is_not_taken_for_one, boost::unit_test::data::make(kUnreadable), c) {
  std::string text = c.json;
  for (int i = 0; i < c.keys; ++i) text += "\n" + pem();
  const Descriptor file(file_with(text));
  const auto read = read_sealed(file.get());
  BOOST_TEST_REQUIRE(!read.has_value());
  BOOST_TEST((read.error().code == c.error));
}

BOOST_AUTO_TEST_CASE(a_whole_session_is_taken) {
  const Descriptor file(file_with(std::string(kWhole) + "\n" + pem() + pem()));
  BOOST_TEST(read_sealed(file.get()).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
