#include "attest/verify/quote.hpp"

#include <algorithm>

#include "attest/evidence/event_log.hpp"
#include "attest/evidence/tpm_codec.hpp"

namespace chancery::attest {
namespace {

// Banks with nothing selected say nothing.
std::optional<PcrSelection> selection_of(const TPML_PCR_SELECTION& quoted) {
  PcrSelection out;
  for (UINT32 i = 0; i < quoted.count; ++i) {
    const TPMS_PCR_SELECTION& bank = quoted.pcrSelections[i];
    const auto hash = Hash::of(bank.hash);
    if (!hash) return std::nullopt;
    for (PcrIndex index = 0; index < PcrIndex{bank.sizeofSelect} * 8; ++index) {
      if ((bank.pcrSelect[index / 8] & 1U << index % 8) != 0) out[*hash].insert(index);
    }
  }
  return out;
}

// In the order of the quote, and ascending within each bank (Part 3, 18.4).
Judged<Bytes> digest_of(const TPML_PCR_SELECTION& quoted, const PcrSelection& selection,
                        const PcrValues& values, Hash hash) {
  Bytes all;
  for (UINT32 i = 0; i < quoted.count; ++i) {
    const auto selected = selection.find(*Hash::of(quoted.pcrSelections[i].hash));
    if (selected == selection.end()) continue;
    const auto bank = values.find(selected->first);
    for (const PcrIndex index : selected->second) {
      if (bank == values.end() || !bank->second.contains(index))
        return Refusal{Check::kPcrMissing, "the value of a PCR that is quoted is not there"};
      const Bytes& value = bank->second.at(index);
      all.insert(all.end(), value.begin(), value.end());
    }
  }
  return hash({all});
}

}  // namespace

Judged<void> check_quoted(const Statement& statement, const QuotedPcrs& pcrs) {
  const TPMS_QUOTE_INFO& quote = statement.attest.attested.quote;
  if (selection_of(quote.pcrSelect) != pcrs.selection)
    return Refusal{Check::kPcrSelection, "other PCRs are quoted than were asked for"};
  CHANCERY_ASSIGN(const Bytes digest,
                  digest_of(quote.pcrSelect, pcrs.selection, pcrs.values, statement.hash));
  if (!std::ranges::equal(octets_of(quote.pcrDigest), digest))
    return Refusal{Check::kPcrDigest, "the values are not those that are quoted"};
  if (!pcrs.log) return {};
  CHANCERY_ASSIGN(const EventLog log, read_event_log(*pcrs.log));
  return check_replay(log, pcrs.values);
}

}  // namespace chancery::attest
