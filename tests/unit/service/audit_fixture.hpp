#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/service/audit_start.hpp"
#include "daemon/store/sqlite.hpp"
#include "tests/unit/service/enforcement_fixture.hpp"

namespace chancery::tests {

/// An entry, to be asked for its members by path: "details.error".
class Entry {
 public:
  explicit Entry(store::AuditRecord record) : record_(std::move(record)) {
    auto document = json::Document::parse(record_.json);
    BOOST_REQUIRE(document);
    document_.emplace(*std::move(document));
  }
  /// As JSON, without the quotes of a string; empty when there is none.
  [[nodiscard]] std::string operator[](std::string_view path) const {
    const json::Value* value = &document_->root();
    while (value != nullptr && !path.empty()) {
      const std::size_t dot = std::min(path.find('.'), path.size());
      value = value->find(path.substr(0, dot));
      path.remove_prefix(std::min(dot + 1, path.size()));
    }
    return value == nullptr ? std::string() : std::string(value->string().value_or(value->source()));
  }
  [[nodiscard]] const std::string& json() const { return record_.json; }
  [[nodiscard]] std::uint64_t number() const { return record_.sequence; }
  [[nodiscard]] bool is_canonical() const { return document_->canonical(); }

 private:
  store::AuditRecord record_;
  std::optional<json::Document> document_;
};

struct AuditFixture : EnforcementFixture {
  [[nodiscard]] std::uint64_t size() { return premises().books.audit->counts().size; }

  [[nodiscard]] Entry last() {
    const auto tail = store().audit_tail(1);
    BOOST_REQUIRE(tail);
    return Entry(tail->front());
  }

  /// Those that were written since the log had that size.
  [[nodiscard]] std::vector<Entry> since(std::uint64_t before) {
    const auto records = store().audit_after(before, 1000);
    BOOST_REQUIRE(records);
    std::vector<Entry> out;
    for (const store::AuditRecord& record : *records) out.emplace_back(record);
    return out;
  }

  [[nodiscard]] std::vector<std::uint64_t> with_ref(const std::string& ref) {
    const auto records = premises().books.audit->with_ref(ref, 0, 1000);
    BOOST_REQUIRE(records);
    std::vector<std::uint64_t> out;
    for (const store::AuditRecord& record : *records) out.push_back(record.sequence);
    return out;
  }

  store::SignedCheckpoint checkpoint(std::chrono::sys_seconds now = kNow) {
    const auto made =
        premises().audit.checkpoint(now, std::chrono::steady_clock::now() + std::chrono::seconds(10));
    BOOST_REQUIRE(made);
    return *made;
  }

  [[nodiscard]] std::vector<audit::NoteKey> keys() {
    const auto origin = premises().audit.origin();
    BOOST_REQUIRE(origin);
    const auto found = service::audit_note_keys(store(), *origin);
    BOOST_REQUIRE(found);
    return *found;
  }

  /// Changes the database as somebody else would.
  void change(const std::string& statement) {
    auto database = store::Database::open(database_file());
    BOOST_REQUIRE(database);
    BOOST_REQUIRE(database->execute(statement.c_str()));
  }
  [[nodiscard]] std::filesystem::path database_file() const { return database(); }

  [[nodiscard]] Status check() {
    return service::check_audit_log(*premises().books.audit, store(), *premises().books.checkpoints);
  }
};

}  // namespace chancery::tests
