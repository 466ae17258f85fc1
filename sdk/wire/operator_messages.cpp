#include "sdk/wire/fields.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::wire {

using json::Document;
using json::Node;

std::string write(const api::CreateOperator& message) {
  return json::to_jcs(
      Node::object({{"name", message.name}, {"jkt", message.jkt}, {"lifetime_s", message.lifetime.count()}}));
}

Result<api::CreateOperator> read_create_operator(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const json::Value& root = document.root();
  CHANCERY_TRY(
      allow_only(root, {"name", "jkt", "lifetime_s"}, "an operator has `name`, `jkt` and `lifetime_s` only"));
  api::CreateOperator out;
  CHANCERY_ASSIGN(out.name, need_text(root, "name", "`name` must name the operator"));
  CHANCERY_ASSIGN(out.jkt, need_text(root, "jkt", "`jkt` must be the thumbprint of the operator's key"));
  constexpr Range kPositive{1, 1'000'000'000};
  CHANCERY_ASSIGN(
      const auto lifetime,
      integer(root, "lifetime_s", kPositive, "`lifetime_s` must be a whole number of seconds of at least 1"));
  if (lifetime) out.lifetime = std::chrono::seconds(*lifetime);
  return out;
}

}  // namespace chancery::wire
