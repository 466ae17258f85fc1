#include "sdk/wire/backup_messages.hpp"

#include "sdk/wire/fields.hpp"

namespace chancery::wire {

std::string write(const api::Backup& message) {
  json::Node node = json::Node::object({{"name", message.name},
                                        {"made_at", message.made_at},
                                        {"octets", message.octets},
                                        {"sha256", message.sha256},
                                        {"schema", message.schema},
                                        {"entries", message.entries}});
  set_unless_empty(node, "path", message.path);
  set_unless_empty(node, "log", message.log);
  set_unless_empty(node, "checkpoint", message.checkpoint);
  return json::to_jcs(node);
}

Result<api::Backup> read_backup(std::string_view json) {
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(json));
  const json::Value& root = document.root();
  const auto count = [&](std::string_view name, Range range, const char* what) -> Result<std::int64_t> {
    CHANCERY_ASSIGN(const std::optional<std::int64_t> number, integer(root, name, range, what));
    return number ? Result<std::int64_t>(*number) : Error{ErrorCode::kMalformed, what};
  };
  api::Backup out;
  CHANCERY_ASSIGN(out.name, need_text(root, "name", "a backup has `name`"));
  CHANCERY_ASSIGN(out.sha256, need_text(root, "sha256", "a backup has `sha256`"));
  CHANCERY_ASSIGN(out.made_at, count("made_at", kAnyTime, "a backup has `made_at`, in seconds"));
  CHANCERY_ASSIGN(out.octets, count("octets", kAnyCount, "a backup has `octets`, a count"));
  CHANCERY_ASSIGN(out.schema, count("schema", kAnyCount, "a backup has `schema`, a number"));
  CHANCERY_ASSIGN(out.entries, count("entries", kAnyCount, "a backup has `entries`, a count"));
  CHANCERY_ASSIGN(out.path, text_or_empty(root, "path", "`path` is a string"));
  CHANCERY_ASSIGN(out.log, text_or_empty(root, "log", "`log` is a string"));
  CHANCERY_ASSIGN(out.checkpoint, text_or_empty(root, "checkpoint", "`checkpoint` is a string"));
  return out;
}

}  // namespace chancery::wire
