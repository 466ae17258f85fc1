#include "hsm/tpm/connection.hpp"

#include "tests/unit/hsm/simulated_tpm.hpp"

namespace chancery::hsm {
namespace {

// What somebody leaves who connects, fills every place of the TPM, and dies.
void fill_and_leave(const simulators::Swtpm& tpm) {
  const Interrupt interrupt;
  const auto tcti =
      DeadlineTcti::connect(*TctiAddress::parse(tpm.tcti()), std::chrono::seconds(10), interrupt);
  BOOST_REQUIRE(tcti);
  ESYS_CONTEXT* raw = nullptr;
  BOOST_REQUIRE(Esys_Initialize(&raw, (*tcti)->context(), nullptr) == TSS2_RC_SUCCESS);
  const EsysContext esys(raw);
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_PUBLIC wanted = storage_key_template();
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION pcrs{};
  const TPMT_SYM_DEF no_encryption{TPM2_ALG_NULL, {}, {}};
  ESYS_TR handle = ESYS_TR_NONE;
  TPMS_CONTEXT* saved = nullptr;
  for (int i = 0; i < 3; ++i) {
    BOOST_REQUIRE(Esys_CreatePrimary(esys.get(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                     ESYS_TR_NONE, &sensitive, &wanted, &outside, &pcrs, &handle, nullptr,
                                     nullptr, nullptr, nullptr) == TSS2_RC_SUCCESS);
  }
  for (const TPM2_SE type : {TPM2_SE_HMAC, TPM2_SE_POLICY, TPM2_SE_HMAC, TPM2_SE_POLICY, TPM2_SE_HMAC}) {
    BOOST_REQUIRE(Esys_StartAuthSession(esys.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                        ESYS_TR_NONE, nullptr, type, &no_encryption, TPM2_ALG_SHA256,
                                        &handle) == TSS2_RC_SUCCESS);
    if (saved == nullptr || type == TPM2_SE_POLICY) {
      Esys_Free(saved);
      BOOST_REQUIRE(Esys_ContextSave(esys.get(), handle, &saved) == TSS2_RC_SUCCESS);
    }
  }
  Esys_Free(saved);
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_an_earlier_connection_left_is_flushed) {
  const simulators::Swtpm tpm = start_swtpm();
  fill_and_leave(tpm);
  const auto backend = open_backend(options_for(tpm.tcti()));
  BOOST_TEST(count_handles(*backend, TPM2_TRANSIENT_FIRST) == 0u);
  BOOST_TEST(count_handles(*backend, TPM2_LOADED_SESSION_FIRST) == 1u);  // ours
  BOOST_TEST(count_handles(*backend, TPM2_ACTIVE_SESSION_FIRST) == 0u);  // saved ones
  BOOST_TEST((sign_error(*backend, create_key(*backend)) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(a_tpm_that_was_reset_behind_an_open_connection_is_started_again) {
  const simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const StoredKey key = create_key(*backend);
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));
  BOOST_REQUIRE(tpm.reset());
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));
  BOOST_TEST(backend->load().recoveries == 1u);
}

BOOST_AUTO_TEST_CASE(an_authorization_is_forgotten_without_the_tpm_and_without_harm_to_the_session) {
  const simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const StoredKey key = create_key(*backend);
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST((sign_error(*backend, key) == std::nullopt));
    BOOST_REQUIRE(backend->device().run("test", far_away(), [](OpenTpm& open) -> Status {
      for (int n = 0; n < 5; ++n) open.connection->forget_authorization();
      BOOST_TEST(!open.connection->broken());
      return {};
    }));
  }
  create_key(*backend, "another");
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));
  BOOST_TEST(backend->load().recoveries == 0u);
  BOOST_TEST(count_handles(*backend, TPM2_LOADED_SESSION_FIRST) == 1u);
}

}  // namespace chancery::hsm
