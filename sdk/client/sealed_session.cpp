#include "sdk/client/sealed_session.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::client {
namespace {

constexpr std::size_t kMostSealed = 1024 * 1024;
constexpr std::string_view kPemBegins = "-----BEGIN ";
constexpr const char* kWhat =
    "a session has `daemon`, `agent_chain`, `chain`, `uri`, `lifetime_s` and `expires_at`";

// Who goes on with the session may do so in another folder.
std::string absolute(const std::string& path) {
  std::error_code none;
  const std::string whole = std::filesystem::absolute(path, none).string();
  return whole.empty() ? path : whole;
}

json::Node daemon_node(const ClientOptions& daemon) {
  json::Node node = json::Node::object({});
  if (!daemon.socket.empty()) node.set("socket", absolute(daemon.socket));
  if (!daemon.address.empty()) node.set("address", daemon.address);
  if (!daemon.ca_file.empty()) node.set("ca_file", absolute(daemon.ca_file));
  return node;
}

json::Node session_node(const SessionState& state) {
  json::Node node = json::Node::object({{"agent_chain", wire::text_array(state.agent_chain)},
                                        {"uri", state.uri},
                                        {"lifetime_s", state.options.lifetime.count()},
                                        {"daemon", daemon_node(state.options.daemon)},
                                        {"chain", wire::text_array(state.lease.chain)},
                                        {"expires_at", state.lease.expires_at.time_since_epoch().count()}});
  if (state.options.access) node.set("access_chain", wire::text_array(state.options.access->chain));
  return node;
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

/// The parts of a sealed session, in its order; the last is empty when the session has no access of its own.
struct Parts {
  std::string_view json;
  ByteView key;
  ByteView access_key;
};

Parts divide(ByteView octets) {
  const std::string_view text = as_text(octets);
  const std::size_t key = std::min(text.find(kPemBegins), text.size());
  const std::size_t access_key = std::min(text.find(kPemBegins, key + 1), text.size());
  return {text.substr(0, key), octets.subspan(key, access_key - key), octets.subspan(access_key)};
}

Result<ClientOptions> read_daemon(const json::Value& root) {
  const json::Value* daemon = root.find("daemon");
  if (daemon == nullptr) return Error{ErrorCode::kMalformed, kWhat};
  ClientOptions out;
  CHANCERY_ASSIGN(out.socket, wire::text_or_empty(*daemon, "socket", "`socket` is a path"));
  CHANCERY_ASSIGN(out.address, wire::text_or_empty(*daemon, "address", "`address` is a URL"));
  CHANCERY_ASSIGN(out.ca_file, wire::text_or_empty(*daemon, "ca_file", "`ca_file` is a path"));
  return out;
}

Result<std::optional<HeldChain>> read_access(const json::Value& root, ByteView pem) {
  if (root.find("access_chain") == nullptr) return std::optional<HeldChain>();
  CHANCERY_ASSIGN(std::vector<std::string> chain,
                  wire::string_array(root, "access_chain", "`access_chain` is an array of tokens"));
  CHANCERY_ASSIGN(HolderKey key, HolderKey::from_pem(pem));
  return std::optional(HeldChain{std::move(chain), std::move(key)});
}

Result<SessionOptions> read_options(const json::Value& root, ByteView access_key) {
  SessionOptions out;
  CHANCERY_ASSIGN(out.daemon, read_daemon(root));
  CHANCERY_ASSIGN(out.access, read_access(root, access_key));
  CHANCERY_ASSIGN(const auto lifetime, wire::integer(root, "lifetime_s", {1, 600}, kWhat));
  if (!lifetime) return Error{ErrorCode::kMalformed, kWhat};
  out.lifetime = std::chrono::seconds(*lifetime);
  return out;
}

Result<Lease> read_lease(const json::Value& root) {
  Lease out;
  CHANCERY_ASSIGN(out.chain, wire::chain(root));
  CHANCERY_ASSIGN(const auto expires_at, wire::integer(root, "expires_at", wire::kAnyTime, kWhat));
  if (!expires_at) return Error{ErrorCode::kMalformed, kWhat};
  out.expires_at = std::chrono::sys_seconds(std::chrono::seconds(*expires_at));
  return out;
}

}  // namespace

Result<int> seal(const SessionState& state) {
  CHANCERY_ASSIGN(const SecretBytes key, state.key.pem());
  SecretBytes access_key;
  if (state.options.access) {
    CHANCERY_ASSIGN(access_key, state.options.access->key.pem());
  }
  Descriptor file(::memfd_create("chancery-session", MFD_ALLOW_SEALING));
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  const bool done = file && write_all(file.get(), as_bytes(json::to_jcs(session_node(state)) + "\n")) &&
                    write_all(file.get(), key.view()) && write_all(file.get(), access_key.view()) &&
                    ::lseek(file.get(), 0, SEEK_SET) == 0 && ::fcntl(file.get(), F_ADD_SEALS, kSeals) == 0;
  if (done) return file.release();
  return Error{ErrorCode::kProcessFailed, "no sealed file could be made in memory",
               static_cast<std::uint64_t>(errno)};
}

Result<SessionState> read_sealed(int file) {
  CHANCERY_ASSIGN(const SecretBytes octets, read_whole(file));
  const Parts parts = divide(octets.view());
  CHANCERY_ASSIGN(HolderKey key, HolderKey::from_pem(parts.key));
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(parts.json));
  const json::Value& root = document.root();
  CHANCERY_ASSIGN(SessionOptions options, read_options(root, parts.access_key));
  CHANCERY_ASSIGN(std::vector<std::string> agent_chain, wire::string_array(root, "agent_chain", kWhat));
  CHANCERY_ASSIGN(std::string uri, wire::need_text(root, "uri", kWhat));
  CHANCERY_ASSIGN(Lease lease, read_lease(root));
  if (agent_chain.empty()) return Error{ErrorCode::kMalformed, kWhat};
  return SessionState{std::move(options), std::move(agent_chain), std::move(uri), std::move(key),
                      std::move(lease)};
}

}  // namespace chancery::client
