// Operators and callers whose keys are in a TPM or in a token: the program `chancery` with the device, the daemon over
// TLS.

#include <array>
#include <fstream>
#include <functional>
#include <optional>
#include <ostream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/approval_client.hpp>

#include "sdk/json/reader.hpp"
#include "simulators/faults/pkcs11_faults.hpp"
#include "simulators/swtpm/swtpm.hpp"
#include "tests/integration/daemon/remote_office.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;
using simulators::Pkcs11Call;
using simulators::Pkcs11Faults;
using simulators::SoftHsm;
using simulators::SoftToken;
using simulators::Swtpm;
using testing::Run;
using Words = std::vector<std::string>;

constexpr const char* kAudience = "https://api.example.org";
constexpr const char* kOtherPin = "940217";

/// A daemon, and a user on another machine that has a TPM and a token.
struct Desk {
  Desk() {
    chancery.set("CHANCERY_SOCKET", "");
    const std::string store = hsm.environment();
    chancery.set("SOFTHSM2_CONF", store.substr(store.find('=') + 1));
    chancery.set(simulators::kFaultsModuleVariable, SoftHsm::module().string());
    faults.wrap_in_this_process(SoftHsm::module());
    chancery.set(simulators::kFaultsPlanVariable, ::getenv(simulators::kFaultsPlanVariable));
    std::ofstream(pin_file) << SoftHsm::kPin << '\n';
    std::filesystem::permissions(pin_file, std::filesystem::perms(0600));
  }

  /// The options that put a key into this kind of device.
  [[nodiscard]] Words key_in(const std::string& kind) const {
    if (kind == "tpm") return {"--key-in", "tpm", "--tcti", tpm.tcti(), "--allow-simulator"};
    return {"--key-in",         "pkcs11",     "--module",   Pkcs11Faults::module().string(),
            "--serial",         token.serial, "--pin-file", pin_file.string(),
            "--allow-simulator"};
  }
  [[nodiscard]] Run run(Words words, const Words& more = {}) const {
    words.insert(words.end(), more.begin(), more.end());
    return chancery.run(words);
  }
  [[nodiscard]] Run init(const Words& more) const {
    return run({"init", "--socket", daemon->socket().string(), "--cacert", authority}, more);
  }
  [[nodiscard]] std::filesystem::path context(const std::string& name = "default") const {
    return chancery.folder() / "config" / "chancery" / "contexts" / name;
  }
  [[nodiscard]] std::string address() const { return answered(daemon->client().metadata()).issuer; }

  /// What stands at C_Login, C_GenerateKeyPair …
  [[nodiscard]] std::uint64_t calls(Pkcs11Call call) const { return faults.calls(call); }
  /// Objects that the token keeps: each is a file of SoftHSM's.
  [[nodiscard]] std::size_t objects_in_token() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(hsm.folder())) {
      const std::string name = entry.path().filename().string();
      count += name.ends_with(".object") && name != "token.object" ? 1 : 0;
    }
    return count;
  }

  std::unique_ptr<DaemonProcess> daemon = DaemonProcess::development();
  const std::string authority = (daemon->socket().parent_path() / "ca.pem").string();
  Swtpm tpm = required(Swtpm::start());
  SoftHsm hsm = required(SoftHsm::create());
  SoftToken token = required(hsm.add_token("operator"));
  Pkcs11Faults faults = required(Pkcs11Faults::create());
  testing::Chancery chancery;
  const std::filesystem::path pin_file = chancery.folder() / "pin";
};

/// A desk with an operator's context whose key is in a device.
struct Operator : Desk {
  explicit Operator(const std::string& kind) {
    const Run made = init(key_in(kind));
    BOOST_REQUIRE_MESSAGE(made.exit == 0, made.err);
  }
};

void expect_done(const Run& run) { BOOST_TEST(run.exit == 0, run.err); }
bool says(const Run& run, std::string_view words) { return run.err.find(words) != std::string::npos; }

const std::array<std::string, 2> kDevices{"tpm", "pkcs11"};

const Words kPoint{"--scope", "chancery.authorize", "--constraint",
                   "chancery.authorize#audience:one_of=https://api.example.org"};

}  // namespace

BOOST_AUTO_TEST_SUITE(device_keys)

BOOST_DATA_TEST_CASE(init_says_where_the_key_is_and_what_that_means, data::make(kDevices), kind) {
  const Desk desk;
  const Run made = desk.init(desk.key_in(kind));
  BOOST_TEST_REQUIRE(made.exit == 0, made.err);
  BOOST_TEST(made.out.find(kind == "tpm" ? "the TPM at swtpm:path=" : "the token " + desk.token.serial) !=
             std::string::npos);
  BOOST_TEST(says(made, kind == "tpm" ? "stays in this machine's TPM" : "stays in the token"), made.err);
  BOOST_TEST(says(made, "its device is a simulator"), made.err);
  const Run listed = desk.run({"context", "list", "--format", "json"});
  BOOST_TEST(listed.out.find(R"("key_in":")" + kind + '"') != std::string::npos, listed.out);
  const Run in_file = desk.init({"--as", "other"});
  BOOST_TEST(says(in_file, "whoever can read it"), in_file.err);
}

// Nobody's key comes out of a device because nothing was said.
BOOST_DATA_TEST_CASE(an_approvers_next_key_is_made_where_the_present_one_is, data::make(kDevices), kind) {
  constexpr const char* kBob = "user:bob@example.org";
  Desk desk;
  desk.chancery.set("CHANCERY_SOCKET", desk.daemon->socket().string());
  expect_done(desk.run({"approver", "enroll", kBob, "--first"}, desk.key_in(kind)));
  const Words rotate{"approver", "rotate", "--yes"};
  expect_done(desk.run(rotate));
  expect_done(desk.run(rotate, {"--key-in", "file"}));
  expect_done(desk.run(rotate));
  const Client client = desk.daemon->client();
  Words kinds;
  for (const api::ApproverKey& key : answered(ApprovalClient(client).approver(kBob)).keys)
    kinds.push_back(key.kind);
  BOOST_TEST(kinds == (Words{kind, kind, "file", "file"}), boost::test_tools::per_element());
}

BOOST_DATA_TEST_CASE(an_operator_calls_with_it_and_renews_its_chain, data::make(kDevices), kind) {
  const Operator desk(kind);
  expect_done(desk.run({"agent", "create", "support", "--uid", "4711"}));
  expect_done(desk.run({"agent", "list"}));
  expect_done(desk.run({"join-token", "support"}));
  expect_done(desk.run({"operator", "renew", "--socket", desk.daemon->socket().string()}));
  expect_done(desk.init({}));                 // with the key that is there
  expect_done(desk.init(desk.key_in(kind)));  // also when it is named
  expect_done(desk.run({"agent", "show", "support"}));
}

BOOST_DATA_TEST_CASE(what_is_kept_of_it_is_no_private_key, data::make(kDevices), kind) {
  const Operator desk(kind);
  BOOST_TEST(!std::filesystem::exists(desk.context() / "key.pem"));
  const auto file = desk.context() / "key.json";
  BOOST_TEST((std::filesystem::status(file).permissions() == std::filesystem::perms(0600)));
  const std::string text = testing::read_file(file);
  const auto document = required(json::Document::parse_borrowed(text));
  const bool is_tpm = kind == "tpm";
  BOOST_TEST(
      document.root().has_only({"blob", "device", "jwk", "key_id", "master", is_tpm ? "tpm_name" : "blob"}));
  BOOST_TEST(document.root().find("jwk")->has_only({"crv", "kty", "x", "y"}));
  const json::Value& device = *document.root().find("device");
  if (is_tpm) {
    BOOST_TEST(device.has_only({"type", "tcti", "allow_simulator"}));
  } else {
    BOOST_TEST(device.has_only({"type", "module", "serial", "pin_file", "allow_simulator"}));
  }
  BOOST_TEST(text.find(SoftHsm::kPin) == std::string::npos);
}

BOOST_DATA_TEST_CASE(a_part_of_it_goes_to_a_key_in_a_file_or_in_a_device, data::make(kDevices), kind) {
  const Operator desk(kind);
  const Words delegate{"context", "delegate", "--lifetime", "1h", "--scope", "chancery.agents.read"};
  expect_done(desk.run(delegate, {"in-file"}));
  Words in_device = desk.key_in(kind);
  in_device.emplace_back("in-device");
  expect_done(desk.run(delegate, in_device));
  for (const char* const context : {"in-file", "in-device"}) {
    expect_done(desk.run({"agent", "list", "--context", context}));
    BOOST_TEST(desk.run({"backend", "list", "--context", context}).exit == 1);
  }
}

BOOST_DATA_TEST_CASE(a_key_that_waits_for_a_chain_logs_in_with_it, data::make(kDevices), kind) {
  const Operator desk(kind);
  const std::string key = (desk.chancery.folder() / "holder.json").string();
  const std::string chain = (desk.chancery.folder() / "holder.chain").string();
  const Run made = desk.run({"context", "key", key}, desk.key_in(kind));
  BOOST_TEST_REQUIRE(made.exit == 0, made.err);
  expect_done(desk.run({"context", "delegate", "point", "--to-key=" + made.out.substr(0, 43), "--out", chain},
                       kPoint));
  expect_done(desk.run(
      {"login", "point", "--addr", desk.address(), "--cacert", desk.authority, "--key", key, chain}));
  const Run asked = desk.run({"authorize", "a.b.c", "--remote", "--context", "point", "--audience", kAudience,
                              "--scope", "s", "--proof", "x.y.z", "--htm", "GET", "--htu", kAudience});
  BOOST_TEST(asked.out.starts_with("DENIED: malformed"), asked.err);
}

BOOST_DATA_TEST_CASE(a_program_is_given_a_session_and_never_the_device, data::make(kDevices), kind) {
  const Operator desk(kind);
  expect_done(desk.run({"agent", "create", "support", "--uid", "4711"}));
  const Run granted =
      desk.run({"grant", "--for", "user:alice@example.org", "--agent", "support", "--audience", kAudience,
                "--scope", "crm.read", "--depth", "2", "--lifetime", "10m"});
  BOOST_TEST_REQUIRE(granted.exit == 0, granted.err);
  const std::string chain = desk.chancery.file("chain.txt", granted.out);
  const std::string program = std::string(CHANCERY_BINARY_DIR) + "/chancery";
  const Run shown = desk.run({"run", "--agent", "support", "--chain", chain, "--", program, "present",
                              "--htm", "GET", "--htu", kAudience});
  BOOST_TEST(shown.exit == 0, shown.err);
  BOOST_TEST(shown.out.starts_with("Authorization: DPoP "), shown.out);
}

// --- what is wrong

struct Wrong {
  const char* name;
  std::string kind;
  std::function<void(Desk&)> does;
  const char* words;
  std::uint64_t logins = 0;  ///< times that the PIN is presented
};
std::ostream& operator<<(std::ostream& out, const Wrong& row) { return out << row.name; }

const std::array kWrong{
    Wrong{"another TPM", "tpm",
          [](Desk& desk) {
            desk.tpm.stop();
            desk.tpm.replace_state();
            BOOST_REQUIRE(desk.tpm.restart());
          },
          "this is not the TPM in which the key was made"},
    Wrong{"a TPM that was cleared", "tpm", [](Desk& desk) { BOOST_REQUIRE(desk.tpm.clear()); },
          "this is not the TPM in which the key was made"},
    Wrong{"no TPM", "tpm", [](Desk& desk) { desk.tpm.kill(); }, "the TPM that has the key is not there"},
    Wrong{"no token", "pkcs11", [](Desk& desk) { desk.faults.remove_token(); },
          "the token that has the key is not there"},
    Wrong{"no key in the token", "pkcs11",
          [](Desk& desk) {
            for (const auto& entry : std::filesystem::recursive_directory_iterator(desk.hsm.folder())) {
              const std::string name = entry.path().filename().string();
              if (name.ends_with(".object") && name != "token.object") std::filesystem::remove(entry.path());
            }
          },
          "the token does not have this key any more", 1},
    Wrong{"no PIN file", "pkcs11", [](Desk& desk) { std::filesystem::remove(desk.pin_file); },
          "the PIN cannot be read"},
    Wrong{"a PIN file that others may read", "pkcs11",
          [](Desk& desk) { std::filesystem::permissions(desk.pin_file, std::filesystem::perms(0640)); },
          "the PIN may be read by others"},
    Wrong{"another PIN", "pkcs11", [](Desk& desk) { std::ofstream(desk.pin_file) << kOtherPin; },
          "the token refused the PIN, which was presented once", 1},
    Wrong{"a key file that others may read", "tpm",
          [](Desk& desk) {
            std::filesystem::permissions(desk.context() / "key.json", std::filesystem::perms(0640));
          },
          "others may read it"},
};

BOOST_DATA_TEST_CASE(what_is_wrong_with_a_device_is_told_and_nothing_is_done, data::make(kWrong), row) {
  Operator desk(row.kind);
  row.does(desk);
  const std::uint64_t logins = desk.calls(Pkcs11Call::kLogin);
  const Run run = desk.run({"agent", "create", "support", "--uid", "4711"});
  BOOST_TEST(run.exit == 2);
  BOOST_TEST(says(run, row.words), run.err);
  BOOST_TEST(desk.calls(Pkcs11Call::kLogin) - logins == row.logins);
  BOOST_TEST(answered(desk.daemon->client().agents()).agents.empty());
}

BOOST_AUTO_TEST_CASE(a_simulator_is_taken_knowingly_alone) {
  const Desk desk;
  for (const std::string& kind : kDevices) {
    Words options = desk.key_in(kind);
    options.pop_back();  // --allow-simulator
    const Run refused = desk.init(options);
    BOOST_TEST(refused.exit == 2);
    BOOST_TEST(says(refused, "take it knowingly"), refused.err);
  }
  BOOST_TEST(!std::filesystem::exists(desk.context()));
}

BOOST_AUTO_TEST_CASE(a_key_that_came_to_nothing_is_destroyed) {
  const Desk desk;
  Words too_long = desk.key_in("pkcs11");
  too_long.insert(too_long.end(), {"--lifetime", "91d"});
  BOOST_TEST(desk.init(too_long).exit == 1);
  BOOST_TEST(desk.calls(Pkcs11Call::kGenerateKeyPair) == 1u);
  BOOST_TEST(desk.objects_in_token() == 0u);
  expect_done(desk.init(desk.key_in("pkcs11")));
  BOOST_TEST(desk.objects_in_token() == 2u);  // both halves
  BOOST_TEST(desk.run({"context", "delegate", "x", "--to-key=x", "--tcti", "device:/dev/tpmrm0"}).exit == 2);
  const Words beyond{"context", "delegate", "default", "--scope", "chancery.agents.read"};  // there already
  BOOST_TEST(desk.run(beyond, desk.key_in("pkcs11")).exit == 2);
  const std::string file = desk.chancery.file("taken.json", "{}");
  BOOST_TEST(desk.run({"context", "key", file}, desk.key_in("pkcs11")).exit == 2);
  BOOST_TEST(desk.objects_in_token() == 2u);
}

BOOST_AUTO_TEST_CASE(a_key_that_a_file_leads_to_is_used_at_the_next_try) {
  const Desk desk;
  const auto in_the_way = desk.context() / "chain.txt";
  std::filesystem::create_directories(in_the_way);
  BOOST_TEST(desk.init(desk.key_in("pkcs11")).exit == 2);
  BOOST_TEST(desk.objects_in_token() == 2u);
  std::filesystem::remove(in_the_way);
  expect_done(desk.init(desk.key_in("pkcs11")));
  BOOST_TEST(desk.calls(Pkcs11Call::kGenerateKeyPair) == 1u);
  expect_done(desk.run({"agent", "list"}));
}

BOOST_AUTO_TEST_CASE(a_key_that_cannot_be_destroyed_is_told) {
  Desk desk;
  desk.faults.fail(Pkcs11Call::kDestroyObject, 0x30, 100);  // CKR_DEVICE_ERROR
  Words too_long = desk.key_in("pkcs11");
  too_long.insert(too_long.end(), {"--lifetime", "91d"});
  const Run refused = desk.init(too_long);
  BOOST_TEST(refused.exit == 1);
  BOOST_TEST(says(refused, "stays in its token, under a label that ends in "), refused.err);
}

BOOST_AUTO_TEST_CASE(a_context_keeps_its_key_where_it_is) {
  const Operator desk("tpm");
  const Run moved = desk.init(desk.key_in("pkcs11"));
  BOOST_TEST(moved.exit == 2);
  BOOST_TEST(says(moved, "the context has its key elsewhere"), moved.err);
  BOOST_TEST(desk.init({"--key-in", "file"}).exit == 2);
  BOOST_TEST(desk.objects_in_token() == 0u);
  expect_done(desk.run({"agent", "list"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
