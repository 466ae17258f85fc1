#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <chancery/client.hpp>

#include "sdk/client/answers.hpp"
#include "sdk/client/calls.hpp"
#include "sdk/client/transport.hpp"

namespace chancery {

/// What all calls of a client share: where the daemon is, and threads for those through a future.
struct Client::Impl {
  static constexpr std::size_t kMostThreads = 4;

  Impl(std::string where, std::unique_ptr<client::Transport> carrier, std::chrono::milliseconds limit)
      : endpoint(std::move(where)), transport(std::move(carrier)), timeout(limit) {}
  ~Impl() {
    if (threads) threads->join();  // its own destructor would drop calls that wait, and break their promises
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  static ClientError local(const Error& error) {
    return {.error = error, .status = 0, .code = {}, .detail = {}, .document = {}};
  }

  template <typename T>
  ClientResult<T> run(const Result<client::Call<T>>& call) const {
    if (!call) return local(call.error());
    auto answer = transport->send(call->request, std::chrono::steady_clock::now() + timeout);
    if (!answer) return local(answer.error());
    const int status = answer->status;
    CHANCERY_ASSIGN(std::string body,
                    client::accept_answer(*std::move(answer), call->request.accept, call->other_status));
    auto value = call->read(std::move(body));
    if (value) return *std::move(value);
    ClientError unreadable = local({ErrorCode::kBadResponse, value.error().what, value.error().native});
    unreadable.status = status;
    return unreadable;
  }

  /// The same on a thread of the client's; they start with the first call that needs one.
  template <typename T>
  std::future<ClientResult<T>> post(Result<client::Call<T>> call) {
    std::call_once(started, [&] { threads.emplace(kMostThreads); });
    const auto task = std::make_shared<std::packaged_task<ClientResult<T>()>>(
        [this, call = std::move(call)] { return run(call); });
    boost::asio::post(*threads, [task] { (*task)(); });
    return task->get_future();
  }

  std::string endpoint;
  std::unique_ptr<client::Transport> transport;
  std::chrono::milliseconds timeout;
  std::once_flag started;
  std::optional<boost::asio::thread_pool> threads;
};

}  // namespace chancery
