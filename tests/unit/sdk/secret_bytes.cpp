#include <algorithm>
#include <cstdlib>
#include <new>
#include <type_traits>

#include <boost/test/unit_test.hpp>

#include <chancery/bytes.hpp>

namespace {

// The block whose end is watched, and whether it held zeros only when it was given back.
const std::uint8_t* watched = nullptr;
bool was_cleansed = false;

constexpr std::size_t kSize = 48;

void give_back(void* block) noexcept {
  if (block != nullptr && block == watched) {
    was_cleansed = std::all_of(watched, watched + kSize, [](std::uint8_t octet) { return octet == 0; });
    watched = nullptr;
  }
  std::free(block);
}

}  // namespace

// Replaced for this program, so that a test sees a block in the moment before it is freed.
void* operator new(std::size_t size) {
  if (void* block = std::malloc(size)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { give_back(block); }
void operator delete(void* block, std::size_t) noexcept { give_back(block); }

namespace chancery::tests {
namespace {

SecretBytes make_secret() {
  SecretBytes secret(kSize);
  std::ranges::fill(secret.writable(), std::uint8_t{0x5A});
  return secret;
}

void watch(const SecretBytes& secret) {
  watched = secret.view().data();
  was_cleansed = false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(secret_bytes)

BOOST_AUTO_TEST_CASE(a_secret_is_cleansed_when_it_ends) {
  {
    const SecretBytes secret = make_secret();
    watch(secret);
  }
  BOOST_TEST(was_cleansed);
}

BOOST_AUTO_TEST_CASE(a_secret_is_cleansed_when_another_takes_its_place) {
  SecretBytes secret = make_secret();
  watch(secret);
  secret = SecretBytes(4);
  BOOST_TEST(was_cleansed);
  BOOST_TEST(secret.size() == 4u);
}

BOOST_AUTO_TEST_CASE(a_move_leaves_nothing_behind) {
  SecretBytes from = make_secret();
  SecretBytes to = std::move(from);
  BOOST_TEST(from.empty());  // NOLINT: what is left of it is the point
  BOOST_TEST(to.size() == kSize);
  BOOST_TEST(to.view()[0] == 0x5A);
  from = std::move(to);
  BOOST_TEST(to.empty());  // NOLINT
  BOOST_TEST(from.size() == kSize);
}

BOOST_AUTO_TEST_CASE(a_secret_moved_onto_itself_stays) {
  SecretBytes secret = make_secret();
  SecretBytes& same = secret;
  secret = std::move(same);
  BOOST_TEST(secret.size() == kSize);
  BOOST_TEST(secret.view()[kSize - 1] == 0x5A);
}

BOOST_AUTO_TEST_CASE(a_secret_cannot_be_copied_or_compared) {
  static_assert(!std::is_copy_constructible_v<SecretBytes>);
  static_assert(!std::is_copy_assignable_v<SecretBytes>);
  static_assert(!std::equality_comparable<SecretBytes>);
  static_assert(std::is_nothrow_move_constructible_v<SecretBytes>);
  const Bytes source{1, 2, 3};
  BOOST_TEST(SecretBytes(ByteView(source)).size() == 3u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
