// What a host measured: its log, and the statement of its TPM that the log leads to what the TPM holds.

#include "attest/verify/measurements.hpp"

#include <array>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <tss2/tss2_mu.h>

#include "sdk/crypto/hash.hpp"
#include "tests/unit/attest/made_host.hpp"

namespace chancery::tests {
namespace {

using attest::AgentMeasurement;
using attest::Check;
using attest::Hash;

AgentMeasurement entry(std::uint64_t seq) {
  return {seq, std::chrono::sys_seconds(std::chrono::seconds(1'800'000'000 + seq)), "agent", sha256({}),
          sha256(as_bytes("manifest " + std::to_string(seq)))};
}

Bytes marshalled_index(const TPMS_NV_PUBLIC& index) {
  Bytes octets(512);
  std::size_t size = 0;
  BOOST_REQUIRE(Tss2_MU_TPMS_NV_PUBLIC_Marshal(&index, octets.data(), octets.size(), &size) ==
                TSS2_RC_SUCCESS);
  octets.resize(size);
  return octets;
}

/// An enrolled host that measured three agents; what it says can be made wrong before it is signed.
struct MeasuredHost {
  MeasuredHost() : attest(host.certify) {
    attest.type = TPM2_ST_ATTEST_NV;
    index.nvIndex = 0x01812345;
    index.nameAlg = TPM2_ALG_SHA256;
    index.attributes = TPMA_NV_AUTHWRITE | TPMA_NV_AUTHREAD | TPMA_NV_NO_DA | TPMA_NV_WRITTEN |
                       (TPM2_NT_EXTEND << TPMA_NV_TPM2_NT_SHIFT);
    index.dataSize = 32;
    log = {entry(1), entry(2), entry(3)};
    value = replay(log);
  }

  [[nodiscard]] attest::Judged<attest::AttestedMeasurements> judged() const {
    const Bytes index_public = marshalled_index(index);
    TPMS_ATTEST said = attest;
    TPMS_NV_CERTIFY_INFO& about = said.attested.nv;
    put(about.indexName,
        attest::named(Hash::of(TPM2_ALG_SHA256).value(), {certified.empty() ? index_public : certified}));
    about.offset = offset;
    about.nvContents.size = size;
    std::ranges::copy(value, about.nvContents.buffer);
    const Bytes octets = marshalled(said);
    Bytes presented = index_public;
    presented.insert(presented.end(), trailing.begin(), trailing.end());
    return attest::check_measurements({{octets, signature_over(octets, host.ak_key.get())}, presented, log},
                                      host.enrolled, host.nonce);
  }

  MadeHost host;
  TPMS_ATTEST attest;
  TPMS_NV_PUBLIC index{};
  Bytes certified;  ///< another index that the statement is about; empty: this one
  Bytes trailing;   ///< behind the index's public area
  std::uint16_t offset = 0;
  std::uint16_t size = 32;
  Sha256Digest value{};
  attest::MeasurementLog log;
};

struct Case {
  const char* name;
  Check check;
  void (*spoil)(MeasuredHost&);
};
std::ostream& operator<<(std::ostream& out, const Case& row) { return out << row.name; }

template <TPMA_NV Attribute>
void flip(MeasuredHost& measured) {
  measured.index.attributes ^= Attribute;
}

constexpr std::array kCases{
    Case{"octets behind the index", Check::kMalformed,
         [](MeasuredHost& measured) { measured.trailing = {0}; }},
    Case{"an index that is written, not extended", Check::kIndexKind,
         flip<TPM2_NT_EXTEND << TPMA_NV_TPM2_NT_SHIFT>},
    Case{"an index that its owner may write", Check::kIndexKind, flip<TPMA_NV_OWNERWRITE>},
    Case{"an index that a start of the machine clears", Check::kIndexKind, flip<TPMA_NV_CLEAR_STCLEAR>},
    Case{"an index that nobody wrote", Check::kIndexKind, flip<TPMA_NV_WRITTEN>},
    Case{"an index with a policy", Check::kIndexKind,
         [](MeasuredHost& measured) { put(measured.index.authPolicy, Bytes(32)); }},
    Case{"an index over SHA-1", Check::kIndexKind,
         [](MeasuredHost& measured) { measured.index.nameAlg = TPM2_ALG_SHA1; }},
    Case{"an index of another size", Check::kIndexKind,
         [](MeasuredHost& measured) { measured.index.dataSize = 64; }},
    Case{"another host's AK", Check::kSignature,
         [](MeasuredHost& measured) { measured.host.ak_key = make_p256_key(); }},
    Case{"what no TPM made", Check::kMagic, [](MeasuredHost& measured) { measured.attest.magic ^= 1; }},
    Case{"a replayed nonce", Check::kNonce, [](MeasuredHost& measured) { measured.host.nonce[0] ^= 1; }},
    Case{"an AK below another EK", Check::kAkName,
         [](MeasuredHost& measured) { measured.attest.qualifiedSigner.name[9] ^= 1; }},
    Case{"another index", Check::kName, [](MeasuredHost& measured) { measured.certified = Bytes(14, 1); }},
    Case{"a part behind the beginning", Check::kIndexPart,
         [](MeasuredHost& measured) { measured.offset = 1; }},
    Case{"a part before the end", Check::kIndexPart, [](MeasuredHost& measured) { measured.size = 31; }},
    Case{"an entry less", Check::kLogReplay, [](MeasuredHost& measured) { measured.log.pop_back(); }},
    Case{"an entry more", Check::kLogReplay,
         [](MeasuredHost& measured) { measured.log.push_back(entry(4)); }},
    Case{"an entry that was changed", Check::kLogReplay,
         [](MeasuredHost& measured) { measured.log[1].executable[0] ^= 1; }},
    Case{"an entry at another time", Check::kLogReplay,
         [](MeasuredHost& measured) { measured.log[1].at += std::chrono::seconds(1); }},
    Case{"entries in another order", Check::kLogReplay,
         [](MeasuredHost& measured) { std::swap(measured.log[0], measured.log[1]); }},
    Case{"no log", Check::kLogReplay, [](MeasuredHost& measured) { measured.log.clear(); }},
    Case{"an older clock", Check::kRollback,
         [](MeasuredHost& measured) { measured.attest.clockInfo.clock = 999; }},
};

std::string with(const std::string& from, const std::string& to) {
  std::string text = json::to_jcs(to_node(entry(1)));
  return "[" + text.replace(text.find(from), from.size(), to) + "]";
}

attest::Judged<attest::MeasurementLog> read(const std::string& text) {
  return attest::read_measurement_log(json::Document::parse(text).value().root());
}

}  // namespace

std::vector<Check> checks_of_measurements() {
  std::vector<Check> out;
  for (const Case& row : kCases) out.push_back(row.check);
  return out;
}

BOOST_AUTO_TEST_SUITE(measurements)

BOOST_AUTO_TEST_CASE(a_log_that_leads_to_what_the_tpm_holds_is_attested) {
  const MeasuredHost measured;
  const auto attested = measured.judged();
  BOOST_TEST_REQUIRE(attested.has_value());
  BOOST_TEST((attested->value == measured.value));
  BOOST_TEST(attested->index_name.size() == 34u);
  BOOST_TEST((attested->state == attest::HostState{2000, 5, 2, true, 0x20260101}));
}

BOOST_DATA_TEST_CASE(what_is_wrong_is_refused_for_that, boost::unit_test::data::make(kCases), row) {
  MeasuredHost measured;
  row.spoil(measured);
  const auto judged = measured.judged();
  BOOST_TEST_REQUIRE(!judged.has_value());
  BOOST_TEST(attest::check_name(judged.error().check) == attest::check_name(row.check));
}

BOOST_AUTO_TEST_CASE(an_entry_goes_into_the_tpm_as_the_hash_of_its_canonical_form) {
  const AgentMeasurement one = entry(1);
  const std::string jcs = json::to_jcs(to_node(one));
  BOOST_TEST(jcs.starts_with(R"({"agent":"agent","at":1800000001,"executable_sha256":"e3b0c442)"));
  BOOST_TEST(jcs.ends_with(R"(,"seq":1})"));
  Bytes both(32);
  const Sha256Digest digest = sha256(as_bytes(jcs));
  both.insert(both.end(), digest.begin(), digest.end());
  BOOST_TEST((attest::replay(attest::MeasurementLog{one}) == sha256(both)));
  BOOST_TEST((attest::replay(attest::MeasurementLog{}) == Sha256Digest{}));
}

BOOST_AUTO_TEST_CASE(a_log_is_read_back_in_whatever_form_it_is_written) {
  std::string text;
  for (const auto seq : {1, 2}) text += (text.empty() ? "" : ",\n  ") + json::to_jcs(to_node(entry(seq)));
  const auto log = read("[ " + text + " ]");
  BOOST_TEST_REQUIRE(log.has_value());
  BOOST_TEST((*log == attest::MeasurementLog{entry(1), entry(2)}));
  BOOST_TEST(read("[]").value().empty());
}

BOOST_AUTO_TEST_CASE(what_is_no_log_is_refused) {
  for (const std::string& text :
       {std::string("{}"), std::string("[7]"), with("\"seq\":1", "\"seq\":2"), with("\"seq\":1", "\"seq\":0"),
        with("\"seq\":1", "\"seq\":\"1\""), with("\"seq\":1", "\"sequence\":1"),
        with("\"seq\":1", "\"more\":0,\"seq\":1"), with("1800000001", "-1"), with("1800000001", "1.5"),
        with("\"agent\":\"agent\"", "\"agent\":\"\""),
        with("\"agent\":\"agent\"", "\"agent\":\"" + std::string(129, 'a') + '"'), with("e3b0", "e3"),
        with("e3b0", "e3bx")}) {
    const auto log = read(text);
    BOOST_TEST_REQUIRE(!log.has_value(), text);
    BOOST_TEST((log.error().check == Check::kLogParse));
  }
}

BOOST_AUTO_TEST_CASE(a_log_goes_on_from_what_was_seen_and_never_back) {
  const attest::MeasurementLog log{entry(1), entry(2), entry(3)};
  for (std::size_t entries = 0; entries <= log.size(); ++entries) {
    const attest::SeenMeasurements seen{
        entries, attest::replay({log.begin(), log.begin() + static_cast<std::ptrdiff_t>(entries)})};
    BOOST_TEST(attest::check_continues(seen, log).has_value(), entries);
    BOOST_TEST(attest::check_continues(seen, {}).has_value() == (entries == 0));
    BOOST_TEST(attest::check_continues(seen, {entry(2), entry(2), entry(3)}).has_value() == (entries == 0));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
