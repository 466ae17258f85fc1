#pragma once

#include <chrono>
#include <cstdint>
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
};

/// The call for which something is issued.
struct IssueFor {
  std::string_view issuer;  ///< by name
  std::string_view permit;  ///< by whose end the call is known to be over
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
  /// \param was_refused  the upstream did not accept what was issued
  void end(std::string_view permit, std::chrono::sys_seconds now, bool was_refused = false);

  /// Begins and ends the work that is done though nobody asks. At the end everything is taken back, also of calls under way: no one
  /// would hear of their end.
  void start();
  void close();

  [[nodiscard]] const std::vector<std::unique_ptr<IssuerLine>>& lines() const noexcept { return lines_; }

  vault::LifetimeTally lifetimes;

 private:
  struct Open {
    IssuerLine* line = nullptr;
    Issued issued;
    std::chrono::sys_seconds given_at{};
  };

  [[nodiscard]] vault::SecretSource secret_of(const IssuerSetup& setup);
  [[nodiscard]] Result<SecretBytes> release_secret(const std::string& record, const std::string& issuer,
                                                   vault::Deadline deadline);

  Vault& vault_;
  const vault::Clock now_;
  std::mutex mutex_;                               // of open_
  std::map<std::string, Open, std::less<>> open_;  // by permit
  std::vector<std::unique_ptr<IssuerLine>> lines_;
};

}  // namespace chancery::service
