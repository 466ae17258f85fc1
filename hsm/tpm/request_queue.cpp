#include "hsm/tpm/request_queue.hpp"

#include <algorithm>

namespace chancery::hsm {

bool RequestQueue::push(Item item) {
  const auto found = waiting_.find(item->owner);
  const std::size_t own = found == waiting_.end() ? 0 : found->second.size();
  if (size_ >= capacity_ || own >= std::max<std::size_t>(capacity_ / 2, 1)) return false;
  if (own == 0) turns_.push_back(item->owner);
  waiting_[item->owner].push_back(std::move(item));
  ++size_;
  return true;
}

RequestQueue::Item RequestQueue::pop() {
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

void RequestQueue::remove(const TpmRequest& request) {
  const auto found = waiting_.find(request.owner);
  if (found == waiting_.end()) return;
  size_ -= std::erase_if(found->second, [&](const Item& item) { return item.get() == &request; });
  if (!found->second.empty()) return;
  waiting_.erase(found);
  std::erase(turns_, request.owner);
}

std::vector<RequestQueue::Item> RequestQueue::drain() {
  std::vector<Item> all;
  while (Item item = pop()) all.push_back(std::move(item));
  return all;
}

}  // namespace chancery::hsm
