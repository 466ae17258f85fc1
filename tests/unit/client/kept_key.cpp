#include "sdk/cli/kept_key.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace {

using namespace chancery;
using namespace chancery::cli;

std::string pem_of(const HolderKey& key) { return std::string(as_text(key.pem().value().view())); }

std::string of_device(const PublicKey& key) {
  KeyPlace place;
  place.kind = KeyPlace::Kind::kTpm;
  place.tcti = "device:/dev/tpmrm0";
  return write_device_key({place,
                           Bytes{0, 11, 7},
                           SecretBytes(ByteView(Bytes(32, 5))),
                           {{"holder", "0011"}, key, Bytes{1, 2, 3}}});
}

/// What a shell makes of `<(…)`: a name that gives its text once.
struct Pipe {
  explicit Pipe(const std::string& text) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe(ends.data()) == 0);
    read_end = Descriptor(ends[0]);
    const Descriptor write_end(ends[1]);
    BOOST_REQUIRE(::write(write_end.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] std::string name() const { return "/dev/fd/" + std::to_string(read_end.get()); }
  Descriptor read_end;
};

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kept_key)

BOOST_AUTO_TEST_CASE(a_key_of_either_form_comes_through_a_pipe) {
  const HolderKey key = HolderKey::generate().value();
  for (const std::string& text : {pem_of(key), of_device(key.public_key()) + "\n"}) {
    const Pipe pipe(text);
    const auto kept = KeptKey::load(pipe.name());
    BOOST_REQUIRE_MESSAGE(kept, text.substr(0, 1));
    BOOST_TEST((kept->holder().public_key() == key.public_key()));
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_key_is_refused_and_named) {
  for (const char* text : {"", "{}", "-----BEGIN"}) {
    const Pipe pipe(text);
    const auto kept = KeptKey::load(pipe.name());
    BOOST_REQUIRE(!kept);
    BOOST_TEST(kept.error().message.starts_with(pipe.name()), kept.error().message);
  }
  const Pipe endless(std::string(16 * 1024 + 1, '-'));
  BOOST_TEST(KeptKey::load(endless.name()).error().code == "too_large");
}

BOOST_AUTO_TEST_CASE(a_key_file_is_never_written_over) {
  const testing::TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "key.json";
  const auto keep = [&] {
    return KeptKey::load(Pipe(of_device(HolderKey::generate()->public_key())).name()).value().save(file);
  };
  BOOST_TEST(keep().has_value());
  const std::string first = content(file);
  BOOST_TEST((std::filesystem::status(file).permissions() == std::filesystem::perms(0600)));
  BOOST_TEST(keep().error().code == "conflict");
  BOOST_TEST(content(file) == first);
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  std::filesystem::remove(file);
  std::filesystem::create_symlink(folder.path() / "elsewhere", file);
  BOOST_TEST(keep().error().code == "conflict");
}

BOOST_AUTO_TEST_SUITE_END()
