#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <string>

#include <chancery/bytes.hpp>

#include "simulators/faults/tcti_fake.hpp"
#include "simulators/faults/tcti_wire.hpp"

namespace chancery::simulators {

/// What befalls a TPM's command or its answer on the way.
struct TctiFault {
  enum class Kind : std::uint8_t {
    kNone,
    kCut,          ///< the command runs, and the connection ends where its answer should be
    kSilence,      ///< the same, but the connection stays
    kDelay,        ///< the answer comes after `delay`
    kTruncate,     ///< the first `offset` octets of the answer come, then the end of the connection
    kShorten,      ///< the answer has only `offset` octets, and its header says so
    kCorrupt,      ///< the octet at `offset` of the answer, or its last, is another; negative: from its end
    kRefuse,       ///< the command does not run; the answer is `code`
    kSwapHandles,  ///< the command meets the neighbour of the object that it names first
    kExchange,     ///< `answer` comes in place of the TPM's
  };
  Kind kind = Kind::kNone;
  std::ptrdiff_t offset = 0;
  std::uint32_t code = 0;
  std::chrono::milliseconds delay{};
  Bytes answer{};
};

/// Sees each response before its receiver does and may change it.
/// \return false to cut the connection in its place
using ResponseHook = std::function<bool(std::uint32_t command_code, Bytes& response)>;

/// Stands between a backend and a swtpm, as whoever owns the bus could. Thread-safe.
class TpmProxy {
 public:
  static constexpr int kAlways = std::numeric_limits<int>::max();

  explicit TpmProxy(std::filesystem::path tpm_socket, ResponseHook hook = nullptr);

  [[nodiscard]] std::string tcti() const { return front_.tcti(); }

  /// Lets a fault befall the next `times` commands of this code, in place of any that was set before.
  void inject(std::uint32_t command_code, TctiFault fault, int times = 1);
  /// Ends all faults.
  void heal();
  /// How many commands a fault has befallen.
  [[nodiscard]] int struck() const noexcept { return struck_; }

  /// Goes to a TPM that has restarted by a new connection of its own and leaves the client's as it is, as the
  /// stock TCTI for swtpm would.
  void hide_restarts() noexcept { hides_restarts_ = true; }

  /// Whether these octets have gone by, in either direction.
  [[nodiscard]] bool has_seen(ByteView octets);
  /// The last answer of the TPM to this command; empty when there was none.
  [[nodiscard]] Bytes last_answer(std::uint32_t command_code);

 private:
  struct Pending {
    TctiFault fault;
    int times = 0;
  };
  class Upstream;

  void relay(int fd);
  [[nodiscard]] bool exchange(int fd, Upstream& tpm, Bytes command);
  [[nodiscard]] bool deliver(int fd, const TctiFault& fault, Bytes answer) const;
  [[nodiscard]] TctiFault take_fault(std::uint32_t command_code);
  void record(const Bytes& command, const Bytes& answer);

  const std::filesystem::path tpm_socket_;
  const ResponseHook hook_;
  std::atomic<bool> hides_restarts_ = false;
  std::atomic<int> struck_ = 0;
  std::mutex mutex_;
  std::map<std::uint32_t, Pending> pending_;
  std::map<std::uint32_t, Bytes> last_answers_;
  Bytes traffic_;
  FakeTpm front_;  // last: its thread uses the above
};

}  // namespace chancery::simulators
