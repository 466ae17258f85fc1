#include "sdk/cli/awaited_decision.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include <chancery/approval_client.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/time_syntax.hpp"

namespace chancery::cli {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

// What a flag without a value is set to.
constexpr const char* kForever = "true";
constexpr seconds kLongestLook{30};
// A daemon with too many who wait answers at once.
constexpr seconds kBetweenLooks{1};

// Nothing: until the request has ended, which the daemon sees to.
Checked<std::optional<seconds>> patience_of(const WaitArgument& wait) {
  if (wait.empty() || wait == kForever) return std::optional<seconds>();
  const auto length = parse_duration(wait);
  if (!length) return failure(length.error(), "--wait=" + wait);
  return std::optional(*length);
}

void tell_start(Context& context, const api::PendingApproval& asked) {
  std::string text = "waiting for a decision, until " + utc_text(static_cast<double>(asked.expires_at)) +
                     " at most: `chancery approve " + printable(asked.id) + "`";
  if (!asked.url.empty()) text += ", or " + printable(asked.url);
  context.output.note(text);
}

// An approval that was used meanwhile is somebody else's by now: asking again asks anew, and would wait for nobody here.
bool can_be_used(const api::Approval& approval) { return approval.state == "approved"; }

}  // namespace

void add_wait_option(CLI::App& command, WaitArgument& wait) {
  command.add_flag(
      "--wait", wait,
      "where people have to approve it: wait for them, then ask again; --wait=10m for so long at most");
}

Checked<void> check_wait(const WaitArgument& wait) {
  CHANCERY_TRY(patience_of(wait));
  return {};
}

Checked<bool> await_approval(Context& context, const Client& client, const api::PendingApproval& asked,
                             const WaitArgument& wait) {
  CHANCERY_ASSIGN(const auto patience, patience_of(wait));
  // 100 years, which is what a length of time may be, are less than this clock has left.
  const auto give_up =
      patience ? std::optional(steady_clock::now() + *patience) : std::optional<steady_clock::time_point>();
  tell_start(context, asked);
  for (;;) {
    const auto left = give_up ? std::chrono::ceil<seconds>(*give_up - steady_clock::now()) : kLongestLook;
    const auto found = ApprovalClient(client).wait(asked.id, std::clamp(left, seconds(0), kLongestLook));
    if (!found) return failure(found.error());
    if (found->id != asked.id)
      return failure(
          Error{ErrorCode::kBadResponse, "the daemon answered with another request than was asked for"});
    if (found->state != "pending") {
      context.output.note("decided: " + printable(found->state));
      return can_be_used(*found);
    }
    if (left <= seconds(0)) {
      context.output.note("nobody has decided yet: give the same command again");
      return false;
    }
    std::this_thread::sleep_for(std::min(kBetweenLooks, left));
  }
}

}  // namespace chancery::cli
