#include "sdk/cli/trust_file.hpp"

#include <array>
#include <chrono>
#include <fstream>
#include <map>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/daemon/temporary_folder.hpp"

namespace {

using namespace chancery;
using namespace chancery::cli;
using chancery::testing::TemporaryFolder;

// Public keys of RFC 8037 appendix A and RFC 7517 appendix A.1.
const std::string kKeyA =
    R"({"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
const std::string kKeyANamed =
    R"({"alg":"Ed25519","crv":"Ed25519","kid":"1","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
const std::string kKeyB =
    R"({"crv":"P-256","kty":"EC","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"})";

std::string anchor(const std::string& iss, const std::string& keys, const std::string& more = {}) {
  return R"({"iss":")" + iss + R"(","keys":[)" + keys + "]" + more + "}";
}
std::string trust(const std::string& anchors, const std::string& more = {}) {
  return R"({"anchors":[)" + anchors + "]" + more + "}";
}

client::Environment variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? nullptr : found->second.c_str();
  };
}

/// A configuration folder that holds a trust file.
struct Home {
  TemporaryFolder folder;
  std::filesystem::path file = folder.path() / "chancery" / "trust.json";
  client::Environment environment = variables({{"XDG_CONFIG_HOME", folder.path().string()}});

  explicit Home(const std::string& text) {
    std::filesystem::create_directory(file.parent_path());
    std::filesystem::permissions(file.parent_path(), std::filesystem::perms::owner_all);
    write(file, text);
    std::filesystem::permissions(file, std::filesystem::perms{0600});
  }
  static void write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path) << text;
  }
  std::string other(const std::string& name, const std::string& text) {
    write(folder.path() / name, text);
    return folder.path() / name;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(trust_file)

BOOST_AUTO_TEST_CASE(the_default_place_follows_xdg) {
  BOOST_TEST(default_trust_path(variables({{"XDG_CONFIG_HOME", "/x"}, {"HOME", "/h"}})).value() ==
             "/x/chancery/trust.json");
  BOOST_TEST(default_trust_path(variables({{"HOME", "/h"}})).value() == "/h/.config/chancery/trust.json");
  BOOST_TEST(default_trust_path(variables({{"XDG_CONFIG_HOME", ""}, {"HOME", "/h"}})).value() ==
             "/h/.config/chancery/trust.json");
  BOOST_TEST(default_trust_path(variables({{"XDG_CONFIG_HOME", "x"}, {"HOME", "/h"}})).value() ==
             "/h/.config/chancery/trust.json");
}

BOOST_AUTO_TEST_CASE(the_default_file_is_read_when_nothing_is_named) {
  const Home home(trust(anchor("https://a", kKeyA)));
  BOOST_TEST(load_trust({}, home.environment).value().anchors.size() == 1U);
}

BOOST_AUTO_TEST_CASE(named_files_come_in_the_place_of_the_default_and_together) {
  Home home("nonsense");
  const std::string a =
      home.other("a.json", trust(anchor("https://a", kKeyA), R"(,"issuers":[)" + kKeyB + "]"));
  const std::string b = home.other("b.json", trust(anchor("https://b", kKeyB)));
  const auto both = load_trust({a, b}, home.environment);
  BOOST_REQUIRE(both);
  BOOST_TEST(both->anchors.size() == 2U);
  BOOST_TEST(both->issuers.size() == 1U);
  const auto named =
      load_trust({}, variables({{"CHANCERY_TRUST", b}, {"XDG_CONFIG_HOME", home.folder.path().string()}}));
  BOOST_REQUIRE(named);
  BOOST_TEST(named->anchors.front().iss.value() == "https://b");
  const auto given = load_trust({a}, variables({{"CHANCERY_TRUST", b}}));
  BOOST_REQUIRE(given);
  BOOST_TEST(given->anchors.front().iss.value() == "https://a");
}

BOOST_AUTO_TEST_CASE(no_file_and_no_anchor_are_no_trust) {
  const TemporaryFolder empty;
  BOOST_TEST(load_trust({}, variables({{"XDG_CONFIG_HOME", empty.path().string()}})).error().code ==
             "no_trust");
  const Home home(trust(""));
  BOOST_TEST(load_trust({}, home.environment).error().code == "no_trust");
  BOOST_TEST(load_trust({"/nonexistent/trust.json"}, home.environment).error().code == "file_unreadable");
}

BOOST_AUTO_TEST_CASE(a_default_file_that_others_may_write_is_refused) {
  using std::filesystem::perms;
  Home home(trust(anchor("https://a", kKeyA)));
  for (const perms mode : {perms{0620}, perms{0602}}) {
    std::filesystem::permissions(home.file, mode);
    BOOST_TEST(load_trust({}, home.environment).error().code == "file_permissions");
  }
  std::filesystem::permissions(home.file, perms{0644});
  BOOST_TEST(load_trust({}, home.environment).has_value());
  std::filesystem::permissions(home.file.parent_path(), perms{0777});
  BOOST_TEST(load_trust({}, home.environment).error().code == "file_permissions");
}

BOOST_AUTO_TEST_CASE(a_malformed_file_is_named) {
  Home home("nonsense");
  const auto broken = load_trust({}, home.environment);
  BOOST_REQUIRE(!broken);
  BOOST_TEST(broken.error().code == "malformed");
  BOOST_TEST(broken.error().message.starts_with(home.file.string() + ": "));
}

// --- status lists

BOOST_AUTO_TEST_CASE(status_lists_are_read_one_or_many_a_file) {
  Home home("");
  const std::string one =
      home.other("one.json", R"({"uri":"https://a/1","token":"x.y.z","fetched_at":1772366400})");
  const std::string many = home.other(
      "many.json",
      R"([{"uri":"https://a/2","token":"x","fetched_at":"2026-03-01T12:00:00Z"},{"uri":"https://a/3","token":null,"fetched_at":0}])");
  const auto lists = load_status_lists({one, many});
  BOOST_REQUIRE(lists);
  BOOST_REQUIRE(lists->size() == 2U);
  BOOST_TEST(lists->at(0).uri == "https://a/1");
  BOOST_TEST(lists->at(0).token == "x.y.z");
  BOOST_TEST(lists->at(1).uri == "https://a/2");
  BOOST_TEST((lists->at(0).fetched_at == lists->at(1).fetched_at));
}

BOOST_AUTO_TEST_CASE(a_malformed_status_list_file_is_refused) {
  Home home("");
  for (const char* text :
       {"", "7", "{}", R"({"uri":"u","token":"t"})", R"({"uri":"u","token":"t","fetched_at":"then"})",
        R"({"uri":"","token":"t","fetched_at":1})", R"({"uri":"u","token":"t","fetched_at":1.5})",
        R"({"uri":"u","fetched_at":1})", R"({"uri":"u","token":"t","fetched_at":1,"ttl":5})"}) {
    const auto lists = load_status_lists({home.other("list.json", text)});
    BOOST_REQUIRE(!lists);
    BOOST_TEST(lists.error().code == "malformed", text);
  }
}

// --- merging

BOOST_AUTO_TEST_CASE(a_new_issuer_stands_beside_the_others) {
  BOOST_TEST(merge_trust(trust(anchor("https://a", kKeyA)), trust(anchor("https://b", kKeyB))).value() ==
             trust(anchor("https://a", kKeyA) + "," + anchor("https://b", kKeyB)));
}

BOOST_AUTO_TEST_CASE(a_known_issuer_gets_its_new_key_and_keeps_its_old_one) {
  BOOST_TEST(merge_trust(trust(anchor("https://a", kKeyA)), trust(anchor("https://a", kKeyB))).value() ==
             trust(anchor("https://a", kKeyA + "," + kKeyB)));
}

BOOST_AUTO_TEST_CASE(a_key_is_held_once_whatever_else_its_jwk_says) {
  const std::string held = trust(anchor("https://a", kKeyA));
  BOOST_TEST(merge_trust(held, held).value() == held);
  BOOST_TEST(merge_trust(held, trust(anchor("https://a", kKeyANamed))).value() == held);
}

BOOST_AUTO_TEST_CASE(new_keys_stay_under_the_restrictions_of_their_issuer) {
  const std::string ceiling = R"(,"ceiling":{"scopes":["crm.*"]},"sub":["user:*"])";
  const auto merged =
      merge_trust(trust(anchor("https://a", kKeyA, ceiling)), trust(anchor("https://a", kKeyB)));
  BOOST_REQUIRE(merged);
  const auto config = TrustConfig::parse(*merged);
  BOOST_REQUIRE(config);
  BOOST_REQUIRE(config->anchors.size() == 1U);
  BOOST_TEST(config->anchors.front().keys.size() == 2U);
  BOOST_TEST(config->anchors.front().ceiling.has_value());
  BOOST_TEST(config->anchors.front().sub.size() == 1U);
}

BOOST_AUTO_TEST_CASE(other_restrictions_make_another_anchor) {
  const auto merged = merge_trust(trust(anchor("https://a", kKeyA)),
                                  trust(anchor("https://a", kKeyB, R"(,"sub":["user:x"])")));
  BOOST_TEST(TrustConfig::parse(merged.value()).value().anchors.size() == 2U);
}

// Whose key is trusted in everything is bounded by no anchor that comes after.
BOOST_AUTO_TEST_CASE(a_ceiling_on_a_key_that_is_trusted_without_one_is_refused) {
  const std::string bounded = trust(anchor("https://a", kKeyA, R"(,"ceiling":{"scopes":["crm.*"]})"));
  const auto refused = merge_trust(trust(anchor("https://a", kKeyA)), bounded);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ErrorCode::kConflict));
  BOOST_TEST(merge_trust(trust(anchor("https://a", kKeyB)), bounded).has_value());
  BOOST_TEST(merge_trust(trust(anchor("https://b", kKeyA)), bounded).has_value());
  BOOST_TEST(merge_trust(bounded, bounded).has_value());
}

// As when a gate was added since: the former ceiling, which has its scopes, would go on to be the one that counts.
BOOST_AUTO_TEST_CASE(another_ceiling_on_a_key_that_has_one_is_refused) {
  const std::string wide = trust(anchor("https://a", kKeyA, R"(,"ceiling":{"scopes":["crm.*","pay"]})"));
  const std::string narrow = R"(,"ceiling":{"scopes":["crm.*"]})";
  const auto refused = merge_trust(wide, trust(anchor("https://a", kKeyA, narrow)));
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ErrorCode::kConflict));
  BOOST_TEST(merge_trust(wide, trust(anchor("https://a", kKeyB, narrow))).has_value());
}

namespace {

/// For whom two anchors with one key and different ceilings are.
struct Speakers {
  const char* name;
  const char* held;
  const char* added;
  bool is_taken;
};
std::ostream& operator<<(std::ostream& out, const Speakers& row) { return out << row.name; }

constexpr std::array kSpeakers{
    Speakers{"everybody, then one", "", R"(,"sub":["user:x"])", false},
    Speakers{"one, then everybody", R"(,"sub":["user:x"])", "", false},
    Speakers{"one, then another", R"(,"sub":["user:x"])", R"(,"sub":["user:y"])", true},
    Speakers{"a pattern, then one of it", R"(,"sub":["user:*"])", R"(,"sub":["user:x"])", false},
    Speakers{"one, then a pattern that it is of", R"(,"sub":["user:x"])", R"(,"sub":["service:y","user:*"])",
             false},
    Speakers{"a pattern, then a part of it", R"(,"sub":["user:*"])", R"(,"sub":["user:x*"])", false},
    Speakers{"a pattern, then another", R"(,"sub":["user:*"])", R"(,"sub":["service:*"])", true},
    Speakers{"what begins alike", R"(,"sub":["user:x"])", R"(,"sub":["user:x2"])", true},
    Speakers{"other agents of the same person", R"(,"sub":["user:x"],"client_id":["a"])",
             R"(,"sub":["user:x"],"client_id":["b"])", true},
    Speakers{"agents, then principals", R"(,"client_id":["a"])", R"(,"sub":["user:x"])", false},
};

}  // namespace

// What both may speak of the first of them bounds, and the second would bound in vain.
BOOST_DATA_TEST_CASE(a_ceiling_after_another_is_taken_where_nothing_is_of_both,
                     boost::unit_test::data::make(kSpeakers), row) {
  const std::string wide = R"(,"ceiling":{"scopes":["crm.*","pay"]})";
  const std::string narrow = R"(,"ceiling":{"scopes":["crm.*"]})";
  const auto merged = merge_trust(trust(anchor("https://a", kKeyA, wide + row.held)),
                                  trust(anchor("https://a", kKeyA, narrow + row.added)));
  BOOST_TEST(merged.has_value() == row.is_taken);
  if (!merged) BOOST_TEST((merged.error().code == ErrorCode::kConflict));
}

// As when a gate's approvers changed: what its former key signed counts, until that anchor is taken out.
BOOST_AUTO_TEST_CASE(another_key_under_the_same_ceiling_stands_beside_the_former) {
  const std::string ceiling = R"(,"ceiling":{"scopes":["pay"]})";
  const auto merged =
      merge_trust(trust(anchor("https://a", kKeyA, ceiling)), trust(anchor("https://a", kKeyB, ceiling)));
  const auto config = TrustConfig::parse(merged.value()).value();
  BOOST_TEST_REQUIRE(config.anchors.size() == 1U);
  BOOST_TEST(config.anchors.front().keys.size() == 2U);
}

BOOST_AUTO_TEST_CASE(attestation_verifiers_are_united_under_one_anchor) {
  const auto verified_by = [](const std::string& key, const std::string& verifier) {
    return trust(anchor("https://a", key, R"(,"attestation_verifiers":[)" + verifier + "]"));
  };
  const auto merged = merge_trust(verified_by(kKeyA, kKeyA), verified_by(kKeyB, kKeyB));
  const auto config = TrustConfig::parse(merged.value()).value();
  BOOST_TEST_REQUIRE(config.anchors.size() == 1U);
  BOOST_TEST(config.anchors.front().keys.size() == 2U);
  BOOST_TEST(config.anchors.front().attestation_verifiers.size() == 2U);
  const auto kept = merge_trust(merged.value(), trust(anchor("https://a", kKeyA)));
  BOOST_TEST(TrustConfig::parse(kept.value()).value().anchors.front().attestation_verifiers.size() == 2U);
}

BOOST_AUTO_TEST_CASE(attestation_verifiers_count_whichever_anchor_of_the_key_comes_first) {
  const auto verifiers = [](const std::string& held, const std::string& added) {
    const auto merged = TrustConfig::parse(merge_trust(held, added).value()).value();
    std::vector<std::size_t> counts;
    for (const TrustAnchor& anchor : merged.anchors) counts.push_back(anchor.attestation_verifiers.size());
    return counts;
  };
  const std::string status = R"(,"status":{"keys":[)" + kKeyB + R"(],"prefixes":["https://a/status/"]})";
  const std::string added =
      trust(anchor("https://a", kKeyA, R"(,"attestation_verifiers":[)" + kKeyB + "]" + status));
  using Counts = std::vector<std::size_t>;
  BOOST_TEST((verifiers(trust(anchor("https://a", kKeyA)), added) == Counts{1, 1}));
  BOOST_TEST((verifiers(trust(anchor("https://a", kKeyB)), added) == Counts{0, 1}));  // another key
  BOOST_TEST((verifiers(trust(anchor("https://b", kKeyA)), added) == Counts{0, 1}));  // another issuer
  const std::string later = anchor("https://a", kKeyA) + "," + anchor("https://a", kKeyA, status);
  BOOST_TEST((verifiers(trust(later), added) == Counts{1, 1}));
}

BOOST_AUTO_TEST_CASE(issuers_and_status_keys_are_united) {
  const std::string issuers = R"(,"issuers":[)" + kKeyA + "]";
  const auto merged =
      merge_trust(trust("", issuers), trust("", issuers + R"(,"status_keys":[)" + kKeyB + "]"));
  BOOST_TEST(merged.value() ==
             R"({"anchors":[],"issuers":[)" + kKeyA + R"(],"status_keys":[)" + kKeyB + "]}");
}

BOOST_AUTO_TEST_CASE(nothing_malformed_is_merged) {
  const std::string held = trust(anchor("https://a", kKeyA));
  for (const char* bad : {"", "{}", R"({"anchors":7})", R"({"anchors":[{"iss":"https://b","keys":[]}]})",
                          R"({"anchors":[{"keys":[{"kty":"oct","k":"AA"}]}]})"}) {
    BOOST_TEST(!merge_trust(held, bad), bad);
    BOOST_TEST(!merge_trust(bad, held), bad);
  }
}

BOOST_AUTO_TEST_SUITE_END()
