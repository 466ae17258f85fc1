#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <chancery/api_approvals.hpp>
#include <chancery/custody.hpp>

namespace chancery::api {

// What an enforcement point asks the daemon, and what it is told (docs/protocol/authorization.md).

/// What must be proved of the keys in a chain, and what comes with it to prove that (docs/protocol/attestation.md).
struct CustodyTerms {
  std::optional<CustodyRequirement> require;     ///< none: custody is told, and denies nothing
  std::optional<std::chrono::seconds> max_age;   ///< of the evidence; with `require` only
  std::vector<std::string> attestation_results;  ///< compact `eat+jwt`, at most 64
};

/// "May the holder of this chain do this now?"
struct Authorize {
  std::vector<std::string> chain;
  std::string proof;     ///< the DPoP proof that came with the request
  std::string method;    ///< of that request
  std::string uri;       ///< of that request
  std::string audience;  ///< the enforcement point's own identifier
  std::string scope;
  std::string params = "{}";        ///< a JSON object
  std::chrono::seconds reserve{0};  ///< reserve so long, to settle or release; zero: spend at once
  std::string idempotency_key;      ///< empty: none; at most 128 printable ASCII characters
  bool ada_required = false;        ///< demand a proof of this very action
  CustodyTerms custody{};
};

/// What the last token of a permitted chain gives.
struct GrantedLeaf {
  std::string principal;
  std::string agent;
  std::string json;  ///< with audience, authority, holder and expiry
};

struct Decision {
  bool permitted = false;
  std::vector<std::string> not_performed;
  std::string custody;  ///< what is proved of each token's key, a JSON array; empty: nobody asked

  // Of a permit.
  std::string id;                          ///< names it in the audit log, and a reservation
  std::optional<std::int64_t> expires_at;  ///< of the reservation, which then is settled in full
  std::optional<GrantedLeaf> leaf;

  // Of a denial. Limits of others than the chain's last token are not told.
  std::string outcome;
  std::string step;  ///< as step_name() has it
  std::string reason;
  std::optional<int> hop;  ///< of the last token, when it is what fails; then the next three are told
  std::string expected;
  std::string found;
  std::string remedy;
  std::optional<PendingApproval> approval{};  ///< of the outcome kApprovalRequired: what waits for a person
};

/// What was really used of a reservation.
struct Settlement {
  std::map<std::string, double, std::less<>>
      amounts;  ///< by parameter; those not named: all that was reserved
};

struct EndedReservation {
  std::string decision_id;
  std::string state;  ///< "settled", "released"
};

/// That the operator vouches for the state folder as it is.
struct AcceptBudget {
  /// What becomes of the tokens that were issued before: "end" (all that have not expired are revoked) or "keep". An older
  /// copy is not accepted without it.
  std::optional<std::string> tokens{};
};

/// Whether budgets are being spent, and what they hold.
struct Budget {
  std::string state;       ///< "open", "waiting" (for the device), "halted" (for the operator), "unset"
  std::string reason;      ///< what to do; empty when open
  std::string checkpoint;  ///< how copies of the store are found out: "counter", "none"
  std::int64_t totals = 0;
  std::int64_t reservations = 0;  ///< open ones
};

}  // namespace chancery::api
