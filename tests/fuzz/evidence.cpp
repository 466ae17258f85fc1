#include <cstdlib>

#include <tss2/tss2_tpm2_types.h>

#include "attest/evidence/event_log.hpp"
#include "attest/evidence/public_area.hpp"
#include "attest/evidence/tpm_codec.hpp"
#include "attest/verify/certificate.hpp"
#include "attest/verify/credential.hpp"
#include "sdk/base/hex.hpp"
#include "tests/fuzz/target.hpp"

// An input's first octet says what the rest is: p a TPMT_PUBLIC, P a TPM2B_PUBLIC, a a TPMS_ATTEST, s a TPMT_SIGNATURE,
// d creation data, c a certificate, o a TPM2B_ID_OBJECT, l a firmware's event log, i and b an IMA log as text and binary.

namespace chancery::fuzz {
namespace {

using namespace chancery::attest;

// tss2-mu tells the standard error of every structure that it cannot read.
const int kQuiet = ::setenv("TSS2_LOG", "all+none", 0);

void check_area(ByteView octets, PublicArea::Form form) {
  const auto area = PublicArea::parse(octets, form);
  if (!area) return;
  const Bytes bare = write_public(area->area()).value();
  require(PublicArea::parse(bare, PublicArea::Form::kBare).value().name() == area->name());
  require(area->name().size() == area->name_hash().size() + 2);
  static_cast<void>(area->key());
}

void check_log(const Judged<EventLog>& log) {
  if (!log) return;
  require(log->measurements.size() <= log->records);
  const PcrValues values = replay(*log);
  for (const auto& [hash, bank] : values) {
    for (const auto& [index, value] : bank) require(index < 32 && value.size() == hash.size());
  }
  require(check_replay(*log, values).has_value());
}

void check_certificate(ByteView der) {
  const auto certificate = Certificate::parse(der);
  if (!certificate) return;
  static_cast<void>(certificate->key());
  static_cast<void>(tpm_identity(*certificate));
  CertificatePath path;
  require(!check_path(*certificate, path));
  path.roots = {*certificate};
  static_cast<void>(check_ek_certificate(*certificate, path, nullptr));
}

// An EK on P-256 by the TCG's template, with the curve's base point for a key.
const PublicArea& ek() {
  static const PublicArea area = [] {
    const Bytes octets = hex_decode(
                             "0023000b000300b200000006008000430010000300100020"
                             "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2960020"
                             "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
                             .value();
    return PublicArea::parse(octets, PublicArea::Form::kBare).value();
  }();
  return area;
}

// Nobody has the seed: whatever is presented must not open.
void check_credential(ByteView octets) {
  const Bytes name(34, 0x0B);
  const Bytes seed(32, 0x12);
  require(!open_credential(ek(), name, {octets, {}, seed}));
  static_cast<void>(open_credential(ek(), name, {octets, octets}));
}

void check(char kind, ByteView octets) {
  switch (kind) {
    case 'p':
      return check_area(octets, PublicArea::Form::kBare);
    case 'P':
      return check_area(octets, PublicArea::Form::kSized);
    case 'a':
      return static_cast<void>(read_attest(octets));
    case 's':
      return static_cast<void>(read_signature(octets));
    case 'd':
      return static_cast<void>(read_creation_data(octets));
    case 'c':
      return check_certificate(octets);
    case 'o':
      return check_credential(octets);
    case 'l':
      return check_log(read_event_log(octets));
    case 'i':
      return check_log(read_ima_text(octets));
    case 'b':
      return check_log(read_ima_binary(octets));
    default:
      return;
  }
}

}  // namespace
}  // namespace chancery::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0) chancery::fuzz::check(static_cast<char>(data[0]), {data + 1, size - 1});
  return 0;
}
