// From a person's decision to what waited for it: an action and a tool's call that wait behind a gate, beside the same without a
// gate. The decision is signed before the clock starts: what is measured is the daemon, the runtime and whoever waits.

#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <chancery/approval_client.hpp>

#include "sdk/json/reader.hpp"
#include "tests/bench/approver.hpp"
#include "tests/bench/http_connection.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/runtime_scene.hpp"
#include "tests/bench/scene.hpp"

namespace chancery::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int kWarmUp = 10;
constexpr int kRounds = 300;  // twice as many proofs, of which a holder may have a thousand unexpired

constexpr const char* kOpenArguments = R"({"amount":0.01,"charge":"ch_1"})";
constexpr const char* kGatedArguments = R"({"amount":101,"charge":"ch_1"})";

/// A request that waits.
struct Waiting {
  std::string id;
  std::string sha256;
};

/// Somebody who asks for an action, as an enforcement point does for an agent.
class ActionCaller {
 public:
  explicit ActionCaller(const RuntimeScene& scene)
      : daemon_(scene.daemon()), session_(scene.open_session()) {}

  void pass(const char* arguments) const {
    if (!answered(daemon_.authorize(question_of(*session_, arguments))).permitted)
      fail("an action was denied");
  }
  [[nodiscard]] Waiting park() const {
    const api::Decision decision = answered(daemon_.authorize(question_of(*session_, kGatedArguments)));
    if (!decision.approval) fail("an action did not wait");
    return {decision.approval->id, decision.approval->sha256};
  }

 private:
  Client daemon_;
  std::shared_ptr<const Session> session_;
};

/// An agent that calls the tool.
class ToolCaller {
 public:
  explicit ToolCaller(const RuntimeScene& scene)
      : daemon_(scene.daemon()),
        session_(scene.open_session()),
        runtime_(boost::asio::local::stream_protocol::endpoint(scene.runtime_socket().string())) {}

  void pass(const char* arguments) { static_cast<void>(call(arguments, 200)); }
  [[nodiscard]] Waiting park() {
    const std::string told = call(kGatedArguments, 202);
    const auto document = json::Document::parse_borrowed(told);
    const json::Value* const id = document ? document->root().find("approval") : nullptr;
    if (id == nullptr || !id->string()) fail("a call that waits names no request");
    const std::string request(*id->string());
    return {request, answered(ApprovalClient(daemon_).approval(request)).sha256};
  }

 private:
  std::string call(const char* arguments, unsigned expected) {
    HttpAnswer answer = runtime_.send(tool_call(*session_, arguments));
    if (answer.status == expected) return std::move(answer.body);
    std::fprintf(stderr, "bench: %u %s\n", answer.status, answer.body.c_str());
    fail("a call was answered otherwise");
  }

  Client daemon_;
  std::shared_ptr<const Session> session_;
  LocalConnection runtime_;
};

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Milliseconds, of each round.
struct Times {
  std::vector<double> plain;    ///< the same call below the bound
  std::vector<double> decided;  ///< from sending the decision to its own answer
  std::vector<double> told;     ///< … to the answer of whoever waited
  std::vector<double> through;  ///< … to the answer of the call that was made again
};

/// Who waits and who decides, each with a connection that is there already.
struct People {
  explicit People(const RuntimeScene& scene) : waits(scene.daemon()), decides(scene.daemon()), bob(decides) {}

  Client waits;
  Client decides;
  Approver bob;
};

/// One decision, and what comes of it to a caller that waits for it.
template <typename Caller>
void decide_once(const People& people, Caller& caller, Times& times) {
  const Waiting waiting = caller.park();
  const api::DecideApproval decision =
      people.bob.decision(waiting.id, waiting.sha256, ApprovalVerdict::kApprove);
  Clock::time_point told_at;
  Clock::time_point through_at;
  std::jthread waiter([&] {
    if (answered(ApprovalClient(people.waits).wait(waiting.id, 30s)).state != "approved")
      fail("whoever waits was told something else");
    told_at = Clock::now();
    caller.pass(kGatedArguments);
    through_at = Clock::now();
  });
  std::this_thread::sleep_for(20ms);  // so that it waits, and does not find an answer
  const auto sent_at = Clock::now();
  static_cast<void>(answered(ApprovalClient(people.decides).decide(waiting.id, decision)));
  const double decided = milliseconds_since(sent_at);
  waiter.join();
  const auto from_sent = [&](Clock::time_point at) {
    return std::chrono::duration<double, std::milli>(at - sent_at).count();
  };
  times.decided.push_back(decided);
  times.told.push_back(from_sent(told_at));
  times.through.push_back(from_sent(through_at));
}

// In turns, so that a change of the machine's speed meets both alike.
template <typename Caller>
Times measure(const RuntimeScene& scene, const People& people) {
  Caller open(scene);
  Caller gated(scene);
  Times warming;
  Times times;
  for (int round = -kWarmUp; round < kRounds; ++round) {
    Times& of_round = round < 0 ? warming : times;
    const auto start = Clock::now();
    open.pass(kOpenArguments);
    of_round.plain.push_back(milliseconds_since(start));
    decide_once(people, gated, of_round);
  }
  return times;
}

void add(Report& report, const std::string& what, const Times& times) {
  for (const std::size_t percent : {50, 99}) {
    const std::string end = "_p" + std::to_string(percent) + "_ms";
    report.add(what + "_plain" + end, percentile(times.plain, percent));
    report.add(what + "_decided" + end, percentile(times.decided, percent));
    report.add(what + "_told" + end, percentile(times.told, percent));
    report.add(what + "_through" + end, percentile(times.through, percent));
  }
  report.add(what + "_through_ratio", percentile(times.through, 50) / percentile(times.plain, 50));
}

}  // namespace

void bench_approvals(Report& report) {
  const RuntimeScene scene("[console]\n" + known_asker() + kRefundGate);
  const People people(scene);
  add(report, "approval_action", measure<ActionCaller>(scene, people));
  add(report, "approval_tool", measure<ToolCaller>(scene, people));
}

}  // namespace chancery::bench
