#include <charconv>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <utility>

#include <chancery/session.hpp>

#include "sdk/base/descriptor.hpp"
#include "sdk/client/sealed_session.hpp"

namespace chancery {
namespace {

using client::Lease;
using client::SessionState;

constexpr const char* kVariable = "CHANCERY_SESSION_FD";

std::chrono::sys_seconds wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

ClientError local(const Error& error) {
  return {.error = error, .status = 0, .code = {}, .detail = {}, .document = {}};
}

// A descriptor's number; -1 when the text is none.
int descriptor_number(std::string_view text) {
  int number = -1;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() ? number : -1;
}

// A session's access is the credential of its calls.
Result<std::shared_ptr<const Client>> connect(SessionOptions& options) {
  if (options.access) {
    CHANCERY_ASSIGN(options.daemon.credential, credential_of(options.access->chain, options.access->key));
  }
  CHANCERY_ASSIGN(Client client, Client::connect(options.daemon));
  return std::make_shared<const Client>(std::move(client));
}

}  // namespace

struct Session::Impl {
  SessionState state;  // its lease under the mutex, the rest as it was made
  std::shared_ptr<const Client> daemon;
  bool was_handed_over = false;
  std::mutex mutex{};  // of the state's lease, and of what follows
  std::condition_variable_any answered{};
  bool is_asking = false;  // somebody asks the daemon
  std::chrono::steady_clock::time_point retry_at{};

  [[nodiscard]] ClientResult<Lease> ask(const std::stop_token& stop) const {
    auto proof = prove_with(state.key, state.agent_chain.back(), {"POST", state.uri, {}}, wall_clock());
    if (!proof) return local(proof.error());
    CHANCERY_ASSIGN(
        api::Session session,
        daemon->open_session({state.agent_chain, *std::move(proof), state.options.lifetime}, stop));
    return Lease{std::move(session.chain),
                 std::chrono::sys_seconds(std::chrono::seconds(session.expires_at))};
  }

  // One caller asks; only who has nothing to go on with waits for the answer, too. When it has come, or did not, not everybody
  // asks again.
  [[nodiscard]] Lease lease_in_time(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    const Lease seen = state.lease;
    const std::chrono::sys_seconds now = wall_clock();
    if (seen.expires_at - now > state.options.lifetime / 3) return seen;
    if (seen.expires_at < now) answered.wait(lock, stop, [this] { return !is_asking; });
    const bool is_renewed = state.lease.chain != seen.chain;
    if (is_asking || is_renewed || std::chrono::steady_clock::now() < retry_at) return state.lease;
    const Turn turn(*this, lock);
    lock.unlock();
    auto next = ask(stop);
    lock.lock();
    if (next) {
      state.lease = *std::move(next);
    } else if (!stop.stop_requested()) {  // else whoever waits may have more patience
      retry_at = std::chrono::steady_clock::now() + std::chrono::milliseconds(state.options.lifetime) / 60;
    }
    return state.lease;
  }

  // Of whoever asks: begins and ends under the mutex, also when something is thrown.
  class Turn {
   public:
    Turn(Impl& impl, std::unique_lock<std::mutex>& lock) : impl_(impl), lock_(lock) {
      impl_.is_asking = true;
    }
    ~Turn() {
      if (!lock_.owns_lock()) lock_.lock();
      impl_.is_asking = false;
      impl_.answered.notify_all();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Impl& impl_;
    std::unique_lock<std::mutex>& lock_;
  };
};

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

ClientResult<std::shared_ptr<const Session>> Session::open(const SessionOptions& options,
                                                           std::vector<std::string> chain) {
  if (chain.empty()) return local({ErrorCode::kMalformed, "the chain is empty"});
  auto key = HolderKey::generate();
  if (!key) return local(key.error());
  SessionOptions known = options;
  auto daemon = connect(known);
  if (!daemon) return local(daemon.error());
  CHANCERY_ASSIGN(const Metadata metadata, (*daemon)->metadata());
  SessionState state{std::move(known), std::move(chain), metadata.issuer + "/v1/sessions", *std::move(key)};
  std::unique_ptr<Impl> impl(new Impl{std::move(state), *std::move(daemon)});
  CHANCERY_ASSIGN(impl->state.lease, impl->ask({}));
  return std::shared_ptr<const Session>(new Session(std::move(impl)));
}

ClientResult<std::shared_ptr<const Session>> Session::another(const std::stop_token& stop) const {
  auto key = HolderKey::generate();
  if (!key) return local(key.error());
  const SessionState& state = impl_->state;  // but for the lease, nobody changes it
  std::unique_ptr<Impl> impl(
      new Impl{{state.options, state.agent_chain, state.uri, *std::move(key)}, impl_->daemon});
  CHANCERY_ASSIGN(impl->state.lease, impl->ask(stop));
  return std::shared_ptr<const Session>(new Session(std::move(impl)));
}

Result<Presented> Session::present(const std::string& method, const std::string& uri,
                                   const std::optional<std::string>& nonce) const {
  return present(ProofClaims{method, uri, {}, nonce});
}

Result<Presented> Session::present(const ProofClaims& claims, const std::stop_token& stop) const {
  Lease lease = impl_->lease_in_time(stop);
  const std::chrono::sys_seconds now = wall_clock();
  if (lease.expires_at < now) {
    return Error{
        ErrorCode::kCredentialExpired,
        "the session has expired and the daemon renewed it not: is it there, and the agent's chain valid?"};
  }
  CHANCERY_ASSIGN(std::string proof, prove_with(impl_->state.key, lease.chain.back(), claims, now));
  return Presented{std::move(lease.chain), std::move(proof)};
}

bool Session::was_handed_over() const noexcept { return impl_->was_handed_over; }

const SessionOptions& Session::options() const noexcept { return impl_->state.options; }

Result<int> Session::seal() const {
  const std::lock_guard lock(impl_->mutex);
  return client::seal(impl_->state);
}

Result<std::shared_ptr<const Session>> Session::inherited() {
  const char* value = std::getenv(kVariable);
  const int number = descriptor_number(value == nullptr ? "" : value);
  if (number < 0) {
    return Error{ErrorCode::kNotFound, "this program was not started with a session: see `chancery run`"};
  }
  const Descriptor file(number);
  CHANCERY_ASSIGN(SessionState state, client::read_sealed(file.get()));
  CHANCERY_ASSIGN(auto daemon, connect(state.options));
  return std::shared_ptr<const Session>(
      new Session(std::unique_ptr<Impl>(new Impl{std::move(state), std::move(daemon), true})));
}

}  // namespace chancery
