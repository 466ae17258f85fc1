#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>

#include "sdk/redaction/hit.hpp"
#include "sdk/redaction/secret_anchors.hpp"

namespace chancery::redaction {

/// Finds known secrets in texts without keeping them: of each there is its length and a hash under a multiplier that
/// is random in each process. Multiplier and hashes are secrets themselves and kept as such: whoever has both tries
/// PINs until one fits, and has 64 linear equations on a longer secret for each form of it that is known, and 38 more on
/// the octets in its middle.
///
/// Time to find: one or two multiplications for each octet of a text in which no secret's middle stands (SecretAnchors).
/// Where one may, in the thousands of octets around it, some two for each octet and each different length, which bounds
/// what a text can cost that was made for it. (A keyed hash would be one-way, and has to be computed anew at each place:
/// some hundred times as much.) What has the hash of a secret by chance, once in some 2^60 places, is taken for one,
/// which costs a line its readability.
class SecretPrints {
 public:
  /// What is shorter is not looked for: a log without any `1` would tell nothing.
  static constexpr std::size_t kShortest = 4;

  /// Where a secret stands, and the label that it was added with.
  struct Found {
    Extent extent;
    std::uint32_t label = 0;
  };

  /// Names a secret that was added, and says no more of it than its length.
  struct Handle {
    std::size_t length = 0;
    std::uint64_t number = 0;  ///< no other secret's, also when it is looked for no more; 0: none
  };

  SecretPrints();

  /// Nothing for what is shorter than kShortest. A secret that is known gets one label more, and is known once more.
  Handle add(std::string_view secret, std::uint32_t label = 0);

  /// Takes one add() back, and looks for the secret no more when none is left; until then it keeps its labels.
  /// \return whether it was known
  bool remove(std::string_view secret);
  /// The same for who did not keep the secret.
  bool remove(const Handle& handle);

  [[nodiscard]] bool empty() const noexcept { return prints_.empty(); }
  /// The lengths of the shortest secret and the longest; 0 when there is none.
  [[nodiscard]] std::size_t shortest() const noexcept { return empty() ? 0 : prints_.begin()->first; }
  [[nodiscard]] std::size_t longest() const noexcept { return empty() ? 0 : prints_.rbegin()->first; }

  /// Where secrets stand in `text`, in order and without overlaps. One of less than eight octets counts only where no
  /// letter or digit is next to it: four digits stand by chance in longer numbers.
  [[nodiscard]] std::vector<Extent> find(std::string_view text) const;

  /// The same with labels, in no order; they may overlap.
  [[nodiscard]] std::vector<Found> find_all(std::string_view text) const;

 private:
  struct Known {
    std::vector<std::uint32_t> labels;
    std::size_t times = 0;     // that it was added
    std::uint64_t number = 0;  // of its handle
  };
  // Of one length.
  struct Prints {
    SecretBytes hashes;   // one behind the other
    SecretBytes anchors;  // of each, what SecretAnchors takes back
    SecretBytes
        filter;  // a bit for each value of some bits of a hash: most octets need no look at the hashes
    std::vector<Known> known;  // of each
  };
  class Search;
  struct Multipliers;

  [[nodiscard]] Multipliers multipliers() const noexcept;
  [[nodiscard]] SecretAnchors& anchors_of(std::size_t length) noexcept;
  /// One add() of the secret at that place of its length is taken back.
  void take_back(std::map<std::size_t, Prints>::iterator found, std::size_t index);

  SecretBytes multipliers_;               // of the hashes, and the two of the anchors
  std::map<std::size_t, Prints> prints_;  // by length
  SecretAnchors short_{4};                // of secrets of less than eight octets
  SecretAnchors long_{8};
  std::uint64_t last_number_ = 0;
};

}  // namespace chancery::redaction
