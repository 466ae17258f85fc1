// The vault's key: made once, opened by its device alone, and asked for again when the device was away.

#include "daemon/vault/vault_key.hpp"

#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite_vault_book.hpp"
#include "sdk/crypto/hash.hpp"
#include "simulators/memory/memory_backend.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::vault::testing {
namespace {

using std::chrono::seconds;
using store::testing::entry;
using store::testing::must;
using store::testing::refusal;
using enum ErrorCode;

constexpr std::chrono::sys_seconds kNow{seconds{10'000}};

hsm::Deadline soon() { return std::chrono::steady_clock::now() + seconds(10); }

struct Vault {
  /// A daemon that has just started.
  [[nodiscard]] VaultKey started(const std::string& backend = "memory") {
    return VaultKey(
        *book, [this](std::string_view name) { return sealer_of(name); }, backend);
  }
  Result<hsm::Sealer*> sealer_of(std::string_view name) {
    if (name == "memory") return device.sealer();
    if (name == "other") return other.sealer();
    return Error{kBackendUnknown, "no such backend"};
  }
  VaultKey::Key make(VaultKey& key) { return must(key.make(entry("vault.create"), kNow, soon())); }

  chancery::testing::TemporaryFolder folder;
  std::unique_ptr<store::VaultBook> book =
      store::make_sqlite_vault_book(must(store::Journal::open(folder.path())));
  simulators::MemoryBackend device;
  simulators::MemoryBackend other{"other"};
};

bool same(const VaultKey::Key& a, const VaultKey::Key& b) {
  return equal_constant_time(a->view(), b->view());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(vault_key)

BOOST_FIXTURE_TEST_CASE(there_is_none_before_the_first_is_made, Vault) {
  VaultKey key = started();
  BOOST_TEST((refusal(key.current(soon())) == kNotFound));
}

BOOST_FIXTURE_TEST_CASE(it_is_made_once_and_the_same_after_a_restart, Vault) {
  VaultKey first = started();
  const VaultKey::Key made = make(first);
  BOOST_TEST(made->size() == 32U);
  BOOST_TEST(same(made, make(first)));
  VaultKey second = started();
  BOOST_TEST(same(made, must(second.current(soon()))));
  BOOST_TEST(same(made, make(second)));
}

BOOST_FIXTURE_TEST_CASE(it_is_opened_once_and_kept, Vault) {
  VaultKey first = started();
  make(first);
  VaultKey second = started();
  const std::uint64_t before = device.unsealings();
  for (int i = 0; i < 3; ++i) must(second.current(soon()));
  BOOST_TEST(device.unsealings() == before + 1);
  device.fail_with(Error{kDeviceUnavailable, "away"});
  BOOST_TEST(second.current(soon()).has_value());
}

BOOST_FIXTURE_TEST_CASE(while_the_device_is_away_it_says_so_and_is_tried_again, Vault) {
  VaultKey first = started();
  make(first);
  VaultKey second = started();
  device.fail_with(Error{kDeviceUnavailable, "away"});
  BOOST_TEST((refusal(second.current(soon())) == kDeviceUnavailable));
  BOOST_TEST((refusal(second.make(entry("vault.create"), kNow, soon())) == kDeviceUnavailable));
  device.fail_with(std::nullopt);
  BOOST_TEST(second.current(soon()).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_device_that_is_gone_has_lost_it_until_it_is_forgotten, Vault) {
  VaultKey first = started();
  const VaultKey::Key lost = make(first);
  device.exchange_device();
  must(device.adopt([](ByteView) { return Status(); }));
  VaultKey second = started();
  BOOST_TEST((refusal(second.current(soon())) == kKeyLost));
  BOOST_TEST((refusal(second.make(entry("vault.create"), kNow, soon())) == kKeyLost));
  must(book->reset(kNow, entry("vault.reset")));
  second.forget();
  BOOST_TEST(!same(lost, make(second)));
}

BOOST_FIXTURE_TEST_CASE(what_another_hand_wrote_in_its_place_opens_nothing, Vault) {
  VaultKey first = started();
  make(first);
  const store::SealedVaultKey kept = *must(book->key());
  std::vector<store::SealedVaultKey> edits(3, kept);
  edits[0].key_id = std::string(32, '0');
  edits[1].sealed.back() ^= 1;
  edits[2].backend = "other";
  for (const store::SealedVaultKey& edit : edits) {
    must(book->reset(kNow, entry("vault.reset")));
    must(book->keep_key(edit, entry("vault.create")));
    VaultKey second = started();
    BOOST_TEST((refusal(second.current(soon())) == kKeyLost));
  }
}

BOOST_FIXTURE_TEST_CASE(it_stays_with_its_device_when_another_is_configured, Vault) {
  VaultKey first = started();
  const VaultKey::Key made = make(first);
  VaultKey second = started("other");
  BOOST_TEST(same(made, must(second.current(soon()))));
  BOOST_TEST(same(made, make(second)));
}

BOOST_FIXTURE_TEST_CASE(a_device_that_is_configured_no_more_is_named, Vault) {
  must(book->keep_key({"gone", "k", Bytes(10, 1), kNow}, entry("vault.create")));
  VaultKey key = started();
  BOOST_TEST((refusal(key.current(soon())) == kBackendUnknown));
}

BOOST_FIXTURE_TEST_CASE(of_many_who_need_it_first_one_makes_it, Vault) {
  VaultKey key = started();
  std::vector<VaultKey::Key> got(8);
  {
    std::vector<std::jthread> users;
    for (VaultKey::Key& mine : got) {
      users.emplace_back([&key, &mine] {
        if (auto made = key.make(entry("vault.create"), kNow, soon())) mine = *made;
      });
    }
  }
  const VaultKey::Key kept = must(key.current(soon()));
  for (const VaultKey::Key& mine : got) BOOST_TEST((mine && same(mine, kept)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::vault::testing
