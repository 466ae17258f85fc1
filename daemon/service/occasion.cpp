#include "daemon/service/occasion.hpp"

namespace chancery::service {

Occasion on_behalf_of(const CallContext& context) { return {context.now, context.deadline, &context}; }

}  // namespace chancery::service
