#include <algorithm>
#include <iterator>
#include <utility>

#include <chancery/authorize.hpp>

namespace chancery {
namespace {

// Nobody has required custody here; every other check may find that the action must not be done.
bool may_be_left_out(std::string_view check) { return check == "custody"; }

std::string_view headline(Ruling ruling) {
  switch (ruling) {
    case Ruling::kPermit:
      return "PERMITTED";
    case Ruling::kDeny:
      return "DENIED";
    case Ruling::kIncomplete:
      return "NOT DECIDED";
  }
  return "";
}

}  // namespace

std::string_view ruling_name(Ruling ruling) noexcept {
  switch (ruling) {
    case Ruling::kPermit:
      return "permit";
    case Ruling::kDeny:
      return "deny";
    case Ruling::kIncomplete:
      return "incomplete";
  }
  return "";
}

std::string Decision::text() const {
  std::string out(headline(ruling));
  const char* separator = ": check first ";
  for (const std::string_view check : missing) out.append(std::exchange(separator, ", ")).append(check);
  return out + "\n" + explanation.text();
}

Decision authorize(std::span<const std::string_view> chain, const TrustSnapshot& trust,
                   std::chrono::sys_seconds now, const ActionRequest& action, VerifyOptions options) {
  options.request = &action;
  Decision decision{Ruling::kDeny, {}, explain(chain, trust, now, options)};
  const Verdict& verdict = decision.explanation.verdict;
  if (!verdict.valid()) return decision;
  std::ranges::remove_copy_if(verdict.not_performed(), std::back_inserter(decision.missing), may_be_left_out);
  decision.ruling = decision.missing.empty() ? Ruling::kPermit : Ruling::kIncomplete;
  return decision;
}

}  // namespace chancery
