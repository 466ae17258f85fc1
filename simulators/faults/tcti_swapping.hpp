#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <chancery/bytes.hpp>

#include "simulators/faults/tcti_fake.hpp"

namespace chancery::simulators {

/// Stands in front of a swtpm as a resource manager does: whoever is behind it sees a TPM that never runs out
/// of transient memory. After each command the objects that it used or made are saved and flushed, and loaded
/// again for the next that names them. Sessions pass as they are.
///
/// Handles are those of all clients together, since some TCTIs make a new connection for each command. No
/// fault is injected; for clients that leave objects in the TPM.
class SwappingTpm {
 public:
  explicit SwappingTpm(const std::filesystem::path& tpm_socket);
  ~SwappingTpm();
  SwappingTpm(const SwappingTpm&) = delete;
  SwappingTpm& operator=(const SwappingTpm&) = delete;

  [[nodiscard]] std::string tcti() const { return front_.tcti(); }

 private:
  /// What the TPM says of a command (TPMA_CC).
  struct CommandShape {
    std::size_t handles = 0;
    bool makes_handle = false;
  };
  using Handle = std::uint32_t;
  /// A virtual handle, and where its object is while a command runs.
  struct Loaded {
    Handle name = 0;
    Handle real = 0;
  };

  void learn_commands();
  void relay(int fd);
  [[nodiscard]] Bytes exchange(Bytes command);
  /// Loads the objects that the command names, and puts their real handles into it.
  [[nodiscard]] std::vector<Loaded> load_objects(Bytes& command);
  void save_objects(std::span<const Loaded> objects);
  [[nodiscard]] Bytes ask(const Bytes& command);

  const int tpm_;
  std::map<std::uint32_t, CommandShape> commands_;  // by command code
  std::map<Handle, Bytes> contexts_;                // by virtual handle
  Handle next_ = 0x80FF0000;
  FakeTpm front_;  // last: its thread uses the above
};

}  // namespace chancery::simulators
