#include "tests/integration/daemon/daemon_process.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chancery/approval_client.hpp>
#include <chancery/approver_enrolment.hpp>

#include "daemon/edge/dev_certificate.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

std::string read_text(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

pid_t start_program(const std::vector<std::string>& arguments, const std::filesystem::path& output) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  BOOST_REQUIRE(pid >= 0);
  if (pid > 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // What a daemon that is killed leaves behind goes with the test's own folder.
  ::setenv("TMPDIR", output.parent_path().c_str(), 1);
  const int fd = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(fd, 1);
  ::dup2(fd, 2);
  ::execv(argv.front(), argv.data());
  ::_exit(127);
}

int end_of_program(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

DaemonProcess::DaemonProcess() {
  std::string name = (std::filesystem::temp_directory_path() / "daemon-XXXXXX").string();
  BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
  ::chmod(name.c_str(), 0755);  // agents under other uids reach the socket
  folder_ = name;
  socket_ = folder_ / "chancery.sock";
}

DaemonProcess::DaemonProcess(DaemonSettings settings) : DaemonProcess() {
  settings_ = std::move(settings);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  BOOST_REQUIRE(
      edge::make_dev_certificate({folder_ / "ca.pem", folder_ / "tls.pem", folder_ / "tls.key"}, now));
  write_config();
}

DaemonProcess::~DaemonProcess() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void DaemonProcess::write_config() const {
  const std::filesystem::path file = folder_ / "chancery.toml";
  std::ofstream out(file);
  const std::string at = folder_.string();
  const std::string plain =
      settings_.plain_port == 0 ? "" : "127.0.0.1:" + std::to_string(settings_.plain_port);
  out << "allow_root = " << (settings_.allow_root ? "true" : "false") << "\n"
      << "[server]\nsocket = \"" << at << "/chancery.sock\"\nplain_listen = \"" << plain
      << "\"\nsocket_mode = \"0666\"\nsocket_group = \"\"\n"
      << "blocking_threads = " << settings_.blocking_threads << "\n"
      << "tls_listen = \"127.0.0.1:" << settings_.tls_port << "\"\ntls_certificate = \"" << at
      << "/tls.pem\"\ntls_key = \"" << at << "/tls.key\"\n"
      << "[issuer]\ntrust_domain = \"" << settings_.trust_domain << "\"\nurl = \"" << settings_.issuer_url
      << "\"\nbackend = \"" << settings_.issuer_backend << "\"\n"
      << "[state]\npath = \"" << at << "/state\"\n"
      << "[[backend]]\nname = \"tpm\"\ntype = \"tpm\"\ntcti = \"" << settings_.tcti << "\"\n"
      << "allow_simulator = " << (settings_.allow_simulator ? "true" : "false") << "\n"
      << "sessions = \"" << settings_.sessions << "\"\ntimeout = \"" << settings_.backend_timeout << "\"\n"
      << settings_.extra;
  out.close();
  ::chmod(file.c_str(), 0600);
}

std::unique_ptr<DaemonProcess> DaemonProcess::development() {
  std::unique_ptr<DaemonProcess> daemon(new DaemonProcess);
  daemon->spawn({"--dev"});
  BOOST_REQUIRE(
      eventually([&] { return daemon->output().find("export CHANCERY_CACERT=") != std::string::npos; }));
  const std::string_view name = "export CHANCERY_SOCKET=";
  const std::string text = daemon->output();
  const std::size_t at = text.find(name) + name.size();
  daemon->socket_ = text.substr(at, text.find('\n', at) - at);
  return daemon;
}

void DaemonProcess::spawn(const std::vector<std::string>& arguments, std::vector<std::string> launcher) {
  std::vector<std::string> command = std::move(launcher);
  command.emplace_back(CHANCERY_BINARY_DIR "/chanceryd");
  command.insert(command.end(), arguments.begin(), arguments.end());
  pid_ = start_program(command, folder_ / "output");
}

void DaemonProcess::spawn_configured(const std::vector<std::string>& launcher) {
  spawn({"--config", (folder_ / "chancery.toml").string()}, launcher);
}

void DaemonProcess::start() { start_by({}); }

void DaemonProcess::start_by(const std::vector<std::string>& launcher) {
  spawn_configured(launcher);
  const bool up = eventually([&] {
    const auto client = Client::connect({.socket = socket().string(), .timeout = 2s});
    return client && client->metadata();
  });
  BOOST_REQUIRE_MESSAGE(up, "the daemon does not answer: " << output());
}

DaemonProcess::Ending DaemonProcess::start_and_fail() {
  spawn_configured();
  const int status = end_of_program(std::exchange(pid_, -1));
  return {status, output()};
}

DaemonProcess::Ending DaemonProcess::check() {
  const auto result = run_program(
      {CHANCERY_BINARY_DIR "/chanceryd", "--config", (folder_ / "chancery.toml").string(), "--check"});
  return {result.exit_status, result.output};
}

int DaemonProcess::stop(int signal) {
  if (pid_ <= 0) return -1;
  ::kill(pid_, signal);
  return end_of_program(std::exchange(pid_, -1));
}

void DaemonProcess::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  end_of_program(std::exchange(pid_, -1));
}

Client DaemonProcess::client() const {
  auto client = Client::connect({.socket = socket().string(), .timeout = 40s});
  BOOST_REQUIRE(client);
  return *std::move(client);
}

std::string DaemonProcess::output() const { return read_text(folder_ / "output"); }

ProgramResult run_program(const std::vector<std::string>& arguments) {
  std::string name = (std::filesystem::temp_directory_path() / "output-XXXXXX").string();
  const int fd = ::mkstemp(name.data());
  BOOST_REQUIRE(fd >= 0);
  ::close(fd);
  const int status = end_of_program(start_program(arguments, name));
  ProgramResult result{status, read_text(name)};
  std::filesystem::remove(name);
  return result;
}

int run_as(std::uint32_t uid, const std::function<int()>& body) {
  const pid_t pid = ::fork();
  BOOST_REQUIRE(pid >= 0);
  if (pid == 0) {
    const bool changed =
        ::setgroups(0, nullptr) == 0 && ::setresgid(uid, uid, uid) == 0 && ::setresuid(uid, uid, uid) == 0;
    ::_exit(changed ? body() : 126);
  }
  return end_of_program(pid);
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

api::CreateAgent agent_of(const std::string& name, std::uint32_t uid) {
  api::CreateAgent request;
  request.name = name;
  request.selectors.uid = uid;
  return request;
}

api::CreateGrant grant_to(const std::string& agent) {
  api::CreateGrant request;
  request.principal = "user:alice@example.org";
  request.agent = agent;
  request.audience = {"https://api.example.org"};
  request.authority.scopes = {"crm.*", "payments.refund"};
  request.authority.constraints = {{"payments.refund#amount", NumberBound{NumberBound::Type::kMax, 500}}};
  request.lifetime = std::chrono::minutes(30);
  request.depth = 3;
  return request;
}

api::CreateDelegation delegation_of(const std::vector<std::string>& chain, const std::string& to) {
  api::CreateDelegation request;
  request.chain = chain;
  request.to = to;
  request.authority.scopes = {"crm.read"};
  return request;
}

ClientResult<api::Authorize> refund_of(const Client& daemon, const std::vector<std::string>& chain,
                                       int amount, const std::string& audience) {
  api::Authorize request;
  request.chain = chain;
  request.method = "POST";
  request.audience = audience;
  request.uri = audience + "/refunds";
  request.scope = "payments.refund";
  request.params = R"({"amount":)" + std::to_string(amount) + "}";
  const auto proof = daemon.prove({chain, request.method, request.uri, {}, {}});
  if (!proof) return proof.error();
  request.proof = proof->proof;
  return request;
}

void enroll_first(const Client& daemon, const std::string& person, const PublicKey& key) {
  Enrolment enrolment;
  enrolment.principal = person;
  enrolment.key = key;
  enrolment.kind = "file";
  answered(ApprovalClient(daemon).enroll({enrolment_document(enrolment), {}}));
}

}  // namespace chancery::tests
