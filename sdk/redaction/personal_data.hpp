#pragma once

#include <string_view>
#include <vector>

#include "sdk/redaction/hit.hpp"

namespace chancery::redaction {

/// Kinds of data of persons; none is looked for unless somebody asks.
struct PersonalKinds {
  bool email = false;
  bool card = false;  ///< numbers of payment cards: 13 to 19 digits of a known network, checked by Luhn's sum
  bool iban = false;  ///< with the length of its country, checked by its remainder of 97
  bool phone = false;  ///< `+` and 8 to 15 digits, or as North America writes them

  [[nodiscard]] bool any() const noexcept { return email || card || iban || phone; }
};

/// Adds what it finds of these kinds, in no order. Looks at no more than 512 octets around a place.
void find_personal_data(std::string_view text, const PersonalKinds& kinds, std::vector<Hit>& out);

/// Whether the last of some decimal digits is the check digit of the others (ISO/IEC 7812-1, annex B).
[[nodiscard]] bool has_luhn_sum(std::string_view digits);

/// Whether a number without spaces, in capitals, is an IBAN (ISO 13616).
[[nodiscard]] bool is_iban(std::string_view number);

}  // namespace chancery::redaction
