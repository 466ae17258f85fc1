#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite.hpp"
#include "daemon/store/sqlite_store.hpp"
#include "hsm/tpm/key_blob.hpp"
#include "tests/integration/drills/size.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"

// Whoever may write the state folder changes what the daemon keeps of its keys: each change is found out and
// named, and no key signs in the place of another.

namespace chancery::drills {
namespace {

using enum ErrorCode;
using hsm::StoredKey;

/// A backend and the keys that the swaps are made from.
struct Keys {
  explicit Keys(hsm::SessionKind sessions = hsm::SessionKind::kEncrypted) {
    hsm::TpmOptions options = hsm::options_for(tpm.tcti());
    options.sessions = sessions;
    backend = hsm::open_backend(std::move(options));
    own = make("alice", "1");
    twin = make("alice", "1");
    newer = make("alice", "2");
    other = make("bob", "1");
  }
  StoredKey make(const std::string& agent, const std::string& key) {
    auto made = backend->create({agent, key}, Algorithm::kES256, hsm::far_away());
    BOOST_REQUIRE(made);
    return *std::move(made);
  }

  simulators::Swtpm tpm = hsm::start_swtpm();
  std::unique_ptr<hsm::TpmBackend> backend;
  StoredKey own;    ///< of one agent
  StoredKey twin;   ///< another key under the same binding: the same auth value opens it
  StoredKey newer;  ///< another key of the same agent
  StoredKey other;  ///< of another agent
};

// --- swapped

Bytes with_private_part_of(const StoredKey& key, const StoredKey& from) {
  auto parts = hsm::unmarshal(key.blob);
  const auto others = hsm::unmarshal(from.blob);
  BOOST_REQUIRE(parts);
  BOOST_REQUIRE(others);
  parts->private_area = others->private_area;
  const auto blob = hsm::marshal(*parts);
  BOOST_REQUIRE(blob);
  return *blob;
}

struct Swap {
  const char* name;
  StoredKey (*make)(const Keys& keys);
  ErrorCode want;
};

constexpr std::array kSwaps{
    Swap{"another agent's blob",
         [](const Keys& k) {
           return StoredKey{k.own.binding, k.own.public_key, k.other.blob};
         },
         kKeyMismatch},
    Swap{"another agent's blob and public key",
         [](const Keys& k) {
           return StoredKey{k.own.binding, k.other.public_key, k.other.blob};
         },
         kKeyLost},
    Swap{"another key of the same agent",
         [](const Keys& k) {
           return StoredKey{k.own.binding, k.newer.public_key, k.newer.blob};
         },
         kKeyLost},
    Swap{"another agent's id",
         [](const Keys& k) {
           return StoredKey{{"bob", "1"}, k.own.public_key, k.own.blob};
         },
         kKeyLost},
    Swap{"a key id that takes a letter from the agent's",
         [](const Keys& k) {
           return StoredKey{{"alic", "e1"}, k.own.public_key, k.own.blob};
         },
         kKeyLost},
    Swap{"another public key",
         [](const Keys& k) {
           return StoredKey{k.own.binding, k.twin.public_key, k.own.blob};
         },
         kKeyMismatch},
    Swap{"another agent's private part",
         [](const Keys& k) {
           return StoredKey{k.own.binding, k.own.public_key, with_private_part_of(k.own, k.other)};
         },
         kKeyLost},
    Swap{"the private part of a key under the same binding",
         [](const Keys& k) {
           return StoredKey{k.own.binding, k.own.public_key, with_private_part_of(k.own, k.twin)};
         },
         kKeyLost},
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_was_swapped_opens_nothing) {
  for (const hsm::SessionKind sessions : {hsm::SessionKind::kEncrypted, hsm::SessionKind::kPlain}) {
    const Keys keys(sessions);
    for (const Swap& swap : kSwaps) {
      // Also while the right keys are loaded or cached.
      for (const StoredKey* key : {&keys.own, &keys.other})
        BOOST_TEST((hsm::sign_error(*keys.backend, *key) == std::nullopt));
      BOOST_TEST((hsm::sign_error(*keys.backend, swap.make(keys)) == swap.want), swap.name);
    }
    BOOST_TEST((hsm::sign_error(*keys.backend, keys.own) == std::nullopt));
  }
}

// --- flipped

namespace {

/// Calls `judge` with one octet of `octets` changed after the other, each in another bit: at most `most` of
/// them, which reach over all of it.
template <typename Judge>
void with_octets_flipped(Bytes octets, std::size_t most, Judge judge) {
  const std::size_t step = (octets.size() + most - 1) / most;
  for (std::size_t at = 0; at < octets.size(); at += step) {
    const auto bit = static_cast<std::uint8_t>(1 << (at / step % 8));
    octets[at] ^= bit;
    judge(at, octets);
    octets[at] ^= bit;
  }
}

bool is_one_of(std::optional<ErrorCode> error, std::initializer_list<ErrorCode> wanted) {
  return error && std::ranges::find(wanted, *error) != wanted.end();
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_octet_of_a_blob_is_needed_as_it_is) {
  const Keys keys;
  BOOST_TEST((hsm::sign_error(*keys.backend, keys.own) == std::nullopt));
  with_octets_flipped(keys.own.blob, size(60, 1000), [&](std::size_t at, const Bytes& blob) {
    const auto error = hsm::sign_error(*keys.backend, {keys.own.binding, keys.own.public_key, blob});
    BOOST_TEST(is_one_of(error, {kKeyLost, kKeyMismatch}), "octet " << at);
  });
  BOOST_TEST((hsm::sign_error(*keys.backend, keys.own) == std::nullopt));
  BOOST_TEST((hsm::check_error(*keys.backend) == std::nullopt));
  BOOST_TEST(hsm::count_handles(*keys.backend, TPM2_TRANSIENT_FIRST) == keys.backend->load().live_objects);
}

namespace {

const store::AuditEntry kAudit{.at = store::sys_seconds(std::chrono::seconds(1)), .action = "drill"};

/// A store with an agent and an issuer key in it, and a second way to its file.
class StateFolder {
 public:
  StateFolder() {
    auto opened = store::open_sqlite_store(folder_.path());
    BOOST_REQUIRE(opened);
    store_ = *std::move(opened);
    const std::string id(32, 'a');
    store::Key key{.owner = id, .backend = "tpm", .stored = keys_.make(id, "1")};
    agent_key_ = key.stored.public_key;
    BOOST_REQUIRE(
        store_->add_agent({.id = id, .name = "alice", .selectors = "{}", .key = std::move(key)}, kAudit));
    const store::Key issuer{
        .owner = std::string(store::kIssuer), .backend = "tpm", .stored = keys_.make("daemon", "2")};
    BOOST_REQUIRE(store_->add_key(issuer, {}, kAudit));
  }

  /// Opens the store anew on a file with these octets; what comes of that and of using the agent's key.
  std::optional<ErrorCode> use_agent_of(const Bytes& octets) {
    store_.reset();
    std::ofstream(file(), std::ios::binary) << as_text(octets);
    auto opened = store::open_sqlite_store(folder_.path());
    if (!opened) return opened.error().code;
    store_ = *std::move(opened);
    return use_agent(*store_);
  }
  Bytes octets() {
    store_.reset();
    std::ifstream in(file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  store::Database edit() {
    auto opened = store::Database::open(file());
    BOOST_REQUIRE(opened);
    return *std::move(opened);
  }
  [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "chancery.db"; }

  /// What comes of signing with the agent's key, or the issuer's, as the store gives it.
  std::optional<ErrorCode> use_agent(store::Store& store) {
    const auto agent = store.agent_by_name("alice");
    if (!agent) return agent.error().code;
    const auto error = hsm::sign_error(*keys_.backend, agent->key.stored);
    BOOST_TEST((error || agent->key.stored.public_key == agent_key_));
    return error;
  }
  std::optional<ErrorCode> use_issuer(store::Store& store) {
    const auto keys = store.keys(store::kIssuer);
    if (!keys) return keys.error().code;
    return keys->empty() ? kNotFound : hsm::sign_error(*keys_.backend, keys->front().stored);
  }
  store::Store& store() { return *store_; }

 private:
  testing::TemporaryFolder folder_;
  Keys keys_;
  PublicKey agent_key_;
  std::unique_ptr<store::Store> store_;
};

struct Column {
  const char* name;
  const char* read;
  const char* write;
  bool is_text;
  std::optional<ErrorCode> (StateFolder::*use)(store::Store& store);
  std::initializer_list<ErrorCode> want;
};

#define CHANCERY_AGENT(column) \
  "agents." #column, "SELECT " #column " FROM agents", "UPDATE agents SET " #column " = ?"
#define CHANCERY_KEY(of, column)                                              \
  "keys." #column " of " #of, "SELECT " #column " FROM keys WHERE seq = " of, \
      "UPDATE keys SET " #column " = ? WHERE seq = " of
#define CHANCERY_OF_AGENT "1"
#define CHANCERY_OF_ISSUER "2"

const std::array kColumns{
    Column{CHANCERY_AGENT(id), true, &StateFolder::use_agent, {kStoreCorrupt}},
    Column{CHANCERY_AGENT(selectors), true, &StateFolder::use_agent, {kStoreCorrupt}},
    Column{CHANCERY_AGENT(seal), false, &StateFolder::use_agent, {kStoreCorrupt}},
    Column{CHANCERY_AGENT(name), true, &StateFolder::use_agent, {kNotFound}},
    Column{CHANCERY_KEY(CHANCERY_OF_AGENT, owner), true, &StateFolder::use_agent, {kStoreCorrupt}},
    Column{CHANCERY_KEY(CHANCERY_OF_AGENT, backend), true, &StateFolder::use_agent, {kStoreCorrupt}},
    Column{CHANCERY_KEY(CHANCERY_OF_AGENT, agent_id), true, &StateFolder::use_agent, {kStoreCorrupt}},
    Column{CHANCERY_KEY(CHANCERY_OF_AGENT, key_id), true, &StateFolder::use_agent, {kStoreCorrupt}},
    Column{CHANCERY_KEY(CHANCERY_OF_AGENT, jwk), true, &StateFolder::use_agent, {kStoreCorrupt}},
    Column{CHANCERY_KEY(CHANCERY_OF_AGENT, thumbprint), true, &StateFolder::use_agent, {kStoreCorrupt}},
    Column{CHANCERY_KEY(CHANCERY_OF_AGENT, blob), false, &StateFolder::use_agent, {kStoreCorrupt}},
    Column{CHANCERY_KEY(CHANCERY_OF_AGENT, seal), false, &StateFolder::use_agent, {kStoreCorrupt}},
    Column{CHANCERY_KEY(CHANCERY_OF_ISSUER, owner), true, &StateFolder::use_issuer, {kNotFound}},
    Column{CHANCERY_KEY(CHANCERY_OF_ISSUER, backend), true, &StateFolder::use_issuer, {kStoreCorrupt}},
    Column{CHANCERY_KEY(CHANCERY_OF_ISSUER, agent_id), true, &StateFolder::use_issuer, {kStoreCorrupt}},
    Column{CHANCERY_KEY(CHANCERY_OF_ISSUER, key_id), true, &StateFolder::use_issuer, {kStoreCorrupt}},
    Column{CHANCERY_KEY(CHANCERY_OF_ISSUER, jwk), true, &StateFolder::use_issuer, {kStoreCorrupt}},
    Column{CHANCERY_KEY(CHANCERY_OF_ISSUER, thumbprint), true, &StateFolder::use_issuer, {kStoreCorrupt}},
    Column{CHANCERY_KEY(CHANCERY_OF_ISSUER, blob), false, &StateFolder::use_issuer, {kStoreCorrupt}},
    Column{CHANCERY_KEY(CHANCERY_OF_ISSUER, seal), false, &StateFolder::use_issuer, {kStoreCorrupt}},
};

#undef CHANCERY_OF_ISSUER
#undef CHANCERY_OF_AGENT
#undef CHANCERY_KEY
#undef CHANCERY_AGENT

Bytes read_column(store::Database& database, const Column& column) {
  auto query = database.query(column.read);
  BOOST_REQUIRE(query);
  BOOST_REQUIRE(query->step().value_or(false));
  return query->octets(0);
}

void write_column(store::Database& database, const Column& column, const Bytes& value) {
  auto query = database.query(column.write);
  BOOST_REQUIRE(query);
  const Status written = (column.is_text ? query->bind(as_text(value)) : query->bind(ByteView(value))).run();
  BOOST_REQUIRE(written);
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_octet_of_a_keys_record_is_needed_as_it_is) {
  StateFolder state;
  store::Database database = state.edit();
  for (const Column& column : kColumns) {
    const Bytes original = read_column(database, column);
    BOOST_TEST(((state.*column.use)(state.store()) == std::nullopt));
    with_octets_flipped(original, size(24, 1000), [&](std::size_t at, const Bytes& changed) {
      write_column(database, column, changed);
      BOOST_TEST(is_one_of((state.*column.use)(state.store()), column.want), column.name << ", octet " << at);
    });
    write_column(database, column, original);
    BOOST_TEST(((state.*column.use)(state.store()) == std::nullopt));
  }
}

// Most of the file is not about this key; what is may not be used, or not be found, but never as another.
BOOST_AUTO_TEST_CASE(a_database_with_any_octet_changed_gives_no_other_key) {
  StateFolder state;
  const Bytes original = state.octets();
  BOOST_REQUIRE(!original.empty());
  std::size_t found_out = 0;
  with_octets_flipped(original, size(150, 20'000), [&](std::size_t at, const Bytes& changed) {
    const auto error = state.use_agent_of(changed);
    if (!error) return;
    ++found_out;
    BOOST_TEST(is_one_of(error, {kStoreCorrupt, kStoreUnavailable, kNotFound, kKeyLost, kKeyMismatch}),
               "octet " << at << ": " << error_name(*error));
  });
  BOOST_TEST(found_out > 0u);
  BOOST_TEST((state.use_agent_of(original) == std::nullopt));
}

}  // namespace chancery::drills
