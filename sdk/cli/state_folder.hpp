#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "sdk/base/descriptor.hpp"
#include "sdk/cli/failure.hpp"

namespace chancery::cli {

/// The state folder of a daemon that does not run, held so that none starts meanwhile. What is made in it belongs to the
/// folder's owner.
class StateFolder {
 public:
  /// \return kStoreLocked while a daemon has it, kFileUnreadable, kFileUnwritable
  [[nodiscard]] static Checked<StateFolder> open(const std::string& path);

  /// A new file, for the owner alone, in place of one of that name.
  [[nodiscard]] Checked<Descriptor> create(std::string_view name) const;
  /// The same with that text, on the disk.
  [[nodiscard]] Checked<void> write(std::string_view name, std::string_view text) const;

  /// Puts the file `name` in the database's place, and the former one aside, with what SQLite keeps beside it.
  /// \return the name that the former one has now; empty when there was none. kConflict
  [[nodiscard]] Checked<std::string> replace_database(std::string_view name,
                                                      std::chrono::sys_seconds now) const;

  [[nodiscard]] bool has(std::string_view name) const;

 private:
  StateFolder(std::string path, Descriptor folder) : path_(std::move(path)), folder_(std::move(folder)) {}

  [[nodiscard]] Checked<void> lock();
  [[nodiscard]] Checked<void> own(const Descriptor& file) const;
  [[nodiscard]] Checked<void> rename(const std::string& from, const std::string& to) const;
  [[nodiscard]] Checked<void> sync() const;
  [[nodiscard]] Failure unwritable(std::string_view name) const;

  std::string path_;
  Descriptor folder_;
  Descriptor lock_;
};

}  // namespace chancery::cli
