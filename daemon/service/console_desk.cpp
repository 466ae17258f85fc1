#include "daemon/service/console_desk.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

constexpr std::size_t kLinkOctets = 16;
constexpr std::size_t kCookieOctets = 32;
constexpr std::size_t kMarkOctets = 16;
constexpr std::size_t kNameOctets = 16;
constexpr std::size_t kChallengeOctets = 32;
// No longer text is one of ours: what is not looked up is not hashed either.
constexpr std::size_t kLongestSecret = 64;

// Whether it was used, is too old or never was is nobody's business who has only a link.
constexpr Error kDeadLink{
    ErrorCode::kUnauthenticated,
    "this link opens nothing: it is good once, and for a minute; `chancery console` gives another"};
constexpr Error kNoSession{ErrorCode::kUnauthenticated,
                           "there is no such session, or it has ended: `chancery console` opens another"};
constexpr Error kDeadQuestion{
    ErrorCode::kUnauthenticated,
    "the passkey's answer does not count: it is to no open question of this session, of "
    "which each is good once and for five minutes; try again"};
constexpr Error kTooMany{ErrorCode::kOverloaded,
                         "too many people sign in to the console: sign out elsewhere, or wait a minute"};

Result<std::string> random_text(std::size_t octets) {
  Bytes random(octets);
  CHANCERY_TRY(random_bytes(random));
  return base64url_encode(random);
}

Result<std::string> random_name() {
  std::array<std::uint8_t, kNameOctets> random{};
  CHANCERY_TRY(random_bytes(random));
  return hex_encode(random);
}

// By the hash, so that the time of a look-up tells nothing about a secret.
Sha256Digest name_of(std::string_view secret) {
  return sha256(as_bytes(secret.substr(0, kLongestSecret + 1)));
}

/// The oldest of what `is_own`, by its time `at`, where there are `most` of these already; the end where there are fewer.
template <typename All, typename IsOwn>
typename All::iterator oldest_of_many(All& all, std::size_t most, const IsOwn& is_own,
                                      std::chrono::sys_seconds All::mapped_type::*at) {
  auto oldest = all.end();
  std::size_t count = 0;
  for (auto one = all.begin(); one != all.end(); ++one) {
    if (!is_own(one->second)) continue;
    ++count;
    if (oldest == all.end() || one->second.*at < oldest->second.*at) oldest = one;
  }
  return count < most ? all.end() : oldest;
}

}  // namespace

// A clock that went back is no reason for a session to go on, nor for what lasts minutes to last longer.
bool ConsoleDesk::has_ended(const Kept& kept, std::chrono::sys_seconds now) const {
  return now >= kept.session.ends_at || now >= kept.seen_at + options_.session_idle ||
         now < kept.session.began_at;
}

void ConsoleDesk::drop(Sessions::iterator session) {
  std::erase_if(questions_, [&](const auto& asked) {
    return asked.second.session == session->second.session.visitor.session;
  });
  sessions_.erase(session);
}

void ConsoleDesk::forget_ended(std::chrono::sys_seconds now) {
  const auto is_over = [now](std::chrono::sys_seconds expires_at, std::chrono::seconds life) {
    return now >= expires_at || expires_at > now + life;
  };
  std::erase_if(links_, [&](const auto& link) { return is_over(link.second.expires_at, kLinkLife); });
  std::erase_if(questions_,
                [&](const auto& asked) { return is_over(asked.second.expires_at, kQuestionLife); });
  for (auto session = sessions_.begin(); session != sessions_.end();) {
    const auto next = std::next(session);
    if (has_ended(session->second, now)) drop(session);
    session = next;
  }
}

Result<ConsoleDesk::Link> ConsoleDesk::give_link(ConsoleSession session, std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(session.visitor.session, random_name());
  CHANCERY_ASSIGN(std::string secret, random_text(kLinkOctets));
  const std::lock_guard lock(mutex_);
  forget_ended(now);
  make_room_for_link(session.visitor.uid);
  if (links_.size() >= kMostLinks) return kTooMany;
  const auto expires_at = now + kLinkLife;
  links_.emplace(name_of(secret), Waiting{std::move(session), expires_at});
  return Link{std::move(secret), expires_at};
}

// Whoever asks for many links forgets the oldest of its own: none keeps others out.
void ConsoleDesk::make_room_for_link(std::uint32_t uid) {
  const auto is_own = [uid](const Waiting& link) { return link.session.visitor.uid == uid; };
  const auto oldest = oldest_of_many(links_, kMostLinksOfUser, is_own, &Waiting::expires_at);
  if (oldest != links_.end()) links_.erase(oldest);
}

// Whoever opens many sessions ends the oldest of its own, and no one else's.
Status ConsoleDesk::make_room(std::uint32_t uid) {
  const auto is_own = [uid](const Kept& kept) { return kept.session.visitor.uid == uid; };
  const auto oldest = oldest_of_many(sessions_, kMostSessionsOfUser, is_own, &Kept::seen_at);
  if (oldest != sessions_.end()) drop(oldest);
  return sessions_.size() < kMostSessions ? Status{} : kTooMany;
}

Result<ConsoleDesk::Opened> ConsoleDesk::keep(Kept kept) {
  CHANCERY_ASSIGN(std::string cookie, random_text(kCookieOctets));
  CHANCERY_ASSIGN(std::string mark, random_text(kMarkOctets));
  kept.mark = name_of(mark);
  Opened out{std::move(cookie), std::move(mark), kept.session};
  sessions_.emplace(name_of(out.cookie), std::move(kept));
  return out;
}

Result<ConsoleDesk::Opened> ConsoleDesk::open(std::string_view link, std::chrono::sys_seconds now) {
  const std::lock_guard lock(mutex_);
  forget_ended(now);
  const auto found = links_.find(name_of(link));
  if (found == links_.end()) return kDeadLink;
  ConsoleSession session = std::move(found->second.session);
  links_.erase(found);  // used up, whatever comes of it
  CHANCERY_TRY(make_room(session.visitor.uid));
  session.began_at = now;
  session.ends_at = now + options_.session_life;
  return keep({std::move(session), {}, now});
}

std::optional<ConsoleSession> ConsoleDesk::find(const ConsoleKey& key, std::chrono::sys_seconds now) {
  const std::lock_guard lock(mutex_);
  forget_ended(now);
  const auto found = sessions_.find(name_of(key.cookie));
  if (found == sessions_.end() || !equal_constant_time(found->second.mark, name_of(key.mark)))
    return std::nullopt;
  if (key.keeps_awake) found->second.seen_at = std::max(found->second.seen_at, now);
  return found->second.session;
}

Result<ConsoleDesk::Opened> ConsoleDesk::sign_in(const ConsoleVisitor& who, std::chrono::sys_seconds now) {
  const std::lock_guard lock(mutex_);
  forget_ended(now);
  const auto found = named(who.session);
  if (found == sessions_.end()) return kNoSession;
  Kept kept = found->second;
  sessions_.erase(found);  // the cookie of before opens nothing more
  kept.session.visitor = who;
  kept.session.needs_passkey = false;
  return keep(std::move(kept));
}

std::size_t ConsoleDesk::count(std::chrono::sys_seconds now) {
  const std::lock_guard lock(mutex_);
  forget_ended(now);
  return sessions_.size();
}

void ConsoleDesk::close(std::string_view session) {
  const std::lock_guard lock(mutex_);
  const auto found = named(session);
  if (found != sessions_.end()) drop(found);
}

void ConsoleDesk::leave(std::string_view cookie) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(name_of(cookie));
  if (found != sessions_.end()) drop(found);
}

ConsoleDesk::Sessions::iterator ConsoleDesk::named(std::string_view session) {
  return std::ranges::find_if(
      sessions_, [&](const auto& kept) { return kept.second.session.visitor.session == session; });
}

std::optional<ConsoleSession> ConsoleDesk::session(std::string_view name, std::chrono::sys_seconds now) {
  const std::lock_guard lock(mutex_);
  forget_ended(now);
  const auto found = named(name);
  if (found == sessions_.end()) return std::nullopt;
  return found->second.session;
}

void ConsoleDesk::make_room_for_question(std::string_view session) {
  const auto is_own = [session](const Asked& asked) { return asked.session == session; };
  const auto oldest = oldest_of_many(questions_, kMostQuestionsOfSession, is_own, &Asked::expires_at);
  if (oldest != questions_.end()) questions_.erase(oldest);
}

Result<ConsoleQuestion> ConsoleDesk::ask(std::string_view session, ConsoleQuestion question,
                                         std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(question.id, random_name());
  question.challenge.resize(kChallengeOctets);
  CHANCERY_TRY(random_bytes(question.challenge));
  const std::lock_guard lock(mutex_);
  forget_ended(now);
  make_room_for_question(session);
  questions_.emplace(question.id, Asked{std::string(session), question, now + kQuestionLife});
  return question;
}

Result<ConsoleQuestion> ConsoleDesk::take(std::string_view session, std::string_view id,
                                          ConsoleQuestion::Kind kind, std::chrono::sys_seconds now) {
  const std::lock_guard lock(mutex_);
  forget_ended(now);
  const auto found = questions_.find(id);
  // Another session's question stays: nobody ends it who only guesses.
  if (found == questions_.end() || found->second.session != session) return kDeadQuestion;
  Asked asked = std::move(found->second);
  questions_.erase(found);
  if (asked.question.kind != kind) return kDeadQuestion;
  return std::move(asked.question);
}

}  // namespace chancery::service
