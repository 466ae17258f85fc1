#include "tests/redaction/made_secrets.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "sdk/base/base64.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/base/percent.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::tests {
namespace {

constexpr std::string_view kDigits = "0123456789";

std::string alphanumeric(RandomSource& random, std::size_t size) {
  return random_text(random, kAlphanumeric, size);
}
std::string base64url(RandomSource& random, std::size_t size) {
  return random_text(random, kBase64UrlAlphabet, size);
}
std::string lower_hex(RandomSource& random, std::size_t size) { return random_text(random, kLowerHex, size); }

std::string jose_header(RandomSource& random) {
  return base64url_encode(as_bytes(R"({"alg":"ES256","kid":")" + alphanumeric(random, 8) + R"("})"));
}

MadeSecret jws(RandomSource& random) {
  return {{}, jose_header(random) + "." + base64url(random, 60) + "." + base64url(random, 86), {}};
}

MadeSecret jwe(RandomSource& random) {
  return {{},
          jose_header(random) + "." + base64url(random, 43) + "." + base64url(random, 16) + "." +
              base64url(random, 90) + "." + base64url(random, 22),
          {}};
}

MadeSecret pem(RandomSource& random) {
  std::string text = "-----BEGIN EC PRIVATE " + std::string("KEY-----\n");
  for (int line = 0; line < 3; ++line) text += random_text(random, kBase64Alphabet, 64) + "\n";
  return {{}, text + "-----END EC PRIVATE " + "KEY-----", {}};
}

MadeSecret random_token(RandomSource& random) {
  const std::size_t size = 24 + random.below(40);
  return {{}, random_text(random, random.once_in(2) ? kAlphanumeric : kBase64UrlAlphabet, size), {}};
}

MadeSecret card(RandomSource& random) {
  std::string digits = "4" + random_text(random, kDigits, 14);
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int value = (digits[digits.size() - 1 - i] - '0') * (i % 2 == 0 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  digits.push_back(static_cast<char>('0' + (10 - sum % 10) % 10));
  if (random.once_in(2)) return {{}, digits, {}};
  return {
      {},
      digits.substr(0, 4) + " " + digits.substr(4, 4) + " " + digits.substr(8, 4) + " " + digits.substr(12),
      {}};
}

MadeSecret iban(RandomSource& random) {
  const std::string account = random_text(random, kDigits, 18);
  int remainder = 0;
  for (const char c : account + "131400")
    remainder = (remainder * 10 + (c - '0')) % 97;  // D, E, and no check yet
  const int check = 98 - remainder;
  return {{}, "DE" + std::string(check < 10 ? "0" : "") + std::to_string(check) + account, {}};
}

MadeSecret email(RandomSource& random) {
  return {
      {}, "person." + lower_hex(random, 6) + "@mail" + random_text(random, kDigits, 2) + ".example.org", {}};
}

MadeSecret phone(RandomSource& random) {
  return {{}, "+49 30 " + random_text(random, kDigits, 4) + " " + random_text(random, kDigits, 4), {}};
}

// In two parts, so that no scanner of repositories takes this file for a leak.
std::string joined(std::string_view one, std::string_view other) { return std::string(one).append(other); }

const std::vector<SecretKind> kKinds{
    {"encrypted tokens (JWE)", jwe},
    {"signed tokens, chains and proofs (JWS, SD-JWT, DPoP)", jws},
    {"join tokens",
     [](RandomSource& r) {
       return MadeSecret{{}, joined("chancery-", "join-") + base64url(r, 43), {}};
     }},
    {"private keys in PEM", pem},
    {"`Authorization` values",
     [](RandomSource& r) {
       return MadeSecret{"Authorization: Digest ", alphanumeric(r, 20), {}};
     }},
    {"bearer, DPoP and basic credentials",
     [](RandomSource& r) {
       return MadeSecret{"Bearer ", alphanumeric(r, 40), {}};
     }},
    {"cookies",
     [](RandomSource& r) {
       return MadeSecret{"Set-Cookie: ", "sid=" + alphanumeric(r, 24), "\r\n"};
     }},
    {"passwords in URLs",
     [](RandomSource& r) {
       return MadeSecret{"postgresql://app:", alphanumeric(r, 12), "@db.example.org:5432/app"};
     }},
    {"PINs in PKCS#11 URIs",
     [](RandomSource& r) {
       return MadeSecret{"pkcs11:token=t?pin-value=", random_text(r, kDigits, 8), {}};
     }},
    {"values named as passwords, keys or tokens",
     [](RandomSource& r) {
       return MadeSecret{"client_secret=", alphanumeric(r, 18), {}};
     }},
    {"environment variables named as secrets",
     [](RandomSource& r) {
       return MadeSecret{"DB_PASSWORD=", alphanumeric(r, 14), {}};
     }},
    {"AWS access key ids",
     [](RandomSource& r) {
       return MadeSecret{{}, joined("AK", "IA") + random_text(r, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16), {}};
     }},
    {"AWS secret keys",
     [](RandomSource& r) {
       return MadeSecret{"aws_secret_access_key = ", random_text(r, kAlphanumeric, 40), {}};
     }},
    {"Azure keys in connection strings",
     [](RandomSource& r) {
       return MadeSecret{"AccountName=example;AccountKey=", random_text(r, kBase64Alphabet, 86) + "==", {}};
     }},
    {"Azure shared access signatures",
     [](RandomSource& r) {
       return MadeSecret{
           "https://example.blob.core.windows.net/c/b?sv=2022-11-02&sig=", alphanumeric(r, 43) + "%3D", {}};
     }},
    {"Azure client secrets",
     [](RandomSource& r) {
       return MadeSecret{{}, alphanumeric(r, 3) + "8Q~" + alphanumeric(r, 34), {}};
     }},
    {"GitHub tokens",
     [](RandomSource& r) {
       return MadeSecret{{}, joined("gh", "p_") + alphanumeric(r, 36), {}};
     }},
    {"GitLab tokens",
     [](RandomSource& r) {
       return MadeSecret{{}, joined("gl", "pat-") + base64url(r, 20), {}};
     }},
    {"Slack tokens and web hooks",
     [](RandomSource& r) {
       return MadeSecret{
           {}, joined("xo", "xb-") + random_text(r, kDigits, 12) + "-" + alphanumeric(r, 24), {}};
     }},
    {"Stripe keys",
     [](RandomSource& r) {
       return MadeSecret{{}, joined("sk_", "live_") + alphanumeric(r, 24), {}};
     }},
    {"Google keys and tokens",
     [](RandomSource& r) {
       return MadeSecret{{}, joined("AI", "za") + base64url(r, 35), {}};
     }},
    {"OpenAI and Anthropic keys",
     [](RandomSource& r) {
       return MadeSecret{{}, joined("sk-", r.once_in(2) ? "ant-api03-" : "proj-") + alphanumeric(r, 60), {}};
     }},
    {"Twilio keys",
     [](RandomSource& r) {
       return MadeSecret{{}, joined("S", "K") + lower_hex(r, 32), {}};
     }},
    {"SendGrid keys",
     [](RandomSource& r) {
       return MadeSecret{{}, joined("S", "G.") + base64url(r, 22) + "." + base64url(r, 43), {}};
     }},
    {"npm tokens",
     [](RandomSource& r) {
       return MadeSecret{{}, joined("np", "m_") + alphanumeric(r, 36), {}};
     }},
    {"PyPI tokens",
     [](RandomSource& r) {
       return MadeSecret{{}, joined("py", "pi-AgEIcHlwaS5vcmc") + base64url(r, 120), {}};
     }},
    {"Hugging Face tokens",
     [](RandomSource& r) {
       return MadeSecret{{}, joined("h", "f_") + alphanumeric(r, 34), {}};
     }},
    {"DigitalOcean tokens",
     [](RandomSource& r) {
       return MadeSecret{{}, joined("do", "p_v1_") + lower_hex(r, 64), {}};
     }},
    {"Telegram bots' tokens",
     [](RandomSource& r) {
       return MadeSecret{{}, "1" + random_text(r, kDigits, 8) + joined(":A", "A") + base64url(r, 33), {}};
     }},
    {"Discord bots' tokens",
     [](RandomSource& r) {
       const std::string id = base64url_encode(as_bytes("1" + random_text(r, kDigits, 17)));
       return MadeSecret{{}, id + "." + alphanumeric(r, 6) + "." + alphanumeric(r, 38), {}};
     }},
    {"Discord web hooks",
     [](RandomSource& r) {
       return MadeSecret{
           "https://discord.com/api/webhooks/1" + random_text(r, kDigits, 17) + "/", base64url(r, 68), {}};
     }},
    {"HashiCorp Vault tokens",
     [](RandomSource& r) {
       return MadeSecret{{}, joined("hv", "s.") + alphanumeric(r, 28), {}};
     }},
    {"Shopify tokens",
     [](RandomSource& r) {
       return MadeSecret{{}, joined("shp", "at_") + lower_hex(r, 32), {}};
     }},
    {"age identities",
     [](RandomSource& r) {
       return MadeSecret{
           {}, joined("AGE-SECRET-", "KEY-1") + random_text(r, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58), {}};
     }},
    {"as good as random", random_token},
    {"e-mail address", email},
    {"card number", card},
    {"IBAN", iban},
    {"telephone number", phone},
};

std::string escaped(std::string_view value, const char* format) {
  std::string out;
  for (const char c : value) {
    std::array<char, 16> buffer{};
    std::snprintf(buffer.data(), buffer.size(), format, static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += buffer.data();
  }
  return out;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

std::string json_string(std::string_view value) {
  std::string out;
  json::append_string(out, value);
  return out.substr(1, out.size() - 2);
}

void add_whole(std::vector<WrittenForm>& out, std::string form, std::string text) {
  // Padding says nothing.
  const std::size_t end = text.find_last_not_of('=') + 1;
  out.push_back({std::move(form), std::move(text), 0, end});
}

// Within a longer text that was encoded, behind so many octets.
void add_inside(std::vector<WrittenForm>& out, std::string_view value, std::size_t in_front) {
  const std::string longer =
      std::string("user:name:").substr(0, 7 + in_front) + std::string(value) + "; and more";
  const std::size_t begin = 7 + in_front;
  const std::size_t first = begin * 8 / 6;
  const std::size_t last = ((begin + value.size()) * 8 - 1) / 6;
  out.push_back({"base64 behind " + std::to_string(begin) + " octets", base64_encode(as_bytes(longer)), first,
                 last + 1});
  out.push_back({"base64url behind " + std::to_string(begin) + " octets", base64url_encode(as_bytes(longer)),
                 first, last + 1});
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

}  // namespace

const std::vector<SecretKind>& secret_kinds() { return kKinds; }

std::string random_text(RandomSource& random, std::string_view alphabet, std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out.push_back(alphabet[random.below(alphabet.size())]);
  return out;
}

std::vector<WrittenForm> written_forms(std::string_view value) {
  std::vector<WrittenForm> out;
  add_whole(out, "plain", std::string(value));
  add_whole(out, "backwards", std::string(value.rbegin(), value.rend()));
  add_whole(out, "base64", base64_encode(as_bytes(value)));
  add_whole(out, "base64url", base64url_encode(as_bytes(value)));
  for (std::size_t in_front = 0; in_front < 3; ++in_front) add_inside(out, value, in_front);
  add_whole(out, "hex", hex_encode(as_bytes(value)));
  add_whole(out, "upper-case hex", upper(hex_encode(as_bytes(value))));
  const std::string pairs = escaped(value, "%02x:");
  add_whole(out, "hex with colons", pairs.substr(0, pairs.size() - 1));
  add_whole(out, "all percent", escaped(value, "%%%02X"));
  add_whole(out, "all percent, small digits", escaped(value, "%%%02x"));
  add_whole(out, "reserved percent", percent_encode(value));
  add_whole(out, "percent twice", percent_encode(percent_encode(value)));
  add_whole(out, "form", replaced(percent_encode(value), "%20", "+"));
  add_whole(out, "JSON", json_string(value));
  add_whole(out, "JSON with escaped solidus", replaced(json_string(value), "/", "\\/"));
  add_whole(out, "JSON all escaped", escaped(value, "\\u%04x"));
  add_whole(out, "JSON in JSON", json_string(json_string(value)));
  add_whole(out, "C", escaped(value, "\\x%02x"));
  add_whole(out, "octal", escaped(value, "\\%03o"));
  add_whole(out, "HTML numbers", escaped(value, "&#%u;"));
  add_whole(out, "HTML hex", escaped(value, "&#x%X;"));
  add_whole(out, "HTML names",
            replaced(replaced(replaced(std::string(value), "&", "&amp;"), "<", "&lt;"), "\"", "&quot;"));
  add_whole(out, "base64 of base64", base64_encode(as_bytes(base64url_encode(as_bytes(value)))));
  add_whole(out, "hex of base64", hex_encode(as_bytes(base64url_encode(as_bytes(value)))));
  const std::string standard = base64_encode(as_bytes(value));
  add_whole(out, "percent of base64", percent_encode(standard.substr(0, standard.find('='))));
  return out;
}

}  // namespace chancery::tests
