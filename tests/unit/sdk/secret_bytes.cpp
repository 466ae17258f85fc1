#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <chancery/bytes.hpp>

#include "sdk/base/secret_memory.hpp"
#include "sdk/base/secret_writer.hpp"

namespace chancery::tests {
namespace {

constexpr std::size_t kSize = 48;

SecretBytes make_secret() {
  SecretBytes secret(kSize);
  std::ranges::fill(secret.writable(), std::uint8_t{0x5A});
  return secret;
}

// The pages stay when a secret has ended, so that its place can be looked at.
bool is_zero(const std::uint8_t* place, std::size_t size = kSize) {
  return std::all_of(place, place + size, [](std::uint8_t octet) { return octet == 0; });
}

int refuse(const void*, std::size_t) {
  errno = EPERM;
  return -1;
}

/// The flags of the mapping that an address is in, as the kernel tells them: " rd wr … lo … dd ".
std::string flags_of(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  bool is_inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> begin >> dash >> end && dash == '-') is_inside = begin <= wanted && wanted < end;
    if (is_inside && line.starts_with("VmFlags:")) return line.substr(8) + " ";
  }
  return {};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(secret_bytes)

BOOST_AUTO_TEST_CASE(a_secret_is_cleansed_when_it_ends) {
  const std::uint8_t* place = nullptr;
  {
    const SecretBytes secret = make_secret();
    place = secret.view().data();
    BOOST_TEST(!is_zero(place));
  }
  BOOST_TEST(is_zero(place));
}

BOOST_AUTO_TEST_CASE(a_secret_is_cleansed_when_another_takes_its_place) {
  SecretBytes secret = make_secret();
  const std::uint8_t* place = secret.view().data();
  secret = SecretBytes(4);
  BOOST_TEST(is_zero(place));
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

BOOST_AUTO_TEST_CASE(a_secret_of_no_octets_is_none) {
  BOOST_TEST(SecretBytes(std::size_t{0}).empty());
  BOOST_TEST(SecretBytes(ByteView()).empty());
}

BOOST_AUTO_TEST_CASE(secrets_are_left_out_of_core_dumps_and_locked_where_that_is_allowed) {
  const SecretBytes secret = make_secret();
  const std::string flags = flags_of(secret.view().data());
  BOOST_TEST(flags.find(" dd ") != std::string::npos, flags);
#ifdef CHANCERY_IS_SANITIZED
  BOOST_TEST_MESSAGE("the sanitizer's runtime turns mlock() off");
#else
  const bool is_locked = flags.find(" lo ") != std::string::npos;
  BOOST_TEST(is_locked == (secret_memory().state().unlocked == 0), flags);
#endif
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(secret_memory_pages)

BOOST_AUTO_TEST_CASE(places_are_used_again_and_hold_zeros) {
  SecretMemory memory(refuse);
  for (int i = 0; i < 10'000; ++i) {
    std::uint8_t* const place = memory.allocate(32);
    BOOST_REQUIRE(is_zero(place, 32));
    std::fill_n(place, 32, std::uint8_t{0xA5});
    memory.release(place, 32);
  }
  BOOST_TEST(memory.state().size == 64u * 1024);
}

BOOST_AUTO_TEST_CASE(secrets_do_not_overlap_whatever_their_sizes) {
  SecretMemory memory(refuse);
  struct Place {
    std::uint8_t* octets;
    std::size_t size;
    std::uint8_t mark;
  };
  std::vector<Place> places;
  for (int i = 0; i < 2000; ++i) {
    const auto size = static_cast<std::size_t>(1 + i * 37 % 700);
    places.push_back({memory.allocate(size), size, static_cast<std::uint8_t>(i)});
    std::fill_n(places.back().octets, size, places.back().mark);
    if (i % 3 != 0) continue;  // leave gaps for later ones
    memory.release(places[places.size() / 2].octets, places[places.size() / 2].size);
    places.erase(places.begin() + static_cast<std::ptrdiff_t>(places.size() / 2));
  }
  for (const Place& place : places) {
    BOOST_REQUIRE(std::all_of(place.octets, place.octets + place.size,
                              [&](std::uint8_t octet) { return octet == place.mark; }));
    memory.release(place.octets, place.size);
  }
}

BOOST_AUTO_TEST_CASE(a_secret_larger_than_a_region_has_its_place_too) {
  SecretMemory memory(refuse);
  constexpr std::size_t kLarge = 300'000;
  std::uint8_t* const place = memory.allocate(kLarge);
  std::fill_n(place, kLarge, std::uint8_t{1});
  memory.release(place, kLarge);
  BOOST_TEST(is_zero(place, kLarge));
}

BOOST_AUTO_TEST_CASE(pages_that_cannot_be_locked_serve_and_are_told) {
  SecretMemory refused(refuse);
  BOOST_TEST(refused.state().size == 0u);
  refused.release(refused.allocate(32), 32);
  BOOST_TEST(refused.state().unlocked == refused.state().size);
  BOOST_TEST(refused.state().error == EPERM);
  SecretMemory locked([](const void*, std::size_t) { return 0; });
  locked.release(locked.allocate(32), 32);
  BOOST_TEST(locked.state().unlocked == 0u);
  BOOST_TEST(locked.state().size > 0u);
}

BOOST_AUTO_TEST_CASE(threads_share_it) {
  SecretMemory memory(refuse);
  std::vector<std::jthread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        std::uint8_t* const place = memory.allocate(100);
        wrong += !is_zero(place, 100);
        std::fill_n(place, 100, static_cast<std::uint8_t>(t + 1));
        wrong += std::any_of(place, place + 100, [&](std::uint8_t octet) { return octet != t + 1; });
        memory.release(place, 100);
      }
    });
  }
  threads.clear();
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(a_text_is_put_together_and_given_as_it_is) {
  SecretWriter text;
  text.append("a=").append_percent_encoded("b c/d~").append(as_bytes("&")).absorb("e");
  BOOST_TEST(as_text(text.view()) == "a=b%20c%2Fd~&e");
  const SecretBytes taken = text.take();
  BOOST_TEST(as_text(taken.view()) == "a=b%20c%2Fd~&e");
  BOOST_TEST(taken.size() == 14U);
  BOOST_TEST(text.size() == 0U);
  BOOST_TEST(text.take().empty());
}

BOOST_AUTO_TEST_CASE(what_a_text_outgrows_is_cleansed) {
  SecretWriter text;
  text.append(std::string(200, 'x'));
  const std::uint8_t* const before = text.view().data();
  text.append(std::string(200, 'y'));
  BOOST_REQUIRE(text.view().data() != before);
  BOOST_TEST(is_zero(before, 200));
  BOOST_TEST(as_text(text.view()) == std::string(200, 'x') + std::string(200, 'y'));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
