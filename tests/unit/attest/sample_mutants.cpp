// Accepted evidence of others with each digit of its base64 changed, and some added and left out.

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "sdk/cli/evidence_sample.hpp"
#include "sdk/json/reader.hpp"

namespace {

using namespace chancery;

const std::filesystem::path kFolder =
    std::filesystem::path(CHANCERY_SOURCE_DIR) / "tests/vectors/data/attestation";

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::size_t kStep = 3;  // digits: one of each octet or two

/// Members that hold octets of the evidence.
constexpr std::array<std::string_view, 14> kMembers{
    "ak_public",  "ak_cert",       "attest",    "signature", "nonce",  "parent_qualified_name",
    "key_public", "creation_data", "ek_public", "ak_name",   "secret", "seed",
    "id_object",  "leaf"};

std::string read(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool is_accepted(const std::string& text, const std::filesystem::path& file) {
  const auto verdict = cli::judge_sample_text(text, file);
  return verdict && verdict->accepted;
}

/// What no check covers: the rest of an AK's area where nothing says its Name, the rest of an AK's certificate where it
/// need not lead anywhere, and the rest of an EK's area, which its certificate says nothing about. What our own
/// verifier takes of hosts leaves none of it open (mutants.cpp).
bool is_open(std::string_view member, const json::Value& sample) {
  if (member == "ak_public") return sample.find("parent_qualified_name") == nullptr;
  if (member == "ak_cert") return sample.find("ak_roots") == nullptr;
  return member == "ek_public";
}

/// A sample, and the octets of one of its members within its text.
struct Target {
  std::filesystem::path file;
  const std::string& text;
  std::size_t from;
  std::size_t size;
};

std::vector<std::string> mutants(const Target& target) {
  std::vector<std::string> out;
  for (std::size_t at = target.from; at < target.from + target.size; at += kStep) {
    const std::size_t digit = kDigits.find(target.text[at]);
    if (digit == std::string_view::npos) continue;
    out.push_back(target.text);
    out.back()[at] = kDigits[digit ^ (1U << at % 6)];
  }
  out.push_back(std::string(target.text).insert(target.from, "AAAA"));
  out.push_back(std::string(target.text).erase(target.from, 4));
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sample_mutants)

BOOST_AUTO_TEST_CASE(nothing_that_a_check_covers_can_be_changed) {
  const std::string index_text = read(kFolder / "index.json");
  const auto index = json::Document::parse_borrowed(index_text).value();
  std::set<std::string_view> changed;
  for (const json::Value& row : index.root().items()) {
    if (row.find("verdict")->string() != "accept" || row.find("reason")->string() != "ok") continue;
    const std::filesystem::path file = kFolder / std::string(*row.find("file")->string());
    const std::string text = read(file);
    const auto document = json::Document::parse_borrowed(text).value();
    for (const std::string_view name : kMembers) {
      const json::Value* const member = document.root().find(name);
      const std::string_view digits = member == nullptr ? "" : member->string().value_or("");
      if (digits.empty() || is_open(name, document.root())) continue;
      changed.insert(name);
      const auto from = static_cast<std::size_t>(member->source().data() - text.data()) + 1;
      for (const std::string& mutant : mutants({file, text, from, digits.size()}))
        BOOST_REQUIRE_MESSAGE(!is_accepted(mutant, file), file.stem().string() << ": " << name);
    }
  }
  BOOST_TEST(changed.size() == kMembers.size() - 1);  // all but the area of an EK
}

BOOST_AUTO_TEST_SUITE_END()
