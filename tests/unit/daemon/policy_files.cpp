// Which configuration governs: its text and the files of policy that it names, as they were read.

#include <array>
#include <fstream>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/edge/dev_certificate.hpp"
#include "daemon/setup/options.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::setup {
namespace {

using Names = std::vector<std::string>;

constexpr std::string_view kKeys =
    R"({"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
    R"("y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]})";

// A configuration with every file of policy, and a folder of them.
struct Policed {
  Policed() {
    const edge::DevCertificateFiles made{at("roots.pem"), at("tls.pem"), at("tls.key")};
    BOOST_REQUIRE(edge::make_dev_certificate(made, std::chrono::sys_seconds(std::chrono::hours(480'000))));
    const std::string certificate = content("roots.pem");
    write("anchors.json", R"({"anchors":[]})");
    write("verifiers.json", std::string(kKeys));
    write("ca.pem", certificate);
    write("policy.toml", "id = \"test\"\n");
    std::filesystem::create_directory(at("intermediates"));
    write("intermediates/a.pem", certificate);
    write("emulators.pem", certificate);
    write("tokens.pem", certificate);
    config.verify.trust_anchors = at("anchors.json");
    config.verify.attestation_verifiers = at("verifiers.json");
    config.verify.anchors_ca = at("ca.pem");
    config.attestation.policy = at("policy.toml");
    config.attestation.ek_roots = at("roots.pem");
    config.attestation.ek_intermediates = at("intermediates");
    config.attestation.emulator_roots = at("emulators.pem");
    config.attestation.token_roots = at("tokens.pem");
  }

  std::filesystem::path at(const std::string& name) const { return folder.path() / name; }
  void write(const std::string& name, const std::string& text) const { std::ofstream(at(name)) << text; }
  std::string content(const std::string& name) const {
    std::ifstream in(at(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }
  PolicyFiles read() const {
    auto prepared = prepare(config, true);
    BOOST_REQUIRE_MESSAGE(prepared, (prepared ? "" : prepared.error().what));
    return std::move(prepared->files);
  }
  std::string version(const PolicyFiles& files) const { return policy_version(config, files); }

  testing::TemporaryFolder folder;
  config::Config config = config::default_config();
};

struct Named {
  const char* option;
  const char* file;
};
std::ostream& operator<<(std::ostream& out, const Named& named) { return out << named.option; }

constexpr std::array kNamed{
    Named{"verify.trust_anchors", "anchors.json"},
    Named{"verify.attestation_verifiers", "verifiers.json"},
    Named{"verify.anchors_ca", "ca.pem"},
    Named{"attestation.policy", "policy.toml"},
    Named{"attestation.ek_roots", "roots.pem"},
    Named{"attestation.ek_intermediates", "intermediates/a.pem"},
    Named{"attestation.emulator_roots", "emulators.pem"},
    Named{"attestation.token_roots", "tokens.pem"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(policy_files)

BOOST_DATA_TEST_CASE_F(Policed, every_file_of_policy_is_part_of_what_governs, kNamed, named) {
  const PolicyFiles before = read();
  BOOST_TEST(version(before).size() == 16u);
  BOOST_TEST(before.differing(read()).empty());
  BOOST_TEST(version(read()) == version(before));
  write(named.file, content(named.file) + "\n");
  const PolicyFiles after = read();
  BOOST_TEST(after.differing(before) == Names{named.option}, boost::test_tools::per_element());
  BOOST_TEST(version(after) != version(before));
}

// In the same order they hold the same files before and after.
BOOST_FIXTURE_TEST_CASE(what_moves_from_one_option_to_another_is_a_change_of_both, Policed) {
  config.attestation.ek_roots = at("roots");
  std::filesystem::create_directory(at("roots"));
  write("roots/a.pem", content("roots.pem"));
  write("roots/b.pem", content("tls.pem"));
  const PolicyFiles before = read();
  std::filesystem::rename(at("roots/b.pem"), at("intermediates/0.pem"));
  const PolicyFiles after = read();
  BOOST_TEST(after.differing(before) == (Names{"attestation.ek_intermediates", "attestation.ek_roots"}),
             boost::test_tools::per_element());
  BOOST_TEST(version(after) != version(before));
}

BOOST_FIXTURE_TEST_CASE(a_file_that_is_no_longer_named_is_a_change, Policed) {
  const PolicyFiles before = read();
  config.attestation.token_roots.clear();
  BOOST_TEST(read().differing(before) == Names{"attestation.token_roots"}, boost::test_tools::per_element());
  BOOST_TEST(before.differing(read()) == Names{"attestation.token_roots"}, boost::test_tools::per_element());
}

// What is written after a file was read is for the next look, which must see that it is another.
BOOST_FIXTURE_TEST_CASE(what_was_read_is_told_apart_from_what_is_written_after_it, Policed) {
  auto prepared = prepare(config, true);
  BOOST_REQUIRE(prepared);
  const std::string governs = version(prepared->files);
  write("verifiers.json", std::string(kKeys) + " ");
  BOOST_TEST(version(prepared->files) == governs);
  BOOST_TEST(read().differing(prepared->files) == Names{"verify.attestation_verifiers"},
             boost::test_tools::per_element());
}

BOOST_DATA_TEST_CASE_F(Policed, what_cannot_be_read_is_refused, kNamed, named) {
  const std::string_view option = named.option;
  // The first is read by others, when they need it; of the second the folder is there.
  const bool may_be_away = option == "verify.anchors_ca" || option == "attestation.ek_intermediates";
  std::filesystem::remove(at(named.file));
  BOOST_TEST(prepare(config, true).has_value() == may_be_away);
  const bool may_be_folder =
      may_be_away || (option.starts_with("attestation.") && option != "attestation.policy");
  std::filesystem::create_directory(at(named.file));
  BOOST_TEST(prepare(config, true).has_value() == may_be_folder);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::setup
