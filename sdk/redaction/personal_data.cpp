#include "sdk/redaction/personal_data.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "sdk/redaction/character_set.hpp"

namespace chancery::redaction {
namespace {

constexpr CharacterSet kCapitals{"A-Z"};
constexpr CharacterSet kLetters{"A-Za-z"};
constexpr CharacterSet kIbanCharacters{"A-Z0-9"};
constexpr CharacterSet kLocalPart{"A-Za-z0-9.!#$%&'*+/=?^_`{|}~-"};
constexpr CharacterSet kDomain{"A-Za-z0-9.-"};

bool is_joined(std::string_view text, const Extent& extent) {
  return (extent.begin > 0 && kWordCharacters.has(text[extent.begin - 1])) ||
         (extent.end < text.size() && kWordCharacters.has(text[extent.end]));
}

void add(std::vector<Hit>& out, const char* name, const Extent& extent) {
  out.push_back({HitKind::kPersonal, name, extent, {}});
}

void find_emails(std::string_view text, std::vector<Hit>& out) {
  constexpr std::size_t kLongestLocal = 64;
  constexpr std::size_t kLongestDomain = 253;
  for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    Extent extent{at, at + 1};
    while (extent.begin > 0 && at - extent.begin < kLongestLocal && kLocalPart.has(text[extent.begin - 1]))
      --extent.begin;
    // What a URL, a quotation or a list puts in front is no part of it.
    while (extent.begin < at && !kLettersAndDigits.has(text[extent.begin])) ++extent.begin;
    const std::string_view local = text.substr(extent.begin, at - extent.begin);
    if (const std::size_t last = local.find_last_of("/=&?'"); last != std::string_view::npos)
      extent.begin += last + 1;
    while (extent.end < text.size() && extent.end - at <= kLongestDomain && kDomain.has(text[extent.end]))
      ++extent.end;
    while (extent.end > at + 1 && !kLettersAndDigits.has(text[extent.end - 1])) --extent.end;
    // Who logs in by a URL, or fetches a repository, is mostly nobody.
    const std::string_view before = text.substr(0, extent.begin);
    if (before.ends_with("//") || text.substr(extent.begin, at - extent.begin) == "git") continue;
    const std::string_view domain = text.substr(at + 1, extent.end - at - 1);
    const std::size_t dot = domain.rfind('.');
    if (extent.begin == at || dot == std::string_view::npos || dot == 0) continue;
    const std::string_view top = domain.substr(dot + 1);
    const bool is_name = top.size() >= 2 && kLetters.end_of_run(top, 0) == top.size();
    if (is_name && domain.find("..") == std::string_view::npos) add(out, "e-mail address", extent);
  }
}

// Groups of digits with one separator between each two.
struct Groups {
  struct Group {
    std::size_t size = 0;
    std::size_t end = 0;  // in the text
  };
  std::string digits;  // of all
  std::vector<Group> groups;
};

Groups groups_at(std::string_view text, std::size_t at, std::string_view separators, std::size_t most) {
  Groups found;
  while (at < text.size() && kDigits.has(text[at])) {
    const std::size_t end = kDigits.end_of_run(text, at);
    if (found.digits.size() + (end - at) > most) break;
    found.digits.append(text.substr(at, end - at));
    found.groups.push_back({end - at, end});
    if (end == text.size() || separators.find(text[end]) == std::string_view::npos) break;
    at = end + 1;
  }
  return found;
}

struct Network {
  std::string_view first;  // the least beginning, and the greatest
  std::string_view last;
  std::array<std::size_t, 3> lengths;
};

constexpr std::array<Network, 9> kNetworks{{
    {"4", "4", {13, 16, 19}},        // Visa
    {"51", "55", {16, 16, 16}},      // Mastercard
    {"2221", "2720", {16, 16, 16}},  // Mastercard
    {"34", "34", {15, 15, 15}},      // American Express
    {"37", "37", {15, 15, 15}},      // American Express
    {"6011", "6011", {16, 19, 19}},  // Discover
    {"644", "659", {16, 19, 19}},    // Discover
    {"36", "36", {14, 16, 19}},      // Diners Club
    {"3528", "3589", {16, 17, 19}},  // JCB
}};

bool is_of_card_network(std::string_view digits) {
  return std::ranges::any_of(kNetworks, [&](const Network& network) {
    const std::string_view begin = digits.substr(0, network.first.size());
    return begin >= network.first && begin <= network.last &&
           std::ranges::find(network.lengths, digits.size()) != network.lengths.end();
  });
}

// As cards are printed: in groups of four to six, the last one shorter, or all in one.
bool is_grouped_as_card(std::span<const Groups::Group> groups) {
  if (groups.size() == 1) return true;
  const auto fits = [](const Groups::Group& group) { return group.size >= 4 && group.size <= 6; };
  return std::ranges::all_of(groups.first(groups.size() - 1), fits) && groups.back().size >= 3 &&
         groups.back().size <= 6;
}

bool is_fraction(std::string_view text, std::size_t end) {
  return end + 1 < text.size() && text[end] == '.' && kDigits.has(text[end + 1]);
}

// Behind a card's number there may be other digits, such as its last month: the longest beginning that is one.
std::size_t end_of_card(std::string_view text, std::size_t at) {
  constexpr std::size_t kMostDigits = 24;
  Groups found = groups_at(text, at, " -", kMostDigits);
  for (; !found.groups.empty(); found.groups.pop_back()) {
    const Groups::Group& last = found.groups.back();
    if (!is_joined(text, {at, last.end}) && !is_fraction(text, last.end) &&
        is_grouped_as_card(found.groups) && is_of_card_network(found.digits) && has_luhn_sum(found.digits))
      return last.end;
    found.digits.resize(found.digits.size() - last.size);
  }
  return at;
}

void find_cards(std::string_view text, std::vector<Hit>& out) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!kDigits.has(text[at]) || (at > 0 && (kWordCharacters.has(text[at - 1]) || text[at - 1] == '.')))
      continue;
    const std::size_t end = end_of_card(text, at);
    if (end == at) continue;
    add(out, "card number", {at, end});
    at = end;
  }
}

struct Country {
  std::string_view code;
  std::size_t length;
};

constexpr std::array<Country, 44> kCountries{{
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"BA", 20}, {"BE", 16}, {"BG", 22}, {"CH", 21},
    {"CY", 28}, {"CZ", 24}, {"DE", 22}, {"DK", 18}, {"EE", 20}, {"ES", 24}, {"FI", 18}, {"FR", 27},
    {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GR", 27}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23},
    {"IS", 26}, {"IT", 27}, {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"MC", 27}, {"ME", 22},
    {"MK", 19}, {"MT", 31}, {"NL", 18}, {"NO", 15}, {"PL", 28}, {"PT", 25}, {"RO", 24}, {"RS", 22},
    {"SA", 24}, {"SE", 24}, {"SI", 19}, {"SK", 24},
}};

std::size_t iban_length(std::string_view code) {
  const auto* const country = std::ranges::find(kCountries, code, &Country::code);
  return country == kCountries.end() ? 0 : country->length;
}

void find_ibans(std::string_view text, std::vector<Hit>& out) {
  constexpr std::size_t kCode = 2;
  for (std::size_t at = 0; at + kCode < text.size(); ++at) {
    if (!kCapitals.has(text[at]) || !kCapitals.has(text[at + 1]) || !kDigits.has(text[at + kCode])) continue;
    if (at > 0 && kWordCharacters.has(text[at - 1])) continue;
    const std::size_t length = iban_length(text.substr(at, kCode));
    std::string number;
    std::size_t end = at;
    for (; end < text.size() && number.size() < length; ++end) {
      if (kIbanCharacters.has(text[end])) {
        number.push_back(text[end]);
      } else if (text[end] != ' ' || number.size() % 4 != 0) {
        break;
      }
    }
    if (length == 0 || number.size() != length || is_joined(text, {at, end}) || !is_iban(number)) continue;
    add(out, "IBAN", {at, end});
    at = end;
  }
}

// +49 30 901820, +1 (555) 010-9999
bool find_international(std::string_view text, std::size_t plus, std::vector<Hit>& out) {
  constexpr std::size_t kLeast = 8;
  constexpr std::size_t kMost = 15;
  if (plus > 0 && (kWordCharacters.has(text[plus - 1]) || text[plus - 1] == '+')) return false;
  std::size_t digits = 0;
  std::size_t end = plus + 1;
  std::size_t last = end;
  for (; end < text.size() && digits <= kMost; ++end) {
    if (kDigits.has(text[end])) {
      ++digits;
      last = end + 1;
    } else if (std::string_view(" -./()").find(text[end]) == std::string_view::npos || end - last >= 2) {
      break;
    }
  }
  const bool is_number =
      digits >= kLeast && digits <= kMost && kDigits.has(text[plus + 1]) && text[plus + 1] != '0';
  if (!is_number || is_joined(text, {plus, last})) return false;
  add(out, "telephone number", {plus, last});
  return true;
}

// (555) 010-9999, 555-010-9999, 555.010.9999
bool find_north_american(std::string_view text, std::size_t at, std::vector<Hit>& out) {
  const bool is_in_brackets = text[at] == '(';
  const std::size_t begin = at + (is_in_brackets ? 1 : 0);
  const auto digits = [&](std::size_t from, std::size_t count) {
    return from + count <= text.size() && kDigits.end_of_run(text.substr(from, count), 0) == count;
  };
  if (!digits(begin, 3)) return false;
  std::size_t next = begin + 3;
  char separator = '-';
  if (is_in_brackets) {
    if (text.substr(next, 2) != ") ") return false;
    next += 2;
  } else {
    if (next >= text.size() || (text[next] != '-' && text[next] != '.')) return false;
    separator = text[next++];
  }
  if (!digits(next, 3) || next + 3 >= text.size() || text[next + 3] != separator || !digits(next + 4, 4))
    return false;
  const Extent extent{at, next + 8};
  const bool goes_on = extent.end + 1 < text.size() && (text[extent.end] == '-' || text[extent.end] == '.') &&
                       kDigits.has(text[extent.end + 1]);
  const bool came_on = at > 1 && (text[at - 1] == '-' || text[at - 1] == '.') && kDigits.has(text[at - 2]);
  if (is_joined(text, extent) || goes_on || came_on || text[begin] < '2' || text[next] == '1') return false;
  add(out, "telephone number", extent);
  return true;
}

void find_phones(std::string_view text, std::vector<Hit>& out) {
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    const char c = text[at];
    bool found = false;
    if (c == '+') found = find_international(text, at, out);
    if (c == '(' || kDigits.has(c)) found = find_north_american(text, at, out);
    if (found) at = out.back().extent.end - 1;
  }
}

}  // namespace

bool has_luhn_sum(std::string_view digits) {
  int sum = 0;
  bool doubled = false;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, doubled = !doubled) {
    const int value = (*digit - '0') * (doubled ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return !digits.empty() && sum % 10 == 0;
}

bool is_iban(std::string_view number) {
  constexpr std::size_t kFront = 4;
  if (number.size() <= kFront || number.size() != iban_length(number.substr(0, 2))) return false;
  if (kIbanCharacters.end_of_run(number, 0) != number.size()) return false;
  const std::string turned = std::string(number.substr(kFront)).append(number.substr(0, kFront));
  int remainder = 0;
  for (const char c : turned) {
    const int value = kDigits.has(c) ? c - '0' : c - 'A' + 10;
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder == 1;
}

void find_personal_data(std::string_view text, const PersonalKinds& kinds, std::vector<Hit>& out) {
  if (kinds.email) find_emails(text, out);
  if (kinds.card) find_cards(text, out);
  if (kinds.iban) find_ibans(text, out);
  if (kinds.phone) find_phones(text, out);
}

}  // namespace chancery::redaction
