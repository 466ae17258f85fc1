#pragma once

#include <memory>
#include <utility>

#include "daemon/store/journal.hpp"
#include "daemon/store/record_seal.hpp"
#include "daemon/store/sqlite.hpp"
#include "daemon/store/store.hpp"

namespace chancery::store {

/// The SQLite implementation.
class SqliteStore final : public Store {
 public:
  explicit SqliteStore(std::shared_ptr<Journal> journal) noexcept
      : journal_(std::move(journal)), database_(journal_->database()), seal_(journal_->seal()) {}

  Result<std::size_t> seal_with(SecretBytes secret) override;
  Result<std::uint64_t> add_agent(const Agent& agent, const AuditEntry& audit) override;
  Result<std::uint64_t> retire_agent(std::string_view id, const AuditEntry& audit) override;
  Result<std::uint64_t> add_key(const Key& key, sys_seconds overlap_until, const AuditEntry& audit) override;
  Result<std::uint64_t> add_gate_key(const Key& key, const std::vector<Thumbprint>& approvers,
                                     sys_seconds overlap_until, const AuditEntry& audit) override;
  Result<std::uint64_t> change_key(const Thumbprint& key, KeyState state, std::string_view reason,
                                   const AuditEntry& audit) override;
  Result<std::uint64_t> lose_keys(std::string_view backend, const AuditEntry& audit) override;
  Result<std::uint64_t> recover_keys(std::string_view backend, const AuditEntry& audit) override;
  Result<std::uint64_t> key_destroyed(const KeyIntent& intent, const AuditEntry& audit) override;
  Result<std::uint64_t> pin_backend(std::string_view backend, std::string_view device_name,
                                    const AuditEntry& audit) override;
  Result<std::uint64_t> replace_backend(std::string_view backend, std::string_view device_name,
                                        std::string_view reason, const AuditEntry& audit) override;
  Result<std::uint64_t> pin_master(std::string_view value, const AuditEntry& audit) override;
  Result<std::uint64_t> seal_former_records(std::string_view master_pin, const AuditEntry& audit) override;
  Result<std::uint64_t> record_token(const IssuedToken& token, const Thumbprint& signer,
                                     const AuditEntry& audit) override;
  Result<std::uint64_t> record_use(const Thumbprint& signer, const AuditEntry& audit) override;
  Result<std::uint64_t> append_audit(const AuditEntry& audit) override;

  Status add_intent(const KeyIntent& intent) override;
  Status drop_intent(const KeyIntent& intent) override;
  Result<std::vector<KeyIntent>> intents() override;

  Result<Agent> agent_by_name(std::string_view name) override;
  Result<Agent> agent_by_id(std::string_view id) override;
  Result<Agent> agent_by_key(const Thumbprint& thumbprint) override;
  Result<std::vector<Agent>> agents(const AgentQuery& query) override;
  Result<std::vector<Agent>> agents_by_name(const AgentNameQuery& query) override;
  Result<Key> key(const Thumbprint& thumbprint) override;
  Result<Key> key_by_id(std::string_view backend, std::string_view key_id) override;
  Result<Key> newest_key(std::string_view owner, std::string_view backend) override;
  Result<std::vector<Key>> keys(std::string_view owner) override;
  Result<std::vector<Key>> keys_in_use(std::string_view owner) override;
  Result<std::vector<Key>> gate_keys_in_use() override;
  Result<std::vector<Thumbprint>> openers_of(const Thumbprint& gate_key) override;
  Result<std::vector<Key>> overdue_keys(sys_seconds now) override;
  Result<std::vector<Key>> aged_keys(sys_seconds latest, std::size_t skip) override;
  Result<std::vector<Thumbprint>> ended_keys(sys_seconds since, sys_seconds now) override;
  Result<EndedTokens> tokens_of(const std::vector<Thumbprint>& keys, sys_seconds now) override;
  Result<std::string> backend_pin(std::string_view backend) override;
  Result<std::string> master_pin() override;
  Result<IssuedToken> token(std::string_view id) override;
  Result<std::vector<IssuedToken>> tokens_of_agent(std::string_view id, sys_seconds now,
                                                   std::size_t limit) override;
  Result<std::uint64_t> count_tokens_of_agent(std::string_view id, sys_seconds now) override;
  Result<std::vector<AuditRecord>> audit_after(std::uint64_t sequence, std::size_t limit) override;
  Result<std::vector<AuditRecord>> audit_tail(std::size_t limit) override;
  Result<StoreCounts> counts() override;
  Result<std::map<std::string, std::uint64_t>> agent_keys_by_backend() override;
  Status check() override;
  Result<StateSpace> space() override;

 private:
  Status insert_key(const Key& key);
  /// Those before it rotate.
  Status insert_newest(const Key& key, sys_seconds overlap_until);
  Status update_key(const Key& key);
  Status update_agent(const Agent& agent, std::int64_t key_place);
  /// \param second  bound too, unless it is empty
  Result<std::vector<Key>> keys_of(const char* statement, std::string_view first,
                                   std::string_view second = {});
  Result<std::vector<Key>> read_keys(Query& rows);
  Result<std::vector<Key>> sound_keys(Query& rows);
  Result<Key> only_key(const char* statement, std::string_view first, std::string_view second);
  Result<std::size_t> find_damage();
  Status lose(const std::vector<Key>& keys, std::string_view reason);
  Result<std::int64_t> place_of_newest(std::string_view agent_id);
  Status delete_intent(std::string_view backend, std::string_view key_id);
  Status intend_to_destroy(std::string_view owner);
  Status expect_serving(const Thumbprint& key);
  Status expect_receiver(const IssuedToken& token);
  Status expect_some_change(const Error& otherwise) const;
  Result<Key> find_key(const Thumbprint& thumbprint);
  Result<Agent> find_agent(const char* statement, std::string_view key);
  Status add_descendants(const Thumbprint& holder, sys_seconds now, EndedTokens& out);

  const std::shared_ptr<Journal> journal_;
  Database& database_;  // the journal's
  RecordSeal& seal_;    // the journal's
  std::vector<Thumbprint> damaged_keys_;
};

}  // namespace chancery::store
