#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <curl/curl.h>

#include "daemon/runtime/outbound/addresses.hpp"

namespace chancery::runtime {

using CurlHandle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using CurlList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

/// Handles of libcurl that wait for their next call, each with its connection to one origin. A connection knows nothing of
/// credentials: they are headers of single requests. Thread-safe.
class HandlePool {
 public:
  struct Handle {
    CurlHandle curl{nullptr, curl_easy_cleanup};
    std::vector<Address> pinned{};  ///< to which its connection may be
  };

  /// \param key  origin, and by which authorities it is believed
  /// \param addresses  to which a connection may be; a handle that was pinned to others is ended
  /// \return one that was kept, or a new one; its `curl` is null when memory is exhausted
  [[nodiscard]] Handle take(const std::string& key, const std::vector<Address>& addresses);

  /// Keeps one that was reset, for the next call. Beyond 16 for a key, or 256 in all, it is ended.
  void keep(const std::string& key, Handle handle);

 private:
  std::mutex mutex_;
  std::multimap<std::string, Handle> idle_;
};

}  // namespace chancery::runtime
