#include <algorithm>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>

#include "sdk/client/transport.hpp"

namespace chancery::client {
namespace {

constexpr int kUnauthorized = 401;

class AuthorizedTransport final : public Transport {
 public:
  AuthorizedTransport(std::unique_ptr<Transport> carrier, std::string address,
                      std::shared_ptr<const Credential> credential)
      : carrier_(std::move(carrier)), address_(std::move(address)), credential_(std::move(credential)) {
    if (address_.ends_with('/')) address_.pop_back();
  }

  Result<HttpAnswer> send(const HttpRequest& request, Deadline deadline) const override {
    const std::optional<std::string> known = nonce();
    CHANCERY_ASSIGN(HttpAnswer answer, send_with(request, known, deadline));
    // Refused for its nonce, nothing was done: the same request may be sent again.
    const bool is_stale = answer.status == kUnauthorized && !answer.dpop_nonce.empty() && nonce() != known;
    if (!is_stale) return answer;
    return send_with(request, nonce(), deadline);
  }

 private:
  Result<HttpAnswer> send_with(const HttpRequest& request, const std::optional<std::string>& nonce,
                               Deadline deadline) const {
    const std::string uri = address_ + request.target.substr(0, request.target.find('?'));
    CHANCERY_ASSIGN(const Presented presented, credential_->present(request.method, uri, nonce));
    HttpRequest authorized = request;
    std::ranges::move(authorization_headers(presented), std::back_inserter(authorized.headers));
    auto answer = carrier_->send(authorized, deadline);
    if (answer && !answer->dpop_nonce.empty()) remember(answer->dpop_nonce);
    return answer;
  }

  [[nodiscard]] std::optional<std::string> nonce() const {
    const std::lock_guard lock(mutex_);
    return nonce_;
  }

  void remember(const std::string& nonce) const {
    const std::lock_guard lock(mutex_);
    nonce_ = nonce;
  }

  const std::unique_ptr<Transport> carrier_;
  std::string address_;
  const std::shared_ptr<const Credential> credential_;
  mutable std::mutex mutex_;
  mutable std::optional<std::string> nonce_;
};

}  // namespace

Headers authorization_headers(const Presented& presented) {
  const std::vector<std::string>& chain = presented.chain;
  Headers headers{{"Authorization", "DPoP " + chain.back()}};
  std::string parents = join_chain(std::span(chain).first(chain.size() - 1));
  if (!parents.empty()) headers.emplace_back("Delegation-Chain", std::move(parents));
  headers.emplace_back("DPoP", presented.proof);
  return headers;
}

std::unique_ptr<Transport> make_authorized_transport(std::unique_ptr<Transport> carrier, std::string address,
                                                     std::shared_ptr<const Credential> credential) {
  return std::make_unique<AuthorizedTransport>(std::move(carrier), std::move(address), std::move(credential));
}

}  // namespace chancery::client
