#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/service/issuer_line.hpp"
#include "daemon/service/kept_grant.hpp"
#include "daemon/service/vault.hpp"
#include "daemon/store/grant_book.hpp"

namespace chancery::service {

struct IssuerDeskOptions {
  std::vector<IssuerSetup> issuers{};  ///< with distinct names
  vault::Clock now{};                  ///< needed where there are issuers
  /// That serve requests. Half of them may wait for one provider, and three quarters for all: the rest is for whoever needs none.
  std::size_t threads = 8;
  IssuerPace pace{};
};

/// The call for which something is issued.
struct IssueFor {
  std::string_view issuer;      ///< by name
  std::string_view permit;      ///< by whose end the call is known to be over
  std::string_view credential;  ///< id of the record by which it is released
  std::string_view tool;
  std::chrono::sys_seconds not_after{};  ///< when the chain's leaf expires
};

/// All issuers of credentials that are configured, and what they have issued for calls that are under way. Thread-safe.
class IssuerDesk {
 public:
  /// For which tool an issuer's own secret must be released: `issuer/NAME`. No tool has a slash in its name.
  [[nodiscard]] static std::string tool_of(std::string_view issuer) {
    return "issuer/" + std::string(issuer);
  }

  /// Borrows book and vault, which must outlive it.
  IssuerDesk(store::GrantBook& book, Vault& vault, IssuerDeskOptions options,
             std::shared_ptr<telemetry::Redactor> redactor, Spending::Complaint complain);

  /// kNotFound unless the configuration has one of that name.
  [[nodiscard]] Result<IssuerLine*> find(std::string_view issuer) const;

  /// Issues for one call, which end() ends. \return kNotFound, and the errors of an Issuer
  [[nodiscard]] Result<Issued> issue(const IssueFor& call, std::chrono::sys_seconds now,
                                     vault::Deadline deadline);

  /// The permit has ended, and its call with it: what was issued for it is taken back where its provider can, soon. Waits for nobody.
  /// Nothing happens for one that nothing was issued for.
  void end(std::string_view permit, std::chrono::sys_seconds now, Reception reception = Reception::kUnknown);

  /// The same for all calls whose leaves have expired, whether or not anybody reports what came of them.
  void end_expired(std::chrono::sys_seconds now);

  /// The same for all calls by that record, which was revoked. \param credential  its id
  void drop(std::string_view credential, std::chrono::sys_seconds now);
  /// The same for all calls, when the vault was reset; nor is any token that issuers keep given to anybody any more.
  void drop_all(std::chrono::sys_seconds now);

  /// Begins and ends the work that is done though nobody asks. At the end everything is taken back, also of calls under way: no one
  /// would hear of their end.
  void start();
  void close();

  /// Where an issuer's grant is put with what the log says of it, for a consent.
  [[nodiscard]] KeptGrant grant_of(const IssuerLine& line, store::AuditEntry consent) {
    return {book_, vault_, line.setup().name, now_, std::move(consent)};
  }

  [[nodiscard]] const std::vector<std::unique_ptr<IssuerLine>>& lines() const noexcept { return lines_; }

  vault::LifetimeTally lifetimes;

 private:
  struct Open {
    IssuerLine* line = nullptr;
    Issued issued;
    std::chrono::sys_seconds given_at{};
    std::chrono::sys_seconds not_after{};
    std::string credential{};
  };

  void end_where(std::chrono::sys_seconds now, const std::function<bool(const Open&)>& is_meant);
  void finish(const Open& open, std::chrono::sys_seconds now, Reception reception);

  [[nodiscard]] vault::SecretSource secret_of(const IssuerSetup& setup);
  [[nodiscard]] Result<SecretBytes> release_secret(const std::string& record, const std::string& issuer,
                                                   vault::Deadline deadline);

  store::GrantBook& book_;
  Vault& vault_;
  const vault::Clock now_;
  Turns turns_;                                    // of all lines
  std::mutex mutex_;                               // of open_
  std::map<std::string, Open, std::less<>> open_;  // by permit
  std::vector<std::unique_ptr<IssuerLine>> lines_;
};

}  // namespace chancery::service
