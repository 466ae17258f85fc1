#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <mutex>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chancery/session.hpp>

#include "sdk/base/descriptor.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery {
namespace {

constexpr const char* kVariable = "CHANCERY_SESSION_FD";
constexpr std::size_t kMostSealed = 1024 * 1024;

std::chrono::sys_seconds wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

ClientError local(const Error& error) {
  return {.error = error, .status = 0, .code = {}, .detail = {}, .document = {}};
}

// An issuer's URL may have a path; the daemon's own paths begin at its server.
std::string origin_of(const std::string& url) {
  return url.substr(0, url.find('/', std::string_view("https://").size()));
}

/// A chain whose last token a key of this process holds, and until when.
struct Lease {
  std::vector<std::string> chain;
  std::chrono::sys_seconds expires_at;
};

}  // namespace

struct Session::Impl {
  SessionOptions options;
  std::vector<std::string> agent_chain;  // held by the agent's own key
  HolderKey key;
  std::string uri;  // of the daemon's sessions
  std::shared_ptr<const Client> daemon{};

  std::mutex mutex{};
  Lease lease{};

  [[nodiscard]] ClientResult<Lease> ask() const {
    auto proof = prove_with(key, agent_chain.back(), {"POST", uri, {}}, wall_clock());
    if (!proof) return local(proof.error());
    CHANCERY_ASSIGN(api::Session session,
                    daemon->open_session({agent_chain, *std::move(proof), options.lifetime}));
    return Lease{std::move(session.chain),
                 std::chrono::sys_seconds(std::chrono::seconds(session.expires_at))};
  }

  // Under the mutex: others wait for the same answer rather than to ask for one each.
  void renew_in_time(std::chrono::sys_seconds now) {
    if (lease.expires_at - now > options.lifetime / 3) return;
    if (auto next = ask()) lease = *std::move(next);
  }
};

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

ClientResult<std::shared_ptr<const Session>> Session::open(const SessionOptions& options,
                                                           std::vector<std::string> chain) {
  if (chain.empty()) return local({ErrorCode::kMalformed, "the chain is empty"});
  auto key = HolderKey::generate();
  if (!key) return local(key.error());
  auto client = Client::connect(options.daemon);
  if (!client) return local(client.error());
  auto daemon = std::make_shared<const Client>(*std::move(client));
  CHANCERY_ASSIGN(const Metadata metadata, daemon->metadata());
  std::unique_ptr<Impl> impl(new Impl{options, std::move(chain), *std::move(key),
                                      origin_of(metadata.issuer) + "/v1/sessions", std::move(daemon)});
  CHANCERY_ASSIGN(impl->lease, impl->ask());
  return std::shared_ptr<const Session>(new Session(std::move(impl)));
}

Result<Presented> Session::present(const std::string& method, const std::string& uri,
                                   const std::optional<std::string>& nonce) const {
  const std::chrono::sys_seconds now = wall_clock();
  std::vector<std::string> chain;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->renew_in_time(now);
    if (impl_->lease.expires_at < now) {
      return Error{
          ErrorCode::kCredentialExpired,
          "the session has expired and the daemon renewed it not: is it there, and the agent's chain "
          "valid?"};
    }
    chain = impl_->lease.chain;
  }
  CHANCERY_ASSIGN(std::string proof, prove_with(impl_->key, chain.back(), {method, uri, {}, nonce}, now));
  return Presented{std::move(chain), std::move(proof)};
}

// --- handing a session on: a line of JSON, then the key in PEM, which is never part of a text

namespace {

json::Node describe(const ClientOptions& daemon) {
  json::Node node = json::Node::object({});
  if (!daemon.socket.empty()) node.set("socket", daemon.socket);
  if (!daemon.address.empty()) node.set("address", daemon.address);
  if (!daemon.ca_file.empty()) node.set("ca_file", daemon.ca_file);
  return node;
}

Result<ClientOptions> read_daemon(const json::Value& root) {
  const json::Value* daemon = root.find("daemon");
  if (daemon == nullptr) return Error{ErrorCode::kMalformed, "a session names its daemon"};
  ClientOptions out;
  CHANCERY_ASSIGN(out.socket, wire::text_or_empty(*daemon, "socket", "`socket` is a path"));
  CHANCERY_ASSIGN(out.address, wire::text_or_empty(*daemon, "address", "`address` is a URL"));
  CHANCERY_ASSIGN(out.ca_file, wire::text_or_empty(*daemon, "ca_file", "`ca_file` is a path"));
  return out;
}

bool write_all(int file, ByteView octets) {
  while (!octets.empty()) {
    const ssize_t written = ::write(file, octets.data(), octets.size());
    if (written <= 0) return false;
    octets = octets.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

Result<SecretBytes> read_whole(int file) {
  const off_t size = ::lseek(file, 0, SEEK_END);
  if (size <= 0 || static_cast<std::size_t>(size) > kMostSealed) {
    return Error{ErrorCode::kMalformed, "the descriptor that CHANCERY_SESSION_FD names holds no session"};
  }
  SecretBytes octets(static_cast<std::size_t>(size));
  if (::pread(file, octets.writable().data(), octets.size(), 0) == size) return octets;
  return Error{ErrorCode::kFileUnreadable, "the session's descriptor cannot be read",
               static_cast<std::uint64_t>(errno)};
}

}  // namespace

Result<int> Session::seal() const {
  json::Node node = json::Node::object({{"agent_chain", wire::text_array(impl_->agent_chain)},
                                        {"uri", impl_->uri},
                                        {"lifetime_s", impl_->options.lifetime.count()},
                                        {"daemon", describe(impl_->options.daemon)}});
  {
    const std::lock_guard lock(impl_->mutex);
    node.set("chain", wire::text_array(impl_->lease.chain));
    node.set("expires_at", impl_->lease.expires_at.time_since_epoch().count());
  }
  CHANCERY_ASSIGN(const SecretBytes pem, impl_->key.pem());
  Descriptor file(::memfd_create("chancery-session", MFD_ALLOW_SEALING));
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  const bool done = file && write_all(file.get(), as_bytes(json::to_jcs(node) + "\n")) &&
                    write_all(file.get(), pem.view()) && ::lseek(file.get(), 0, SEEK_SET) == 0 &&
                    ::fcntl(file.get(), F_ADD_SEALS, kSeals) == 0;
  if (done) return file.release();
  return Error{ErrorCode::kProcessFailed, "no sealed file could be made in memory",
               static_cast<std::uint64_t>(errno)};
}

Result<std::shared_ptr<const Session>> Session::inherited() {
  const char* value = std::getenv(kVariable);
  int number = -1;
  const std::string_view text = value == nullptr ? "" : value;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number < 0) {
    return Error{ErrorCode::kNotFound, "this program was not started with a session: see `chancery run`"};
  }
  const Descriptor file(number);
  CHANCERY_ASSIGN(const SecretBytes octets, read_whole(file.get()));
  const std::string_view all = as_text(octets.view());
  const std::size_t end = std::min(all.find('\n'), all.size() - 1);
  CHANCERY_ASSIGN(HolderKey key, HolderKey::from_pem(octets.view().subspan(end + 1)));
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(all.substr(0, end)));
  const json::Value& root = document.root();
  constexpr const char* kWhat = "a session has `agent_chain`, `chain`, `uri`, `lifetime_s` and `expires_at`";
  SessionOptions options;
  CHANCERY_ASSIGN(options.daemon, read_daemon(root));
  CHANCERY_ASSIGN(const auto lifetime, wire::integer(root, "lifetime_s", {1, 600}, kWhat));
  CHANCERY_ASSIGN(const auto expires_at, wire::integer(root, "expires_at", wire::kAnyTime, kWhat));
  CHANCERY_ASSIGN(std::vector<std::string> agent_chain, wire::string_array(root, "agent_chain", kWhat));
  CHANCERY_ASSIGN(std::string uri, wire::need_text(root, "uri", kWhat));
  Lease lease;
  CHANCERY_ASSIGN(lease.chain, wire::chain(root));
  if (!lifetime || !expires_at || agent_chain.empty()) return Error{ErrorCode::kMalformed, kWhat};
  options.lifetime = std::chrono::seconds(*lifetime);
  lease.expires_at = std::chrono::sys_seconds(std::chrono::seconds(*expires_at));
  CHANCERY_ASSIGN(Client client, Client::connect(options.daemon));
  std::unique_ptr<Impl> impl(new Impl{std::move(options), std::move(agent_chain), std::move(key),
                                      std::move(uri), std::make_shared<const Client>(std::move(client))});
  impl->lease = std::move(lease);
  return std::shared_ptr<const Session>(new Session(std::move(impl)));
}

}  // namespace chancery
