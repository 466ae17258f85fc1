#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/passkeys.hpp>
#include <chancery/result.hpp>

#include "daemon/service/caller.hpp"
#include "daemon/service/console_files.hpp"

namespace chancery::service {

/// How the console is set up.
struct ConsoleOptions {
  RelyingParty party;                                ///< its first origin stands in links
  std::map<std::uint32_t, std::string> approvers{};  ///< principals by the users that are theirs
  std::chrono::seconds session_life{8 * 3600};
  std::chrono::seconds session_idle{900};
};

/// A session of the console's.
struct ConsoleSession {
  ConsoleVisitor visitor;
  Process asker{};             ///< who asked for the link, and is judged anew with each request
  bool needs_passkey = false;  ///< nothing but signing in with one may be done before
  std::chrono::sys_seconds began_at{};
  std::chrono::sys_seconds ends_at{};
};

/// A request that a passkey confirms: no other is made with its answer.
struct ConfirmedRequest {
  std::string method;
  std::string path;  ///< as the page calls it, without a query
  std::string body;
};

/// What a request shows to be of a session: the cookie, which browsers send to every port of the host, and the mark, which the page alone
/// knows.
struct ConsoleKey {
  std::string_view cookie;
  std::string_view mark;
  bool keeps_awake = true;  ///< a person acts, and not the page by itself
};

/// What a passkey was asked, and what must be known when it answers.
struct ConsoleQuestion {
  enum class Kind : std::uint8_t {
    kSignIn,
    kConfirm,  ///< that one request is to be made
    kEnrol,    ///< that a new passkey is made
  };
  Kind kind = Kind::kSignIn;
  std::string id{};         ///< given by ConsoleDesk::ask()
  Bytes challenge{};        ///< random; of kConfirm it follows from id and request
  std::string principal{};  ///< this and the next two of kEnrol
  std::vector<std::string> groups{};
  std::string replaces{};
};

/// What the console remembers, in memory alone and bounded: links that wait to be used, sessions, and what passkeys were asked. Of
/// links, cookies and marks it keeps hashes. A restart ends all of it. Thread-safe.
class ConsoleDesk {
 public:
  ConsoleDesk(ConsoleOptions options, ConsoleFiles files)
      : options_(std::move(options)), files_(std::move(files)) {}

  static constexpr std::chrono::seconds kLinkLife{60};
  static constexpr std::chrono::seconds kQuestionLife{300};
  static constexpr std::size_t kMostLinks = 64;
  static constexpr std::size_t kMostLinksOfUser = 4;
  static constexpr std::size_t kMostSessions = 64;
  static constexpr std::size_t kMostSessionsOfUser = 8;
  static constexpr std::size_t kMostQuestionsOfSession = 8;

  [[nodiscard]] const ConsoleOptions& options() const noexcept { return options_; }
  [[nodiscard]] const ConsoleFiles& files() const noexcept { return files_; }

  struct Link {
    std::string secret;  ///< 128 random bits, base64url
    std::chrono::sys_seconds expires_at{};
  };
  /// Of many that a user asks for the oldest is forgotten.
  /// \param session  which the link opens; gets a name of its own. kOverloaded, kCryptoFailure
  [[nodiscard]] Result<Link> give_link(ConsoleSession session, std::chrono::sys_seconds now);

  struct Opened {
    std::string cookie;  ///< 256 random bits, base64url
    std::string mark;    ///< 128 random bits, base64url
    ConsoleSession session;
  };
  /// Uses a link up: of any number who have it, one gets a session. kUnauthenticated, in the same words for each that
  /// opens nothing; kOverloaded, kCryptoFailure.
  [[nodiscard]] Result<Opened> open(std::string_view link, std::chrono::sys_seconds now);

  /// The session of a cookie and its mark; nothing when there is none any more.
  [[nodiscard]] std::optional<ConsoleSession> find(const ConsoleKey& key, std::chrono::sys_seconds now);

  /// The session of that name; nothing when there is none any more.
  [[nodiscard]] std::optional<ConsoleSession> session(std::string_view name, std::chrono::sys_seconds now);

  /// Notes who signed in with a passkey, and gives the session another cookie and mark. kUnauthenticated when it has ended,
  /// kCryptoFailure.
  /// \param who  with the session's name
  [[nodiscard]] Result<Opened> sign_in(const ConsoleVisitor& who, std::chrono::sys_seconds now);

  /// How many there are that have not ended.
  [[nodiscard]] std::size_t count(std::chrono::sys_seconds now);

  /// Ends a session, if it is there.
  void close(std::string_view session);
  /// Ends the session of a cookie, if it is there: a browser that gets another keeps that alone.
  void leave(std::string_view cookie);

  /// Notes a question for an answer in this session. Of many that nobody answers the oldest is forgotten. kCryptoFailure.
  [[nodiscard]] Result<ConsoleQuestion> ask(std::string_view session, ConsoleQuestion question,
                                            std::chrono::sys_seconds now);
  /// Takes a question out: it is answered, well or badly. kUnauthenticated for one that is not open (any more), was of another
  /// session or of another kind.
  [[nodiscard]] Result<ConsoleQuestion> take(std::string_view session, std::string_view id,
                                             ConsoleQuestion::Kind kind, std::chrono::sys_seconds now);

 private:
  struct Waiting {
    ConsoleSession session;
    std::chrono::sys_seconds expires_at{};
  };
  struct Kept {
    ConsoleSession session;
    Sha256Digest mark{};
    std::chrono::sys_seconds seen_at{};
  };
  struct Asked {
    std::string session;
    ConsoleQuestion question;
    std::chrono::sys_seconds expires_at{};
  };
  using Sessions = std::map<Sha256Digest, Kept>;

  // All with mutex_ held.
  void forget_ended(std::chrono::sys_seconds now);
  [[nodiscard]] bool has_ended(const Kept& kept, std::chrono::sys_seconds now) const;
  [[nodiscard]] Result<Opened> keep(Kept kept);
  [[nodiscard]] Status make_room(std::uint32_t uid);
  void make_room_for_link(std::uint32_t uid);
  void drop(Sessions::iterator session);
  [[nodiscard]] Sessions::iterator named(std::string_view session);
  void make_room_for_question(std::string_view session);

  const ConsoleOptions options_;
  const ConsoleFiles files_;
  std::mutex mutex_;
  std::map<Sha256Digest, Waiting> links_;
  Sessions sessions_;
  std::map<std::string, Asked, std::less<>> questions_;
};

}  // namespace chancery::service
