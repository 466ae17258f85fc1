#include "attest/verify/measurements.hpp"

#include <algorithm>

#include "attest/evidence/hash.hpp"
#include "attest/evidence/tpm_codec.hpp"

namespace chancery::attest {
namespace {

constexpr TPMA_NV kExtendOnly = TPMA_NV_AUTHWRITE | TPMA_NV_AUTHREAD | TPMA_NV_NO_DA | TPMA_NV_WRITTEN |
                                (TPM2_NT_EXTEND << TPMA_NV_TPM2_NT_SHIFT);
constexpr std::size_t kSize = std::tuple_size_v<Sha256Digest>;

Judged<void> check_kind(const TPMS_NV_PUBLIC& index) {
  if (index.nameAlg == TPM2_ALG_SHA256 && index.attributes == kExtendOnly && index.authPolicy.size == 0 &&
      index.dataSize == kSize) {
    return {};
  }
  return Refusal{Check::kIndexKind,
                 "the NV index is none that only extends: what it holds could have been written there"};
}

Judged<void> check_about(const TPMS_NV_CERTIFY_INFO& certified, ByteView index_public) {
  const Bytes name = named(*Hash::of(TPM2_ALG_SHA256), {index_public});
  if (!std::ranges::equal(octets_of(certified.indexName), name))
    return Refusal{Check::kName, "another NV index is certified: the Name is not this one's"};
  if (certified.offset != 0 || certified.nvContents.size != kSize)
    return Refusal{Check::kIndexPart, "only a part of the NV index is certified"};
  return {};
}

}  // namespace

Judged<AttestedMeasurements> check_measurements(const MeasurementEvidence& evidence, const EnrolledHost& host,
                                                ByteView nonce) {
  CHANCERY_ASSIGN(const TPMS_NV_PUBLIC index, read_nv_public(evidence.index_public));
  CHANCERY_TRY(check_kind(index));
  CHANCERY_ASSIGN(const HostSigner signer, HostSigner::of(host));
  CHANCERY_ASSIGN(const Statement statement, signer.check(evidence.statement, TPM2_ST_ATTEST_NV, nonce));
  const TPMS_NV_CERTIFY_INFO& certified = statement.attest.attested.nv;
  CHANCERY_TRY(check_about(certified, evidence.index_public));
  const Sha256Digest value = replay(evidence.log);
  if (!std::ranges::equal(ByteView(certified.nvContents.buffer, kSize), value))
    return Refusal{Check::kLogReplay, "the log of what was measured does not lead to what the TPM holds"};
  const ByteView name = octets_of(certified.indexName);
  const HostState state = state_of(statement);
  CHANCERY_TRY(check_order(host.last_seen, state));
  return AttestedMeasurements{{name.begin(), name.end()}, value, state};
}

std::optional<Sha256Digest> certified_value(ByteView attest) {
  const auto statement = read_attest(attest);
  if (!statement || statement->type != TPM2_ST_ATTEST_NV) return std::nullopt;
  const TPMS_NV_CERTIFY_INFO& certified = statement->attested.nv;
  if (certified.nvContents.size != kSize) return std::nullopt;
  Sha256Digest value{};
  std::copy_n(certified.nvContents.buffer, kSize, value.begin());
  return value;
}

Judged<void> check_continues(const SeenMeasurements& seen, const MeasurementLog& log) {
  const auto size = static_cast<std::ptrdiff_t>(std::min(seen.entries, log.size()));
  if (seen.entries <= log.size() && replay({log.begin(), log.begin() + size}) == seen.value) return {};
  return Refusal{
      Check::kLogReplay,
      "the log of what was measured does not go on from what was seen before: the host's index was made anew"};
}

}  // namespace chancery::attest
