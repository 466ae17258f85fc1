#include "attest/verify/certification.hpp"

#include <algorithm>

#include "attest/evidence/tpm_codec.hpp"

namespace chancery::attest {
namespace {

Judged<void> check_name(const TPM2B_NAME& certified, const PublicArea& key) {
  if (std::ranges::equal(octets_of(certified), key.name())) return {};
  return Refusal{Check::kName, "another key is certified: the Name is not this one's"};
}

}  // namespace

Judged<void> check_certified(const Statement& statement, const PublicArea& key) {
  return check_name(statement.attest.attested.certify.name, key);
}

Judged<void> check_created(const Statement& statement, const PublicArea& key, ByteView creation_data) {
  const TPMS_CREATION_INFO& creation = statement.attest.attested.creation;
  CHANCERY_TRY(check_name(creation.objectName, key));
  if (!std::ranges::equal(octets_of(creation.creationHash), key.name_hash()({creation_data})))
    return Refusal{Check::kCreationHash, "the creation data are not those that are certified"};
  CHANCERY_TRY(read_creation_data(creation_data));
  return {};
}

}  // namespace chancery::attest
