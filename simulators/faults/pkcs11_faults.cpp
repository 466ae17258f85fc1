#include "simulators/faults/pkcs11_faults.hpp"

#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

namespace chancery::simulators {
namespace {

Error unwritable(int error) {
  return Error{ErrorCode::kFileUnwritable,
               "the simulator's folder could not be made: check its place, or $TMPDIR",
               static_cast<std::uint64_t>(error)};
}

// A new file is all zeros, which is a plan that does nothing.
Result<Pkcs11FaultPlan*> map_new_plan(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return unwritable(errno);
  void* memory = MAP_FAILED;
  if (::ftruncate(fd, sizeof(Pkcs11FaultPlan)) == 0) {
    memory = ::mmap(nullptr, sizeof(Pkcs11FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  ::close(fd);
  if (memory == MAP_FAILED) return unwritable(errno);
  return static_cast<Pkcs11FaultPlan*>(memory);
}

}  // namespace

Result<Pkcs11Faults> Pkcs11Faults::create() {
  std::error_code failure;
  std::string name = (std::filesystem::temp_directory_path(failure) / "faults-XXXXXX").string();
  if (failure) return unwritable(failure.value());
  if (::mkdtemp(name.data()) == nullptr) return unwritable(errno);
  Pkcs11Faults faults;
  faults.folder_ = name;
  CHANCERY_ASSIGN(faults.plan_, map_new_plan(faults.folder_ / "plan"));
  return faults;
}

Pkcs11Faults::~Pkcs11Faults() {
  if (plan_ != nullptr) ::munmap(plan_, sizeof(Pkcs11FaultPlan));
  if (folder_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Pkcs11Faults::Pkcs11Faults(Pkcs11Faults&& other) noexcept
    : folder_(std::exchange(other.folder_, {})), plan_(std::exchange(other.plan_, nullptr)) {}

void Pkcs11Faults::wrap_in_this_process(const std::filesystem::path& module) const {
  ::setenv(kFaultsModuleVariable, module.c_str(), 1);
  ::setenv(kFaultsPlanVariable, (folder_ / "plan").c_str(), 1);
}

std::filesystem::path Pkcs11Faults::module() { return CHANCERY_FAULTS_SHIM; }

Pkcs11FaultPlan::Fault& Pkcs11Faults::fault(Pkcs11Call call) const {
  return plan_->faults[static_cast<std::size_t>(call)];
}

void Pkcs11Faults::fail(Pkcs11Call call, std::uint64_t code, std::uint64_t times) {
  fault(call).code = code;
  fault(call).times = times;
}

void Pkcs11Faults::delay(Pkcs11Call call, std::chrono::milliseconds time) {
  fault(call).delay_ms = static_cast<std::uint64_t>(time.count());
}

void Pkcs11Faults::hold(Pkcs11Call call) { fault(call).is_held = 1; }
void Pkcs11Faults::release(Pkcs11Call call) { fault(call).is_held = 0; }
void Pkcs11Faults::crash(Pkcs11Call call, std::uint64_t times) { fault(call).crashes = times; }
void Pkcs11Faults::crash_late(Pkcs11Call call, std::uint64_t times) { fault(call).late_crashes = times; }
void Pkcs11Faults::remove_token() { plan_->is_token_absent = 1; }
void Pkcs11Faults::return_token() { plan_->is_token_absent = 0; }
std::uint64_t Pkcs11Faults::calls(Pkcs11Call call) const { return fault(call).calls; }
std::uint64_t Pkcs11Faults::waiting(Pkcs11Call call) const { return fault(call).waiting; }

}  // namespace chancery::simulators
