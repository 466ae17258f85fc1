#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include <chancery/result.hpp>

namespace chancery::simulators {

struct SwtpmOptions {
  /// Where state and sockets live; made (0700) when missing, and removed at the end if we made it. Empty: a fresh folder
  /// under $TMPDIR. Socket paths must fit sun_path, so keep it short.
  std::filesystem::path folder;
  /// Manufacture with EK and platform certificates of a private CA, as a vendor would (0.6 to 0.9 s). Without them the
  /// TPM starts from an empty state (some 10 ms).
  bool certificates = false;
};

/// A software TPM 2.0 (swtpm) of one's own: state, sockets and process private to the owner. It is a child in the
/// foreground and dies with the thread that started it. Move-only; the destructor ends the process and removes the
/// folder. Nothing in it is hardware, and an old state file brings old counters back.
class Swtpm {
 public:
  /// Manufactures and starts one; returns when it accepts connections.
  /// \return kProcessFailed when swtpm is not installed (Debian: swtpm, swtpm-tools) or does not start,
  ///         kInvalidArgument when the folder's path is too long for a socket, kFileUnwritable
  [[nodiscard]] static Result<Swtpm> start(const SwtpmOptions& options = {});

  ~Swtpm();
  Swtpm(Swtpm&& other) noexcept;
  Swtpm& operator=(Swtpm&& other) noexcept;

  /// "swtpm:path=…": what a TPM backend is configured with.
  [[nodiscard]] std::string tcti() const { return "swtpm:path=" + socket().string(); }
  [[nodiscard]] std::filesystem::path socket() const { return folder_ / "s"; }
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  [[nodiscard]] bool running() const noexcept { return pid_ > 0; }

  void stop();    ///< SIGTERM; no TPM2_Shutdown is sent, as with a real power cut
  void kill();    ///< SIGKILL
  void pause();   ///< SIGSTOP: accepts connections, answers nothing
  void resume();  ///< SIGCONT
  /// Starts the process again on the same state; ends a running one first.
  [[nodiscard]] Status restart();
  /// Forgets the state, so that the next restart brings up another TPM at the same place.
  void replace_state();

 private:
  Swtpm() = default;

  [[nodiscard]] Status prepare(const SwtpmOptions& options);
  [[nodiscard]] Status manufacture() const;
  void end(int signal);
  void release() noexcept;

  std::filesystem::path folder_;
  bool owns_folder_ = false;
  pid_t pid_ = -1;
};

}  // namespace chancery::simulators
