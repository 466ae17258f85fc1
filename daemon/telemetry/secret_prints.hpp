#pragma once

#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>

namespace chancery::telemetry {

/// A part of a text.
struct Extent {
  std::size_t begin = 0;
  std::size_t end = 0;  ///< behind it
};

/// Finds known secrets in texts without keeping them: of each there is its length and a hash under a multiplier that
/// is random in each process. Multiplier and hashes are secrets themselves and kept as such: whoever has both tries
/// PINs until one fits, and has 64 linear equations on a longer secret for each form of it that is known.
///
/// Time to find: the text's length times the number of different lengths, some two multiplications for each octet. (A
/// keyed hash would be one-way, and has to be computed anew at each place: some hundred times as much.) What has the
/// hash of a secret by chance, once in some 2^60 places, is taken for one, which costs a line its readability.
class SecretPrints {
 public:
  /// What is shorter is not looked for: a log without any `1` would tell nothing.
  static constexpr std::size_t kShortest = 4;

  SecretPrints();

  /// Nothing for what is shorter than kShortest.
  void add(std::string_view secret);

  /// Where secrets stand in `text`, in order and without overlaps. One of less than eight octets counts only where no
  /// letter or digit is next to it: four digits stand by chance in longer numbers.
  [[nodiscard]] std::vector<Extent> find(std::string_view text) const;

 private:
  void find(std::string_view text, std::size_t length, ByteView prints, std::vector<Extent>& out) const;

  SecretBytes multiplier_;
  std::map<std::size_t, SecretBytes> prints_;  // by length; one hash behind the other
};

}  // namespace chancery::telemetry
