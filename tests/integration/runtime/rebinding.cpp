// DNS rebinding: the upstream's name belongs to an attacker, who lets it point to his own public address first and to the
// runtime's machine later. Resolver, name server and both servers are real, in a network namespace of their own.

#include <filesystem>
#include <fstream>
#include <string>

#include <boost/test/unit_test.hpp>

#include "tests/integration/daemon/planted.hpp"
#include "tests/integration/runtime/attack_scene.hpp"

namespace chancery::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kScope = "web.fetch";
constexpr const char* kSecret = "hook-canary-2f60b1c8";
constexpr const char* kPublic = "93.184.215.14";
constexpr const char* kInside = "127.0.0.1";
constexpr const char* kPort = "8080";
constexpr const char* kArguments = R"({"note":"hello"})";

bool can_play() {
  const ProgramResult tried = run_program(
      {"/usr/bin/unshare", "--net", "--mount", "mount", "--bind", "/etc/resolv.conf", "/etc/resolv.conf"});
  if (tried.exit_status == 0) return true;
  BOOST_TEST_MESSAGE("skipped: this user, kernel or container gives no namespaces: " << tried.output);
  return false;
}

/// A runtime in a network where an attacker serves names. The tool's name is public, and nothing else is declared for it.
struct Rebinding : AttackScene {
  Rebinding() {
    fs::create_directory(world());
    put("hook", kSecret, kScope, {"notify"});
    declare({.name = "notify",
             .scope = kScope,
             .credential = "hook",
             .arguments = "note = { type = \"string\" }",
             .required = "\"note\"",
             .url = "http://hooks.attacker.example:" + std::string(kPort) + "/notify",
             // A credential over plain http needs a range; the public address would pass without.
             .addresses = "\"" + std::string(kPublic) + "/32\""});
    add_agent("notifier");
    chain = granted("user:alice@example.org", "notifier", {{kScope}, {}});
  }

  void start(const std::string& addresses) {
    point_to(addresses);
    runtime.start_by({"/usr/bin/unshare", "--net", "--mount", "/usr/bin/python3", "-IB",
                      CHANCERY_SOURCE_DIR "/tests/integration/runtime/rebinding.py", world().string(),
                      kPublic, kPort, CHANCERY_BINARY_DIR "/chancery-runtime"});
  }
  /// What the name points to from now on.
  void point_to(const std::string& addresses) const {
    std::ofstream(world() / "next") << addresses << '\n';
    fs::rename(world() / "next", world() / "address");
  }
  void close_public_server() const {
    std::ofstream(world() / "closed") << '\n';
    BOOST_REQUIRE(eventually([&] { return fs::exists(world() / "is-closed"); }));
  }
  HttpReply notify() const { return call(chain, "notify", kScope, kArguments); }

  fs::path world() const { return daemon.folder() / "world"; }
  std::string seen() const { return read_file(world() / "seen"); }
  std::string asked() const { return read_file(world() / "asked"); }

  std::vector<std::string> chain;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(rebinding)

BOOST_AUTO_TEST_CASE(a_name_that_points_to_this_machine_later_is_refused_then) {
  if (!can_play()) return;
  Rebinding scene;
  scene.start(kPublic);
  const HttpReply first = scene.notify();
  BOOST_REQUIRE_MESSAGE(first.status == 200, first.body << scene.runtime.output());
  BOOST_TEST(has(first.body, "from-93.184.215.14"));

  // Bound anew, the name is not asked for again: what was checked is what is called.
  scene.point_to(kInside);
  BOOST_TEST(scene.notify().status == 200);
  BOOST_TEST(!has(scene.asked(), kInside));

  // So the attacker lets his connections fail, until the name is asked for again.
  scene.close_public_server();
  HttpReply refused;
  const auto is_asked_again = [&] {
    refused = scene.notify();
    return has(scene.asked(), kInside);
  };
  BOOST_REQUIRE(eventually(is_asked_again, std::chrono::seconds(60)));
  BOOST_TEST(refused.status == 502, refused.body);
  BOOST_TEST(has(refused.body, "loopback"), refused.body);  // and not that nobody answered
  BOOST_TEST(!has(scene.seen(), kInside), scene.seen());
  const std::string entry = scene.last("tool.result");
  BOOST_TEST(has(entry, R"("outcome":"failed")"), entry);
  BOOST_TEST(has(entry, R"("status":"failed")"), entry);
  BOOST_TEST(has(entry, member(refused.body, "permit")), entry);
}

BOOST_AUTO_TEST_CASE(a_name_with_one_address_of_this_machine_among_others_is_refused) {
  if (!can_play()) return;
  Rebinding scene;
  scene.start(std::string(kPublic) + " " + kInside);
  for (int i = 0; i < 3; ++i) {
    const HttpReply refused = scene.notify();
    BOOST_TEST(refused.status == 502, refused.body);
    BOOST_TEST(has(refused.body, "loopback"), refused.body);  // and not that the name led nowhere
  }
  BOOST_TEST(has(scene.asked(), std::string(kPublic) + " " + kInside), scene.asked());
  BOOST_TEST(scene.seen().empty(), scene.seen());
  BOOST_TEST(scene.count("tool.result", "failed") == 3u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
