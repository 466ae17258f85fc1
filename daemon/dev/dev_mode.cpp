#include "daemon/dev/dev_mode.hpp"

#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/crypto/signing_key.hpp"

namespace chancery::dev {
namespace {

using std::filesystem::path;

// The folder is short, because socket paths must fit sun_path. For root it is open to other users, whose
// agents' sockets calls must get in; each secret file within is 0600.
Result<path> make_folder() {
  std::error_code failure;
  std::string name = (std::filesystem::temp_directory_path(failure) / "chancery-XXXXXX").string();
  if (failure || ::mkdtemp(name.data()) == nullptr ||
      (::geteuid() == 0 && ::chmod(name.c_str(), 0755) != 0)) {
    return Error{ErrorCode::kFileUnwritable, "no temporary folder could be made: check $TMPDIR",
                 static_cast<std::uint64_t>(errno)};
  }
  return path(name);
}

// A port that is free now. The issuer's URL holds it, so it must be known before the daemon listens.
Result<std::uint16_t> free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = fd >= 0 && ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0;
  if (fd >= 0) ::close(fd);
  if (!bound)
    return Error{ErrorCode::kProcessFailed, "no free port on loopback", static_cast<std::uint64_t>(errno)};
  return ntohs(address.sin_port);
}

// What the build beside this program made of the console, else what is installed; empty where there is neither.
path console_files() {
  std::error_code failure;
  const path program = std::filesystem::read_symlink("/proc/self/exe", failure);
  for (const path& folder :
       {program.parent_path().parent_path() / "console", path("/usr/share/chancery/ui")}) {
    if (std::filesystem::exists(folder / "index.html", failure)) return folder;
  }
  return {};
}

Status write_file(const path& file, ByteView content) {
  constexpr Error kUnwritable{ErrorCode::kFileUnwritable,
                              "a file of --dev could not be written: check $TMPDIR"};
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return kUnwritable;
  const ssize_t written = ::write(fd, content.data(), content.size());
  const bool is_whole = written == static_cast<ssize_t>(content.size());
  return ::close(fd) == 0 && is_whole ? Status{} : Status{kUnwritable};
}

// By which the kill switch unfreezes, once it is armed with it. Elsewhere the private half is kept away from the daemon.
Status make_operator_key(const path& folder) {
  CHANCERY_ASSIGN(const SigningKey key, SigningKey::generate(Algorithm::kES256));
  CHANCERY_ASSIGN(const SecretBytes pem, key.pem());
  CHANCERY_TRY(write_file(folder / "operator.pem", pem.view()));
  return write_file(folder / "operator.jwk", as_bytes(key.public_key().jwk()));
}

config::Config make_config(const path& folder, const config::ListenAddress& listen, const std::string& tcti) {
  config::Config config = config::default_config();
  const bool root = ::geteuid() == 0;
  config.allow_root = true;
  config.server.socket = folder / "chancery.sock";
  config.server.socket_mode = root ? 0666 : 0600;  // who calls is known by peer credentials, not by this mode
  config.server.socket_group.clear();
  config.server.tls_listen = listen;
  config.server.tls_certificate = folder / "tls.pem";
  config.server.tls_key = folder / "tls.key";
  config.state_path = folder / "state";
  config.issuer.trust_domain = "dev.chancery.internal";
  config.issuer.url = "https://localhost:" + std::to_string(listen.port);
  config.issuer.backend = "swtpm";
  if (const path files = console_files(); !files.empty()) {
    config.console.enabled = true;
    config.console.files = files;
  }
  config.freeze.operator_key = folder / "operator.jwk";
  config.log.level = config::LogLevel::kWarning;
  config.tpm_allow_simulator = true;
  config::BackendConfig backend = config::default_backend(config);
  backend.name = "swtpm";
  backend.tcti = tcti;
  backend.allow_simulator = true;
  config.backends = {backend};
  return config;
}

}  // namespace

DevMode::DevMode(path folder, simulators::Swtpm tpm) : folder_(std::move(folder)), tpm_(std::move(tpm)) {}

DevMode::DevMode(DevMode&& other) noexcept
    : folder_(std::exchange(other.folder_, {})),
      tpm_(std::move(other.tpm_)),
      config_(std::move(other.config_)) {}

DevMode::~DevMode() {
  if (folder_.empty()) return;
  tpm_.kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Result<DevMode> DevMode::prepare(const config::ListenAddress& listen) {
  if (!listen.is_loopback()) {
    return Error{ErrorCode::kInvalidArgument,
                 "--dev listens on loopback only: its keys are in software and its state is temporary"};
  }
  config::ListenAddress address = listen;
  if (address.port == 0) {
    CHANCERY_ASSIGN(address.port, free_port());
  }
  CHANCERY_ASSIGN(path folder, make_folder());
  auto tpm = simulators::Swtpm::start({.folder = folder / "tpm", .certificates = true});
  if (!tpm) {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    return tpm.error();
  }
  DevMode dev(std::move(folder), *std::move(tpm));
  CHANCERY_TRY(make_operator_key(dev.folder_));
  dev.config_ = make_config(dev.folder_, address, dev.tpm_.tcti());
  return dev;
}

std::string DevMode::banner() const {
  const std::string port = std::to_string(config_.server.tls_listen->port);
  return "\n"
         "  ******************************************************************\n"
         "  *  chanceryd --dev: NOTHING HERE IS HARDWARE, NOTHING IS KEPT.   *\n"
         "  *  The TPM is a simulator; keys and state end with this process. *\n"
         "  ******************************************************************\n"
         "\n"
         "  For the command line:\n"
         "\n"
         "export CHANCERY_SOCKET=" +
         config_.server.socket.string() +
         "\n"
         "export CHANCERY_ADDR=https://localhost:" +
         port +
         "\n"
         "export CHANCERY_CACERT=" +
         authority().string() + "\n\n";
}

}  // namespace chancery::dev
