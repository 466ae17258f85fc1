#include "sdk/verify/status_list_writer.hpp"

#include <array>
#include <map>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/token/jws.hpp"
#include "tests/unit/sdk/random_source.hpp"
#include "tests/vectors/source_files.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr sys_seconds kSignedAt{seconds{1'800'000'000}};

std::string sign(const StatusList& list, const SigningKey& key) {
  const std::string input = status_list_signing_input(list, kSignedAt, key.public_key()).value();
  return input + "." + base64url_encode(key.sign(as_bytes(input)).value());
}

Result<StatusList> read_back(const std::string& compact, const SigningKey& key) {
  const std::vector<VerifyKey> keys{VerifyKey::from(key.public_key()).value()};
  CHANCERY_ASSIGN(SignedStatusList opened, open_status_list(compact, keys));
  return std::move(opened.list);
}

// A list that holds just this `lst`, whoever compressed it.
StatusList list_of(unsigned bits, std::string_view lst) {
  const SigningKey key = SigningKey::generate(Algorithm::kES256).value();
  const json::Node header = json::Node::object({{"alg", "ES256"}, {"typ", "statuslist+jwt"}});
  const json::Node payload = json::Node::object(
      {{"sub", "u"}, {"ttl", 60}, {"status_list", json::Node::object({{"bits", bits}, {"lst", lst}})}});
  const std::string input = signing_input_of(header, payload);
  return read_back(input + "." + base64url_encode(key.sign(as_bytes(input)).value()), key).value();
}

// The lists of the draft: the examples of section 4.1 and the test vectors of its appendix.
json::Document published_lists() { return read_source_json("tests/vectors/data/status_lists.json"); }

std::uint64_t number(const json::Value& object, std::string_view name) {
  return static_cast<std::uint64_t>(object.find(name)->integer().value());
}

std::vector<StatusEntry> entries_of(const json::Value& row) {
  std::vector<StatusEntry> entries;
  for (const json::Value& entry : row.find("entries")->items()) {
    entries.push_back({static_cast<std::uint64_t>(entry.items()[0].integer().value()),
                       static_cast<unsigned>(entry.items()[1].integer().value())});
  }
  return entries;
}

constexpr std::array<unsigned, 4> kWidths{1, 2, 4, 8};

}  // namespace

BOOST_AUTO_TEST_SUITE(status_list_writer)

BOOST_AUTO_TEST_CASE(statuses_are_packed_as_the_draft_packs_them) {
  const json::Document published = published_lists();
  const auto& rows = published.root().find("lists")->items();
  BOOST_TEST(rows.size() == 6u);
  for (const json::Value& row : rows) {
    const auto bits = static_cast<unsigned>(number(row, "bits"));
    const Bytes packed = pack_statuses(entries_of(row), number(row, "size"), bits).value();
    const bool same = packed == list_of(bits, *row.find("lst")->string()).statuses;
    BOOST_TEST(same, std::string(*row.find("name")->string()));
  }
}

BOOST_DATA_TEST_CASE(what_is_written_is_read_back, data::make(kWidths), bits) {
  const SigningKey key = SigningKey::generate(Algorithm::kES256).value();
  constexpr std::uint64_t kSize = 1001;  // no whole number of octets
  RandomSource random(bits);
  std::map<std::uint64_t, unsigned> wanted;
  for (int i = 0; i < 300; ++i) wanted[random.below(kSize)] = static_cast<unsigned>(random.below(1u << bits));
  std::vector<StatusEntry> entries;
  for (const auto& [index, status] : wanted) entries.push_back({index, status});
  const StatusList list{"https://issuer.example/v1/status-lists/1", std::nullopt, 1'800'000'120.0, 60.0, bits,
                        pack_statuses(entries, kSize, bits).value()};
  const StatusList read = read_back(sign(list, key), key).value();
  BOOST_TEST(read.subject == list.subject);
  BOOST_TEST((read.exp == list.exp && read.ttl == list.ttl));
  BOOST_TEST(read.bits == bits);
  for (std::uint64_t index = 0; index < kSize; ++index) {
    const auto found = wanted.find(index);
    BOOST_TEST((read.at(index) == (found == wanted.end() ? 0u : found->second)), "index " << index);
  }
}

BOOST_AUTO_TEST_CASE(of_two_statuses_of_one_token_the_later_counts) {
  const std::vector<StatusEntry> entries{{5, 3}, {5, 1}};
  BOOST_TEST((pack_statuses(entries, 8, 2).value() == Bytes{0x00, 0x04}));
}

BOOST_AUTO_TEST_CASE(a_changed_list_does_not_verify) {
  const SigningKey key = SigningKey::generate(Algorithm::kES256).value();
  const SigningKey other = SigningKey::generate(Algorithm::kES256).value();
  const std::string compact = sign({"u", {}, {}, 60.0, 1, {0x00}}, key);
  BOOST_TEST((read_back(compact, other).error().code == ErrorCode::kSignatureInvalid));
  BOOST_TEST(read_back(compact, key).has_value());
}

/// Entries that no list has.
struct Unfit {
  const char* name;
  StatusEntry entry;
  std::uint64_t size;
  unsigned bits;
  ErrorCode code;
};
std::ostream& operator<<(std::ostream& out, const Unfit& row) { return out << row.name; }

constexpr std::array kUnfit{
    Unfit{"beyond the end", {8, 1}, 8, 1, ErrorCode::kInvalidArgument},
    Unfit{"too wide", {0, 4}, 8, 2, ErrorCode::kInvalidArgument},
    Unfit{"three bits", {0, 1}, 8, 3, ErrorCode::kInvalidArgument},
    Unfit{"no bits", {0, 0}, 8, 0, ErrorCode::kInvalidArgument},
    Unfit{"more than is read", {0, 1}, (std::uint64_t{kMaxStatusListBytes} + 1) * 4, 2, ErrorCode::kTooLarge},
};

BOOST_DATA_TEST_CASE(what_no_list_can_hold_is_refused, data::make(kUnfit), row) {
  const std::array entries{row.entry};
  BOOST_TEST((pack_statuses(entries, row.size, row.bits).error().code == row.code));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
