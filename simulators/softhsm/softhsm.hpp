#pragma once

#include <filesystem>
#include <string>

#include <chancery/result.hpp>

namespace chancery::simulators {

/// A token of a SoftHsm, as one would configure it.
struct SoftToken {
  std::string label;
  std::string serial;
  std::filesystem::path pin_file;  ///< 0600, with a newline at the end as an editor leaves it
};

/// A store of software tokens (SoftHSM 2) of one's own in a temporary folder. Move-only; the destructor
/// removes everything. Nothing in it is hardware.
///
/// SoftHSM is told of its store by the environment variable SOFTHSM2_CONF alone, which it reads at
/// C_Initialize: a process has one store at a time, and its tokens are the slots of that one.
class SoftHsm {
 public:
  /// Makes an empty store.
  /// \return kProcessFailed when SoftHSM is not installed (Debian: softhsm2), kFileUnwritable
  [[nodiscard]] static Result<SoftHsm> create();

  ~SoftHsm();
  SoftHsm(SoftHsm&& other) noexcept;
  SoftHsm& operator=(SoftHsm&&) = delete;

  /// The PKCS#11 module, where Debian has it.
  [[nodiscard]] static std::filesystem::path module();

  /// Initializes one more token.
  /// \param label  at most 32 octets, each one once
  /// \param pin    of its user; letters, digits and hyphens
  [[nodiscard]] Result<SoftToken> add_token(const std::string& label, const std::string& pin = kPin);

  /// Points this process to the store, for modules that it initializes from now on. Not while other threads
  /// read the environment.
  void use_in_this_process() const;
  /// "SOFTHSM2_CONF=…", for processes that are started with it.
  [[nodiscard]] std::string environment() const;
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }

  static constexpr const char* kPin = "731905";

 private:
  explicit SoftHsm(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] std::filesystem::path configuration() const { return folder_ / "softhsm2.conf"; }
  [[nodiscard]] Result<std::string> run_tool(const std::string& arguments) const;

  std::filesystem::path folder_;
};

}  // namespace chancery::simulators
