#include "daemon/service/amounts.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "sdk/json/number.hpp"

namespace chancery::service {
namespace {

using store::Millionths;

constexpr std::size_t kPlaces = 6;
constexpr Millionths kMost = std::numeric_limits<Millionths>::max();

/// A number that is not negative, cut off after six places.
struct Decimal {
  Millionths millionths = 0;
  bool is_exact = true;
  bool is_too_large = false;
};

// The canonical form has an exponent from 1e+21 on, which is too large, and below 1e-6, which is too fine.
Decimal read_decimal(double number) {
  std::string text;
  json::append_number(text, number);
  if (text.find("e+") != std::string::npos) return {.is_too_large = true};
  if (text.find("e-") != std::string::npos) return {.is_exact = false};
  const std::size_t dot = std::min(text.find('.'), text.size());
  std::string digits = text.substr(0, dot);
  std::string_view places = std::string_view(text).substr(std::min(dot + 1, text.size()));
  const bool is_exact = places.size() <= kPlaces;
  digits.append(places.substr(0, kPlaces));
  digits.append(kPlaces - std::min(places.size(), kPlaces), '0');
  Decimal decimal{.is_exact = is_exact};
  const auto [end, failure] =
      std::from_chars(digits.data(), digits.data() + digits.size(), decimal.millionths);
  decimal.is_too_large = failure != std::errc();
  return decimal;
}

}  // namespace

std::optional<Millionths> exact_millionths(double amount) {
  if (!std::isfinite(amount) || amount < 0) return std::nullopt;
  const Decimal decimal = read_decimal(amount);
  if (decimal.is_too_large || !decimal.is_exact) return std::nullopt;
  return decimal.millionths;
}

Millionths bound_millionths(double bound) {
  if (!(bound >= 0)) return -1;
  if (!std::isfinite(bound)) return kMost;
  const Decimal decimal = read_decimal(bound);
  return decimal.is_too_large ? kMost : decimal.millionths;
}

std::string amount_text(Millionths amount) {
  constexpr Millionths kUnit = 1'000'000;
  std::string places = std::to_string(amount % kUnit);
  places.insert(0, kPlaces - places.size(), '0');
  places.erase(places.find_last_not_of('0') + 1);
  return std::to_string(amount / kUnit) + (places.empty() ? "" : "." + places);
}

}  // namespace chancery::service
