#include "hsm/pkcs11/pin.hpp"

#include <array>
#include <cstdlib>
#include <fstream>
#include <string>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <sys/stat.h>

#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::hsm {
namespace {

namespace data = boost::unit_test::data;

struct Files {
  testing::TemporaryFolder folder;

  std::filesystem::path write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    const std::filesystem::path file = folder.path() / name;
    std::ofstream(file) << text;
    ::chmod(file.c_str(), mode);
    return file;
  }
};

std::string read(const std::filesystem::path& file) {
  const auto pin = load_pin("hsm", file);
  return pin ? std::string(as_text(pin->view())) : std::string(error_name(pin.error().code));
}

struct TextCase {
  const char* what;
  std::string text;
  std::string pin;
};
std::ostream& operator<<(std::ostream& out, const TextCase& c) { return out << c.what; }

const std::string kUnreadable = "file_unreadable";
const std::array kTexts{
    TextCase{"no newline", "1234", "1234"},
    TextCase{"one newline", "1234\n", "1234"},
    TextCase{"two newlines", "1234\n\n", "1234\n"},
    TextCase{"one octet", "1", "1"},
    TextCase{"the longest", std::string(255, '7') + "\n", std::string(255, '7')},
    TextCase{"one too many", std::string(256, '7'), kUnreadable},
    TextCase{"far too many", std::string(4096, '7'), kUnreadable},
    TextCase{"empty", "", kUnreadable},
    TextCase{"nothing but a newline", "\n", kUnreadable},
    TextCase{"a zero",
             std::string("12\0"
                         "34",
                         5),
             kUnreadable},
};

struct ModeCase {
  mode_t mode;
  bool is_accepted;
};
std::ostream& operator<<(std::ostream& out, const ModeCase& c) { return out << std::oct << c.mode; }
constexpr std::array kModes{ModeCase{0600, true},  ModeCase{0400, true},  ModeCase{0640, false},
                            ModeCase{0610, false}, ModeCase{0604, false}, ModeCase{0602, false}};

}  // namespace

BOOST_DATA_TEST_CASE(a_pin_is_the_file_without_its_last_newline, data::make(kTexts), c) {
  const Files files;
  BOOST_TEST(read(files.write("pin", c.text)) == c.pin);
}

BOOST_DATA_TEST_CASE(a_pin_that_others_may_read_is_refused, data::make(kModes), c) {
  const Files files;
  BOOST_TEST(read(files.write("pin", "1234", c.mode)) == (c.is_accepted ? "1234" : "file_permissions"));
}

BOOST_AUTO_TEST_CASE(only_a_regular_file_is_read) {
  const Files files;
  const auto file = files.write("pin", "1234");
  const auto link = files.folder.path() / "link";
  std::filesystem::create_symlink(file, link);
  BOOST_TEST(read(link) == kUnreadable);
  BOOST_TEST(read(files.folder.path()) == kUnreadable);
  BOOST_TEST(read(files.folder.path() / "missing") == kUnreadable);
  BOOST_TEST(read({}) == kUnreadable);
}

BOOST_AUTO_TEST_CASE(the_credential_of_that_name_goes_before_the_file) {
  const Files files;
  const auto file = files.write("pin", "from the file");
  ::setenv("CREDENTIALS_DIRECTORY", files.folder.path().c_str(), 1);
  files.write("chancery.pin.other", "of another");
  BOOST_TEST(read(file) == "from the file");
  files.write("chancery.pin.hsm", "from the credential", 0400);
  BOOST_TEST(read(file) == "from the credential");
  BOOST_TEST(read({}) == "from the credential");
  // One that cannot be used is not passed over.
  files.write("chancery.pin.hsm", "");
  BOOST_TEST(read(file) == kUnreadable);
  ::unsetenv("CREDENTIALS_DIRECTORY");
  BOOST_TEST(read(file) == "from the file");
}

}  // namespace chancery::hsm
