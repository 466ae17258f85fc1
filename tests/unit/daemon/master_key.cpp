#include "daemon/store/master_key.hpp"

#include <cstdlib>
#include <fstream>

#include <boost/test/unit_test.hpp>
#include <sys/stat.h>

#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::store::testing {
namespace {

using chancery::testing::TemporaryFolder;
using enum ErrorCode;

void write_secret(const std::filesystem::path& file, std::size_t size, mode_t mode = 0600) {
  std::ofstream(file, std::ios::binary) << std::string(size, 'k');
  BOOST_REQUIRE(::chmod(file.c_str(), mode) == 0);
}

std::string secret_text(Result<SecretBytes> secret) {
  return std::string(as_text(must(std::move(secret)).view()));
}

/// The environment variable by which systemd says where credentials are, for one test.
class Credentials {
 public:
  explicit Credentials(const std::filesystem::path& folder) {
    ::setenv("CREDENTIALS_DIRECTORY", folder.c_str(), 1);
  }
  ~Credentials() { ::unsetenv("CREDENTIALS_DIRECTORY"); }
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;
};

BOOST_AUTO_TEST_CASE(a_master_secret_is_made_once_and_kept) {
  const TemporaryFolder folder;
  const std::string first = secret_text(load_master_key(folder.path(), true));
  BOOST_TEST(first.size() == 32U);
  BOOST_TEST(secret_text(load_master_key(folder.path(), true)) == first);
  BOOST_TEST(secret_text(load_master_key(folder.path(), false)) == first);
  struct stat status {};
  BOOST_REQUIRE(::stat((folder.path() / "master.key").c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 07777) == 0600U);
  const TemporaryFolder other;
  BOOST_TEST(secret_text(load_master_key(other.path(), true)) != first);
}

BOOST_AUTO_TEST_CASE(a_missing_master_secret_is_not_replaced_while_keys_depend_on_it) {
  const TemporaryFolder folder;
  BOOST_TEST((refusal(load_master_key(folder.path(), false)) == kFileUnreadable));
  BOOST_TEST(std::filesystem::is_empty(folder.path()));
}

BOOST_AUTO_TEST_CASE(a_master_secret_of_another_size_is_refused) {
  for (const std::size_t size : {0U, 31U, 33U}) {
    const TemporaryFolder folder;
    write_secret(folder.path() / "master.key", size);
    BOOST_TEST((refusal(load_master_key(folder.path(), true)) == kFileUnreadable), size);
  }
}

BOOST_AUTO_TEST_CASE(a_master_secret_that_others_may_read_is_refused) {
  for (const mode_t mode : {0640U, 0604U, 0601U}) {
    const TemporaryFolder folder;
    write_secret(folder.path() / "master.key", 32, mode);
    BOOST_TEST((refusal(load_master_key(folder.path(), true)) == kFilePermissions), mode);
  }
}

BOOST_AUTO_TEST_CASE(a_master_secret_is_not_read_through_a_symbolic_link) {
  const TemporaryFolder folder;
  write_secret(folder.path() / "elsewhere", 32);
  std::filesystem::create_symlink(folder.path() / "elsewhere", folder.path() / "master.key");
  BOOST_TEST((refusal(load_master_key(folder.path(), true)) == kFileUnreadable));
}

BOOST_AUTO_TEST_CASE(a_credential_goes_before_the_file) {
  const TemporaryFolder folder;
  const TemporaryFolder credentials;
  const std::string file = secret_text(load_master_key(folder.path(), true));
  const Credentials given(credentials.path());
  BOOST_TEST(secret_text(load_master_key(folder.path(), false)) == file);
  write_secret(credentials.path() / "chancery.master", 32, 0400);
  BOOST_TEST(secret_text(load_master_key(folder.path(), false)) == std::string(32, 'k'));
}

// systemd shows a credential as 0440: root's, readable for the service through an access control list.
BOOST_AUTO_TEST_CASE(a_credential_may_be_read_by_its_group_and_no_more) {
  struct Row {
    mode_t mode;
    bool is_accepted;
  };
  for (const auto& [mode, is_accepted] :
       {Row{0400, true}, Row{0440, true}, Row{0460, false}, Row{0450, false}, Row{0444, false},
        Row{0442, false}, Row{0441, false}}) {
    const TemporaryFolder folder;
    const TemporaryFolder credentials;
    const Credentials given(credentials.path());
    write_secret(credentials.path() / "chancery.master", 32, mode);
    const auto secret = load_master_key(folder.path(), true);
    BOOST_TEST(secret.has_value() == is_accepted, mode);
    if (!secret) BOOST_TEST((secret.error().code == kFilePermissions), mode);
    BOOST_TEST(std::filesystem::is_empty(folder.path()), mode);
  }
}

BOOST_AUTO_TEST_CASE(a_credential_that_cannot_be_read_is_not_passed_over) {
  const TemporaryFolder folder;
  secret_text(load_master_key(folder.path(), true));
  const TemporaryFolder credentials;
  {
    const Credentials given(credentials.path());
    std::filesystem::create_symlink(folder.path() / "master.key", credentials.path() / "chancery.master");
    BOOST_TEST((refusal(load_master_key(folder.path(), true)) == kFileUnreadable));
  }
  // The variable names something that is no folder.
  const Credentials given(folder.path() / "master.key");
  BOOST_TEST((refusal(load_master_key(folder.path(), true)) == kFileUnreadable));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_is_not_replaced) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "master.key");
  BOOST_TEST((refusal(load_master_key(folder.path(), true)) == kFilePermissions));
  std::filesystem::permissions(folder.path() / "master.key", std::filesystem::perms::owner_all);
  BOOST_TEST((refusal(load_master_key(folder.path(), true)) == kFileUnreadable));
  BOOST_TEST(std::filesystem::is_directory(folder.path() / "master.key"));
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_written_makes_no_master_secret) {
  const TemporaryFolder folder;
  BOOST_TEST((refusal(load_master_key(folder.path() / "missing", true)) == kFileUnwritable));
}

}  // namespace
}  // namespace chancery::store::testing
