#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace chancery::hsm {

/// Requests that wait for a device: bounded, and fair among owners, so that one busy agent can neither fill
/// the queue nor keep others waiting behind its own. Not thread-safe: its owner's mutex guards it.
/// \tparam Request  has a member `owner`, the text that names whose turn it takes
template <typename Request>
class RequestQueue {
 public:
  using Item = std::shared_ptr<Request>;

  /// \param capacity  requests that may wait; one owner may fill half of it
  explicit RequestQueue(std::size_t capacity) : capacity_(capacity) {}

  /// False when it is full, for everybody or for this owner.
  [[nodiscard]] bool push(Item item) {
    const auto found = waiting_.find(item->owner);
    const std::size_t own = found == waiting_.end() ? 0 : found->second.size();
    if (size_ >= capacity_ || own >= std::max<std::size_t>(capacity_ / 2, 1)) return false;
    if (own == 0) turns_.push_back(item->owner);
    waiting_[item->owner].push_back(std::move(item));
    ++size_;
    return true;
  }

  /// The next request of the owner whose turn it is; null when there is none.
  [[nodiscard]] Item pop() {
    if (turns_.empty()) return nullptr;
    std::string owner = std::move(turns_.front());
    turns_.pop_front();
    const auto found = waiting_.find(owner);
    Item item = std::move(found->second.front());
    found->second.pop_front();
    --size_;
    if (found->second.empty()) {
      waiting_.erase(found);
    } else {
      turns_.push_back(std::move(owner));
    }
    return item;
  }

  /// Takes a request out whose caller has gone. One that is not there is no error.
  void remove(const Request& request) {
    const auto found = waiting_.find(request.owner);
    if (found == waiting_.end()) return;
    size_ -= std::erase_if(found->second, [&](const Item& item) { return item.get() == &request; });
    if (!found->second.empty()) return;
    waiting_.erase(found);
    std::erase(turns_, request.owner);
  }

  /// Takes all of them out.
  [[nodiscard]] std::vector<Item> drain() {
    std::vector<Item> all;
    while (Item item = pop()) all.push_back(std::move(item));
    return all;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  const std::size_t capacity_;
  std::size_t size_ = 0;
  std::map<std::string, std::deque<Item>, std::less<>> waiting_;  // no owner without a request
  std::deque<std::string> turns_;                                 // each owner of `waiting_` once
};

}  // namespace chancery::hsm
