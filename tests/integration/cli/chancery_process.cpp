#include "tests/integration/cli/chancery_process.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chancery::testing {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

void connect(int number, const std::filesystem::path& path, int flags) {
  const int file = ::open(path.c_str(), flags, 0600);
  if (file < 0 || ::dup2(file, number) < 0) ::_exit(126);
  if (file > STDERR_FILENO) ::close(file);
}

}  // namespace

// Files instead of pipes: nothing can block, whatever the sizes.
void Chancery::become(std::vector<std::string> arguments, std::vector<std::string> environment,
                      const Streams& streams) {
  connect(STDIN_FILENO, streams.in, O_RDONLY);
  connect(STDOUT_FILENO, streams.out, O_WRONLY | O_CREAT | O_TRUNC);
  connect(STDERR_FILENO, streams.err, O_WRONLY | O_CREAT | O_TRUNC);
  ::execve(arguments.front().c_str(), pointers(arguments).data(), pointers(environment).data());
  ::_exit(127);
}

Chancery::Chancery() {
  environment_ = {{"HOME", folder().string()},
                  {"PATH", "/usr/bin:/bin"},
                  {"TERM", "xterm"},
                  {"XDG_CONFIG_HOME", (folder() / "config").string()},
                  {"CHANCERY_SOCKET", (folder() / "absent.sock").string()}};
}

Run Chancery::run(const std::vector<std::string>& arguments, const std::string& input) const {
  const TemporaryFolder streams;
  std::ofstream(streams.path() / "in", std::ios::binary) << input;
  return run_with({streams.path() / "in", streams.path() / "out", streams.path() / "err"}, arguments);
}

Run Chancery::run_into(const std::filesystem::path& out, const std::vector<std::string>& arguments) const {
  const TemporaryFolder streams;
  return run_with({"/dev/null", out, streams.path() / "err"}, arguments);
}

Run Chancery::run_with(const Streams& streams, const std::vector<std::string>& arguments) const {
  std::vector<std::string> command{std::string(CHANCERY_BINARY_DIR) + "/chancery"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment;
  for (const auto& [name, value] : environment_) environment.push_back(name + "=" + value);

  const pid_t child = ::fork();
  if (child < 0) std::abort();
  if (child == 0) become(std::move(command), std::move(environment), streams);
  int status = 0;
  if (::waitpid(child, &status, 0) != child) std::abort();
  const bool kept = std::filesystem::is_regular_file(streams.out);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          kept ? read_file(streams.out) : std::string(), read_file(streams.err)};
}

std::string Chancery::file(const std::string& name, const std::string& text) const {
  const std::filesystem::path path = folder() / name;
  std::ofstream(path, std::ios::binary) << text;
  return path.string();
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace chancery::testing
