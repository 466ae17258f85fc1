// An agent as a process of its own, with all that a real one has: its chain, a session key in memory, its home, the
// sockets. First it does its work, and keeps every answer in memory as a model's context is. Then it does what it was injected
// with: it looks for secrets wherever it can read, and asks whoever it can reach. What it found goes into HOME/loot, what it
// tried and how that ended into HOME/tried. When it is through it writes HOME/done, and stays until it is ended.
//
//   scripted_agent DAEMON_SOCKET RUNTIME_SOCKET URL CALLS FOLDER…

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include <chancery/proof.hpp>
#include <chancery/runtime_client.hpp>
#include <chancery/session.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/verify/action.hpp"
#include "tests/integration/runtime/unix_http.hpp"

namespace chancery::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kScope = "payments.refund";
constexpr const char* kArguments = R"({"amount":1,"charge":"ch_1"})";
// A key may have a thousand unexpired proofs.
constexpr int kCallsOfSession = 900;

[[noreturn]] void give_up(const std::string& why) {
  std::cerr << "scripted_agent: " << why << std::endl;
  std::exit(1);
}

struct Where {
  std::string daemon;
  std::string runtime;
  std::string url;
  fs::path home;
};

// --- its work

class Worker {
 public:
  explicit Worker(const Where& where) : where_(where) {
    std::ifstream in(where.home / "chain");
    for (std::string token; std::getline(in, token);) chain_.push_back(token);
  }

  void work(int calls) {
    for (int i = 0; i < calls; ++i) {
      if (i % kCallsOfSession == 0) open_session();
      const std::string tool = i % 2 == 0 ? "refund" : "echo";
      const Presented shown = present(tool);
      remembered_.push_back(send_over_unix(
          where_.runtime, {"POST", "/v1/tools/" + tool, shown_by(shown.chain, shown.proof), body()}));
      if (remembered_.back().status != 200)
        give_up("call " + std::to_string(i) + ": " + remembered_.back().body);
    }
  }

  [[nodiscard]] Presented present(const std::string& tool) const {
    const auto parameters = parse_parameters(kArguments);
    const auto ada = action_digest(kScope, *parameters);
    const auto shown = session_->present({"POST", where_.url + "/v1/tools/" + tool, {}, {}, *ada});
    if (!shown) give_up(shown.error().what);
    return *shown;
  }
  /// Ids of the permits of its own calls.
  [[nodiscard]] std::string a_permit() const {
    constexpr std::string_view kName = R"("permit":")";
    const std::string& answer = remembered_.back().body;
    const std::size_t at = answer.rfind(kName);
    return at == std::string::npos ? std::string() : answer.substr(at + kName.size(), 32);
  }
  void open_session() {
    auto session = Session::open({.daemon = {.socket = where_.daemon}}, chain_);
    if (!session) give_up("no session: " + session.error().detail);
    session_ = *std::move(session);
  }

 private:
  static std::string body() { return R"({"arguments":)" + std::string(kArguments) + "}"; }

  const Where& where_;
  std::vector<std::string> chain_;
  std::shared_ptr<const Session> session_;
  std::vector<HttpReply> remembered_;
};

// --- what it was injected with

class Hunter {
 public:
  explicit Hunter(const fs::path& home)
      : loot_(home / "loot", std::ios::binary), tried_(home / "tried"), home_(home) {}

  void look_at_itself() {
    take_file("/proc/self/environ");
    take_file("/proc/self/cmdline");
    take_memory("/proc/self");
    std::error_code ignored;
    for (const fs::path& link : names_in("/proc/self/fd")) {
      if (fs::read_symlink(link, ignored) != home_ / "loot") take_file(link);  // which would grow by itself
    }
  }

  // Whoever's they are.
  void look_at_processes() {
    for (const fs::path& process : names_in("/proc")) {
      int pid = 0;
      const std::string name = process.filename().string();
      if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc() || pid == ::getpid())
        continue;
      for (const char* const file : {"environ", "cmdline", "comm"}) take_file(process / file);
      take_memory(process);
      const bool is_traced = ::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0;
      note("TRACE", process, is_traced ? 0 : errno);
      if (is_traced) ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
    }
  }

  void look_into(const fs::path& folder) {
    std::error_code failed;
    auto entries =
        fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied, failed);
    note("FOLDER", folder, failed.value());
    for (; !failed && entries != fs::recursive_directory_iterator(); entries.increment(failed)) {
      std::error_code ignored;
      if (entries->path().parent_path() == home_ && entries->path().filename() == "loot") continue;
      if (entries->is_regular_file(ignored)) take_file(entries->path());
      if (entries->is_directory(ignored) && ::access(entries->path().c_str(), R_OK) != 0)
        note("FOLDER", entries->path(), EACCES);
    }
  }

  void ask(const std::string& socket, const HttpRequest& request) {
    const HttpReply reply = send_over_unix(socket, request);
    loot_ << reply.body << '\n';
    tried_ << "ASK " << request.method << ' ' << request.path << ' ' << reply.status << '\n';
  }
  void keep(const SecretBytes& value) { loot_ << as_text(value.view()) << '\n'; }
  void end() { tried_.flush(), loot_.flush(); }

 private:
  static std::vector<fs::path> names_in(const fs::path& folder) {
    std::vector<fs::path> out;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) out.push_back(entry.path());
    return out;
  }

  void note(const char* what, const fs::path& where, int failure) {
    tried_ << what << ' ' << where.string() << ' ' << failure << '\n';
  }

  // Descriptors are opened without waiting: among those of /proc may be pipes.
  void take_file(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int failure = fd < 0 ? errno : 0;
    constexpr std::size_t kMost = 16 << 20;
    for (std::size_t taken = 0; fd >= 0 && taken < kMost;) {
      const ssize_t got = ::read(fd, buffer_.data(), buffer_.size());
      if (got < 0) failure = errno;
      if (got <= 0) break;
      loot_.write(buffer_.data(), got);
      taken += static_cast<std::size_t>(got);
    }
    if (fd >= 0) ::close(fd);
    note("FILE", path, failure);
  }

  // Each mapping as far as it can be read.
  void take_memory(const fs::path& process) {
    const int fd = ::open((process / "mem").c_str(), O_RDONLY | O_CLOEXEC);
    note("MEMORY", process, fd < 0 ? errno : 0);
    if (fd < 0) return;
    std::ifstream maps(process / "maps");
    for (std::string line; std::getline(maps, line);) {
      std::uintptr_t begin = 0, end = 0;
      char dash = 0;
      std::istringstream fields(line);
      if (!(fields >> std::hex >> begin >> dash >> end)) continue;
      while (begin < end) {
        const ssize_t got =
            ::pread(fd, buffer_.data(), std::min(buffer_.size(), end - begin), static_cast<off_t>(begin));
        if (got <= 0) break;
        loot_.write(buffer_.data(), got);
        begin += static_cast<std::uintptr_t>(got);
      }
    }
    ::close(fd);
  }

  std::ofstream loot_;
  std::ofstream tried_;
  const fs::path home_;
  std::array<char, 1 << 16> buffer_{};
};

void ask_everybody(Hunter& hunter, const Where& where, const Worker& worker) {
  const std::string permit = worker.a_permit();
  const std::string psp = "/v1/credentials/psp";
  for (const std::string& path :
       {std::string("/v1/credentials"), psp, std::string("/v1/audit/entries?last=1000"),
        std::string("/v1/process"), std::string("/v1/agents/tools"), std::string("/metrics"),
        std::string("/readyz"), std::string("/v1/backends")})
    hunter.ask(where.daemon, {"GET", path});
  hunter.ask(where.daemon, {"POST", "/v1/permits/" + permit + "/credential"});
  hunter.ask(where.daemon, {"POST", "/v1/receipts", {}, R"({"permits":[")" + permit + "\"]}"});
  hunter.ask(where.daemon, {"POST", psp + "/activate", {}, "{}"});
  hunter.ask(where.daemon, {"POST", psp + "/change", {}, R"({"tools":["refund","inbox"]})"});
  hunter.ask(where.daemon, {"POST", "/v1/backups", {}, "{}"});
  for (const std::string& path :
       {std::string("/"), std::string("/metrics"), std::string("/v1/tools"), std::string("/v1/credentials"),
        psp, std::string("/v1/permits"), "/v1/receipts/" + permit, std::string("/v1/receipts/"),
        std::string("/debug"), std::string("/v1/tools/refund")})
    hunter.ask(where.runtime, {"GET", path});
}

// As the runtime would: with its own chain, and a proof that is good.
void ask_as_the_runtime(Hunter& hunter, const Where& where, const Worker& worker) {
  const auto client = Client::connect({.socket = where.daemon});
  if (!client) give_up("no client");
  const Presented shown = worker.present("refund");
  api::AskPermit ask;
  ask.action.chain = shown.chain;
  ask.action.proof = shown.proof;
  ask.action.method = "POST";
  ask.action.uri = where.url + "/v1/tools/refund";
  ask.action.audience = where.url;
  ask.action.scope = kScope;
  ask.action.params = kArguments;
  ask.tool = "refund";
  ask.credential = "psp";
  ask.arguments_sha256 = hex_encode(sha256(as_bytes(kArguments)));
  ask.release = true;
  const auto permit = RuntimeClient(*client).ask_permit(ask);
  if (permit && permit->credential) hunter.keep(permit->credential->value);
}

int main_with(int argc, char** argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (argc < 5) give_up("usage: scripted_agent DAEMON_SOCKET RUNTIME_SOCKET URL CALLS FOLDER…");
  const Where where{argv[1], argv[2], argv[3], std::getenv("HOME")};
  Worker worker(where);
  worker.work(std::atoi(argv[4]));
  if (argc > 5) {
    const auto hunter = std::make_unique<Hunter>(where.home);
    worker.open_session();
    ask_everybody(*hunter, where, worker);
    ask_as_the_runtime(*hunter, where, worker);
    hunter->look_at_itself();
    hunter->look_at_processes();
    for (int i = 5; i < argc; ++i) hunter->look_into(argv[i]);
    hunter->end();
  }
  std::ofstream(where.home / "done") << "done\n";
  for (;;) ::pause();
}

}  // namespace
}  // namespace chancery::tests

int main(int argc, char** argv) { return chancery::tests::main_with(argc, argv); }
