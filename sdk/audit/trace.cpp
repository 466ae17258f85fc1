#include "sdk/audit/trace.hpp"

#include <algorithm>
#include <set>

namespace chancery::audit {
namespace {

// A token's own entry says what authority it carries; entries about its use do not.
bool issues(const Entry& entry, std::string_view token) noexcept {
  const json::Value* details = entry.value().find("details");
  return entry.id("token") == token && entry.outcome() == "done" && details != nullptr &&
         details->find("authority") != nullptr;
}

// Whoever's key it is: an agent's, or one of the daemon's own.
bool is_about_key(const Entry& entry) noexcept {
  const std::string_view action = entry.action();
  const std::string_view subject = action.substr(0, action.find('.'));
  return subject == "key" || subject == "agent" || subject.ends_with("_key") ||
         action == "attestation.result";
}

/// One walk through the log. Each entry is told once.
class Walk {
 public:
  Walk(const FindEntries& find, const TraceOptions& options) : find_(find), options_(options) {}

  Result<Trace> from(std::string_view reference) {
    CHANCERY_ASSIGN(std::vector<EntryPtr> named, find_(reference));
    // A token's children and uses name it too: what is asked about is how it was issued, and these come of it.
    const auto issue =
        std::ranges::find_if(named, [&](const EntryPtr& entry) { return issues(*entry, reference); });
    if (issue != named.end()) named.assign(1, EntryPtr(*issue));
    for (const EntryPtr& entry : named) {
      if (is_new(*entry)) trace_.subject.push_back(entry);
    }
    for (const EntryPtr& entry : trace_.subject) CHANCERY_TRY(go_back(std::string(entry->id("token"))));
    for (const EntryPtr& entry : trace_.subject) {
      if (issues(*entry, entry->id("token"))) CHANCERY_TRY(go_on(std::string(entry->id("token"))));
    }
    const auto sequence = [](const EntryPtr& entry) { return entry->sequence(); };
    std::ranges::sort(trace_.origin, {}, sequence);
    std::ranges::sort(trace_.keys, {}, sequence);
    return std::move(trace_);
  }

 private:
  bool is_new(const Entry& entry) {
    if (told_.contains(entry.sequence())) return false;
    if (told_.size() >= options_.most) {
      trace_.is_cut = true;
      return false;
    }
    told_.insert(entry.sequence());
    return true;
  }

  Result<EntryPtr> issue_of(std::string_view token) {
    CHANCERY_ASSIGN(const std::vector<EntryPtr> named, find_(token));
    const auto found =
        std::ranges::find_if(named, [&](const EntryPtr& entry) { return issues(*entry, token); });
    return found == named.end() ? EntryPtr() : *found;
  }

  // From token to parent, as long as the log has them. Whatever it says, no token is its own ancestor.
  Status go_back(std::string token) {
    while (!token.empty() && walked_.insert(token).second) {
      CHANCERY_ASSIGN(const EntryPtr issue, issue_of(token));
      if (!issue) {
        trace_.missing = token;
        return {};
      }
      told_.insert(issue->sequence());
      trace_.origin.push_back(issue);
      CHANCERY_TRY(tell_key(issue->id("key")));
      token = issue->id("parent");
    }
    return {};
  }

  Status tell_key(std::string_view key) {
    if (key.empty()) return {};
    CHANCERY_ASSIGN(const std::vector<EntryPtr> named, find_(key));
    for (const EntryPtr& entry : named) {
      if (is_about_key(*entry) && is_new(*entry)) trace_.keys.push_back(entry);
    }
    return {};
  }

  // Depth first, so that what came of a token stands below it.
  Status go_on(std::string root) {
    std::vector<std::pair<std::string, std::size_t>> open{{std::move(root), 0}};
    while (!open.empty()) {
      const auto [token, depth] = std::move(open.back());
      open.pop_back();
      if (!followed_.insert(token).second) continue;
      CHANCERY_ASSIGN(const std::vector<EntryPtr> named, find_(token));
      std::vector<std::pair<std::string, std::size_t>> children;
      for (const EntryPtr& entry : named) {
        const bool is_child = entry->id("parent") == token && issues(*entry, entry->id("token"));
        if (is_child) {
          children.emplace_back(std::string(entry->id("token")), depth + 1);
        } else if (is_new(*entry)) {
          trace_.consequences.push_back({entry, depth});
        }
      }
      open.insert(open.end(), children.rbegin(), children.rend());
    }
    return {};
  }

  const FindEntries& find_;
  const TraceOptions& options_;
  Trace trace_;
  std::set<std::uint64_t> told_;
  std::set<std::string> walked_, followed_;
};

}  // namespace

Result<Trace> trace(std::string_view reference, const FindEntries& find, const TraceOptions& options) {
  return Walk(find, options).from(reference);
}

void EntryIndex::add(EntryPtr entry) {
  std::set<std::string_view> references;
  for (const auto& [kind, id] : entry->ids()) references.insert(id);
  for (const char* const member : {"principal", "agent", "session", "task", "request_id", "trace_id"})
    references.insert(entry->text(member));
  for (const char* const member : {"token", "jkt"}) references.insert(entry->caller(member));
  references.erase(std::string_view());
  for (const std::string_view reference : references) entries_.emplace(reference, entry);
}

std::vector<EntryPtr> EntryIndex::find(std::string_view reference) const {
  std::vector<EntryPtr> found;
  const auto [begin, end] = entries_.equal_range(reference);
  for (auto at = begin; at != end; ++at) found.push_back(at->second);
  return found;
}

}  // namespace chancery::audit
