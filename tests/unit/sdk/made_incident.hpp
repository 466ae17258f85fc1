#pragma once

#include <string>
#include <vector>

#include "sdk/audit/note.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/incident/judge.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::tests {

/// An incident of a test's own: whatever is changed before seal() is what a daemon would have said, and signed.
struct MadeIncident {
  static constexpr const char* kOrigin = "chancery.example.org/audit/0123456789abcdef";

  MadeIncident();

  /// \return the bundle as a file
  [[nodiscard]] std::string seal();
  /// The same, read.
  [[nodiscard]] incident::Bundle sealed();

  [[nodiscard]] audit::NoteKey key() const { return {kOrigin, log_key.public_key()}; }
  /// By the log's key and all anchors.
  [[nodiscard]] incident::Report judge(const incident::Bundle& bundle) const;

  /// A decision about the evidence's request.
  [[nodiscard]] static incident::Decision decision_by(const SigningKey& key,
                                                      const incident::Request& request);

  SigningKey log_key = *SigningKey::generate(Algorithm::kES256);
  SigningKey approver = *SigningKey::generate(Algorithm::kES256);
  SigningKey verifier = *SigningKey::generate(Algorithm::kES256);
  IssuedChain chain = issue_chain(2);
  incident::Evidence evidence;
  std::vector<std::string> log;  ///< entries, the first one number 1; those of the evidence are all of these
  std::string opening_action = "incident.open";
  std::string opened_agent = "support";
};

}  // namespace chancery::tests
