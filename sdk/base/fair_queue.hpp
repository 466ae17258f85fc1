#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace chancery {

/// What waits for its turn: bounded, and fair among owners, so that a busy one can neither fill the queue nor
/// keep the others waiting behind its own. Not thread-safe. \tparam T  has a member `owner`, a std::string:
/// whose turn it takes
template <typename T>
class FairQueue {
 public:
  using Item = std::shared_ptr<T>;

  /// \param capacity  how many may wait; one owner may fill half of it
  explicit FairQueue(std::size_t capacity) : capacity_(capacity) {}

  /// False when it is full, for everybody or for this owner.
  [[nodiscard]] bool push(Item item) {
    const auto found = waiting_.find(item->owner);
    const std::size_t own = found == waiting_.end() ? 0 : found->second.size();
    if (full() || own >= std::max<std::size_t>(capacity_ / 2, 1)) return false;
    if (own == 0) turns_.push_back(item->owner);
    waiting_[item->owner].push_back(std::move(item));
    ++size_;
    return true;
  }

  /// The next item of the owner whose turn it is; null when there is none.
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

  /// Takes an item out that nobody waits for any more. One that is not there is no error.
  void remove(const T& gone) {
    const auto found = waiting_.find(gone.owner);
    if (found == waiting_.end()) return;
    size_ -= std::erase_if(found->second, [&](const Item& item) { return item.get() == &gone; });
    if (!found->second.empty()) return;
    waiting_.erase(found);
    std::erase(turns_, gone.owner);
  }

  /// Takes all of them out.
  [[nodiscard]] std::vector<Item> drain() {
    std::vector<Item> all;
    while (Item item = pop()) all.push_back(std::move(item));
    return all;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Whether nobody's item would be taken.
  [[nodiscard]] bool full() const noexcept { return size_ >= capacity_; }

 private:
  const std::size_t capacity_;
  std::size_t size_ = 0;
  std::map<std::string, std::deque<Item>, std::less<>> waiting_;  // no owner without an item
  std::deque<std::string> turns_;                                 // each owner of `waiting_` once
};

}  // namespace chancery
