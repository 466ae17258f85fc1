#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <chancery/result.hpp>

namespace chancery::runtime {

/// A receipt, and a signature over a list of hashes of receipts that has its own, once there is one.
struct SignedReceipt {
  std::string receipt;  ///< JCS
  std::string jws;      ///< compact; empty until it is signed
};

/// Has receipts signed behind the calls that they are about: as many at once as wait, so that a device that signs ten times a
/// second keeps up with any number of calls. Keeps the last ones for whoever asks. Thread-safe.
class Receipts {
 public:
  /// How many are remembered.
  static constexpr std::size_t kMostKept = 10'000;
  /// How many one signature is over at most.
  static constexpr std::size_t kMostTogether = 64;

  /// Signs the receipts of these permits. \return the compact JWS
  using Sign = std::function<Result<std::string>(const std::vector<std::string>& permits)>;
  using Complain = std::function<void(const Error& error)>;

  Receipts(Sign sign, Complain complain);
  ~Receipts();
  Receipts(const Receipts&) = delete;
  Receipts& operator=(const Receipts&) = delete;

  /// Keeps a receipt and has it signed soon.
  void add(std::string permit, std::string receipt);

  /// \return nullopt when it is unknown, or forgotten
  [[nodiscard]] std::optional<SignedReceipt> find(std::string_view permit) const;

  /// How many wait for a signature.
  [[nodiscard]] std::size_t waiting() const;

 private:
  void serve(const std::stop_token& stop);
  [[nodiscard]] std::vector<std::string> next(const std::stop_token& stop);
  void keep(const std::vector<std::string>& permits, const std::string& jws);

  const Sign sign_;
  const Complain complain_;
  mutable std::mutex mutex_;  // of all below
  std::condition_variable_any changed_;
  std::map<std::string, SignedReceipt, std::less<>> kept_;
  std::deque<std::string> order_;
  std::deque<std::string> waiting_;
  std::jthread thread_;  // last: it uses everything above
};

}  // namespace chancery::runtime
