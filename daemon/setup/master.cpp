#include "daemon/setup/master.hpp"

#include "daemon/service/audit_entry.hpp"
#include "daemon/store/master_key.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::setup {
namespace {

std::string master_pin(const SecretBytes& master, std::string_view label) {
  return hex_encode(hkdf_sha256(master.view(), {}, label, 32).view());
}

// Under another secret the devices would open none of the keys, and each would be taken for lost: better not
// to start, since this can be mended. A folder whose records were never sealed has the secret pinned under
// another label, so that no record without a seal is taken once they are.
Status check_master(store::Store& store, const SecretBytes& master, bool has_keys,
                    std::chrono::sys_seconds now) {
  const std::string value = master_pin(master, "chancery master pin, sealed records");
  const auto pinned = store.master_pin();
  if (pinned && *pinned == value) return {};
  const store::AuditEntry audit = service::audit_entry("master.pin", now, {});
  if (pinned && *pinned == master_pin(master, "chancery master pin")) {
    CHANCERY_TRY(store.seal_former_records(value, audit));
    return {};
  }
  const bool is_new = !pinned && pinned.error().code == ErrorCode::kNotFound && !has_keys;
  if (!pinned && pinned.error().code != ErrorCode::kNotFound) return pinned.error();
  if (is_new) {
    CHANCERY_TRY(store.pin_master(value, audit));
    return {};
  }
  return Error{
      ErrorCode::kConfigInvalid,
      "the master secret is another than the one under which this state folder's keys were made: put "
      "the former credential `chancery.master`, or master.key, back"};
}

}  // namespace

// A daemon that has keys and no master secret must not make a new one: every key would be lost to it.
Result<SecretBytes> open_master(store::Store& store, const config::Config& config, const telemetry::Log& log,
                                std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(const store::StoreCounts counts, store.counts());
  CHANCERY_ASSIGN(SecretBytes master, store::load_master_key(config.state_path, counts.keys == 0));
  const auto seal = [&] {
    return store.seal_with(hkdf_sha256(master.view(), {}, "chancery record seal", 32));
  };
  CHANCERY_TRY(seal());
  CHANCERY_TRY(check_master(store, master, counts.keys > 0, now));
  CHANCERY_ASSIGN(const std::size_t damaged, seal());  // what is unsealed yet after that
  if (damaged > 0) {
    log.warning("records in the database are damaged, or were changed by another hand: they are not used",
                {{"records", damaged}});
  }
  return master;
}

}  // namespace chancery::setup
