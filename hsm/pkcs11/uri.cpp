#include "hsm/pkcs11/uri.hpp"

#include <array>
#include <optional>
#include <set>

#include "sdk/base/percent.hpp"

namespace chancery::hsm {
namespace {

constexpr std::string_view kScheme = "pkcs11:";
constexpr std::size_t kLongest = 2048;

Error invalid(const char* what) { return Error{ErrorCode::kInvalidArgument, what}; }

// RFC 7512 section 2.3: pk11-pchar, and pk11-qchar, which has '/', '?' and '|' but not '&'.
bool may_stand(char c, bool in_query) {
  constexpr std::string_view kBoth = ":[]@!$'()*+,=";
  const std::string_view also = in_query ? "/?|" : "&";
  return is_unreserved(c) || kBoth.find(c) != std::string_view::npos ||
         also.find(c) != std::string_view::npos;
}

std::optional<std::string> decode(std::string_view text, bool in_query) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!may_stand(text[i], in_query)) return std::nullopt;
      out += text[i];
      continue;
    }
    const auto decoded = decode_escape(text.substr(i));
    if (!decoded) return std::nullopt;
    out += *decoded;
    i += 2;
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
  // What we write, we read.
  if (reader.uri().text().size() > kLongest)
    return invalid("the URI is longer than 2048 octets with all of its escapes");
  return reader.uri();
}

std::string Pkcs11Uri::text() const {
  std::string out;
  const auto add = [&out](std::string_view name, std::string_view encoded) {
    if (encoded.empty()) return;
    if (!out.empty()) out += ';';
    out += std::string(name) + "=" + std::string(encoded);
  };
  add("token", percent_encode(token));
  add("manufacturer", percent_encode(manufacturer));
  add("model", percent_encode(model));
  add("serial", percent_encode(serial));
  add("object", percent_encode(object));
  std::string escaped_id;
  for (const std::uint8_t octet : id) escaped_id += percent_escape(static_cast<char>(octet));
  add("id", escaped_id);
  if (!module_path.empty()) out += "?module-path=" + percent_encode(module_path);
  return std::string(kScheme) + out;
}

}  // namespace chancery::hsm
