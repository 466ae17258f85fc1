#include "hsm/pkcs11/uri.hpp"

#include <array>
#include <optional>
#include <set>

namespace chancery::hsm {
namespace {

constexpr std::string_view kScheme = "pkcs11:";
constexpr std::size_t kLongest = 2048;

Error invalid(const char* what) { return Error{ErrorCode::kInvalidArgument, what}; }

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// RFC 7512 section 2.3: pk11-pchar, and pk11-qchar, which has '/', '?' and '|' but not '&'.
bool may_stand(char c, bool in_query) {
  constexpr std::string_view kBoth = ":[]@!$'()*+,=";
  const std::string_view also = in_query ? "/?|" : "&";
  return is_unreserved(c) || kBoth.find(c) != std::string_view::npos ||
         also.find(c) != std::string_view::npos;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode(std::string_view text, bool in_query) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!may_stand(text[i], in_query)) return std::nullopt;
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return out;
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto octet = static_cast<std::uint8_t>(c);
  out += {'%', kDigits[octet >> 4], kDigits[octet & 0xF]};
}

std::string encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      append_escaped(out, c);
    }
  }
  return out;
}

/// Reads the attributes of one URI.
class Reader {
 public:
  Status read(std::string_view attributes, char separator, bool in_query) {
    while (!attributes.empty()) {
      const std::size_t end = attributes.find(separator);
      CHANCERY_TRY(read_one(attributes.substr(0, end), in_query));
      if (end == std::string_view::npos) return {};
      attributes.remove_prefix(end + 1);
      if (attributes.empty()) return invalid("the URI ends with a separator: an attribute is missing");
    }
    return {};
  }

  [[nodiscard]] const Pkcs11Uri& uri() const noexcept { return uri_; }

 private:
  Status read_one(std::string_view attribute, bool in_query) {
    const std::size_t equals = attribute.find('=');
    if (equals == std::string_view::npos) return invalid("an attribute of the URI has no value");
    const std::string_view name = attribute.substr(0, equals);
    if (name == "pin-value" || name == "pin-source") {
      return invalid("a URI may not carry a PIN: put it into a file, and name that with pin_file");
    }
    if (!seen_.insert(name).second) return invalid("an attribute stands in the URI twice");
    const auto value = decode(attribute.substr(equals + 1), in_query);
    if (!value) return invalid("a value in the URI is not percent-encoded as RFC 7512 has it");
    if (value->empty()) return invalid("an attribute of the URI is empty: leave it out");
    return store(name, *value, in_query);
  }

  Status store(std::string_view name, const std::string& value, bool in_query) {
    if (!in_query && name == "id") {
      uri_.id.assign(value.begin(), value.end());
      return {};
    }
    std::string* const place = in_query ? query_place(name) : path_place(name);
    if (place == nullptr) {
      return invalid(
          "the URI has an attribute that is not understood: use token, manufacturer, model, serial");
    }
    *place = value;
    return {};
  }

  std::string* path_place(std::string_view name) {
    const std::array<std::pair<std::string_view, std::string*>, 5> places{
        {{"token", &uri_.token},
         {"manufacturer", &uri_.manufacturer},
         {"model", &uri_.model},
         {"serial", &uri_.serial},
         {"object", &uri_.object}}};
    for (const auto& [known, place] : places) {
      if (known == name) return place;
    }
    return nullptr;
  }
  std::string* query_place(std::string_view name) {
    return name == "module-path" ? &uri_.module_path : nullptr;
  }

  Pkcs11Uri uri_;
  std::set<std::string_view> seen_;
};

}  // namespace

Result<Pkcs11Uri> Pkcs11Uri::parse(std::string_view text) {
  if (!text.starts_with(kScheme)) return invalid("a PKCS#11 URI begins with \"pkcs11:\"");
  if (text.size() > kLongest) return invalid("the URI is longer than 2048 octets");
  text.remove_prefix(kScheme.size());
  const std::size_t question = text.find('?');
  Reader reader;
  CHANCERY_TRY(reader.read(text.substr(0, question), ';', false));
  if (question != std::string_view::npos) CHANCERY_TRY(reader.read(text.substr(question + 1), '&', true));
  return reader.uri();
}

std::string Pkcs11Uri::text() const {
  std::string out;
  const auto add = [&out](std::string_view name, std::string_view encoded) {
    if (encoded.empty()) return;
    if (!out.empty()) out += ';';
    out += std::string(name) + "=" + std::string(encoded);
  };
  add("token", encode(token));
  add("manufacturer", encode(manufacturer));
  add("model", encode(model));
  add("serial", encode(serial));
  add("object", encode(object));
  std::string escaped_id;
  for (const std::uint8_t octet : id) append_escaped(escaped_id, static_cast<char>(octet));
  add("id", escaped_id);
  if (!module_path.empty()) out += "?module-path=" + encode(module_path);
  return std::string(kScheme) + out;
}

}  // namespace chancery::hsm
