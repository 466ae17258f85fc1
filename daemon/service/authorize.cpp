#include "daemon/service/deciding.hpp"
#include "daemon/service/office.hpp"
#include "daemon/service/watched.hpp"

namespace chancery::service {

Result<api::Decision> authorize(Office& office, const CallContext& context, const api::Authorize& message) {
  return watched(office, context, [&](anomaly::Use& use) -> Result<api::Decision> {
    CHANCERY_ASSIGN(api::Decision decision, decide(office, context, message, use));
    use.is_denied = !decision.permitted && !decision.approval;
    tally(office, decision);
    return decision;
  });
}

}  // namespace chancery::service
