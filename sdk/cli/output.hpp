#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sdk/cli/failure.hpp"

namespace chancery::cli {

enum class Format : std::uint8_t { kText, kJson };

enum class Colour : std::uint8_t { kRed, kGreen, kYellow, kBold };

/// What commands say: answers on standard output, notes and failures on standard error. Text that comes from
/// a chain, a file or the daemon is escaped where it is printed, so that none of it reaches a terminal as a
/// command.
class Output {
 public:
  struct Options {
    Format format = Format::kText;
    bool coloured = false;  ///< standard output is a terminal that takes colours
    bool terminal = false;  ///< standard output is a terminal
  };
  explicit Output(Options options) : options_(options) {}

  [[nodiscard]] bool json() const noexcept { return options_.format == Format::kJson; }

  /// A line of an answer, printed as it is: its parts have been escaped.
  void line(std::string_view text);
  /// A text of several lines; each is escaped (once more does no harm) and put after `indent`.
  void lines(std::string_view text, std::string_view indent = {});
  /// `  label        value`, the value escaped.
  void field(std::string_view label, std::string_view value);
  /// A JSON answer on a line of its own: the given octets, or on a terminal the same JSON in ASCII.
  void document(std::string_view json);
  /// `chancery: text` on standard error.
  void note(std::string_view text);
  /// The failure on standard error: one line, or JSON.
  void report(const Failure& failure);

  /// `text` in a colour, where there is colour.
  [[nodiscard]] std::string paint(Colour colour, std::string_view text) const;

  /// False when something could not be written (a full disk, a closed pipe).
  [[nodiscard]] bool flush();

 private:
  Options options_;
};

}  // namespace chancery::cli
