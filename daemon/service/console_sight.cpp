// Requests that wait, chains and the audit log, as the console's pages show them.

#include "daemon/service/console_sight.hpp"

#include <algorithm>
#include <utility>

#include "daemon/service/approvals.hpp"
#include "daemon/service/authority.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::service {
namespace {

// How many entries one search by an action looks at: it holds the journal's mutex meanwhile.
constexpr std::size_t kMostLookedAt = 2000;
constexpr std::size_t kBatch = 500;

/// Root first. kNotFound when one of its tokens was neither issued here nor adopted.
Result<std::vector<std::string>> chain_of(Office& office, std::string_view token) {
  std::vector<std::string> chain;
  std::string id(token);
  const std::size_t most = office.policy->verify.max_tokens;
  while (chain.size() < most) {
    CHANCERY_ASSIGN(store::IssuedToken found, office.store.token(id));
    chain.push_back(std::move(found.compact));
    if (!found.parent_id) {
      std::ranges::reverse(chain);
      return chain;
    }
    id = *found.parent_id;
  }
  return Error{ErrorCode::kNotFound, "no chain of this token is short enough to be one"};
}

bool is_of(const store::AuditRecord& record, std::string_view action) {
  const auto document = json::Document::parse_borrowed(record.json);
  if (!document) return false;
  const json::Value* const value = document->root().find("action");
  const std::string_view found = value == nullptr ? "" : value->string().value_or("");
  return action.ends_with('.') ? found.starts_with(action) : found == action;
}

/// Goes back through the log until the page is full, or enough was looked at.
class Search {
 public:
  Search(Office& office, const api::ConsoleAuditQuery& query) : office_(office), query_(query) {}

  Result<api::ConsoleAuditPage> run() {
    page_.size = office_.audit.book.counts().size;
    before_ = std::min(query_.before.value_or(page_.size + 1), page_.size + 1);
    while (!is_done()) {
      const std::size_t batch = query_.action.empty() ? query_.limit - page_.entries.size() : kBatch;
      CHANCERY_ASSIGN(std::vector<store::AuditRecord> records,
                      office_.audit.book.last_before(before_, query_.ref, batch));
      is_at_beginning_ = records.size() < batch;
      take(std::move(records));
    }
    if (!is_at_beginning_ && before_ > 1) page_.next = before_;
    return std::move(page_);
  }

 private:
  [[nodiscard]] bool is_done() const {
    return is_at_beginning_ || page_.entries.size() >= query_.limit || looked_at_ >= kMostLookedAt;
  }

  void take(std::vector<store::AuditRecord> records) {
    for (store::AuditRecord& record : records) {
      if (page_.entries.size() >= query_.limit) {
        is_at_beginning_ = false;
        return;
      }
      ++looked_at_;
      before_ = record.sequence;
      if (!query_.action.empty() && !is_of(record, query_.action)) continue;
      page_.entries.push_back({record.sequence, std::move(record.json)});
    }
  }

  Office& office_;
  const api::ConsoleAuditQuery& query_;
  api::ConsoleAuditPage page_;
  std::uint64_t before_ = 0;
  std::size_t looked_at_ = 0;
  bool is_at_beginning_ = false;
};

}  // namespace

Result<api::ConsoleApproval> show_console_approval(Office& office, const CallContext& context,
                                                   std::string_view id) {
  CHANCERY_TRY(require_authority(office, context, scope::kApprovalsRead));
  api::ConsoleApproval out;
  CHANCERY_ASSIGN(out.approval, show_approval(office, context, id));
  CHANCERY_ASSIGN(const store::ParkedCall call, office.approvals.summary(id));
  if (auto chain = chain_of(office, call.token)) out.chain = *std::move(chain);
  return out;
}

Result<api::ConsoleChain> show_console_chain(Office& office, const CallContext& context,
                                             std::string_view token) {
  CHANCERY_TRY(require_authority(office, context, scope::kTokensRead));
  if (!hex_decode_exactly<32>(token))
    return Error{ErrorCode::kInvalidArgument, "a token is named by its id, 64 hexadecimal digits"};
  std::string id(token);
  std::ranges::transform(id, id.begin(),
                         [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  CHANCERY_ASSIGN(std::vector<std::string> chain, chain_of(office, id));
  return api::ConsoleChain{std::move(chain)};
}

Result<api::ConsoleAuditPage> search_audit(Office& office, const CallContext& context,
                                           const api::ConsoleAuditQuery& query) {
  CHANCERY_TRY(require_authority(office, context, scope::kAuditRead));
  if (query.limit < 1 || query.limit > kMostOfConsolePage)
    return Error{ErrorCode::kInvalidArgument, "`limit` is 1 to 200"};
  return Search(office, query).run();
}

}  // namespace chancery::service
