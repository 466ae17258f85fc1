#include <optional>

#include "simulators/faults/tcti_proxy.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"

// The counter in a TPM: grows, survives restarts, is never advanced twice for one request, is nobody else's.

namespace chancery::hsm {
namespace {

using enum ErrorCode;
using namespace std::chrono_literals;
using simulators::TctiFault;

constexpr std::uint8_t kOthersMaster = 0x77;

TpmOptions others_options(std::string tcti) {
  TpmOptions options = options_for(std::move(tcti));
  options.master = SecretBytes(Bytes(32, kOthersMaster));
  return options;
}

std::uint64_t value_of(const Result<std::uint64_t>& result) {
  BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().what));
  return *result;
}

ErrorCode error_of(const Result<std::uint64_t>& result) {
  BOOST_REQUIRE(!result);
  return result.error().code;
}

std::uint64_t read(TpmBackend& backend) { return value_of(backend.counter()->read(far_away())); }

/// An NV index of ordinary octets, open to whoever has the owner hierarchy.
Status define_ordinary_index(TpmBackend& backend, TPM2_HANDLE index) {
  return backend.device().run("test", far_away(), [index](OpenTpm& tpm) {
    return tpm.connection->command("not defined", [&] {
      const TPM2B_AUTH no_auth{};
      TPM2B_NV_PUBLIC area{};
      area.nvPublic.nvIndex = index;
      area.nvPublic.nameAlg = TPM2_ALG_SHA256;
      area.nvPublic.attributes = TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD;
      area.nvPublic.dataSize = 8;
      ESYS_TR handle = ESYS_TR_NONE;
      return Esys_NV_DefineSpace(tpm.connection->esys(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                 ESYS_TR_NONE, &no_auth, &area, &handle);
    });
  });
}

/// As whoever has the owner hierarchy may.
Status undefine(TpmBackend& backend, TPM2_HANDLE index) {
  return backend.device().run("test", far_away(), [index](OpenTpm& tpm) {
    return tpm.connection->command("not undefined", [&] {
      ESYS_TR handle = ESYS_TR_NONE;
      ESYS_CONTEXT* const esys = tpm.connection->esys();
      const TSS2_RC rc =
          Esys_TR_FromTPMPublic(esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &handle);
      if (rc != TSS2_RC_SUCCESS) return rc;
      return Esys_NV_UndefineSpace(esys, ESYS_TR_RH_OWNER, handle, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                   ESYS_TR_NONE);
    });
  });
}

TPM2_HANDLE index_of(TpmBackend& backend) { return dynamic_cast<NvCounter&>(*backend.counter()).index(); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_counter_is_made_once_and_grows_by_one) {
  const simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  MonotonicCounter& counter = *backend->counter();
  BOOST_TEST((error_of(counter.read(far_away())) == kNotFound));
  BOOST_TEST((error_of(counter.advance(far_away())) == kNotFound));
  const std::uint64_t first = value_of(counter.create(far_away()));
  BOOST_TEST(read(*backend) == first);
  for (std::uint64_t i = 1; i <= 20; ++i) BOOST_TEST(value_of(counter.advance(far_away())) == first + i);
  BOOST_TEST(read(*backend) == first + 20);
  BOOST_TEST(value_of(counter.create(far_away())) == first + 21);
}

BOOST_AUTO_TEST_CASE(a_counter_needs_no_more_of_the_tpm_with_plain_sessions) {
  const simulators::Swtpm tpm = start_swtpm();
  TpmOptions options = options_for(tpm.tcti());
  options.sessions = SessionKind::kPlain;
  const auto backend = open_backend(std::move(options));
  const std::uint64_t first = value_of(backend->counter()->create(far_away()));
  BOOST_TEST(value_of(backend->counter()->advance(far_away())) == first + 1);
}

BOOST_AUTO_TEST_CASE(a_counter_survives_kills_of_the_tpm_and_of_its_user) {
  simulators::Swtpm tpm = start_swtpm();
  std::uint64_t expected = 0;
  {
    const auto backend = open_backend(options_for(tpm.tcti()));
    expected = value_of(backend->counter()->create(far_away()));
    for (int i = 0; i < 3; ++i) {
      tpm.kill();
      BOOST_REQUIRE(tpm.restart());
      BOOST_TEST(value_of(backend->counter()->advance(far_away())) == ++expected);
    }
  }
  tpm.kill();
  BOOST_REQUIRE(tpm.restart());
  const auto reopened = open_backend(options_for(tpm.tcti()));
  BOOST_TEST(read(*reopened) == expected);
}

BOOST_AUTO_TEST_CASE(an_increment_whose_answer_is_lost_is_not_repeated) {
  const simulators::Swtpm tpm = start_swtpm();
  simulators::TpmProxy proxy(tpm.socket());
  const auto backend = open_backend(options_for(proxy.tcti()));
  const std::uint64_t first = value_of(backend->counter()->create(far_away()));
  proxy.inject(TPM2_CC_NV_Increment, {.kind = TctiFault::Kind::kCut});
  BOOST_TEST(value_of(backend->counter()->advance(far_away())) == first + 1);
  proxy.inject(TPM2_CC_NV_Increment, {.kind = TctiFault::Kind::kRefuse, .code = TPM2_RC_NV_RATE});
  BOOST_TEST(value_of(backend->counter()->advance(far_away())) == first + 2);
  BOOST_TEST(read(*backend) == first + 2);
}

BOOST_AUTO_TEST_CASE(making_a_counter_is_carried_on_after_a_lost_answer) {
  for (const TPM2_CC command : {TPM2_CC_NV_DefineSpace, TPM2_CC_NV_Increment}) {
    const simulators::Swtpm tpm = start_swtpm();
    simulators::TpmProxy proxy(tpm.socket());
    const auto backend = open_backend(options_for(proxy.tcti()));
    proxy.inject(command, {.kind = TctiFault::Kind::kCut});
    const std::uint64_t made = value_of(backend->counter()->create(far_away()));
    BOOST_TEST(read(*backend) == made);
  }
}

BOOST_AUTO_TEST_CASE(daemons_that_share_a_tpm_have_counters_of_their_own) {
  const simulators::Swtpm tpm = start_swtpm();
  std::uint64_t ours = 0;
  {
    const auto backend = open_backend(options_for(tpm.tcti()));
    ours = value_of(backend->counter()->create(far_away()));
  }
  {
    const auto other = open_backend(others_options(tpm.tcti()));
    BOOST_TEST((error_of(other->counter()->read(far_away())) == kNotFound));
    value_of(other->counter()->create(far_away()));
    value_of(other->counter()->advance(far_away()));
  }
  BOOST_TEST(read(*open_backend(options_for(tpm.tcti()))) == ours);
}

BOOST_AUTO_TEST_CASE(what_others_put_in_its_place_is_not_taken_for_the_counter) {
  const simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  BOOST_REQUIRE(define_ordinary_index(*backend, index_of(*backend)));
  BOOST_TEST((error_of(backend->counter()->read(far_away())) == kConflict));
  BOOST_TEST((error_of(backend->counter()->advance(far_away())) == kConflict));
  BOOST_TEST((error_of(backend->counter()->create(far_away())) == kConflict));
}

BOOST_AUTO_TEST_CASE(a_cleared_tpm_has_no_counter) {
  simulators::Swtpm tpm = start_swtpm();
  value_of(open_backend(options_for(tpm.tcti()))->counter()->create(far_away()));
  BOOST_REQUIRE(tpm.clear());
  const auto backend = open_backend(options_for(tpm.tcti()));
  BOOST_TEST((error_of(backend->counter()->read(far_away())) == kNotFound));
}

BOOST_AUTO_TEST_CASE(removing_the_counter_does_not_bring_former_values_back) {
  const simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  std::uint64_t highest = value_of(backend->counter()->create(far_away()));
  for (int i = 0; i < 5; ++i) highest = value_of(backend->counter()->advance(far_away()));
  BOOST_REQUIRE(undefine(*backend, index_of(*backend)));
  BOOST_TEST((error_of(backend->counter()->read(far_away())) == kNotFound));
  BOOST_TEST(value_of(backend->counter()->create(far_away())) > highest);
}

BOOST_AUTO_TEST_CASE(a_tpm_that_is_away_has_no_counter_to_tell_by_the_deadline) {
  simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  value_of(backend->counter()->create(far_away()));
  tpm.pause();
  BOOST_TEST((error_of(backend->counter()->advance(in(50ms))) == kDeviceTimeout));
  tpm.kill();
  BOOST_TEST(!backend->counter()->read(far_away()));
}

}  // namespace chancery::hsm
