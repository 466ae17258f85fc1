#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <chancery/keys.hpp>
#include <chancery/passkeys.hpp>
#include <chancery/result.hpp>

#include "daemon/service/console_desk.hpp"
#include "daemon/service/office.hpp"

namespace chancery::service {

/// An enrolled passkey that may be used, and whose it is.
struct KnownPasskey {
  std::string principal;
  std::string credential_id;  ///< base64url
  PublicKey key;
};

/// The active passkeys of a person, or of everybody. \param principal  empty: of everybody
[[nodiscard]] Result<std::vector<KnownPasskey>> known_passkeys(Office& office, std::string_view principal);

/// Those that may sign in to a session of this visitor's: its own, or of an operator anybody's.
[[nodiscard]] Result<std::vector<KnownPasskey>> passkeys_for(Office& office, const ConsoleVisitor& visitor);

/// What a passkey signs to confirm a request: SHA-256 of its description.
[[nodiscard]] Bytes confirmation_challenge(std::string_view question, const ConfirmedRequest& request);

}  // namespace chancery::service
