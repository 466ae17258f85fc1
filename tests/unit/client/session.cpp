#include <atomic>
#include <cstdlib>
#include <functional>
#include <future>
#include <ostream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/session.hpp>

#include "sdk/client/session_rotation.hpp"
#include "tests/unit/client/fake_daemon.hpp"

// Sessions whose daemon is there but says nothing.

namespace {

using namespace chancery;
using namespace std::chrono_literals;
using chancery::testing::Connection;
using chancery::testing::FakeDaemon;
using chancery::testing::http_answer;

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

/// The last token that a call is made with; the error's name when there is none.
std::string presented(const Session& session) {
  const auto shown = session.present("GET", "https://api.example.org/", std::nullopt);
  return shown ? shown->chain.back() : std::string(error_name(shown.error().code));
}

/// A daemon that opens a session of ten minutes, of which `left` are left, and leaves its renewal to the test.
struct SessionDaemon {
  SessionDaemon(std::chrono::seconds left, FakeDaemon::Script renew)
      : expires_at(now() + left), renewal(std::move(renew)) {}

  [[nodiscard]] std::shared_ptr<const Session> session(std::chrono::milliseconds timeout) const {
    SessionOptions options;
    options.daemon.socket = daemon->socket();
    options.daemon.timeout = timeout;
    return Session::open(options, {"g.h.i"}).value();
  }
  /// The same, as a program gets it that is started with it.
  [[nodiscard]] std::shared_ptr<const Session> handed_over() const {
    const int file = session(20s)->seal().value();
    ::setenv("CHANCERY_SESSION_FD", std::to_string(file).c_str(), 1);
    auto inherited = Session::inherited();  // which closes it
    ::unsetenv("CHANCERY_SESSION_FD");
    return inherited.value();
  }
  void serve(Connection& connection) {
    const std::string request = connection.read_request();
    const std::string issuer = R"({"issuer":"https://chancery.example"})";
    if (request.starts_with("GET ")) return connection.write(http_answer(200, "application/json", issuer));
    if (asked++ > 0) return renewal(connection);
    const std::string time = std::to_string(expires_at.time_since_epoch().count());
    connection.write(
        http_answer(201, "application/json", R"({"chain":["g.h.i","j.k.l"],"expires_at":)" + time + "}"));
  }

  const std::chrono::sys_seconds expires_at;
  const FakeDaemon::Script renewal;
  std::atomic<int> asked{0};  ///< for a session, the first one too
  const std::unique_ptr<FakeDaemon> daemon =
      FakeDaemon::on_socket([this](Connection& connection) { serve(connection); });
};

const FakeDaemon::Script kSilence = [](Connection& connection) { connection.wait_for_peer(); };

}  // namespace

BOOST_AUTO_TEST_SUITE(session)

BOOST_AUTO_TEST_CASE(threads_whose_session_has_expired_wait_for_a_silent_daemon_once) {
  SessionDaemon daemon(-1s, kSilence);
  const auto session = daemon.session(2s);
  std::atomic<int> expired{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] { expired += presented(*session) == "credential_expired" ? 1 : 0; });
  threads.clear();
  BOOST_TEST(expired == 8);
  BOOST_TEST(daemon.asked == 2);
}

BOOST_AUTO_TEST_CASE(a_daemon_that_did_not_answer_is_left_alone_for_a_while) {
  SessionDaemon daemon(60s, kSilence);
  const auto session = daemon.session(2s);
  for (int i = 0; i < 3; ++i) BOOST_TEST(presented(*session) == "j.k.l");
  BOOST_TEST(daemon.asked == 2);
}

BOOST_AUTO_TEST_CASE(what_is_there_is_used_while_another_thread_has_it_renewed) {
  std::promise<void> is_asked;
  std::promise<void> is_over;
  SessionDaemon daemon(60s, [&](Connection&) {
    is_asked.set_value();
    is_over.get_future().wait();
  });
  const auto session = daemon.session(20s);
  std::string renewed;
  std::jthread renewing([&] { renewed = presented(*session); });
  is_asked.get_future().wait();
  BOOST_TEST(presented(*session) == "j.k.l");
  is_over.set_value();
  renewing.join();
  BOOST_TEST(renewed == "j.k.l");
  BOOST_TEST(daemon.asked == 2);
}

namespace {

// The session that is taken for one proof after so many others.
std::shared_ptr<const Session> taken_after(client::SessionRotation& rotation, std::size_t proofs) {
  for (std::size_t i = 0; i < proofs; ++i) static_cast<void>(rotation.take());
  return rotation.take();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_key_that_has_made_its_proofs_is_followed_by_another) {
  SessionDaemon daemon(600s, [](Connection& connection) {
    connection.write(
        http_answer(201, "application/json", R"({"chain":["g.h.i","m.n.o"],"expires_at":4000000000})"));
  });
  const auto first = daemon.session(20s);
  client::SessionRotation rotation(first);
  BOOST_TEST(taken_after(rotation, client::SessionRotation::kProofs - 1).get() == first.get());
  BOOST_TEST(daemon.asked == 1);
  const auto second = rotation.take();
  BOOST_TEST(presented(*second) == "m.n.o");
  BOOST_TEST(presented(*first) == "j.k.l");  // whoever has it goes on with it
  BOOST_TEST(taken_after(rotation, client::SessionRotation::kProofs - 2).get() == second.get());
  BOOST_TEST(daemon.asked == 2);
  BOOST_TEST(rotation.take().get() != second.get());
}

BOOST_AUTO_TEST_CASE(a_daemon_that_opens_no_other_session_leaves_the_one_that_is_there) {
  SessionDaemon daemon(600s, [](Connection& connection) {
    connection.write(http_answer(503, "application/problem+json", R"({"code":"overloaded","status":503})"));
  });
  const auto first = daemon.session(20s);
  client::SessionRotation rotation(first);
  BOOST_TEST(taken_after(rotation, client::SessionRotation::kMost + 10).get() == first.get());
  BOOST_TEST(daemon.asked == 2);  // and is left alone for a while
}

BOOST_AUTO_TEST_CASE(whoever_comes_while_another_session_is_opened_goes_on_with_what_is_there) {
  std::promise<void> is_asked;
  std::promise<void> is_over;
  SessionDaemon daemon(600s, [&](Connection&) {
    is_asked.set_value();
    is_over.get_future().wait();
  });
  const auto first = daemon.session(20s);
  client::SessionRotation rotation(first);
  taken_after(rotation, client::SessionRotation::kProofs - 1);
  std::jthread opening([&] { static_cast<void>(rotation.take()); });
  is_asked.get_future().wait();
  BOOST_TEST(rotation.take().get() == first.get());
  is_over.set_value();
}

namespace {

constexpr const char* kRenewed = R"({"chain":["g.h.i","m.n.o"],"expires_at":4000000000})";

FakeDaemon::Script renews() {
  return [](Connection& connection) { connection.write(http_answer(201, "application/json", kRenewed)); };
}

FakeDaemon::Script refuses() {
  return [](Connection& connection) {
    connection.write(http_answer(503, "application/problem+json", R"({"code":"overloaded","status":503})"));
  };
}

/// A session that was handed over with so much of its time left, and what the first proof is made with.
struct HandedOver {
  const char* name;
  std::chrono::seconds left;
  FakeDaemon::Script (*daemon)();
  const char* token;
};

std::ostream& operator<<(std::ostream& out, const HandedOver& row) { return out << row.name; }

const std::vector<HandedOver> kHandedOver{
    {"with all of its time", 600s, renews, "m.n.o"},
    {"with the last third of its time", 60s, renews, "m.n.o"},
    {"with no time", -1s, renews, "m.n.o"},
    {"with all of its time, by a daemon that opens no other", 600s, refuses, "j.k.l"},
    {"with the last third of its time, by a daemon that opens no other", 60s, refuses, "j.k.l"},
    {"with no time, by a daemon that opens no other", -1s, refuses, "credential_expired"},
};

}  // namespace

// Others may have its key, and proved with it what nobody here knows of.
BOOST_DATA_TEST_CASE(of_a_session_that_was_handed_over_the_first_proof_is_by_a_key_of_its_own,
                     boost::unit_test::data::make(kHandedOver), row) {
  SessionDaemon daemon(row.left, row.daemon());
  const auto first = daemon.handed_over();
  BOOST_TEST(first->was_handed_over());
  client::SessionRotation rotation(first);
  const auto taken = rotation.take();
  BOOST_TEST(presented(*taken) == row.token);
  const bool has_own_key = row.token == std::string("m.n.o");
  BOOST_TEST((taken.get() != first.get()) == has_own_key);
  BOOST_TEST(!taken->was_handed_over() == has_own_key);
  if (!has_own_key) return;
  BOOST_TEST(taken_after(rotation, client::SessionRotation::kProofs - 2).get() == taken.get());
  BOOST_TEST(daemon.asked == 2);
}

namespace {

/// What waits for a daemon that says nothing, and is told to stop.
struct GivenUp {
  const char* name;
  std::chrono::seconds left;
  std::size_t proofs;  // before
  std::string (*wait)(client::SessionRotation& rotation, const Session& session, const std::stop_token& stop);
};

std::ostream& operator<<(std::ostream& out, const GivenUp& row) { return out << row.name; }

const ProofClaims kClaims{"GET", "https://api.example.org/", {}, std::nullopt};

const std::vector<GivenUp> kGivenUp{
    {"another session", 600s, 0,
     [](client::SessionRotation&, const Session& session, const std::stop_token& stop) {
       const auto other = session.another(stop);
       return std::string(other ? "opened" : error_name(other.error().error.code));
     }},
    {"another session by a key that has made its proofs", 600s, client::SessionRotation::kProofs,
     [](client::SessionRotation& rotation, const Session& session, const std::stop_token& stop) {
       return std::string(rotation.take(stop).get() == &session ? "the one that is there" : "another");
     }},
    {"a renewal", 60s, 0,
     [](client::SessionRotation&, const Session& session, const std::stop_token& stop) {
       const auto shown = session.present(kClaims, stop);
       return shown ? shown->chain.back() : std::string(error_name(shown.error().code));
     }},
    {"a renewal of what has expired", -1s, 0,
     [](client::SessionRotation&, const Session& session, const std::stop_token& stop) {
       const auto shown = session.present(kClaims, stop);
       return shown ? shown->chain.back() : std::string(error_name(shown.error().code));
     }},
};

}  // namespace

// With a time-out that no test waits for. The daemon is not held to be away: the next one asks it.
BOOST_DATA_TEST_CASE(whoever_is_told_to_stop_waits_for_no_daemon, boost::unit_test::data::make(kGivenUp),
                     row) {
  std::atomic<bool> is_silent = true;
  std::atomic<int> asked = 0;
  std::promise<void> is_asked;
  SessionDaemon daemon(row.left, [&](Connection& connection) {
    if (!is_silent) return renews()(connection);
    if (asked++ == 0) is_asked.set_value();
    connection.wait_for_peer();
  });
  const auto session = daemon.session(1h);
  client::SessionRotation rotation(session);
  for (std::size_t i = 0; i < row.proofs; ++i) static_cast<void>(rotation.take());
  std::stop_source stop;
  std::string end;
  std::jthread waiting([&] { end = row.wait(rotation, *session, stop.get_token()); });
  is_asked.get_future().wait();
  std::jthread also([&] { static_cast<void>(row.wait(rotation, *session, stop.get_token())); });
  is_silent = false;
  stop.request_stop();
  waiting.join();
  also.join();
  BOOST_TEST(
      (end == "timeout" || end == "the one that is there" || end == "j.k.l" || end == "credential_expired"),
      end);
  BOOST_TEST((row.wait(rotation, *session, {}) != end), end);
}

namespace {

/// Somebody has asked a daemon that says nothing, until he is told to stop.
struct SomebodyAsks {
  explicit SomebodyAsks(std::chrono::seconds left)
      : daemon(left, [this](Connection& connection) {
          is_asked.set_value();
          connection.wait_for_peer();
        }) {}

  template <typename Work>
  void ask(Work work) {
    asking = std::jthread([this, work] { work(first.get_token()); });
    is_asked.get_future().wait();
  }
  /// What comes after him, and is told to stop while he asks.
  template <typename Work>
  void follow(Work work) {
    std::jthread following([this, work] { work(other.get_token()); });
    other.request_stop();
    following.join();
    BOOST_TEST(!first.stop_requested());
    first.request_stop();
    asking.join();
  }

  std::promise<void> is_asked;
  std::stop_source first, other;
  SessionDaemon daemon;
  std::jthread asking;
};

}  // namespace

BOOST_AUTO_TEST_CASE(whoever_is_told_to_stop_waits_for_nobody_who_opens_another_session) {
  SomebodyAsks scene(600s);
  const auto session = scene.daemon.session(1h);
  client::SessionRotation rotation(session);
  taken_after(rotation, client::SessionRotation::kProofs - 1);
  scene.ask([&](const std::stop_token& stop) { static_cast<void>(rotation.take(stop)); });
  taken_after(rotation, client::SessionRotation::kMost - client::SessionRotation::kProofs - 2);
  std::shared_ptr<const Session> taken;
  scene.follow([&](const std::stop_token& stop) { taken = rotation.take(stop); });
  BOOST_TEST(taken.get() == session.get());
  BOOST_TEST(scene.daemon.asked == 2);
}

BOOST_AUTO_TEST_CASE(whoever_is_told_to_stop_waits_for_nobody_who_has_a_session_renewed) {
  SomebodyAsks scene(-1s);
  const auto session = scene.daemon.session(1h);
  scene.ask([&](const std::stop_token& stop) { static_cast<void>(session->present(kClaims, stop)); });
  std::string shown;
  scene.follow([&](const std::stop_token& stop) {
    const auto presented = session->present(kClaims, stop);
    shown = presented ? "presented" : error_name(presented.error().code);
  });
  BOOST_TEST(shown == "credential_expired");
  BOOST_TEST(scene.daemon.asked == 2);
}

BOOST_AUTO_TEST_SUITE_END()
