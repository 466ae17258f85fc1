#pragma once

#include <optional>
#include <string>
#include <utility>

#include "daemon/service/vault.hpp"
#include "daemon/store/grant_book.hpp"
#include "daemon/vault/issuer.hpp"
#include "daemon/vault/issuers/grant_store.hpp"

namespace chancery::service {

/// The grant of one issuer, in the daemon's store: its refresh token under the vault's key, bound to issuer, state and generation, so
/// that neither a copied database nor an edited one has a token to use. Thread-safe.
class KeptGrant final : public vault::GrantStore {
 public:
  /// Borrows book and vault, which must outlive it.
  /// \param consent  what the log says of each grant that is put there; none: it says of those alone that end
  KeptGrant(store::GrantBook& book, Vault& vault, std::string issuer, vault::Clock now,
            std::optional<store::AuditEntry> consent = {})
      : book_(book),
        vault_(vault),
        issuer_(std::move(issuer)),
        now_(std::move(now)),
        consent_(std::move(consent)) {}

  /// \return also the vault's: kKeyLost and the device's errors, kStoreCorrupt for a record that another hand has changed
  [[nodiscard]] Result<vault::StoredGrant> load() override;
  /// Asks no device.
  [[nodiscard]] Result<vault::StoredGrant> look() override;
  [[nodiscard]] Result<std::uint64_t> replace(const vault::StoredGrant& grant) override;

 private:
  [[nodiscard]] Occasion occasion() const;

  store::GrantBook& book_;
  Vault& vault_;
  const std::string issuer_;
  const vault::Clock now_;
  const std::optional<store::AuditEntry> consent_;
};

}  // namespace chancery::service
