#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <poll.h>

namespace chancery::tests {

/// An API on a loopback port, which notes what it is asked and answers as the test says.
class UpstreamServer {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;
  /// Fills in an answer, which is 200 and empty before.
  using Answer = std::function<void(const Request& request, Response& response)>;

  explicit UpstreamServer(Answer answer)
      : answer_(std::move(answer)),
        acceptor_(io_, {boost::asio::ip::make_address("127.0.0.1"), 0}),
        thread_([this] { serve(); }) {}
  ~UpstreamServer() {
    stop_ = true;
    boost::system::error_code ignored;
    boost::asio::ip::tcp::socket wake(io_);
    wake.connect(acceptor_.local_endpoint(), ignored);  // accept() waits for nothing else
    thread_.join();
    connections_.clear();
  }
  UpstreamServer(const UpstreamServer&) = delete;
  UpstreamServer& operator=(const UpstreamServer&) = delete;

  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  [[nodiscard]] std::vector<Request> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  void serve() {
    while (!stop_) {
      boost::system::error_code failed;
      boost::asio::ip::tcp::socket socket(io_);
      acceptor_.accept(socket, failed);
      if (failed || stop_) continue;
      connections_.emplace_back([this, peer = std::move(socket)]() mutable { talk(std::move(peer)); });
    }
  }

  // Until the other side closes. Whoever keeps a connection open beyond the test loses it.
  void talk(boost::asio::ip::tcp::socket peer) {
    boost::beast::flat_buffer buffer;
    boost::system::error_code failed;
    while (!stop_) {
      peer.non_blocking(false, failed);
      if (!wait_for_input(peer, buffer)) break;
      Request request;
      boost::beast::http::read(peer, buffer, request, failed);
      if (failed) break;
      Response response(boost::beast::http::status::ok, 11);
      response.set(boost::beast::http::field::content_type, "application/json");
      answer_(request, response);
      {
        const std::lock_guard lock(mutex_);
        seen_.push_back(request);
      }
      response.prepare_payload();
      boost::beast::http::write(peer, response, failed);
      if (failed || request.need_eof()) break;
    }
  }

  // In steps, so that the end of the test is noticed.
  bool wait_for_input(boost::asio::ip::tcp::socket& peer, const boost::beast::flat_buffer& buffer) const {
    if (buffer.size() > 0) return true;
    while (!stop_) {
      pollfd waiting{peer.native_handle(), POLLIN, 0};
      if (::poll(&waiting, 1, 50) > 0) return true;
    }
    return false;
  }

  const Answer answer_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;  // of the next
  std::vector<Request> seen_;
  std::vector<std::jthread> connections_;  // the thread's alone
  std::thread thread_;
};

}  // namespace chancery::tests
