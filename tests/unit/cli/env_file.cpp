// What is read of `.env` files, what looks like a secret in them, and how it is named in the vault.

#include "sdk/cli/env_file.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace chancery::cli::testing {
namespace {

std::string_view text_of(const EnvLine& line) { return as_text(line.value.view()); }

struct Readable {
  std::string_view text;
  std::string_view name;
  std::string_view value;
};
std::ostream& operator<<(std::ostream& out, const Readable& row) { return out << row.text; }

constexpr Readable kReadable[] = {
    {"A=b", "A", "b"},
    {"A=b\n", "A", "b"},
    {"A=b\r\n", "A", "b"},
    {"\xEF\xBB\xBF"
     "A=b",
     "A", "b"},
    {"  A = b c \n", "A", "b c"},
    {"export A=b", "A", "b"},
    {"A=", "A", ""},
    {"A=\"\"", "A", ""},
    {"A=b # why", "A", "b"},
    {"A=b#c", "A", "b#c"},
    {"A=#c", "A", ""},
    {"A=b=c==", "A", "b=c=="},
    {"A='b # c'", "A", "b # c"},
    {"A='$B \\n'", "A", "$B \\n"},
    {"A=\"b # c\" # why", "A", "b # c"},
    {"A=\"b\\nc\\t\\\"d\\\\\\$E\\x\"", "A", "b\nc\t\"d\\$E\\x"},
    {"A=\"b\nc\"\n", "A", "b\nc"},
    {"A='b\nc'", "A", "b\nc"},
    {"A=5$", "A", "5$"},
    {"A=a$1", "A", "a$1"},
};

struct Unreadable {
  std::string_view text;
  std::string_view problem;
};
std::ostream& operator<<(std::ostream& out, const Unreadable& row) { return out << row.text; }

constexpr Unreadable kUnreadable[] = {
    {"A", "is no NAME=VALUE"},
    {"=b", "is no NAME=VALUE"},
    {"1A=b", "is no NAME=VALUE"},
    {"A-B=b", "is no NAME=VALUE"},
    {"A B=b", "is no NAME=VALUE"},
    {"A=\"b", "its quote does not end"},
    {"A='b", "its quote does not end"},
    {"A='b' c", "something stands behind its quote"},
    {"A=$B", "it refers to another variable, which is not put together here"},
    {"A=x${B}", "it refers to another variable, which is not put together here"},
    {"A=\"$(cat b)\"", "it refers to another variable, which is not put together here"},
};

struct Suspect {
  std::string_view name;
  std::string_view value;
  bool is_secret;
};
std::ostream& operator<<(std::ostream& out, const Suspect& row) {
  return out << row.name << "=" << row.value;
}

constexpr Suspect kSuspects[] = {
    {"DB_PASSWORD", "hunter22", true},
    {"STRIPE_API_KEY", "x", true},
    {"stripe_api_key", "x", true},
    {"CLIENT_SECRET", "x", true},
    {"GITHUB_TOKEN", "x", true},
    {"SIGNING_KEY", "x", true},
    {"DB_PASSWORD", "", false},
    {"A", "sk-ant-0123", true},
    {"A",
     "AKIA"
     "IOSFODNN7EXAMPLE",
     true},
    {"A", "ghp_0123", true},
    {"A", "eyJhbGciOi.eyJzdWIi.c2ln", true},
    {"A",
     "-----BEGIN PRIVATE"
     " KEY-----\nMIIE\n-----END PRIVATE"
     " KEY-----",
     true},
    {"A", "{\"private_key\":\"x\"}", true},
    {"DATABASE_URL", "postgres://app:hunter22@db.example.org/app", true},
    {"A", "q8Zt3vLw9XkR2mNc7YbP4sDf", true},
    {"DATABASE_URL", "postgres://db.example.org/app", false},
    {"DATABASE_URL", "postgres://app@db.example.org:5432/app", false},
    {"LOG_LEVEL", "debug", false},
    {"PORT", "8080", false},
    {"HOME_FOLDER", "/srv/applications/payments-2", false},
    {"GREETING", "good morning to all of you there", false},
    {"MONKEY", "bananas", false},
};

struct Named {
  std::string_view variable;
  std::string_view credential;
};
std::ostream& operator<<(std::ostream& out, const Named& row) { return out << row.variable; }

constexpr Named kNamed[] = {
    {"STRIPE_API_KEY", "stripe-api-key"}, {"A", "a"}, {"_A_", "a"}, {"a1", "a1"}, {"_", ""}, {"__", ""},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(env_file)

BOOST_DATA_TEST_CASE(a_variable_is_read_as_other_readers_of_these_files_do,
                     boost::unit_test::data::make(kReadable), row) {
  const auto lines = read_env_file(row.text);
  BOOST_TEST_REQUIRE(lines.size() == 1U);
  BOOST_TEST((lines[0].problem == nullptr));
  BOOST_TEST(lines[0].name == row.name);
  BOOST_TEST(text_of(lines[0]) == row.value);
}

BOOST_DATA_TEST_CASE(what_cannot_be_read_says_why, boost::unit_test::data::make(kUnreadable), row) {
  const auto lines = read_env_file(row.text);
  BOOST_TEST_REQUIRE(lines.size() == 1U);
  BOOST_TEST_REQUIRE((lines[0].problem != nullptr));
  BOOST_TEST(lines[0].problem == row.problem);
}

BOOST_AUTO_TEST_CASE(comments_and_empty_lines_are_no_variables_and_lines_are_counted_with_them) {
  const auto lines = read_env_file("# A=b\n\n  # c\nB=\"1\n2\n3\"\nC=d\n\nno variable\nB=again\n");
  BOOST_TEST_REQUIRE(lines.size() == 4U);
  BOOST_TEST(lines[0].line == 4U);
  BOOST_TEST(lines[1].line == 7U);
  BOOST_TEST(lines[2].line == 9U);
  BOOST_TEST((lines[2].problem != nullptr));
  BOOST_TEST(lines[3].line == 10U);
  BOOST_TEST(lines[3].problem == "stands in the file before");
}

BOOST_AUTO_TEST_CASE(an_empty_file_has_nothing) {
  BOOST_TEST(read_env_file("").empty());
  BOOST_TEST(read_env_file("\n\n").empty());
}

BOOST_DATA_TEST_CASE(what_looks_like_a_secret_is_told_by_name_and_value,
                     boost::unit_test::data::make(kSuspects), row) {
  BOOST_TEST((suspicion_about(row.name, row.value) != nullptr) == row.is_secret);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_may_look_like_a_secret_all_the_same) {
  const auto lines = read_env_file("API_KEY=sk-${SUFFIX}\n");
  BOOST_TEST_REQUIRE(lines.size() == 1U);
  BOOST_TEST((lines[0].problem != nullptr));
  BOOST_TEST((lines[0].suspicion != nullptr));
}

BOOST_DATA_TEST_CASE(a_variable_gives_a_credential_its_name, boost::unit_test::data::make(kNamed), row) {
  BOOST_TEST(credential_name_for(row.variable) == row.credential);
}

BOOST_AUTO_TEST_CASE(a_name_too_long_gives_none) {
  BOOST_TEST(credential_name_for(std::string(63, 'A')).size() == 63U);
  BOOST_TEST(credential_name_for(std::string(64, 'A')).empty());
}

BOOST_AUTO_TEST_CASE(a_type_is_told_by_name_and_value) {
  BOOST_TEST(credential_type_for("DB_PASSWORD", "x") == "password");
  BOOST_TEST(credential_type_for("OAUTH_CLIENT_SECRET", "x") == "client_secret");
  BOOST_TEST(credential_type_for("GOOGLE", "{\"private_key\":\"x\"}") == "service_account_key");
  BOOST_TEST(credential_type_for("STRIPE", "sk-1") == "api_key");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::cli::testing
