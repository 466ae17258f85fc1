#include "tests/vectors/drafts.hpp"

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::tests {
namespace {

std::string edited(const Edit& edit, std::string text) { return edit ? edit(std::move(text)) : text; }

SigningKey new_key(Algorithm algorithm) { return SigningKey::generate(algorithm).value(); }

TestKeys new_keys() {
  using enum Algorithm;
  TestKeys keys{new_key(kES256),
                new_key(kEd25519),
                new_key(kES256),
                new_key(kES256),
                new_key(kEd25519),
                new_key(kES256),
                {},
                {}};
  for (int hop = 0; hop < 6; ++hop) {
    keys.holders.push_back(new_key(hop % 2 == 0 ? kEd25519 : kES256));
    keys.ed_holders.push_back(new_key(kEd25519));
  }
  return keys;
}

}  // namespace

bool Utf16Less::operator()(std::string_view a, std::string_view b) const { return json::utf16_less(a, b); }

std::string object_text(const Members& members) {
  std::string out = "{";
  for (const auto& [name, value] : members) {
    if (value.empty()) continue;
    if (out.size() > 1) out += ',';
    out.append(quoted(name)).append(":").append(value);
  }
  return out += '}';
}

std::string quoted(std::string_view text) { return json::to_jcs(json::Node(text)); }

std::string Draft::compact() const {
  const std::string header_text = edited(edit_header, object_text(header));
  const std::string payload_text = edited(edit_payload, object_text(payload));
  const std::string input = edited(
      edit_input, base64url_encode(as_bytes(header_text)) + "." + base64url_encode(as_bytes(payload_text)));
  return edited(edit_compact, input + "." + base64url_encode(signer->sign(as_bytes(input)).value()));
}

const TestKeys& test_keys() {
  static const TestKeys keys = new_keys();
  return keys;
}

std::string parent_hash(std::string_view compact) {
  return base64url_encode(sha256(as_bytes(compact.substr(0, compact.rfind('.')))));
}

std::string with_signature(const std::string& compact, ByteView signature) {
  return compact.substr(0, compact.rfind('.') + 1) + base64url_encode(signature);
}

}  // namespace chancery::tests
