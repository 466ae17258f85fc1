#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/algorithm/string/case_conv.hpp>

#include "sdk/base/base64.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"

namespace chancery::tests {

/// A secret as somebody may have written it down.
struct SecretForm {
  std::string name;
  std::string text;
};

// What of base64 is the same wherever in a longer text the secret stands, behind `before` octets of three.
inline std::string base64_inside(std::string_view secret, std::size_t before) {
  const std::string encoded = base64_encode(as_bytes(std::string(before, '\0') + std::string(secret)));
  const std::size_t begin = before == 0 ? 0 : before + 1;
  return encoded.substr(begin, (before + secret.size()) * 8 / 6 - begin);
}

/// Each octet as two hexadecimal digits behind a prefix.
inline std::string escaped(std::string_view secret, std::string_view prefix, bool is_upper) {
  std::string out;
  for (const char c : secret) {
    const std::string digits = hex_encode(as_bytes(std::string_view(&c, 1)));
    out.append(prefix).append(is_upper ? boost::algorithm::to_upper_copy(digits) : digits);
  }
  return out;
}

/// Every form in which tests look for a secret: plain, hexadecimal, percent and JSON escapes in either case, base64 and
/// base64url wherever in a longer text it begins.
inline std::vector<SecretForm> forms_of_secret(std::string_view secret) {
  std::vector<SecretForm> forms{{"plain", std::string(secret)}};
  for (const bool is_upper : {false, true}) {
    forms.push_back({"hexadecimal", escaped(secret, "", is_upper)});
    forms.push_back({"percent", escaped(secret, "%", is_upper)});
    forms.push_back({"JSON escapes", escaped(secret, "\\u00", is_upper)});
  }
  for (std::size_t before = 0; before < 3; ++before) {
    std::string text = base64_inside(secret, before);
    forms.push_back({"base64", text});
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    forms.push_back({"base64url", text});
  }
  return forms;
}

/// The same secret in longer texts that were encoded as a whole: what an upstream echoes, and an agent smuggles.
inline std::vector<SecretForm> encodings_of(std::string_view secret) {
  std::vector<SecretForm> out = forms_of_secret(secret);
  std::erase_if(out, [](const SecretForm& form) { return form.name.starts_with("base64"); });
  for (std::size_t before = 0; before < 3; ++before) {
    const std::string text = std::string(before, 'x') + std::string(secret) + "xx";
    out.push_back({"base64", base64_encode(as_bytes(text))});
    out.push_back({"base64url", base64url_encode(as_bytes(text))});
  }
  return out;
}

/// The name of the first of these forms that stands in `text`; empty: none does.
inline std::string form_in(std::string_view text, std::string_view secret) {
  for (const SecretForm& form : forms_of_secret(secret)) {
    if (text.find(form.text) != std::string_view::npos) return form.name;
  }
  return {};
}

}  // namespace chancery::tests
