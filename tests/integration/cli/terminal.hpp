#pragma once

#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

#include "sdk/base/descriptor.hpp"

namespace chancery::testing {

/// The built `chancery` on a terminal of its own, to which somebody types. Ends with this.
class Terminal {
 public:
  /// \param environment  besides this process's
  Terminal(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Waits until the program has said this, since what is typed before is dropped. Fails the test when it does not.
  void expect(const std::string& text);
  void type(const std::string& text) const;
  /// Waits for the end. \return its exit status; 128 and more: the signal that ended it
  [[nodiscard]] int end();
  [[nodiscard]] const std::string& shown() const noexcept { return shown_; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  void read_some();

  Descriptor master_;
  pid_t pid_ = -1;
  std::string shown_;
};

}  // namespace chancery::testing
