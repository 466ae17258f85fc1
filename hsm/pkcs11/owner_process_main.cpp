// The other process's side: what it does from its start to its end.

#include <csignal>
#include <memory>

#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hsm/pkcs11/owner_process.hpp"
#include "hsm/pkcs11/session_pool.hpp"
#include "hsm/pkcs11/token_messages.hpp"

namespace chancery::hsm {
namespace {

constexpr int kFailed = 1;

/// Tells the daemon what happens to the token, before anything comes of it.
class Reporter final : public TokenWatch {
 public:
  explicit Reporter(const PacketSocket& socket) : socket_(&socket) {}
  void on_facts(const TokenFacts& facts) override { socket_->send(encode(facts)); }
  void on_login(LoginStep step, CK_RV rv) override { socket_->send(encode(LoginNews{step, rv})); }

 private:
  const PacketSocket* socket_;
};

/// A request whose answer goes back over the socket.
class ForeignRequest final : public PooledRequest {
 public:
  ForeignRequest(TokenOrder order, const PacketSocket& socket, const SessionPool& pool)
      : PooledRequest(std::move(order.request)), id_(order.id), socket_(&socket), pool_(&pool) {}

  // Whether somebody waits for it over there, the daemon finds out.
  [[nodiscard]] bool answer(const Result<TokenReply>& result) override {
    return socket_->send(encode(TokenAnswer{id_, pool_->load(), result}));
  }

 private:
  const std::uint64_t id_;
  const PacketSocket* socket_;
  const SessionPool* pool_;
};

Result<Start> receive_start(const PacketSocket& socket) {
  SecretBytes packet(kLongestPacket);
  const auto [received, size] = socket.receive(packet.writable(), true);
  if (received != PacketSocket::Received::kPacket) {
    return Error{ErrorCode::kProcessFailed, "the daemon ended before it said what to do"};
  }
  return decode_start(packet.view().first(size));
}

/// \return whether the daemon ended, rather than sent what is no order
bool serve(const PacketSocket& socket, SessionPool& pool) {
  Bytes packet(kLongestPacket);
  for (;;) {
    const auto [received, size] = socket.receive(packet, true);
    if (received != PacketSocket::Received::kPacket) return true;
    auto order = decode_order(ByteView(packet).first(size));
    explicit_bzero(packet.data(), size);  // it may have had a secret in it
    if (!order) return false;
    const auto request = std::make_shared<ForeignRequest>(*std::move(order), socket, pool);
    const Status taken = pool.submit(request);
    if (!taken) static_cast<void>(request->answer(taken.error()));
  }
}

}  // namespace

int run_owner_process(int descriptor) {
  // Whoever started it may be gone already, which the socket then shows.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const PacketSocket socket{Descriptor(descriptor)};
  auto start = receive_start(socket);
  if (!start) return kFailed;
  Reporter reporter(socket);
  start->token.watch = &reporter;
  bool is_good = false;
  {
    SessionPool pool(std::make_shared<Token>(std::move(start->token)), start->pool);
    is_good = serve(socket, pool);
  }
  // Without the clean-up of a normal exit: a thread may still be inside of the module.
  ::_exit(is_good ? 0 : kFailed);
}

}  // namespace chancery::hsm
