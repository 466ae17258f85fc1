#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "daemon/service/office.hpp"
#include "daemon/service/webhook.hpp"
#include "daemon/store/approval_book.hpp"
#include "daemon/store/outbox.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::service {

// What somebody elsewhere is told of requests that wait for a person: that there is one, and what becomes of it
// (docs/operations/approvers.md).

/// What a note of the outbox says: a request, the state that it came into, and when.
struct ApprovalNotice {
  std::string request;  ///< id
  store::ApprovalState state = store::ApprovalState::kPending;
  std::chrono::sys_seconds at{};
};

/// \return kMalformed
[[nodiscard]] Result<ApprovalNotice> read_notice(std::string_view json);

/// What is told of a request: who asks for what, which gates it is put to, who may open them, and until when. Never arguments, which
/// may be secret, and nothing that decides: whoever has read it has looked at no document yet.
/// \param call  as it is, perhaps in a later state; without its document
/// \param page  where a person decides about it; empty: there is none
[[nodiscard]] json::Node notice_node(const ApprovalNotice& notice, const store::ParkedCall& call,
                                     const std::string& page);

/// What becomes of requests, from the outbox of these. Borrows the office, which need not be there before something is told.
[[nodiscard]] WebhookTopic told_approvals(store::Outbox& notices, const Office& office);

}  // namespace chancery::service
