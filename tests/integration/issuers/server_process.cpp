#include "tests/integration/issuers/server_process.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>

#include <arpa/inet.h>
#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"

namespace chancery::tests {

ServerProcess::ServerProcess(const std::vector<std::string>& command, std::filesystem::path output,
                             int ending)
    : output_(std::move(output)), ending_(ending) {
  std::vector<char*> argv;
  for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_ = ::fork();
  BOOST_REQUIRE(pid_ >= 0);
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, ending_);
  const int fd = ::open(output_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(fd, 1);
  ::dup2(fd, 2);
  ::execv(argv.front(), argv.data());
  ::_exit(127);
}

int ServerProcess::end(int signal) {
  if (pid_ <= 0) return status_;
  if (signal != 0) {
    ::kill(pid_, SIGCONT);
    ::kill(pid_, signal);
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return status_;
}

bool ServerProcess::has_ended() {
  siginfo_t info{};
  if (pid_ <= 0) return true;
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
         info.si_pid == pid_;
}

std::string ServerProcess::output() const { return text_of_file(output_); }

std::string output_of(const std::vector<std::string>& command, const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "printed";
  std::filesystem::remove(file);
  ServerProcess process(command, file);
  const int status = process.wait();
  std::string printed = process.output();
  BOOST_REQUIRE_MESSAGE(status == 0, command.front() << " ended with " << status << ": " << printed);
  return printed;
}

std::string text_of_file(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

void make_certificate(const std::filesystem::path& folder) {
  static_cast<void>(
      output_of({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-nodes", "-days", "1", "-subj", "/CN=test", "-addext", "subjectAltName=DNS:localhost",
                 "-keyout", folder / "tls.key", "-out", folder / "tls.pem"},
                folder));
}

std::uint16_t free_port() {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  BOOST_REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
  BOOST_REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

}  // namespace chancery::tests
