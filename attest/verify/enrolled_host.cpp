#include "attest/verify/enrolled_host.hpp"

#include <array>
#include <tuple>
#include <utility>

namespace chancery::attest {
namespace {

constexpr std::array<std::uint8_t, 4> kEndorsement{0x40, 0x00, 0x00, 0x0B};

}  // namespace

HostState state_of(const Statement& statement) {
  const TPMS_ATTEST& attest = statement.attest;
  return {attest.clockInfo.clock, attest.clockInfo.resetCount, attest.clockInfo.restartCount,
          attest.clockInfo.safe == TPM2_YES, attest.firmwareVersion};
}

Judged<void> check_order(const HostState& before, const HostState& after) {
  const auto resets = [](const HostState& state) {
    return std::tuple(state.reset_count, state.restart_count);
  };
  const bool went_back =
      resets(after) < resets(before) || (resets(after) == resets(before) && after.clock_ms < before.clock_ms);
  if (!went_back) return {};
  return Refusal{
      Check::kRollback,
      "the host's TPM is at an earlier time than it was seen at: an old copy of its state, or another TPM"};
}

Judged<HostSigner> HostSigner::of(const EnrolledHost& host) {
  CHANCERY_ASSIGN(AttestationKey key, check_attestation_key({host.ak, std::nullopt}));
  return HostSigner(std::move(key), host.ek.qualified_name(kEndorsement));
}

}  // namespace chancery::attest
