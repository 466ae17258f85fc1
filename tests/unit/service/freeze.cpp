// Agents whose keys are frozen: by the daemon where keys are in memory, and by a TPM whose switch the operator's key lifts.

#include "daemon/service/freeze.hpp"

#include <boost/test/unit_test.hpp>

#include "attest/evidence/kill_switch.hpp"
#include "daemon/service/freeze_desk.hpp"
#include "daemon/service/key_keeper.hpp"
#include "daemon/store/sqlite.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/wire/freeze_messages.hpp"
#include "sdk/wire/messages.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using boost::test_tools::per_element;
using rest::Response;
using Places = std::vector<std::string>;

template <typename T>
T must(Result<T> result) {
  BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().what));
  return *std::move(result);
}

/// An office, as its operator and its agents use it.
struct Frozen : OfficeFixture {
  using OfficeFixture::OfficeFixture;

  Response post(const std::string& path, const std::string& body = "{}", std::uint32_t uid = kOperatorUid) {
    return call("POST", path, body, uid);
  }
  void register_agent(const std::string& name, std::uint32_t uid, const std::string& backend) {
    const Response made = post("/v1/agents", R"({"name":")" + name + R"(","backend":")" + backend +
                                                 R"(","selectors":{"uid":)" + std::to_string(uid) + "}}");
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
  }
  std::string chain_for(const std::string& agent) {
    const Response granted = post(
        "/v1/grants",
        R"({"principal":"user:alice@example.org","agent":")" + agent +
            R"(","audience":"https://api.example.org","scopes":["crm.read"],"lifetime_s":3600,"depth":3})");
    BOOST_REQUIRE_MESSAGE(granted.status == 201, granted.body);
    return chain_of(granted);
  }
  Response prove(const std::string& chain, std::uint32_t uid) {
    return post("/v1/proofs", R"({"chain":)" + chain + R"(,"htm":"GET","htu":"https://a/b"})", uid);
  }
  api::Agent agent(const std::string& name) {
    const Response shown = call("GET", "/v1/agents/" + name, "", kOperatorUid);
    BOOST_REQUIRE_MESSAGE(shown.status == 200, shown.body);
    return must(wire::read_agent(shown.body));
  }
  api::AgentFreeze change(const std::string& agent, const std::string& verb, const std::string& body = "{}") {
    const Response answer = post("/v1/agents/" + agent + "/" + verb, body);
    BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.body);
    return must(wire::read_agent_freeze(answer.body));
  }
  api::FreezeState of_all(const std::string& what, const std::string& body = "{}") {
    const Response answer = post("/v1/freeze" + what, body);
    BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.body);
    return must(wire::read_freeze_state(answer.body));
  }
  store::Key key_of(const std::string& name) { return must(store().agent_by_name(name)).key; }
  std::string key_text(const std::string& name) { return key_of(name).stored.public_key.thumbprint().text(); }
  /// Of each key by which the agent can sign where it hangs, as "KEY STATE BANK/BIT".
  Places places_of(const std::string& name) {
    Places out;
    for (const api::KeySwitch& key : agent(name).kill_switch) {
      out.push_back(key.jkt + " " + key.state + " " +
                    (key.bank ? std::to_string(*key.bank) + "/" + std::to_string(*key.bit) : "none"));
    }
    return out;
  }
  /// Those of the newest entry of this kind, as JSON.
  std::string last_details(std::string_view action) {
    const std::string wanted = R"("action":")" + std::string(action) + "\"";
    std::string out;
    for (const store::AuditRecord& record : must(store().audit_tail(1000))) {
      if (record.json.find(wanted) == std::string::npos) continue;
      const auto entry = json::Document::parse(record.json);
      BOOST_REQUIRE(entry);
      const json::Value* const details = entry->root().find("details");
      out = details == nullptr ? "" : std::string(details->source());
    }
    return out;
  }
  std::size_t entries(std::string_view action) {
    std::size_t count = 0;
    const std::string wanted = R"("action":")" + std::string(action) + "\"";
    for (const store::AuditRecord& record : must(store().audit_tail(1000)))
      count += record.json.find(wanted) != std::string::npos ? 1 : 0;
    return count;
  }
};

/// Agents whose keys are in memory.
struct InMemory : Frozen {
  InMemory() { create_story_agents(); }
};

/// The same with a TPM, whose switch one operator's key lifts.
struct WithTpm : Frozen {
  struct Made {
    SigningKey operator_key = must(SigningKey::generate(Algorithm::kES256));
    simulators::Swtpm swtpm = hsm::start_swtpm();
    std::unique_ptr<hsm::TpmBackend> backend;
    hsm::TpmBackend* tpm = nullptr;
  };

  WithTpm() : WithTpm(make()) {}
  explicit WithTpm(Made made)
      : Frozen(extension_with(std::move(made.backend))),
        operator_key(std::move(made.operator_key)),
        swtpm(std::move(made.swtpm)),
        tpm(*made.tpm) {}

  static Made make() {
    Made made;
    hsm::TpmOptions options = hsm::options_for(made.swtpm.tcti());
    options.kill_switch = hsm::KillSwitchOptions{made.operator_key.public_key(), 1};
    made.backend = hsm::open_backend(std::move(options));
    made.tpm = made.backend.get();
    return made;
  }
  static Extension extension_with(std::unique_ptr<hsm::KeyBackend> backend) {
    Extension extension;
    extension.tpm = std::move(backend);
    return extension;
  }

  [[nodiscard]] std::string signed_by(const SigningKey& key,
                                      const std::vector<api::SwitchSetting>& settings) const {
    api::SignedSettings out;
    for (const api::SwitchSetting& setting : settings) {
      const Bytes message = must(
          attest::setting_message({setting.index, setting.frozen, setting.nonce}, operator_key.public_key()));
      const Signature signature = must(key.sign(message));
      out.settings.push_back({setting, {signature.begin(), signature.end()}});
    }
    return wire::write(out);
  }
  void arm() {
    const api::FreezeState asked = of_all("/arm");
    BOOST_TEST(!asked.is_armed);
    BOOST_REQUIRE(asked.to_sign.size() == 1u);
    const api::FreezeState armed = of_all("/arm", signed_by(operator_key, asked.to_sign));
    BOOST_TEST(armed.is_armed);
    BOOST_TEST(armed.to_sign.empty());
  }
  /// The device alone, past the daemon's own check.
  bool device_signs(const store::Key& key) {
    return tpm.sign(key.stored, as_bytes("x"), hsm::far_away()).has_value();
  }

  /// As the TPM's owner may.
  void remove_index(std::uint32_t index) {
    const Status done = tpm.device().run("test", hsm::far_away(), [index](hsm::OpenTpm& open) {
      return open.connection->command("not removed", [&] {
        ESYS_TR handle = ESYS_TR_NONE;
        ESYS_CONTEXT* const esys = open.connection->esys();
        const TSS2_RC rc =
            Esys_TR_FromTPMPublic(esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &handle);
        return rc != TSS2_RC_SUCCESS ? rc
                                     : Esys_NV_UndefineSpace(esys, ESYS_TR_RH_OWNER, handle, ESYS_TR_PASSWORD,
                                                             ESYS_TR_NONE, ESYS_TR_NONE);
      });
    });
    BOOST_REQUIRE_MESSAGE(done, (done ? "" : done.error().what));
  }

  SigningKey operator_key;
  simulators::Swtpm swtpm;
  hsm::TpmBackend& tpm;
  std::vector<std::string> complaints;
  service::KeyKeeper keeper{
      office(), {}, [this](const char* what, const Error&) { complaints.emplace_back(what); }};
};

/// Two TPMs, whose switches one operator's key lifts, and a desk that knows them. `guard` has a key in each.
struct TwoTpms : InMemory {
  explicit TwoTpms(unsigned banks = 1) {
    for (const char* name : {"one", "two"}) {
      swtpms.push_back(hsm::start_swtpm());
      hsm::TpmOptions options = hsm::options_for(swtpms.back().tcti());
      options.kill_switch = hsm::KillSwitchOptions{operator_key.public_key(), banks};
      backends.add(name, hsm::open_backend(std::move(options)));
    }
    BOOST_REQUIRE(desk.open());
    for (unsigned bank = 0; bank < banks; ++bank) {
      const auto settings = must(desk.ask_to_arm(hsm::far_away()));
      BOOST_REQUIRE(desk.arm(signed_for(settings), written, hsm::far_away()));
    }
    for (const std::string& name : backends.names()) {
      static_cast<void>(must(desk.make_key(*must(backends.find(name)), {"guard", "k1"}, Algorithm::kES256,
                                           kNow, hsm::far_away())));
    }
  }

  Signature signature_of(const attest::BankSetting& setting) {
    return must(operator_key.sign(must(attest::setting_message(setting, operator_key.public_key()))));
  }
  std::vector<api::SignedSetting> signed_for(const std::vector<api::SwitchSetting>& settings) {
    std::vector<api::SignedSetting> out;
    for (const api::SwitchSetting& setting : settings) {
      const Signature signature = signature_of({setting.index, setting.frozen, setting.nonce});
      out.push_back({setting, {signature.begin(), signature.end()}});
    }
    return out;
  }
  std::vector<api::SwitchSetting> lift(const std::vector<api::SwitchSetting>& settings) {
    return must(desk.lift({"guard", signed_for(settings), {.at = kNow, .action = "agent.unfreeze"}, written},
                          hsm::far_away()));
  }
  hsm::KillSwitch& switch_of(const char* name) { return *must(backends.find(name))->kill_switch(); }
  bool is_frozen(const char* name) { return must(switch_of(name).state(hsm::far_away())).is_frozen(1); }

  SigningKey operator_key = must(SigningKey::generate(Algorithm::kES256));
  std::vector<simulators::Swtpm> swtpms;
  service::Backends backends;
  service::FreezeDesk desk{*premises().books.freezes, backends};
  const service::FreezeDesk::Written written = [](const api::SwitchSetting&) { return Status(); };
};

struct TwoBanks : TwoTpms {
  TwoBanks() : TwoTpms(2) {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(freezing)

// An operator who is told another number of a bank would lift the freeze of all with such a slot.
BOOST_FIXTURE_TEST_CASE(the_first_slot_of_no_bank_is_given_to_an_agent, TwoBanks) {
  store::FreezeBook& book = *premises().books.freezes;
  for (int i = 2; i < 64; ++i)
    BOOST_REQUIRE(must(book.take_slot({"a" + std::to_string(i), 127, {}}, kNow)) == i);
  hsm::KeyBackend& backend = *must(backends.find("one"));
  const hsm::StoredKey key =
      must(desk.make_key(backend, {"other", "k2"}, Algorithm::kES256, kNow, hsm::far_away()));
  BOOST_TEST((switch_of("one").slot_of(key) == hsm::KillSwitch::Slot{65}));
}

// The operator may go no further than the first of them.
BOOST_FIXTURE_TEST_CASE(no_device_is_left_unfrozen_while_another_is_still_to_be_signed_for, TwoTpms) {
  BOOST_REQUIRE(
      must(desk.freeze({"guard", kNow, ""}, {.at = kNow, .action = "agent.freeze"}, hsm::far_away())));
  // As one that was away: it knows nothing of the freeze when it is asked what is to be signed.
  const attest::BankSetting cleared = must(switch_of("two").ask(0, 0, hsm::far_away()));
  BOOST_REQUIRE(switch_of("two").set(cleared, signature_of(cleared), hsm::far_away()));
  const std::vector<api::SwitchSetting> first = lift({});
  BOOST_REQUIRE(first.size() == 1u);
  BOOST_REQUIRE(desk.tell_devices(hsm::far_away()));

  const std::vector<api::SwitchSetting> both = lift(first);
  BOOST_TEST(both.size() == 2u);
  BOOST_TEST(is_frozen("one"));
  BOOST_TEST(is_frozen("two"));
  BOOST_TEST(desk.freeze_of("guard").has_value());

  BOOST_TEST(lift(both).empty());
  BOOST_TEST(!is_frozen("one"));
  BOOST_TEST(!is_frozen("two"));
  BOOST_TEST(!desk.freeze_of("guard").has_value());
}

BOOST_FIXTURE_TEST_CASE(the_daemon_refuses_for_a_frozen_agent_and_for_no_other, InMemory) {
  const std::string chain = chain_for("orchestrator");
  const std::string others = chain_for("support");
  BOOST_TEST(prove(chain, kOrchestratorUid).status == 201);

  const api::AgentFreeze frozen = change("orchestrator", "freeze", R"({"reason":"odd calls"})");
  BOOST_TEST(frozen.is_frozen);
  BOOST_TEST(frozen.enforcement == "software");
  const std::uint64_t before = device().signatures();
  BOOST_TEST(prove(chain, kOrchestratorUid).status == 403);
  BOOST_TEST(post("/v1/delegations", R"({"chain":)" + chain + R"(,"to":"support","scopes":["crm.read"]})",
                  kOrchestratorUid)
                 .status == 403);
  BOOST_TEST(device().signatures() == before);
  BOOST_TEST(prove(others, kSupportUid).status == 201);

  const api::Agent shown = agent("orchestrator");
  BOOST_TEST((shown.frozen_since == kNow.time_since_epoch().count()));
  BOOST_TEST(shown.frozen_reason == "odd calls");
  BOOST_TEST(shown.freeze_enforcement == "software");
  BOOST_TEST(!agent("support").frozen_since.has_value());

  const api::AgentFreeze ended = change("orchestrator", "unfreeze");
  BOOST_TEST(!ended.is_frozen);
  BOOST_TEST(ended.to_sign.empty());
  BOOST_TEST(prove(chain, kOrchestratorUid).status == 201);
  BOOST_TEST(entries("agent.freeze") == 1u);
  BOOST_TEST(entries("agent.unfreeze") == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_freeze_of_all_leaves_who_is_frozen_by_itself_frozen_at_its_end, InMemory) {
  const std::string one = chain_for("orchestrator");
  const std::string two = chain_for("support");
  static_cast<void>(change("support", "freeze"));
  const api::FreezeState all = of_all("", R"({"reason":"leak"})");
  BOOST_TEST(all.is_frozen);
  BOOST_TEST(all.enforcement == "software");
  BOOST_TEST((all.agents == std::vector<std::string>{"support"}));
  BOOST_TEST(prove(one, kOrchestratorUid).status == 403);
  BOOST_TEST(prove(two, kSupportUid).status == 403);
  BOOST_TEST((agent("orchestrator").frozen_reason == "leak"));

  BOOST_TEST(!of_all("/lift").is_frozen);
  BOOST_TEST(prove(one, kOrchestratorUid).status == 201);
  BOOST_TEST(prove(two, kSupportUid).status == 403);
}

BOOST_FIXTURE_TEST_CASE(what_is_not_frozen_cannot_be_unfrozen, InMemory) {
  BOOST_TEST(post("/v1/agents/support/unfreeze").status == 409);
  BOOST_TEST(post("/v1/freeze/lift").status == 409);
  BOOST_TEST(post("/v1/freeze/arm").status == 409);  // nothing has a kill switch
  static_cast<void>(of_all(""));
  BOOST_TEST(post("/v1/agents/support/unfreeze").status == 409);  // it is frozen with all alone
  BOOST_TEST(post("/v1/agents/nobody/freeze").status == 404);
  BOOST_TEST(post("/v1/agents/support/freeze", R"({"why":"x"})").status == 400);
}

BOOST_FIXTURE_TEST_CASE(only_the_operator_freezes_and_unfreezes, InMemory) {
  for (const char* path : {"/v1/agents/support/freeze", "/v1/agents/support/unfreeze", "/v1/freeze",
                           "/v1/freeze/lift", "/v1/freeze/arm"}) {
    BOOST_TEST(post(path, "{}", kSupportUid).status == 403, path);
  }
  BOOST_TEST(call("GET", "/v1/freeze", "", kSupportUid).status == 403);
  BOOST_TEST(!agent("support").frozen_since.has_value());
}

BOOST_FIXTURE_TEST_CASE(who_is_frozen_is_known_after_a_restart, InMemory) {
  static_cast<void>(change("support", "freeze", R"({"reason":"odd"})"));
  service::FreezeDesk again(*premises().books.freezes, office().backends);
  BOOST_REQUIRE(again.open());
  BOOST_TEST(again.require_free(must(store().agent_by_name("orchestrator")).id).has_value());
  const auto freeze = again.freeze_of(must(store().agent_by_name("support")).id);
  BOOST_REQUIRE(freeze);
  BOOST_TEST(freeze->reason == "odd");
  BOOST_TEST((freeze->since == kNow));
}

BOOST_FIXTURE_TEST_CASE(the_tpm_itself_refuses_until_the_operator_has_signed, WithTpm) {
  arm();
  register_agent("guard", kSupportUid, "tpm");
  register_agent("other", kLookupUid, "tpm");
  const std::string chain = chain_for("guard");
  BOOST_TEST(prove(chain, kSupportUid).status == 201);
  BOOST_TEST(agent("guard").freeze_enforcement == "tpm");
  BOOST_TEST(places_of("guard") == (Places{key_text("guard") + " active 0/1"}), per_element());
  BOOST_TEST(places_of("other") == (Places{key_text("other") + " active 0/2"}), per_element());

  BOOST_TEST(change("guard", "freeze").enforcement == "tpm");
  BOOST_TEST(!device_signs(key_of("guard")));
  BOOST_TEST(device_signs(key_of("other")));
  BOOST_TEST(prove(chain, kSupportUid).status == 403);

  const api::AgentFreeze asked = change("guard", "unfreeze");
  BOOST_TEST(asked.is_frozen);
  BOOST_REQUIRE(asked.to_sign.size() == 1u);
  BOOST_TEST(asked.to_sign.front().backend == "tpm");
  BOOST_REQUIRE(!asked.banks.empty());
  BOOST_TEST(asked.banks.front().index == asked.to_sign.front().index);
  BOOST_TEST((asked.banks.front().frozen & ~asked.to_sign.front().frozen) != 0u);  // what it unfreezes
  const SigningKey stranger = must(SigningKey::generate(Algorithm::kES256));
  BOOST_TEST(post("/v1/agents/guard/unfreeze", signed_by(stranger, asked.to_sign)).status == 403);
  BOOST_TEST(!device_signs(key_of("guard")));
  BOOST_TEST(agent("guard").frozen_since.has_value());

  const api::AgentFreeze again = change("guard", "unfreeze");
  const api::AgentFreeze ended = change("guard", "unfreeze", signed_by(operator_key, again.to_sign));
  BOOST_TEST(!ended.is_frozen);
  BOOST_TEST(device_signs(key_of("guard")));
  BOOST_TEST(prove(chain, kSupportUid).status == 201);
}

BOOST_FIXTURE_TEST_CASE(what_is_frozen_again_while_the_operator_signs_stays_frozen, WithTpm) {
  arm();
  register_agent("guard", kSupportUid, "tpm");
  static_cast<void>(change("guard", "freeze"));
  const api::AgentFreeze asked = change("guard", "unfreeze");
  static_cast<void>(change("guard", "freeze", R"({"reason":"it goes on"})"));
  BOOST_TEST(post("/v1/agents/guard/unfreeze", signed_by(operator_key, asked.to_sign)).status == 409);
  BOOST_TEST(!device_signs(key_of("guard")));
  BOOST_TEST(agent("guard").frozen_since.has_value());
  const api::AgentFreeze again = change("guard", "unfreeze");
  BOOST_TEST(!change("guard", "unfreeze", signed_by(operator_key, again.to_sign)).is_frozen);
  BOOST_TEST(device_signs(key_of("guard")));
}

// What the device does by then the book does not say.
BOOST_FIXTURE_TEST_CASE(what_could_not_be_recorded_as_unfrozen_is_frozen_again, WithTpm) {
  const auto execute = [this](const char* statement) {
    auto other = must(store::Database::open(database()));
    BOOST_REQUIRE(other.execute(statement));
  };
  arm();
  register_agent("guard", kSupportUid, "tpm");
  static_cast<void>(change("guard", "freeze"));
  keeper.tick(kNow);
  const api::AgentFreeze asked = change("guard", "unfreeze");
  execute("ALTER TABLE freezes RENAME TO away");
  BOOST_TEST(post("/v1/agents/guard/unfreeze", signed_by(operator_key, asked.to_sign)).status == 503);
  execute("ALTER TABLE away RENAME TO freezes");
  BOOST_TEST(device_signs(key_of("guard")));
  BOOST_TEST(agent("guard").frozen_since.has_value());
  keeper.tick(kNow + std::chrono::seconds(10));
  BOOST_TEST(!device_signs(key_of("guard")));
}

BOOST_FIXTURE_TEST_CASE(what_was_signed_for_one_agent_ends_no_others_freeze, WithTpm) {
  arm();
  register_agent("guard", kSupportUid, "tpm");
  register_agent("other", kLookupUid, "tpm");
  static_cast<void>(change("guard", "freeze"));
  static_cast<void>(change("other", "freeze"));
  const api::AgentFreeze asked = change("guard", "unfreeze");
  const std::string answer = signed_by(operator_key, asked.to_sign);
  BOOST_TEST(post("/v1/agents/other/unfreeze", answer).status == 409);
  BOOST_TEST(!device_signs(key_of("guard")));
  BOOST_TEST(!change("guard", "unfreeze", answer).is_frozen);
}

BOOST_FIXTURE_TEST_CASE(one_write_freezes_the_keys_of_all_agents_in_the_tpm, WithTpm) {
  arm();
  register_agent("one", kOrchestratorUid, "tpm");
  register_agent("two", kSupportUid, "tpm");
  const api::FreezeState all = of_all("");
  BOOST_TEST(all.enforcement == "tpm");
  BOOST_TEST(all.switched_keys == 2u);
  BOOST_TEST(all.other_keys == 0u);
  BOOST_TEST(!device_signs(key_of("one")));
  BOOST_TEST(!device_signs(key_of("two")));

  const api::FreezeState asked = of_all("/lift");
  BOOST_TEST(asked.is_frozen);
  BOOST_TEST(!of_all("/lift", signed_by(operator_key, asked.to_sign)).is_frozen);
  BOOST_TEST(device_signs(key_of("one")));
  BOOST_TEST(device_signs(key_of("two")));
}

BOOST_FIXTURE_TEST_CASE(keys_that_were_made_before_are_followed_by_ones_that_hang_on_the_switch, WithTpm) {
  register_agent("early", kSupportUid, "tpm");
  create_agent("elsewhere", kLookupUid);
  const store::Key before = key_of("early");
  const store::Key in_memory = key_of("elsewhere");
  keeper.tick(kNow);
  BOOST_TEST((key_of("early").stored.public_key == before.stored.public_key));  // nothing is armed yet
  BOOST_TEST(agent("early").freeze_enforcement == "software");
  const std::string former = key_text("early");
  BOOST_TEST(places_of("early") == (Places{former + " active none"}), per_element());

  arm();
  keeper.tick(kNow + 1s);
  const store::Key after = key_of("early");
  BOOST_TEST((after.stored.public_key != before.stored.public_key));
  BOOST_TEST((key_of("elsewhere").stored.public_key == in_memory.stored.public_key));
  BOOST_TEST(agent("early").freeze_enforcement == "software");  // the former serves still
  const std::string present = key_text("early") + " active 0/1";
  BOOST_TEST(places_of("early") == (Places{present, former + " rotating none"}), per_element());
  keeper.tick(kNow + 1000h);
  BOOST_TEST(agent("early").freeze_enforcement == "tpm");
  BOOST_TEST(places_of("early") == (Places{present}), per_element());
  BOOST_TEST(agent("elsewhere").freeze_enforcement == "software");
  BOOST_TEST(places_of("elsewhere") == (Places{key_text("elsewhere") + " active none"}), per_element());
  keeper.tick(kNow + 1001h);
  BOOST_TEST((key_of("early").stored.public_key == after.stored.public_key));  // once

  static_cast<void>(change("early", "freeze"));
  BOOST_TEST(!device_signs(after));
  BOOST_TEST(complaints.empty());
}

// Else the key that follows would sign for an agent of which the daemon says that the TPM has frozen it.
BOOST_FIXTURE_TEST_CASE(who_is_frozen_gets_no_key_that_the_tpm_signs_with, WithTpm) {
  register_agent("early", kSupportUid, "tpm");
  const store::Key before = key_of("early");
  BOOST_TEST(change("early", "freeze").enforcement == "software");
  arm();
  keeper.tick(kNow + 1s);
  const store::Key after = key_of("early");
  BOOST_TEST((after.stored.public_key != before.stored.public_key));
  BOOST_TEST(!device_signs(after));
  const api::FreezeState state =
      must(wire::read_freeze_state(call("GET", "/v1/freeze", "", kOperatorUid).body));
  BOOST_REQUIRE(state.banks.size() == 1u);
  BOOST_TEST(state.banks.front().is_armed);
  BOOST_TEST(state.banks.front().frozen == attest::bit_of_slot(1));

  const api::AgentFreeze asked = change("early", "unfreeze");
  BOOST_TEST(!change("early", "unfreeze", signed_by(operator_key, asked.to_sign)).is_frozen);
  BOOST_TEST(device_signs(after));
  BOOST_TEST(complaints.empty());
}

BOOST_FIXTURE_TEST_CASE(keys_that_serve_until_their_overlap_ends_count_among_those_that_are_to_be_frozen,
                        WithTpm) {
  register_agent("early", kSupportUid, "tpm");
  arm();
  keeper.tick(kNow + 1s);
  const api::FreezeState within = of_all("");
  BOOST_TEST(within.enforcement == "software");
  BOOST_TEST(within.switched_keys == 1u);
  BOOST_TEST(within.other_keys == 1u);
  keeper.tick(kNow + 1000h);
  const api::FreezeState after = of_all("");
  BOOST_TEST(after.enforcement == "tpm");
  BOOST_TEST(after.other_keys == 0u);
}

BOOST_FIXTURE_TEST_CASE(the_log_says_what_was_planned_and_then_whether_devices_know, WithTpm) {
  arm();
  register_agent("guard", kSupportUid, "tpm");
  static_cast<void>(change("guard", "freeze"));
  BOOST_TEST(last_details("agent.freeze") == R"({"planned":"tpm"})");
  BOOST_TEST(last_details("freeze.told") == R"({"enforcement":"tpm","told":true})");
  const api::AgentFreeze asked = change("guard", "unfreeze");
  BOOST_TEST(entries("freeze.clear") == 0u);
  static_cast<void>(change("guard", "unfreeze", signed_by(operator_key, asked.to_sign)));
  BOOST_TEST(entries("freeze.clear") == 1u);
  swtpm.kill();
  static_cast<void>(of_all(""));
  BOOST_TEST(last_details("freeze.all") == R"({"planned":"tpm"})");
  BOOST_TEST(last_details("freeze.told") == R"({"enforcement":"software","told":false})");
}

// As when a second backend's device refuses.
BOOST_FIXTURE_TEST_CASE(a_bank_that_was_armed_stands_in_the_log_whatever_became_of_the_next, WithTpm) {
  const api::FreezeState asked = of_all("/arm");
  BOOST_REQUIRE(asked.to_sign.size() == 1u);
  const std::vector<api::SwitchSetting> twice(2, asked.to_sign.front());  // it is used up by the second
  BOOST_TEST(post("/v1/freeze/arm", signed_by(operator_key, twice)).status == 409);
  BOOST_TEST(of_all("/arm").is_armed);
  BOOST_TEST(entries("freeze.arm") == 1u);
}

BOOST_FIXTURE_TEST_CASE(metrics_tell_of_the_switch_what_its_device_said_last, WithTpm) {
  const auto says = [&](const char* line) {
    const std::string text = call("GET", "/metrics", "", kOperatorUid).body;
    BOOST_TEST(text.find("\n" + std::string(line) + "\n") != std::string::npos,
               line << " is not in " << text);
  };
  register_agent("early", kOrchestratorUid, "tpm");
  says("chancery_unswitched_keys 1");
  static_cast<void>(of_all("/arm"));
  says("chancery_kill_switch_armed{backend=\"tpm\"} 0");
  arm();
  says("chancery_kill_switch_armed{backend=\"tpm\"} 1");
  register_agent("guard", kSupportUid, "tpm");
  set_now(kNow + 301s);
  says("chancery_unswitched_keys 1");
  says("chancery_freeze_untold{backend=\"tpm\"} 0");

  swtpm.kill();
  static_cast<void>(change("guard", "freeze"));
  says("chancery_freeze_untold{backend=\"tpm\"} 1");
  BOOST_REQUIRE(swtpm.restart());
  hsm::eventually([&] { return tpm.check(hsm::in(1s)).has_value(); });
  keeper.tick(kNow + 400s);
  says("chancery_freeze_untold{backend=\"tpm\"} 0");
}

BOOST_FIXTURE_TEST_CASE(a_tpm_that_was_away_is_told_of_the_freeze_when_it_is_back, WithTpm) {
  arm();
  register_agent("guard", kSupportUid, "tpm");
  swtpm.kill();
  BOOST_TEST(change("guard", "freeze").enforcement == "software");
  BOOST_REQUIRE(swtpm.restart());
  hsm::eventually([&] { return tpm.check(hsm::in(1s)).has_value(); });
  BOOST_TEST(device_signs(key_of("guard")));  // as the device knows nothing of it yet
  BOOST_TEST(last_details("freeze.told") == R"({"enforcement":"software","told":false})");
  keeper.tick(kNow + 60s);
  BOOST_TEST(!device_signs(key_of("guard")));
  BOOST_TEST(last_details("freeze.told") == R"({"told":true})");
}

BOOST_FIXTURE_TEST_CASE(arming_anew_freezes_whoever_is_frozen, WithTpm) {
  arm();
  register_agent("guard", kSupportUid, "tpm");
  register_agent("other", kLookupUid, "tpm");
  static_cast<void>(change("guard", "freeze"));
  // As the TPM's owner can: then both are frozen until the operator has signed.
  remove_index(must(tpm.kill_switch()->state(hsm::far_away())).banks.front().index);
  BOOST_TEST(!device_signs(key_of("other")));
  arm();
  BOOST_TEST(device_signs(key_of("other")));
  BOOST_TEST(!device_signs(key_of("guard")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
