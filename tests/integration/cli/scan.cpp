// `chancery scan`: what stands in a tree, and what is said of it.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/json/reader.hpp"
#include "tests/integration/cli/chancery_process.hpp"
#include "tests/redaction/made_secrets.hpp"

namespace {

using namespace chancery;
using chancery::testing::Chancery;
using chancery::testing::Run;
using chancery::tests::RandomSource;

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Nothing else in the environment of the program writes into this folder.
struct Tree {
  Chancery chancery;
  std::filesystem::path root = chancery.folder() / "tree";
  RandomSource random{11};
  std::string github = made("GitHub tokens");
  std::string random_token = made("as good as random");

  Tree() { std::filesystem::create_directory(root); }

  std::string made(std::string_view detector) {
    const auto kind = std::ranges::find(tests::secret_kinds(), detector, &tests::SecretKind::detector);
    return kind->make(random).secret;
  }
  void put(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((root / name).parent_path());
    std::ofstream(root / name, std::ios::binary) << text;
  }
  [[nodiscard]] Run scan(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"scan", root.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return chancery.run(arguments);
  }
  [[nodiscard]] std::string at(const std::string& place) const { return (root / place).string(); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(scan)

BOOST_FIXTURE_TEST_CASE(a_tree_without_secrets_exits_0, Tree) {
  put("src/main.c", "int main(void) { return 0; } /* the password is asked for */\n");
  const Run run = scan();
  BOOST_TEST(run.exit == 0, run.err);
  BOOST_TEST(run.out.empty(), run.out);
  BOOST_TEST(contains(run.err, "0 secrets in 1 file\n"), run.err);
}

BOOST_FIXTURE_TEST_CASE(a_secret_is_told_by_its_place_and_kind_and_never_itself, Tree) {
  put("b/config.py", "# settings\n\nTOKEN = '" + github + "'\n");
  const std::string key = made("private keys in PEM");
  put("a.pem", key + "\n");
  const Run run = scan();
  BOOST_TEST(run.exit == 1, run.err);
  const auto lines = lines_of(run.out);
  BOOST_TEST_REQUIRE(lines.size() == 2u, run.out);
  BOOST_TEST(lines[0].starts_with(at("a.pem:1:1: private keys in PEM (")), lines[0]);
  BOOST_TEST(lines[1].starts_with(at("b/config.py:3:10: GitHub tokens (")), lines[1]);
  BOOST_TEST(!contains(run.out + run.err, github.substr(4)));
  BOOST_TEST(!contains(run.out + run.err, key.substr(40, 20)));
}

BOOST_FIXTURE_TEST_CASE(json_has_one_object_a_secret, Tree) {
  put("config.py", "x = 1\nTOKEN = '" + github + "'\n");
  for (const std::vector<std::string>& options : {std::vector<std::string>{"--json"}, {"--format", "json"}}) {
    const Run run = scan(options);
    BOOST_TEST(run.exit == 1, run.err);
    const auto document = json::Document::parse(run.out.substr(0, run.out.find('\n')));
    BOOST_TEST_REQUIRE(document.has_value(), run.out);
    const json::Value& secret = document->root();
    BOOST_TEST((secret.find("path")->string() == at("config.py")));
    BOOST_TEST((secret.find("line")->integer() == 2));
    BOOST_TEST((secret.find("column")->integer() == 10));
    BOOST_TEST((secret.find("offset")->integer() == 15));
    BOOST_TEST((secret.find("kind")->string() == "GitHub tokens"));
    BOOST_TEST(secret.find("fingerprint")->string()->size() == 16u);
    BOOST_TEST(!contains(run.out, github));
  }
}

BOOST_FIXTURE_TEST_CASE(the_same_secret_has_the_same_fingerprint_everywhere, Tree) {
  put("a", github + "\n");
  put("b", "\n\n  " + github + "\n");
  put("c", made("GitHub tokens") + "\n");
  const auto lines = lines_of(scan().out);
  BOOST_TEST_REQUIRE(lines.size() == 3u);
  const auto print = [](const std::string& line) { return line.substr(line.rfind('(')); };
  BOOST_TEST(print(lines[0]) == print(lines[1]));
  BOOST_TEST(print(lines[0]) != print(lines[2]));
}

BOOST_FIXTURE_TEST_CASE(settings_files_hold_secrets_by_name, Tree) {
  put(".env",
      "export DB_PASS='hunter2hunter'\nDEBUG=true\nSESSION_SECRET=change-me\nAPI_TOKEN=${FROM_ELSEWHERE}\n");
  put("other.txt", "DB_PASS='hunter2hunter'\nDEBUG=true\n");
  const Run run = scan({"--exclude", "other.txt"});
  const auto lines = lines_of(run.out);
  BOOST_TEST_REQUIRE(lines.size() == 1u, run.out);
  BOOST_TEST(lines[0].starts_with(at(".env:1:17: ")), lines[0]);
}

BOOST_FIXTURE_TEST_CASE(code_that_handles_passwords_has_none, Tree) {
  put("login.ts",
      "const password = form.get('password');\nlet apiKey: string = config.apiKey;\n"
      "password = getpass.getpass()\nif (passwd == null) { }\npassword: required\n");
  BOOST_TEST(scan().exit == 0, scan().out);
}

BOOST_FIXTURE_TEST_CASE(binary_files_are_looked_at_for_forms, Tree) {
  put("program", std::string("\x7F"
                             "ELF\0\0\0",
                             7) +
                     github + std::string("\0\0password=hunter22\0", 20));
  const auto lines = lines_of(scan().out);
  BOOST_TEST_REQUIRE(lines.size() == 1u);
  BOOST_TEST(lines[0].starts_with(at("program:octet 7: GitHub tokens")), lines[0]);
}

BOOST_FIXTURE_TEST_CASE(random_tokens_are_told_when_asked_for, Tree) {
  put("notes.txt", "the value is " + random_token + " now\n");
  BOOST_TEST(scan().exit == 0);
  const Run run = scan({"--entropy"});
  BOOST_TEST(run.exit == 1);
  BOOST_TEST(contains(run.out, "notes.txt:1:14: as good as random"), run.out);
}

BOOST_FIXTURE_TEST_CASE(what_is_left_out_is_not_looked_at, Tree) {
  put(".git/config", github);
  put("vendor/lib/x.c", github);
  put("yarn.lock", github);
  put("large", std::string(2 * 1024 * 1024, ' ') + github);
  const Run run = scan({"--exclude", "vendor/*", "--exclude", "*.lock", "--max-size", "1"});
  BOOST_TEST(run.exit == 0, run.out);
  BOOST_TEST(contains(run.err, "larger than --max-size: " + at("large")), run.err);
  BOOST_TEST(scan({"--git-dir"}).exit == 1);
  BOOST_TEST(lines_of(scan({"--git-dir"}).out).size() == 4u);
}

BOOST_FIXTURE_TEST_CASE(links_and_pipes_are_not_followed, Tree) {
  chancery.file("outside", github);
  std::filesystem::create_symlink(chancery.folder() / "outside", root / "link");
  std::filesystem::create_directory_symlink(root, root / "loop");
  BOOST_TEST_REQUIRE(::mkfifo((root / "pipe").c_str(), 0600) == 0);
  const Run run = scan();
  BOOST_TEST(run.exit == 0, run.out);
  // What is named is followed.
  BOOST_TEST(chancery.run({"scan", (root / "link").string()}).exit == 1);
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_read_exits_2_and_the_rest_is_told, Tree) {
  put("a.txt", github);
  const Run missing = scan({at("missing")});
  BOOST_TEST(missing.exit == 2);
  BOOST_TEST(contains(missing.err, at("missing") + ": cannot be read"), missing.err);
  BOOST_TEST(contains(missing.out, "a.txt:1:1"), missing.out);
  if (::geteuid() == 0) return;  // root may read everything
  put("closed", "x");
  std::filesystem::permissions(root / "closed", std::filesystem::perms::none);
  BOOST_TEST(scan().exit == 2);
}

BOOST_FIXTURE_TEST_CASE(a_baseline_accepts_what_it_has_and_nothing_else, Tree) {
  const std::string baseline = (chancery.folder() / "baseline").string();
  put("a.txt", github);
  BOOST_TEST(scan({"--baseline", baseline}).exit == 2);
  BOOST_TEST(scan({"--write-baseline"}).exit == 2);
  const Run written = scan({"--baseline", baseline, "--write-baseline"});
  BOOST_TEST(written.exit == 0, written.err);
  BOOST_TEST(!contains(testing::read_file(baseline), github));
  const Run accepted = scan({"--baseline", baseline});
  BOOST_TEST(accepted.exit == 0, accepted.out);
  BOOST_TEST(accepted.out.empty());
  BOOST_TEST(contains(accepted.err, "1 that the baseline has"), accepted.err);
  put("b.txt", made("GitHub tokens"));
  const Run more = scan({"--baseline", baseline});
  BOOST_TEST(more.exit == 1);
  BOOST_TEST(lines_of(more.out).size() == 1u, more.out);
}

BOOST_FIXTURE_TEST_CASE(a_baseline_that_is_none_is_refused, Tree) {
  const std::string baseline = chancery.file("baseline", "# a comment\n\nnot a fingerprint\n");
  const Run run = scan({"--baseline", baseline});
  BOOST_TEST(run.exit == 2);
  BOOST_TEST(contains(run.err, "16 hexadecimal digits"), run.err);
}

BOOST_FIXTURE_TEST_CASE(names_of_files_cannot_write_to_the_terminal, Tree) {
  put("a\x1b[31m\nb", github);
  const Run run = scan();
  BOOST_TEST(run.exit == 1);
  BOOST_TEST(lines_of(run.out).size() == 1u, run.out);
  BOOST_TEST(!contains(run.out, "\x1b"));
}

BOOST_AUTO_TEST_SUITE_END()
