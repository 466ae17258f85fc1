#include "sdk/incident/reach.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "sdk/audit/entry.hpp"

namespace chancery::incident {
namespace {

using Name = std::tuple<std::string_view, std::string, std::string>;  // kind, name, scope

class Tally {
 public:
  void add(std::string_view kind, std::string_view name, std::string_view scope, std::int64_t at) {
    const auto [found, is_new] = reached_.try_emplace(
        Name{kind, name, scope}, Reach{std::string(kind), std::string(name), std::string(scope), 0, at, at});
    Reach& reach = found->second;
    ++reach.count;
    reach.first_at = std::min(reach.first_at, at);
    reach.last_at = std::max(reach.last_at, at);
  }

  void add(const audit::Entry& entry) {
    const std::int64_t at = entry.at().time_since_epoch().count();
    const std::string_view action = entry.action();
    const std::string_view outcome = entry.outcome();
    if (action == "tool.permit" && outcome == "permit")
      add("tool", entry.detail("tool"), entry.detail("scope"), at);
    if (action == "action.authorize" && outcome == "permit")
      add("action", entry.detail("audience"), entry.detail("scope"), at);
    if (action == "credential.release" && outcome == "done")
      add("credential", entry.id("credential"), entry.detail("scope"), at);
  }

  [[nodiscard]] std::vector<Reach> take() {
    std::vector<Reach> out;
    for (auto& [name, reach] : reached_) out.push_back(std::move(reach));
    return out;
  }

 private:
  std::map<Name, Reach> reached_;
};

}  // namespace

Result<std::vector<Reach>> reached_by(const Evidence& evidence) {
  Tally tally;
  for (const LoggedEntry& each : evidence.entries) {
    CHANCERY_ASSIGN(const audit::Entry entry, audit::Entry::parse(each.number, each.json));
    tally.add(entry);
  }
  for (const ChainToken& token : evidence.tokens) {
    if (token.place == kBelow && !token.agent.empty()) tally.add("agent", token.agent, "", token.issued_at);
  }
  return tally.take();
}

}  // namespace chancery::incident
