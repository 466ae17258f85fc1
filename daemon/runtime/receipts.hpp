#pragma once

#include <chrono>
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
///
/// Several that are refused together are asked for in halves, down to the one that the daemon does not know: that one is given up, and
/// the others are signed. What fails for another reason is tried again, after pauses that grow to half a minute.
class Receipts {
 public:
  /// How many are remembered.
  static constexpr std::size_t kMostKept = 10'000;
  /// How many one signature is over at most.
  static constexpr std::size_t kMostTogether = 64;

  using Permits = std::vector<std::string>;  ///< by id
  /// Signs the receipts of these permits. \return the compact JWS
  using Sign = std::function<Result<std::string>(const Permits& permits)>;
  /// \param permit  whose receipt is given up; empty: it is tried again
  using Complain = std::function<void(const Error& error, std::string_view permit)>;

  Receipts(Sign sign, Complain complain);
  ~Receipts();
  Receipts(const Receipts&) = delete;
  Receipts& operator=(const Receipts&) = delete;

  /// Keeps a receipt and has it signed soon.
  void add(std::string permit, std::string receipt);

  /// \return nullopt when it is unknown, or forgotten
  [[nodiscard]] std::optional<SignedReceipt> find(std::string_view permit) const;

  /// How many wait for a signature, those that are being signed included.
  [[nodiscard]] std::size_t waiting() const;

  /// Waits until all are signed, or until the next time that they cannot be, or until `patience` is over; a pause that
  /// lasts is cut short. For the end: nothing may be added meanwhile.
  /// \return how many are left
  std::size_t settle(std::chrono::milliseconds patience);

 private:
  void serve(const std::stop_token& stop);
  void sign_all(Permits permits, const std::stop_token& stop);
  [[nodiscard]] bool is_settling() const;
  /// \param was_last  the attempt that failed began when the end was near
  /// \return whether to try again: false at the end
  [[nodiscard]] bool wait_to_retry(bool was_last, const std::stop_token& stop);
  [[nodiscard]] Permits next(const std::stop_token& stop);
  void keep(const Permits& permits, const std::string& jws);
  void give_up(const std::string& permit, const Error& error);

  const Sign sign_;
  const Complain complain_;
  mutable std::mutex mutex_;  // of all below
  std::condition_variable_any changed_;
  std::map<std::string, SignedReceipt, std::less<>> kept_;
  std::deque<std::string> order_;
  std::deque<std::string> waiting_;
  std::size_t in_hand_ = 0;  // taken out of `waiting_`, and not done with
  bool is_settling_ = false;
  bool has_failed_ = false;  // an attempt that began since then
  std::chrono::milliseconds pause_{};
  std::jthread thread_;  // last: it uses everything above
};

}  // namespace chancery::runtime
