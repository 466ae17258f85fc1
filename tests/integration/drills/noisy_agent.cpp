#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/drills/size.hpp"
#include "tests/integration/edge/raw_client.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"

// One agent asks for signatures as fast as it can: it is told to wait, and the others keep their share.

namespace chancery::drills {
namespace {

using namespace std::chrono_literals;
using namespace tests;
using testing::RawClient;

constexpr std::uint32_t kNoisyUid = 61103;
constexpr std::size_t kNoisyConnections = 140;  // 8 are served, 128 may wait
constexpr std::size_t kQuietConnections = 16;

// Others have each second turn while something of theirs waits; when nothing does, nobody holds a turn for
// them.
constexpr std::uint64_t kMostTimesTheShare = 2;

/// What came of one agent's requests.
struct Tally {
  std::atomic<std::uint64_t> good = 0;
  std::atomic<std::uint64_t> told_to_wait = 0;  ///< 429 with Retry-After, or busy at the device
  std::atomic<std::uint64_t> other = 0;
  std::atomic<int> other_status = -1;  ///< of the last of those; 0 when the connection ended

  void count(const std::optional<testing::Answer>& answer) {
    const bool waits = answer && answer->status == 429 && answer->field("Retry-After");
    const bool is_good = answer && answer->status == 201;
    if (!is_good && !waits) other_status = answer ? answer->status : 0;
    ++(is_good ? good : waits ? told_to_wait : other);
  }
};

/// Shared with a child process.
struct Shared {
  std::atomic<bool> stop = false;
  Tally noisy;
};

std::string proof_request(const std::string& chain) {
  const std::string body = R"({"chain":[")" + chain + R"("],"htm":"GET","htu":"https://api.example.org/"})";
  return "POST /v1/proofs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Asks for proofs over several connections at once, over each as fast as it is answered.
void ask_over(std::size_t connections, const std::filesystem::path& socket, const std::string& chain,
              Tally& tally, const std::function<bool()>& enough) {
  const std::string request = proof_request(chain);
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < connections; ++i) {
    threads.emplace_back([&] {
      RawClient client = RawClient::to_unix(socket);
      while (!enough()) {
        client.send(request);
        tally.count(client.receive());
      }
    });
  }
}

std::string chain_for(const Client& client, const std::string& name, std::uint32_t uid) {
  BOOST_REQUIRE(client.create_agent(agent_of(name, uid)));
  const auto granted = client.grant(grant_to(name));
  BOOST_REQUIRE(granted);
  return granted->chain.front();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_noisy_agent_is_told_to_wait_and_the_others_keep_their_share) {
  if (::geteuid() != 0) {
    BOOST_TEST_MESSAGE("needs root: agents under several uids");
    return;
  }
  const simulators::Swtpm tpm = hsm::start_swtpm();
  DaemonProcess daemon({.tcti = tpm.tcti(), .backend_timeout = "15s"});  // patience with a busy machine
  daemon.start();
  const std::string noisy_chain = chain_for(daemon.client(), "noisy", kNoisyUid);
  const std::string quiet_chain = chain_for(daemon.client(), "quiet", ::geteuid());
  void* const memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  BOOST_REQUIRE(memory != MAP_FAILED);
  auto* const shared = new (memory) Shared;

  Tally quiet;
  std::thread noisy([&] {
    static_cast<void>(run_as(kNoisyUid, [&] {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // it would go on for ever alone
      ask_over(kNoisyConnections, daemon.socket(), noisy_chain, shared->noisy,
               [&] { return shared->stop.load(); });
      return 0;
    }));
  });
  const bool begun = eventually([&] { return shared->noisy.told_to_wait > 0; });
  const std::uint64_t good_before = shared->noisy.good;
  ask_over(kQuietConnections, daemon.socket(), quiet_chain, quiet,
           [&] { return !begun || quiet.good + quiet.told_to_wait + quiet.other >= size(400, 20'000); });
  const std::uint64_t good_meanwhile = shared->noisy.good - good_before;
  shared->stop = true;
  noisy.join();

  BOOST_TEST_MESSAGE("quiet: " << quiet.good << " signed; noisy meanwhile: " << good_meanwhile << ", "
                               << shared->noisy.told_to_wait << " refused");
  BOOST_TEST(begun);
  BOOST_TEST(shared->noisy.other == 0u, "status " << shared->noisy.other_status);
  BOOST_TEST(quiet.other == 0u, "status " << quiet.other_status);
  BOOST_TEST(quiet.told_to_wait == 0u);
  BOOST_TEST(good_meanwhile <= kMostTimesTheShare * quiet.good);
  ::munmap(memory, sizeof(Shared));
}

// The same at the device, where agents take turns whoever they run as.
BOOST_AUTO_TEST_CASE(a_noisy_agent_at_the_device_is_busy_and_the_others_keep_their_share) {
  const simulators::Swtpm tpm = hsm::start_swtpm();
  hsm::TpmOptions options = hsm::options_for(tpm.tcti());
  options.sessions = hsm::SessionKind::kPlain;
  options.queue = 16;  // half of it for one agent
  const auto backend = hsm::open_backend(std::move(options));
  const hsm::StoredKey noisy = hsm::create_key(*backend, "noisy"), quiet = hsm::create_key(*backend, "quiet");

  Tally noisily, quietly;
  const auto sign = [&](const hsm::StoredKey& key, Tally& tally) {
    const auto signature = backend->sign(key, as_bytes("message"), hsm::far_away());
    const bool is_busy = !signature && signature.error().code == ErrorCode::kDeviceBusy;
    ++(signature ? tally.good : is_busy ? tally.told_to_wait : tally.other);
  };
  const std::size_t share = size(200, 5'000);
  std::uint64_t good_meanwhile = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 10; ++i) {  // one is served, eight wait
      threads.emplace_back([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) sign(noisy, noisily);
      });
    }
    hsm::eventually([&] { return noisily.told_to_wait > 0; });
    const std::uint64_t good_before = noisily.good;
    std::vector<std::jthread> others;
    for (int i = 0; i < 4; ++i) {
      others.emplace_back([&] {
        for (std::size_t n = 0; n < share / 4; ++n) sign(quiet, quietly);
      });
    }
    others.clear();
    good_meanwhile = noisily.good - good_before;
  }

  BOOST_TEST_MESSAGE("quiet: " << quietly.good << " signed; noisy meanwhile: " << good_meanwhile << ", "
                               << noisily.told_to_wait << " refused");
  BOOST_TEST(noisily.other == 0u);
  BOOST_TEST(quietly.good == share);
  BOOST_TEST(good_meanwhile <= kMostTimesTheShare * share);
}

}  // namespace chancery::drills
