#pragma once

#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "sdk/redaction/secret_prints.hpp"

namespace chancery::redaction {

/// Finds values that are known to be secret in whatever form somebody wrote them: as they are, backwards, percent-encoded
/// (all of it or some), as a form's field, in JSON, C or HTML escapes, in hexadecimal, and in base64 or base64url, also
/// as a part of a longer encoded text; and in up to three of these on top of one another. The text is decoded, not the
/// secret encoded: so there are two fingerprints for each value (SecretPrints), one of them backwards, whatever the forms.
///
/// Not found: what was encrypted, compressed, put into another alphabet (base32, UTF-16), divided, or changed in any
/// other way. Somebody who has a secret and means to smuggle it out has always one more way to write it.
///
/// Thread-safe. Cost: a few passes over the text, one more for each kind of escape that is in it, and four over what may be
/// base64.
class KnownSecrets {
 public:
  /// Shorter ones stand everywhere by chance; longer ones are no credentials.
  static constexpr std::size_t kShortest = SecretPrints::kShortest;
  static constexpr std::size_t kLongest = 16 * 1024;

  /// Names what one add() added, and holds nothing of it.
  class Handle {
   public:
    Handle() = default;

   private:
    friend class KnownSecrets;
    std::vector<SecretPrints::Handle> forwards_;
    std::vector<SecretPrints::Handle> backwards_;
  };

  /// Has a value found from now on. White space around it is left out, and of a key in PEM each line counts by itself as
  /// well. The value is not kept.
  /// \param name  what hits call it; no part of the secret
  /// \return for remove(); kInvalidArgument (shorter than kShortest), kTooLarge (longer than kLongest); it is not looked for then
  Result<Handle> add(ByteView secret, std::string name);

  /// Takes that add() back, once: of a value that is good for nothing any more. It is found as long as another is left, by all
  /// its names.
  void remove(const Handle& handle);

  /// Adds what it finds in `text`, in order; each place once.
  void find(std::string_view text, std::vector<Hit>& out) const;

  /// The octets of the longest value; 0 when there is none.
  [[nodiscard]] std::size_t longest() const;

 private:
  mutable std::shared_mutex mutex_;  // of all below
  SecretPrints prints_;
  SecretPrints backwards_;          // of the same values, their last octet first
  std::vector<std::string> names_;  // by label
  bool some_has_space_ = false;
};

}  // namespace chancery::redaction
