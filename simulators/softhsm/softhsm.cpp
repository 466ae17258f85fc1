#include "simulators/softhsm/softhsm.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string_view>
#include <utility>

#include <stdlib.h>
#include <sys/stat.h>

namespace chancery::simulators {
namespace {

using std::filesystem::path;

constexpr const char* kVariable = "SOFTHSM2_CONF";
constexpr const char* kSecurityOfficerPin = "90210731";

Error unwritable(int error) {
  return Error{ErrorCode::kFileUnwritable,
               "the simulator's folder could not be made: check its place, or $TMPDIR",
               static_cast<std::uint64_t>(error)};
}

Status write_private(const path& file, const std::string& text) {
  std::ofstream out(file);
  ::chmod(file.c_str(), 0600);
  out << text;
  out.close();
  return out ? Status{} : Status{unwritable(errno)};
}

// The serial number stands above the label in the list of slots.
std::string serial_of(std::string_view slots, const std::string& label) {
  constexpr std::string_view kField = "Serial number:";
  const auto value_after = [&](std::size_t at) {
    const std::string_view line = slots.substr(at, slots.find('\n', at) - at);
    const std::size_t first = line.find_first_not_of(' ');
    if (first == std::string_view::npos) return std::string();
    return std::string(line.substr(first, line.find_last_not_of(' ') + 1 - first));
  };
  const std::size_t at_label = slots.find(" " + label + " ");
  const std::size_t at = slots.rfind(kField, at_label);
  return at_label == std::string_view::npos || at == std::string_view::npos ? std::string()
                                                                            : value_after(at + kField.size());
}

}  // namespace

Result<SoftHsm> SoftHsm::create() {
  std::error_code failure;
  std::string name = (std::filesystem::temp_directory_path(failure) / "softhsm-XXXXXX").string();
  if (failure) return unwritable(failure.value());
  if (::mkdtemp(name.data()) == nullptr) return unwritable(errno);
  SoftHsm store{path(name)};
  const path tokens = store.folder_ / "tokens";
  if (::mkdir(tokens.c_str(), 0700) != 0) return unwritable(errno);
  CHANCERY_TRY(write_private(store.configuration(), "directories.tokendir = " + tokens.string() +
                                                        "\nobjectstore.backend = file\nlog.level = ERROR\n"));
  return store;
}

SoftHsm::~SoftHsm() {
  if (folder_.empty()) return;
  const char* used = std::getenv(kVariable);
  if (used != nullptr && configuration() == used) ::unsetenv(kVariable);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

SoftHsm::SoftHsm(SoftHsm&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}

path SoftHsm::module() { return "/usr/lib/softhsm/libsofthsm2.so"; }

std::string SoftHsm::environment() const { return std::string(kVariable) + "=" + configuration().string(); }

void SoftHsm::use_in_this_process() const { ::setenv(kVariable, configuration().c_str(), 1); }

// A process of its own, so that this one has not yet initialized a module when a test begins.
Result<std::string> SoftHsm::run_tool(const std::string& arguments) const {
  const std::string command = environment() + " softhsm2-util " + arguments + " 2>/dev/null";
  std::FILE* const pipe = ::popen(command.c_str(), "re");
  if (pipe == nullptr) return Error{ErrorCode::kProcessFailed, "no process could be started"};
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
  const int status = ::pclose(pipe);
  if (status == 0) return output;
  return Error{ErrorCode::kProcessFailed,
               "softhsm2-util failed: install the Debian package softhsm2, and check $TMPDIR",
               static_cast<std::uint64_t>(status)};
}

Result<SoftToken> SoftHsm::add_token(const std::string& label, const std::string& pin) {
  CHANCERY_TRY(run_tool("--init-token --free --label '" + label + "' --pin " + pin + " --so-pin " +
                        kSecurityOfficerPin));
  CHANCERY_ASSIGN(const std::string slots, run_tool("--show-slots"));
  SoftToken token{label, serial_of(slots + " ", label), folder_ / ("pin." + label)};
  if (token.serial.empty()) {
    return Error{ErrorCode::kProcessFailed, "softhsm2-util does not list the token that it made"};
  }
  CHANCERY_TRY(write_private(token.pin_file, pin + "\n"));
  return token;
}

}  // namespace chancery::simulators
