#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::testing {

/// What a run of `chancery` left.
struct Run {
  int exit = -1;  ///< its exit status; 128 and more: the signal that ended it
  std::string out;
  std::string err;
};

/// Runs the built `chancery` in an environment of its own: a home folder, no daemon, no trust, no terminal.
class Chancery {
 public:
  Chancery();

  /// Runs it with these arguments and this standard input, until it ends.
  [[nodiscard]] Run run(const std::vector<std::string>& arguments, const std::string& input = {}) const;
  /// The same with its standard output going into this file.
  [[nodiscard]] Run run_into(const std::filesystem::path& out,
                             const std::vector<std::string>& arguments) const;

  void set(const std::string& variable, const std::string& value) { environment_[variable] = value; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  /// Writes a file in the folder. \return its path
  std::string file(const std::string& name, const std::string& text) const;

 private:
  struct Streams {
    std::filesystem::path in;
    std::filesystem::path out;
    std::filesystem::path err;
  };
  [[nodiscard]] Run run_with(const Streams& streams, const std::vector<std::string>& arguments) const;
  [[noreturn]] static void become(std::vector<std::string> arguments, std::vector<std::string> environment,
                                  const Streams& streams);

  TemporaryFolder folder_;
  std::map<std::string, std::string> environment_;
};

/// A whole file; empty when it cannot be read.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

}  // namespace chancery::testing
