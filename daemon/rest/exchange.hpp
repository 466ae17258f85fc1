#pragma once

#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "daemon/rest/http.hpp"
#include "daemon/service/caller.hpp"
#include "sdk/wire/approval_messages.hpp"
#include "sdk/wire/approver_messages.hpp"
#include "sdk/wire/attestation_messages.hpp"
#include "sdk/wire/audit_messages.hpp"
#include "sdk/wire/backup_messages.hpp"
#include "sdk/wire/console_messages.hpp"
#include "sdk/wire/freeze_messages.hpp"
#include "sdk/wire/incident_messages.hpp"
#include "sdk/wire/messages.hpp"
#include "sdk/wire/overview_messages.hpp"
#include "sdk/wire/runtime_messages.hpp"
#include "sdk/wire/status_messages.hpp"
#include "sdk/wire/vault_messages.hpp"

namespace chancery::rest {

/// A JSON answer.
[[nodiscard]] Response json_response(int status, std::string body);

/// The use cases' view of a request: who sent it, as the kernel tells or as the router found out.
[[nodiscard]] service::CallContext context_of(const Request& request);

/// Whether the body is declared as of that type (lower case), whatever its parameters.
[[nodiscard]] bool has_media_type(const Request& request, std::string_view type);

/// kUnsupportedMediaType unless the body is declared as application/json.
[[nodiscard]] Status require_json(const Request& request);

/// The answer of a use case that takes no message. `wire::write` must know Answer.
template <typename Answer>
[[nodiscard]] Response answered(const Result<Answer>& answer) {
  return answer ? json_response(200, wire::write(*answer)) : problem(answer.error());
}

/// Reads the body as a message, runs the use case, writes its answer with `status`; errors become problems.
/// `Read`: std::string_view → Result<Message>. `Run`: Message → Result<Answer>. `wire::write` must know
/// Answer.
template <typename Read, typename Run>
[[nodiscard]] Response exchange(const Request& request, int status, Read read, Run run) {
  if (const Status json = require_json(request); !json) return problem(json.error());
  const auto message = read(std::string_view(request.body));
  if (!message) return problem(message.error());
  const auto answer = run(*message);
  if (!answer) return problem(answer.error());
  return json_response(status, wire::write(*answer));
}

}  // namespace chancery::rest
