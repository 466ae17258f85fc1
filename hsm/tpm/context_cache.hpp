#pragma once

#include <atomic>
#include <list>
#include <map>
#include <utility>

#include <chancery/bytes.hpp>

namespace chancery::hsm {

/// Saved contexts of loaded keys, most recently used first, so that a hot key needs ContextLoad rather than
/// Load. A context is good until the TPM restarts, so the cache ends with its connection. Not thread-safe:
/// the device thread's.
class ContextCache {
 public:
  /// \param capacity  contexts kept at most, about 1.5 KiB each; 0 keeps none
  /// \param count     of the contexts that are kept, for others to read
  ContextCache(std::size_t capacity, std::atomic<std::uint64_t>& count)
      : capacity_(capacity), count_(count) {}
  ~ContextCache() { count_ = 0; }
  ContextCache(const ContextCache&) = delete;
  ContextCache& operator=(const ContextCache&) = delete;

  /// nullptr when there is none; borrowed until the next call.
  [[nodiscard]] const Bytes* find(const Sha256Digest& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->context;
  }

  void insert(const Sha256Digest& key, Bytes context) {
    erase(key);
    if (capacity_ == 0) return;
    if (entries_.size() == capacity_) erase(entries_.back().key);
    entries_.push_front({key, std::move(context)});
    index_.emplace(key, entries_.begin());
    count_ = entries_.size();
  }

  void erase(Sha256Digest key) {  // by value: it may be the entry's own
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    entries_.erase(found->second);
    index_.erase(found);
    count_ = entries_.size();
  }

 private:
  struct Entry {
    Sha256Digest key;
    Bytes context;  // a marshalled TPMS_CONTEXT
  };
  const std::size_t capacity_;
  std::atomic<std::uint64_t>& count_;
  std::list<Entry> entries_;
  std::map<Sha256Digest, std::list<Entry>::iterator> index_;
};

}  // namespace chancery::hsm
