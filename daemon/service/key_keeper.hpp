#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "daemon/service/office.hpp"

namespace chancery::service {

struct KeeperOptions {
  std::chrono::seconds max_agent_key_age{0};   ///< zero: no limit
  std::chrono::seconds max_issuer_key_age{0};  ///< zero: no limit
  std::chrono::milliseconds patience{10'000};  ///< for one step with a device
};

/// What has to be done about keys when nobody asks: what was interrupted is carried on, keys whose overlap is
/// over are retired and destroyed, those that hang on no kill switch are followed by others once there is one, keys behind former approvers of a gate by ones behind its present approvers, keys that are too old by others, the keys of a device
/// that is not there but another are marked as lost until it is back, and the daemon's own first keys are made
/// once their device is there. One thread at a time.
class KeyKeeper {
 public:
  /// What could not be done now, and is tried again later: in a literal what it was, and why not.
  using Complaint = std::function<void(const char* what, const Error& error)>;

  KeyKeeper(Office& office, KeeperOptions options, Complaint complain)
      : office_(office), options_(options), complain_(std::move(complain)) {}

  /// One round. It knows no time but what it is given, so that tests may let years pass. A device that does
  /// not answer is let alone for a while.
  /// \param stop  ends the round after the step that is under way
  void tick(std::chrono::sys_seconds now, const std::stop_token& stop = {});

 private:
  void publish_if_stale(std::chrono::sys_seconds now);
  void settle_intents(std::chrono::sys_seconds now);
  [[nodiscard]] Status carry_on(const store::KeyIntent& intent, std::chrono::sys_seconds now);
  [[nodiscard]] Status resume(const store::KeyIntent& intent, std::chrono::sys_seconds now);
  void look_at_devices(std::chrono::sys_seconds now);
  void retire_overdue(std::chrono::sys_seconds now);
  void make_first_keys(std::chrono::sys_seconds now);
  void publish_gates() const;
  /// Where the approvers of a gate are others by now, its key is followed by one of theirs.
  void follow_gate_keys(std::chrono::sys_seconds now);
  [[nodiscard]] Status follow_gate_key(const Gate& gate, std::chrono::sys_seconds now);
  void rotate_aged(std::chrono::sys_seconds now);
  /// Tells devices who is frozen, and follows keys that hang on no kill switch with ones that do.
  void settle_freezes(std::chrono::sys_seconds now);
  /// \return whether none is left that could not be followed
  bool rotate_unswitched(std::chrono::sys_seconds now);
  void rotate_aged_agents(std::chrono::sys_seconds now);
  /// \return whether another follows it
  bool rotate_if_aged(const store::Key& key, std::chrono::seconds limit, std::chrono::sys_seconds now);
  [[nodiscard]] Status rotate(const store::Key& key, std::chrono::sys_seconds now);

  /// Something that is done to a key in a device. What fails is let alone for a while.
  struct Step {
    std::string name;
    std::string backend;
    const char* complaint;
  };
  [[nodiscard]] bool is_due(const std::string& thing, std::chrono::sys_seconds now) const;
  [[nodiscard]] bool may_try(const Step& step, std::chrono::sys_seconds now) const;
  void note(const Step& step, const Status& done, std::chrono::sys_seconds now);

  Office& office_;
  const KeeperOptions options_;
  const Complaint complain_;
  std::stop_token stop_;
  std::map<std::string, std::chrono::sys_seconds> not_before_;  // by step, and by backend
  std::chrono::sys_seconds next_look_{};
  std::set<std::string> answering_;          // backends, at the last look
  std::set<std::string_view> must_publish_;  // owners of daemon keys
};

}  // namespace chancery::service
