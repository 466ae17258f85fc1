#include "daemon/service/issuer_line.hpp"

#include <algorithm>
#include <utility>

namespace chancery::service {
namespace {

using namespace std::chrono_literals;

constexpr auto kBetweenLooks = 1s;  // while something waits to be taken back
constexpr auto kPatience = 5s;      // for the provider, each time: who ends the daemon may wait for it
constexpr auto kLongestPause = 60s;
constexpr auto kLongestHidden = 24h;  // of what its provider sets no end
// A provider that is away for long is asked about so many later; what is beyond ends when it expires.
constexpr std::size_t kMostEndings = 10'000;
constexpr Error kTooMany{ErrorCode::kOverloaded,
                         "too many wait for a provider that does not answer: see `chancery vault issuers`"};

constexpr Error kTooManyAsk{
    ErrorCode::kOverloaded,
    "too many wait for this issuer's provider already: see `chancery vault issuers`, and try again"};

constexpr std::array kRefusals{ErrorCode::kRequestRefused, ErrorCode::kLimitExceeded,
                               ErrorCode::kInvalidArgument};

IssuerLine::Outcome outcome_of(const Result<vault::IssuedCredential>& issued) noexcept {
  if (issued) return IssuerLine::Outcome::kIssued;
  if (issued.error().code == ErrorCode::kCredentialExpired) return IssuerLine::Outcome::kNeedsConsent;
  const bool is_refused = std::ranges::find(kRefusals, issued.error().code) != kRefusals.end();
  return is_refused ? IssuerLine::Outcome::kRefused : IssuerLine::Outcome::kFailed;
}

std::chrono::seconds pause_after(int attempts) {
  return std::min<std::chrono::seconds>(1s * (1 << std::min(attempts, 6)), kLongestPause);
}

}  // namespace

IssuerLine::IssuerLine(IssuerSetup setup, MadeIssuer made, vault::Clock now,
                       std::shared_ptr<telemetry::Redactor> redactor, Spending::Complaint complain)
    : setup_(std::move(setup)),
      made_(std::move(made)),
      now_(std::move(now)),
      redactor_(std::move(redactor)),
      complain_(std::move(complain)),
      turns_(setup_.at_once) {}

IssuerLine::~IssuerLine() = default;

Result<Issued> IssuerLine::issue(std::string_view tool, std::chrono::sys_seconds not_after,
                                 vault::Deadline deadline, Turns& all) {
  vault::IssueRequest request = setup_.request;
  request.tool = tool;
  request.not_after = not_after;
  auto issued = ask(request, deadline, all);
  counts_[static_cast<std::size_t>(outcome_of(issued))].fetch_add(1, std::memory_order_relaxed);
  if (!issued) return issued.error();
  auto out = std::make_shared<const vault::IssuedCredential>(*std::move(issued));
  hide(out);
  const std::lock_guard lock(mutex_);
  dues_.insert(std::min(out->expires_at, not_after));
  return Issued(std::move(out));
}

Result<vault::IssuedCredential> IssuerLine::ask(const vault::IssueRequest& request, vault::Deadline deadline,
                                                Turns& all) {
  const std::unique_lock mine(turns_, std::try_to_lock);
  if (!mine) return kTooManyAsk;
  const std::unique_lock one_of_all(all, std::try_to_lock);
  if (!one_of_all) return kTooManyAsk;
  return made_.issuer->issue(request, deadline);
}

// Whoever asks next must not be given what was refused, so that is told at once; it asks nobody.
void IssuerLine::end(const Issued& issued, Reception reception) {
  if (reception == Reception::kRefused) made_.issuer->report_unauthorized(*issued);
  if (reception == Reception::kAccepted) made_.issuer->report_accepted(*issued);
  if (!issued->ends_with_call) return;
  bool is_full = false;
  {
    const std::lock_guard lock(mutex_);
    is_full = endings_.size() >= kMostEndings;
    if (is_full) endings_.pop_front();
    endings_.push_back({issued});
    has_new_ = true;
  }
  wake_.notify_one();
  if (is_full)
    complain_("an issued credential is not taken back any more, and lives until it expires", kTooMany);
}

// What a crash left behind expires when nobody here knows, and mostly soon.
void IssuerLine::start() {
  const std::chrono::sys_seconds now = now_();
  {
    const std::lock_guard lock(mutex_);
    for (auto later = 1min; later < 1h; later *= 2) dues_.insert(now + later);
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void IssuerLine::close() {
  thread_ = {};  // waits for what is under way
  const vault::Deadline deadline = std::chrono::steady_clock::now() + setup_.pace.last;
  for (const Ending& ending : due_by(Steady::max())) {
    const Status done = take_back(ending, deadline);
    if (!done)
      complain_(
          "a credential that was issued could not be taken back before the end: it lives until it expires",
          done.error());
  }
}

void IssuerLine::run(const std::stop_token& stop) {
  Steady next_look = std::chrono::steady_clock::now();
  while (!stop.stop_requested()) {
    if (std::chrono::steady_clock::now() >= next_look) {
      forget_expired();
      if (is_sweep_due()) sweep();
      next_look = std::chrono::steady_clock::now() + setup_.pace.look;
    }
    take_back_due(stop);
    std::unique_lock lock(mutex_);
    const Steady look = std::chrono::steady_clock::now() + kBetweenLooks;
    wake_.wait_until(lock, stop, endings_.empty() ? next_look : std::min(next_look, look),
                     [&] { return has_new_; });
    has_new_ = false;
  }
}

// Of what ended in good order nothing is left. A provider is not asked, nor its secret released, for nothing each minute.
bool IssuerLine::is_sweep_due() {
  const std::chrono::sys_seconds now = now_();
  const std::lock_guard lock(mutex_);
  const auto later = dues_.upper_bound(now);
  const bool is_any_over = later != dues_.begin();
  dues_.erase(dues_.begin(), later);
  return is_any_over || is_unswept_ || std::chrono::steady_clock::now() >= idle_until_;
}

void IssuerLine::sweep() {
  const Status swept = made_.issuer->sweep(std::chrono::steady_clock::now() + kPatience);
  is_unswept_ = !swept;
  idle_until_ = std::chrono::steady_clock::now() + setup_.pace.sweep;
  if (!swept)
    complain_("what an issuer's calls or a crash left behind could not be taken back, and is tried again",
              swept.error());
}

// Who ends the daemon has its own patience for what is left.
void IssuerLine::take_back_due(const std::stop_token& stop) {
  for (Ending& ending : due_by(std::chrono::steady_clock::now())) {
    if (!stop.stop_requested()) {
      const Status done = take_back(ending, std::chrono::steady_clock::now() + kPatience);
      if (done) continue;
      if (ending.attempts == 0)
        complain_("a credential that was issued could not be taken back yet, and is tried again",
                  done.error());
      ending.due = std::chrono::steady_clock::now() + pause_after(++ending.attempts);
    }
    const std::lock_guard lock(mutex_);
    endings_.push_back(std::move(ending));
  }
}

std::deque<IssuerLine::Ending> IssuerLine::due_by(Steady now) {
  std::deque<Ending> due;
  const std::lock_guard lock(mutex_);
  std::deque<Ending> later;
  for (Ending& ending : endings_) (ending.due <= now ? due : later).push_back(std::move(ending));
  endings_ = std::move(later);
  return due;
}

// Of a role that has expired there may be sessions left: those are the sweep's.
Status IssuerLine::take_back(const Ending& ending, vault::Deadline deadline) {
  if (ending.issued->expires_at > now_()) CHANCERY_TRY(made_.issuer->revoke(*ending.issued, deadline));
  show(ending.issued->id);
  return {};
}

void IssuerLine::hide(const Issued& issued) {
  const std::chrono::sys_seconds latest = now_() + kLongestHidden;
  const std::lock_guard lock(mutex_);  // else who shows it in between leaves it hidden for good
  const bool is_new =
      hidden_.try_emplace(issued->id, Hidden{issued, std::min(issued->expires_at, latest)}).second;
  if (is_new) redactor_->hide(issued->value.view());
}

void IssuerLine::show(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = hidden_.extract(id);
  if (!found.empty()) redactor_->forget(found.mapped().issued->value.view());
}

void IssuerLine::forget_expired() {
  const std::chrono::sys_seconds now = now_();
  const std::lock_guard lock(mutex_);
  std::erase_if(hidden_, [&](const auto& entry) {
    const bool is_over = entry.second.until <= now;
    if (is_over) redactor_->forget(entry.second.issued->value.view());
    return is_over;
  });
}

}  // namespace chancery::service
