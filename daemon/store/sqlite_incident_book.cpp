#include "daemon/store/sqlite_incident_book.hpp"

#include <algorithm>
#include <utility>

#include "daemon/store/audit_refs.hpp"
#include "daemon/store/sqlite_approval_book.hpp"
#include "daemon/store/sqlite_approver_book.hpp"
#include "daemon/store/sqlite_host_book.hpp"
#include "daemon/store/sqlite_permit_book.hpp"
#include "daemon/store/sqlite_rows.hpp"
#include "daemon/store/statements.hpp"

namespace chancery::store {
namespace {

// Parameters: the agent's id, how many tokens it holds at most, how many these are together with those below. What stands above is
// needed to verify them, and is at most as much again as chains are long. Those that live longest come first, so that of a long past
// what can still be used is told, and by an index, so that the rest is not looked at.
constexpr const char* kTokens = R"sql(
WITH RECURSIVE
held (id) AS (SELECT id FROM tokens WHERE agent_id = ?1 ORDER BY expires_at DESC, seq DESC LIMIT ?2),
below (id) AS (
  SELECT id FROM held UNION SELECT t.id FROM tokens t JOIN below ON t.parent_id = below.id LIMIT ?3),
above (id) AS (
  SELECT id FROM held
  UNION SELECT t.parent_id FROM tokens t JOIN above ON t.id = above.id WHERE t.parent_id IS NOT NULL)
SELECT t.id, t.jti, t.parent_id, t.holder, t.agent_id, t.principal, t.issued_at, t.expires_at, t.compact, s.list, s.idx,
  CASE WHEN t.agent_id = ?1 THEN 0 WHEN t.id IN (SELECT id FROM above) THEN 1 ELSE 2 END,
  coalesce((SELECT min(CASE a.kind WHEN 'revoke' THEN 1 ELSE 2 END) FROM status_marks m
            JOIN status_acts a ON a.seq = m.act WHERE m.token = t.seq AND a.lifted_at IS NULL), 0),
  coalesce(g.name, ''),
  t.agent_id IS NOT NULL AND t.holder NOT IN (SELECT thumbprint FROM keys WHERE owner = t.agent_id)
FROM tokens t LEFT JOIN status_indexes s ON s.token = t.seq LEFT JOIN agents g ON g.id = t.agent_id
WHERE t.id IN (SELECT id FROM below UNION SELECT id FROM above) ORDER BY t.seq
)sql";
// As many of each kind as there may be of all, by an index that gives the newest first: of what one asked for, of what was asked for
// under it, and of what a runtime was to do which it is, no more is looked at.
constexpr const char* kRequests = R"sql(
SELECT id FROM (
  SELECT * FROM (SELECT id, seq FROM parked_calls WHERE agent_id = ?1 ORDER BY seq DESC LIMIT ?2)
  UNION SELECT * FROM (SELECT id, seq FROM parked_calls WHERE first_agent_id = ?1 ORDER BY seq DESC LIMIT ?2)
  UNION SELECT * FROM (SELECT id, seq FROM parked_calls WHERE runtime = ?1 ORDER BY seq DESC LIMIT ?2))
ORDER BY seq DESC LIMIT ?2
)sql";
constexpr const char* kCalls = R"sql(
SELECT id FROM (
  SELECT * FROM (SELECT id, given_at FROM permits WHERE agent_id = ?1 ORDER BY given_at DESC, id DESC LIMIT ?2)
  UNION SELECT * FROM (SELECT id, given_at FROM permits WHERE runtime = ?1 ORDER BY given_at DESC, id DESC LIMIT ?2))
ORDER BY given_at DESC, id DESC LIMIT ?2
)sql";

Result<TrailToken> token_from(const Query& row) {
  TrailToken out;
  CHANCERY_ASSIGN(out.token, read_token(row));
  out.place = static_cast<TrailToken::Place>(row.number(11));
  out.status = static_cast<unsigned>(row.number(12));
  out.agent = row.text(13);
  out.is_session = row.number(14) != 0;
  return out;
}

Result<std::string> id_from(const Query& row) { return row.text(0); }

/// Reads a trail, while the journal is held.
class TrailReader {
 public:
  TrailReader(Journal& journal, const TrailBounds& bounds, sys_seconds now)
      : journal_(journal), bounds_(bounds), now_(now) {}

  Result<Trail> read(std::string_view agent_id) {
    out_.size = journal_.audit_counts().size;
    CHANCERY_TRY(read_agent_with_keys(agent_id));
    CHANCERY_TRY(read_tokens(agent_id));
    CHANCERY_TRY(read_requests(agent_id));
    CHANCERY_TRY(read_calls(agent_id));
    for (const Key& key : out_.keys) {
      CHANCERY_ASSIGN(std::vector<HeldResult> results,
                      results_about(database(), key.stored.public_key.thumbprint(), now_));
      std::ranges::move(results, std::back_inserter(out_.results));
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] Database& database() noexcept { return journal_.database(); }

  // One that was changed by another hand is part of what there is to find out: the rest is told all the same.
  template <typename Record>
  void keep(std::vector<Record>& records, Result<Record> record) {
    if (record) {
      records.push_back(*std::move(record));
    } else {
      ++out_.damaged;
    }
  }

  Status read_agent_with_keys(std::string_view agent_id) {
    {
      CHANCERY_ASSIGN(Query select, database().query(sql::kAgentById));
      CHANCERY_ASSIGN(const bool row, select.bind(agent_id).step());
      if (!row) return kNoSuchAgent;
      CHANCERY_ASSIGN(out_.agent, read_agent(select, journal_.seal()));
    }
    CHANCERY_ASSIGN(Query rows, database().query(sql::kKeysOfOwner));
    rows.bind(agent_id);
    for (;;) {
      CHANCERY_ASSIGN(const bool row, rows.step());
      if (!row) return {};
      keep(out_.keys, read_key(rows, journal_.seal()));
    }
  }

  Status read_tokens(std::string_view agent_id) {
    CHANCERY_ASSIGN(Query rows, database().query(kTokens));
    const auto most = static_cast<std::int64_t>(bounds_.tokens);
    rows.bind(agent_id).bind(most + 1).bind(3 * most + 2);
    for (;;) {
      CHANCERY_ASSIGN(const bool row, rows.step());
      if (!row) break;
      keep(out_.tokens, token_from(rows));
    }
    const auto held = std::ranges::count(out_.tokens, TrailToken::Place::kHeld, &TrailToken::place);
    const auto below = std::ranges::count(out_.tokens, TrailToken::Place::kBelow, &TrailToken::place);
    if (held > most || held + below > 3 * most + 1) out_.cut.emplace_back("tokens");
    return {};
  }

  // One more than is wanted, which says that there are more.
  Result<std::vector<std::string>> newest(const char* statement, std::string_view agent_id, std::size_t most,
                                          const char* name) {
    CHANCERY_ASSIGN(Query rows, database().query(statement));
    rows.bind(agent_id).bind(static_cast<std::int64_t>(most) + 1);
    CHANCERY_ASSIGN(std::vector<std::string> ids, read_all<std::string>(rows, id_from));
    if (ids.size() <= most) return ids;
    ids.resize(most);
    out_.cut.emplace_back(name);
    return ids;
  }

  Status read_requests(std::string_view agent_id) {
    CHANCERY_ASSIGN(const std::vector<std::string> ids,
                    newest(kRequests, agent_id, bounds_.requests, "requests"));
    for (const std::string& id : ids) keep(out_.requests, read_request(id));
    return {};
  }

  Result<TrailRequest> read_request(const std::string& id) {
    TrailRequest out;
    CHANCERY_ASSIGN(out.call, store::read_request(database(), id));
    CHANCERY_ASSIGN(std::vector<Vote> votes, votes_about(database(), id));
    for (Vote& vote : votes) {
      CHANCERY_ASSIGN(ApproverKey key, approver_key(journal_, vote.key));
      out.decided.push_back({std::move(vote), std::move(key)});
    }
    return out;
  }

  Status read_calls(std::string_view agent_id) {
    CHANCERY_ASSIGN(const std::vector<std::string> ids, newest(kCalls, agent_id, bounds_.calls, "calls"));
    for (const std::string& id : ids) keep(out_.calls, read_permit(database(), id));
    return {};
  }

  Journal& journal_;
  const TrailBounds& bounds_;
  const sys_seconds now_;
  Trail out_;
};

class SqliteIncidentBook final : public IncidentBook {
 public:
  explicit SqliteIncidentBook(std::shared_ptr<Journal> journal) noexcept : journal_(std::move(journal)) {}

  Result<Trail> trail(std::string_view agent_id, const TrailBounds& bounds, sys_seconds now) override {
    const auto held = journal_->hold();
    return TrailReader(*journal_, bounds, now).read(agent_id);
  }

  Result<std::vector<std::uint64_t>> entries_with(std::string_view ref, std::uint64_t size,
                                                  std::size_t limit) override {
    const Bytes key = audit_ref(ref);
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query rows, journal_->database().query(kNumbersWithRef));
    rows.bind(key).bind(static_cast<std::int64_t>(size)).bind(static_cast<std::int64_t>(limit));
    return read_all<std::uint64_t>(rows, [](const Query& row) -> Result<std::uint64_t> {
      return static_cast<std::uint64_t>(row.number(0));
    });
  }

 private:
  const std::shared_ptr<Journal> journal_;
};

}  // namespace

std::unique_ptr<IncidentBook> make_sqlite_incident_book(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteIncidentBook>(std::move(journal));
}

}  // namespace chancery::store
