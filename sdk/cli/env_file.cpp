#include "sdk/cli/env_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "sdk/base/cleanse.hpp"
#include "sdk/base/name.hpp"

namespace chancery::cli {
namespace {

constexpr const char* kNoVariable = "is no NAME=VALUE";
constexpr const char* kUnended = "its quote does not end";
constexpr const char* kBehindQuote = "something stands behind its quote";
constexpr const char* kRefers = "it refers to another variable, which is not put together here";
constexpr const char* kTwice = "stands in the file before";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool is_variable(std::string_view name) {
  return !name.empty() && is_letter(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_letter(c) || is_digit(c); });
}

std::string_view trimmed_blank(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

// `$NAME` or `${`, as shells and the readers of these files take it.
bool begins_reference(std::string_view text) {
  return text.size() > 1 && text[0] == '$' && (is_letter(text[1]) || text[1] == '{' || text[1] == '(');
}

/// Reads one file from its beginning to its end.
class EnvReader {
 public:
  explicit EnvReader(std::string_view text) : rest_(text) {}

  std::vector<EnvLine> read() {
    while (!rest_.empty()) read_line();
    return std::move(found_);
  }

 private:
  void read_line() {
    const std::size_t line = line_;
    const std::string_view whole = rest_.substr(0, rest_.find('\n'));
    std::string_view content = trimmed_blank(whole);
    if (content.empty() || content.front() == '#') return skip_line();
    if (content.starts_with("export ")) content = trimmed_blank(content.substr(7));
    const std::size_t equals = content.find('=');
    const std::string_view name = trimmed_blank(content.substr(0, equals));
    if (equals == std::string_view::npos || !is_variable(name)) {
      found_.push_back({.line = line, .problem = kNoVariable});
      return skip_line();
    }
    EnvLine out{.line = line, .name = std::string(name)};
    rest_.remove_prefix(static_cast<std::size_t>(content.data() + equals + 1 - rest_.data()));
    std::string value;
    out.problem = read_value(value);
    if (!names_.insert(out.name).second && out.problem == nullptr) out.problem = kTwice;
    out.suspicion = suspicion_about(out.name, value);
    out.value = SecretBytes(as_bytes(value));
    cleanse(value);
    found_.push_back(std::move(out));
  }

  void skip_line() {
    const std::size_t end = rest_.find('\n');
    if (end != std::string_view::npos) ++line_;
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  }

  // \return what is wrong, or null
  const char* read_value(std::string& value) {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    value.reserve(rest_.size());  // never moved: no part of it is left behind
    if (!rest_.empty() && (rest_.front() == '"' || rest_.front() == '\'')) return read_quoted(value);
    return read_plain(value);
  }

  const char* read_plain(std::string& value) {
    std::string_view text = rest_.substr(0, rest_.find('\n'));
    for (std::size_t i = 1; i < text.size(); ++i) {
      if (text[i] == '#' && is_blank(text[i - 1])) text = text.substr(0, i);
    }
    if (text.starts_with('#')) text = {};
    value = trimmed_blank(text);
    skip_line();
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (begins_reference(std::string_view(value).substr(i))) return kRefers;
    }
    return nullptr;
  }

  const char* read_quoted(std::string& value) {
    const char quote = rest_.front();
    rest_.remove_prefix(1);
    bool refers = false;
    while (!rest_.empty() && rest_.front() != quote) {
      if (quote == '"' && begins_reference(rest_)) refers = true;
      value += quote == '"' && rest_.front() == '\\' ? unescaped() : next();
    }
    if (rest_.empty()) return kUnended;
    rest_.remove_prefix(1);
    const std::string_view behind = trimmed_blank(rest_.substr(0, rest_.find('\n')));
    skip_line();
    if (!behind.empty() && behind.front() != '#') return kBehindQuote;
    return refers ? kRefers : nullptr;
  }

  char next() {
    const char c = rest_.front();
    if (c == '\n') ++line_;
    rest_.remove_prefix(1);
    return c;
  }

  // A backslash and what it stands before; before anything else it stands for itself.
  char unescaped() {
    constexpr std::string_view kEscaped = "nrt\"\\$";
    constexpr std::string_view kMeant = "\n\r\t\"\\$";
    const std::size_t known = rest_.size() > 1 ? kEscaped.find(rest_[1]) : std::string_view::npos;
    if (known == std::string_view::npos) return next();
    rest_.remove_prefix(2);
    return kMeant[known];
  }

  std::string_view rest_;
  std::size_t line_ = 1;
  std::set<std::string> names_;
  std::vector<EnvLine> found_;
};

// In bits for each character: text has some four, random letters and digits have five and more.
double entropy(std::string_view text) {
  std::array<double, 256> counts{};
  for (const char c : text) counts[static_cast<unsigned char>(c)] += 1;
  double bits = 0;
  for (const double count : counts) {
    if (count > 0)
      bits -= count / static_cast<double>(text.size()) * std::log2(count / static_cast<double>(text.size()));
  }
  return bits;
}

bool is_random_looking(std::string_view value) {
  constexpr std::size_t kLong = 20;
  constexpr double kMuch = 3.5;
  const auto is_token = [](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '+' || c == '/' || c == '=' || c == '.';
  };
  return value.size() >= kLong && std::ranges::all_of(value, is_token) &&
         std::ranges::any_of(value, is_digit) && value.find("/") != 0 &&
         value.find("..") == std::string_view::npos && entropy(value) >= kMuch;
}

// scheme://user:password@host
bool has_password(std::string_view value) {
  const std::size_t scheme = value.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view rest = value.substr(scheme + 3, value.find('/', scheme + 3) - scheme - 3);
  const std::size_t at = rest.rfind('@');
  return at != std::string_view::npos && rest.substr(0, at).find(':') < at - 1;
}

}  // namespace

std::vector<EnvLine> read_env_file(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return EnvReader(text).read();
}

const char* suspicion_about(std::string_view name, std::string_view value) {
  constexpr std::array<std::string_view, 9> kNames{"SECRET", "PASSWORD", "PASSWD",  "PASSPHRASE", "TOKEN",
                                                   "APIKEY", "API_KEY",  "PRIVATE", "CREDENTIAL"};
  constexpr std::array<std::string_view, 9> kBeginnings{"sk-",  "sk_live_", "sk_test_", "AKIA",  "ASIA",
                                                        "ghp_", "github_",  "xox",      "glpat-"};
  if (value.empty()) return nullptr;
  if (value.find("-----BEGIN ") != std::string_view::npos) return "it holds a PEM block";
  if (value.find("\"private_key\"") != std::string_view::npos) return "it holds a private key";
  if (has_password(value)) return "it is an address with a password";
  const auto begins = [&](std::string_view beginning) { return value.starts_with(beginning); };
  if (std::ranges::any_of(kBeginnings, begins)) return "it begins as a known kind of key does";
  if (value.starts_with("eyJ") && std::ranges::count(value, '.') >= 2)
    return "it looks like a JSON Web Token";
  const std::string upper_name = upper(name);
  const auto says = [&](std::string_view word) { return upper_name.find(word) != std::string::npos; };
  if (std::ranges::any_of(kNames, says) || upper_name.ends_with("_KEY") || upper_name.ends_with("_PWD"))
    return "its name says so";
  return is_random_looking(value) ? "it is long and looks random" : nullptr;
}

std::string credential_name_for(std::string_view variable) {
  std::string out;
  for (const char c : variable) {
    if (c == '_') {
      if (!out.empty()) out += '-';
    } else {
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  while (out.ends_with('-')) out.pop_back();
  return is_name(out) ? out : std::string();
}

std::string_view credential_type_for(std::string_view name, std::string_view value) {
  const std::string upper_name = upper(name);
  const auto says = [&](std::string_view word) { return upper_name.find(word) != std::string::npos; };
  if (value.find("\"private_key\"") != std::string_view::npos ||
      value.find("-----BEGIN ") != std::string_view::npos)
    return "service_account_key";
  if (says("PASSWORD") || says("PASSWD") || says("PWD") || says("PASSPHRASE")) return "password";
  return says("CLIENT_SECRET") ? "client_secret" : "api_key";
}

}  // namespace chancery::cli
