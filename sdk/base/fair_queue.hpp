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
    if (full()) return false;
    const auto [line, is_new] = waiting_.try_emplace(item->owner);
    if (line->second.size() >= std::max<std::size_t>(capacity_ / 2, 1)) return false;
    try {
      line->second.push_back(item);
      if (is_new) turns_.push_back(item->owner);
    } catch (...) {  // memory is exhausted: nobody may be left with a turn and no item, or the reverse
      if (is_new) waiting_.erase(line);
      throw;
    }
    ++size_;
    return true;
  }

  /// The next item of the owner whose turn it is; null when there is none.
  [[nodiscard]] Item pop() {
    if (turns_.empty()) return nullptr;
    const auto line = waiting_.find(turns_.front());
    if (line->second.size() > 1) turns_.push_back(turns_.front());  // first, since it alone may throw
    turns_.pop_front();
    Item item = std::move(line->second.front());
    line->second.pop_front();
    if (line->second.empty()) waiting_.erase(line);
    --size_;
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
