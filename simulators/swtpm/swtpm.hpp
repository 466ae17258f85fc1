#pragma once

#include <filesystem>
#include <string>

#include <sys/types.h>

#include <chancery/result.hpp>

namespace chancery::simulators {

struct SwtpmOptions {
  /// Where state and sockets live. Made (0700) when missing, and then removed at the end; one that exists
  /// must be the caller's own and closed to others. Empty: a fresh folder under $TMPDIR. Socket paths must
  /// fit sun_path, so keep it short.
  std::filesystem::path folder;
  /// Manufacture with EK and platform certificates of a private CA, as a vendor would (0.6 to 0.9 s). Without
  /// them the TPM starts from an empty state (some 10 ms).
  bool certificates = false;
};

/// A software TPM 2.0 (swtpm) of one's own: state, sockets and process private to the owner. It is a child in
/// the foreground, in a session of its own, so that a terminal's Ctrl-C does not end it before its owner; it
/// dies with the *thread* that started it. Move-only; the destructor ends the process and removes the folder.
/// Nothing in it is hardware, and an old state file brings old counters back.
class Swtpm {
 public:
  /// Manufactures and starts one; returns when it accepts connections.
  /// \return kProcessFailed when swtpm is not installed (Debian: swtpm, swtpm-tools) or does not start,
  ///         kInvalidArgument when the folder's path is too long for a socket, kFilePermissions,
  ///         kFileUnwritable
  [[nodiscard]] static Result<Swtpm> start(const SwtpmOptions& options = {});

  ~Swtpm();
  Swtpm(Swtpm&& other) noexcept;
  Swtpm& operator=(Swtpm&& other) noexcept;

  /// "swtpm:path=…": what a TPM backend is configured with.
  [[nodiscard]] std::string tcti() const { return "swtpm:path=" + socket().string(); }
  [[nodiscard]] std::filesystem::path socket() const { return folder_ / "s"; }
  /// The EK and platform certificates, if there are any.
  [[nodiscard]] std::filesystem::path certificates() const { return folder_ / "certs"; }
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }  ///< -1 when it does not run

  void stop();    ///< SIGTERM; no TPM2_Shutdown is sent, as with a real power cut
  void kill();    ///< SIGKILL
  void pause();   ///< SIGSTOP: accepts connections, answers nothing
  void resume();  ///< SIGCONT
  /// Starts the process again on the same state; ends a running one first.
  [[nodiscard]] Status restart();
  /// Initializes the TPM while its connections stay, as a reset of the machine does to a chip: nobody has
  /// sent TPM2_Startup then.
  [[nodiscard]] Status reset() const;
  /// Has TPM2_Clear done to it, as whoever owns the machine may, and starts it again: connections end.
  [[nodiscard]] Status clear();
  /// Forgets the state, so that the next restart brings up another TPM at the same place.
  void replace_state();

 private:
  Swtpm() = default;

  [[nodiscard]] Status prepare(const SwtpmOptions& options);
  [[nodiscard]] Status manufacture() const;
  [[nodiscard]] Status serve_at(const std::filesystem::path& socket);
  [[nodiscard]] Status wait_until_ready(const std::filesystem::path& socket);
  void end(int signal);
  void release() noexcept;

  std::filesystem::path folder_;
  bool owns_folder_ = false;
  pid_t pid_ = -1;
};

}  // namespace chancery::simulators
