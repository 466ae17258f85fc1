#include <algorithm>
#include <iterator>

#include <chancery/ended_tokens.hpp>

namespace chancery {
namespace {

using Change = EndedTokens::Change;

bool precedes(const Change& a, const Change& b) { return a.token < b.token; }

std::vector<Change> sorted(std::span<const Change> changes) {
  std::vector<Change> run(changes.rbegin(), changes.rend());  // the last of several for one token stays
  std::ranges::stable_sort(run, precedes);
  const auto is_same = [](const Change& a, const Change& b) { return a.token == b.token; };
  run.erase(std::unique(run.begin(), run.end(), is_same), run.end());
  return run;
}

std::vector<Change> merged(const std::vector<Change>& newer, const std::vector<Change>& older) {
  std::vector<Change> run;
  run.reserve(newer.size() + older.size());
  // Of equal elements std::set_union takes the first range's.
  std::ranges::set_union(newer, older, std::back_inserter(run), precedes);
  return run;
}

}  // namespace

EndedTokens EndedTokens::with(std::span<const Change> changes) const {
  if (changes.empty()) return *this;
  Run run = sorted(changes);
  auto older = runs_.begin();
  // A token takes part in as many merges as the number of tokens has binary digits.
  for (; older != runs_.end() && (*older)->size() <= 2 * run.size(); ++older) run = merged(run, **older);
  const bool is_oldest = older == runs_.end();
  if (is_oldest) std::erase_if(run, [](const Change& change) { return !change.end; });
  EndedTokens out;
  out.runs_.push_back(std::make_shared<const Run>(std::move(run)));
  out.runs_.insert(out.runs_.end(), older, runs_.end());
  return out;
}

std::optional<TokenEnd> EndedTokens::find(const Sha256Digest& token) const noexcept {
  for (const auto& run : runs_) {
    const auto found = std::ranges::lower_bound(*run, token, {}, &Change::token);
    if (found != run->end() && found->token == token) return found->end;
  }
  return std::nullopt;
}

}  // namespace chancery
