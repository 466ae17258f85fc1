// Where the daemon's secrets are, and where they are not: its memory, its log and its state folder are searched
// for a PIN and a master secret that were planted, and for what is derived from them.

#include <algorithm>
#include <filesystem>
#include <sstream>

#include <boost/test/unit_test.hpp>
#include <sqlite3.h>
#include <unistd.h>

#include "sdk/crypto/hash.hpp"
#include "simulators/softhsm/softhsm.hpp"
#include "simulators/swtpm/swtpm.hpp"
#include "tests/integration/daemon/planted.hpp"
#include "tests/integration/daemon/process_memory.hpp"
#include "tests/integration/daemon/two_devices.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

constexpr const char* kPin = "planted-pin-5b81c07e";

Bytes bytes_of(const SecretBytes& secret) { return {secret.view().begin(), secret.view().end()}; }

void append_with_length(std::string& out, std::string_view text) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(text.size() >> shift & 0xFF);
  out += text;
}

/// What authorizes the use of a TPM key, as the backend derives it.
Secret auth_value(const std::string& agent_id, const std::string& key_id) {
  std::string info = "chancery tpm key auth";
  append_with_length(info, agent_id);
  append_with_length(info, key_id);
  return {"auth value of " + agent_id, bytes_of(hkdf_sha256(planted_master(), {}, info, 32))};
}

/// Every key that the TPM has, as the store of the running daemon tells it.
std::vector<Secret> auth_values(const std::filesystem::path& database) {
  sqlite3* connection = nullptr;
  BOOST_REQUIRE(sqlite3_open_v2(database.c_str(), &connection, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
  std::vector<Secret> out;
  const auto add = [](void* to, int, char** columns, char**) {
    static_cast<std::vector<Secret>*>(to)->push_back(auth_value(columns[0], columns[1]));
    return 0;
  };
  constexpr const char* kKeys = "SELECT agent_id, key_id FROM keys WHERE backend = 'tpm'";
  BOOST_TEST(sqlite3_exec(connection, kKeys, add, &out, nullptr) == SQLITE_OK, sqlite3_errmsg(connection));
  sqlite3_close(connection);
  return out;
}

/// A daemon with both kinds of device, a planted PIN and a planted master secret.
struct PlantedDaemon {
  simulators::Swtpm tpm = required(simulators::Swtpm::start());
  simulators::SoftHsm tokens = required(simulators::SoftHsm::create());
  simulators::SoftToken token = required(tokens.add_token("planted", kPin));
  std::unique_ptr<DaemonProcess> daemon;

  /// \param isolate  whether the token's module is in a process of its own
  explicit PlantedDaemon(bool isolate = false) {
    tokens.use_in_this_process();
    DaemonSettings settings;
    settings.tcti = tpm.tcti();
    settings.sessions = "encrypted";
    settings.extra = token_section(token) + "isolate = " + (isolate ? "true" : "false") + "\n";
    daemon = std::make_unique<DaemonProcess>(settings);
    plant_master(*daemon);
    daemon->start();
  }

  void create_agent(const std::string& name, const std::string& backend) const {
    answered(daemon->client().create_agent(agent_on(backend, name)));
  }

  /// Everything for which a secret is used: keys made, used in turn, one ended, both devices looked at.
  void work() const {
    const Client client = daemon->client();
    for (const char* name : {"first", "second", "third"}) create_agent(name, "tpm");
    create_agent("token", "hsm");
    const auto granted = answered(client.grant(grant_to("first")));
    for (int i = 0; i < 20; ++i) {
      const auto second = answered(client.delegate(delegation_of(granted.chain, i % 2 ? "second" : "token")));
      answered(client.delegate(delegation_of(second.chain, "third")));
    }
    answered(client.retire_agent("third"));
    for (const api::Backend& backend : answered(client.backends()).backends) {
      BOOST_TEST(answered(client.backend(backend.name)).state == "ok");
    }
  }

  [[nodiscard]] std::vector<Secret> secrets() const {
    std::vector<Secret> out = auth_values(daemon->state() / "chancery.db");
    // Three agents', the issuer's, and those of status lists, attestation results and the audit log.
    BOOST_TEST(out.size() == 7u);
    const ByteView pin = as_bytes(kPin);
    out.push_back({"PIN", Bytes(pin.begin(), pin.end())});
    out.push_back({"master secret", planted_master()});
    out.push_back({"seal of references",
                   bytes_of(hkdf_sha256(planted_master(), {}, "chancery pkcs11 reference seal", 32))});
    return out;
  }
};

std::string describe(const Occurrence& found) {
  std::ostringstream out;
  out << std::hex << found.address << " in " << found.mapping.begin << "-" << found.mapping.end << " "
      << found.mapping.name << found.mapping.flags;
  return out.str();
}

/// The memory of the daemon and of whatever it has started: a module may run in a process of its own.
class Family {
 public:
  explicit Family(pid_t daemon) {
    for (const pid_t pid : with_descendants(daemon)) members_.push_back(std::make_unique<ProcessMemory>(pid));
  }

  [[nodiscard]] bool is_readable() const {
    return std::ranges::all_of(members_, [](const auto& member) { return member->is_readable(); });
  }

  [[nodiscard]] std::vector<Occurrence> find(ByteView wanted) const {
    std::vector<Occurrence> out;
    for (const auto& member : members_) {
      const std::vector<Occurrence> found = member->find(wanted);
      out.insert(out.end(), found.begin(), found.end());
    }
    return out;
  }

 private:
  std::vector<std::unique_ptr<ProcessMemory>> members_;
};

/// Where a secret is that it should not be.
std::vector<std::string> strays(const Family& memory, const std::vector<Secret>& secrets) {
  std::vector<std::string> out;
  for (const Secret& secret : secrets) {
    for (const Bytes& form : forms_of(secret)) {
      for (const Occurrence& found : memory.find(form)) {
        if (!found.mapping.is_for_secrets()) out.push_back(secret.name + " at " + describe(found));
      }
    }
  }
  return out;
}

void expect_secrets_in_their_pages(const PlantedDaemon& planted, std::size_t processes) {
#ifdef CHANCERY_IS_SANITIZED
  BOOST_TEST_MESSAGE("skipped: the sanitizer's runtime turns mlock() off, and keeps freed memory as it was");
  return;
#endif
  planted.work();
  BOOST_TEST(with_descendants(planted.daemon->pid()).size() == processes);
  const Family memory(planted.daemon->pid());
  if (!memory.is_readable()) {
    BOOST_TEST_MESSAGE(
        "skipped: the kernel does not show the daemon's memory (run as root, kernel.yama.ptrace_scope < 3)");
    return;
  }
  const std::vector<Secret> all = planted.secrets();
  // The auth value that was used last is cleansed when nobody has asked for a while.
  BOOST_TEST(eventually([&] { return strays(memory, all).empty(); }));
  for (const std::string& stray : strays(memory, all)) BOOST_ERROR(stray);
  // What the search can find at all.
  for (const char* name : {"master secret", "PIN", "seal of references"}) {
    const auto secret = std::ranges::find(all, name, &Secret::name);
    BOOST_TEST(!memory.find(secret->octets).empty(), name);
  }
  // The keys can be used all the same.
  const auto granted = answered(planted.daemon->client().grant(grant_to("first")));
  answered(planted.daemon->client().delegate(delegation_of(granted.chain, "second")));
}

}  // namespace

BOOST_AUTO_TEST_CASE(secrets_are_in_the_pages_set_aside_for_them_and_nowhere_else_in_memory) {
  expect_secrets_in_their_pages(PlantedDaemon(), 1);
}

BOOST_AUTO_TEST_CASE(so_they_are_when_the_module_has_a_process_of_its_own) {
  expect_secrets_in_their_pages(PlantedDaemon(true), 2);
}

BOOST_FIXTURE_TEST_CASE(secrets_are_in_neither_log_nor_state, PlantedDaemon) {
  work();
  const std::vector<Secret> all = secrets();
  BOOST_TEST(daemon->stop() == 0);
  std::vector<std::filesystem::path> files{daemon->folder() / "output"};
  for (const auto& entry : std::filesystem::directory_iterator(daemon->state()))
    files.push_back(entry.path());
  BOOST_TEST(files.size() >= 3u);
  for (const std::filesystem::path& file : files) {
    if (file.filename() == "master.key") continue;  // its place
    const std::string text = read_file(file);
    for (const Secret& secret : all) {
      for (const Bytes& form : forms_of(secret)) {
        BOOST_TEST(!contains(as_bytes(text), form), secret.name << " in " << file);
      }
    }
  }
}

}  // namespace chancery::tests
