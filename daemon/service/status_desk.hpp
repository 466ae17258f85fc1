#pragma once

#include <string_view>

#include "daemon/service/daemon_keys.hpp"
#include "daemon/service/status_lists.hpp"
#include "daemon/service/token_activity.hpp"
#include "daemon/service/token_statuses.hpp"
#include "daemon/service/trust.hpp"
#include "daemon/store/status_book.hpp"

namespace chancery::service {

/// What the use cases around the statuses of tokens work with. References outlive it.
struct StatusDesk {
  /// \param keys  that sign status lists
  StatusDesk(store::StatusBook& status_book, DaemonKeys& status_keys, TrustPublisher& trust,
             std::string_view issuer_url)
      : book(status_book),
        keys(status_keys),
        tokens(status_book, trust),
        lists(status_book, status_keys, trust, status_list_prefix(issuer_url)) {}

  store::StatusBook& book;
  DaemonKeys& keys;
  TokenStatuses tokens;
  StatusLists lists;
  TokenActivity activity;
};

}  // namespace chancery::service
