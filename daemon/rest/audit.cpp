#include <charconv>
#include <optional>
#include <utility>

#include "daemon/rest/exchange.hpp"
#include "daemon/rest/form.hpp"
#include "daemon/rest/routes.hpp"
#include "daemon/service/authority.hpp"

namespace chancery::rest {
namespace {

Error bad_query(const char* what) { return {ErrorCode::kInvalidArgument, what}; }

/// \param otherwise  when there is none; nullopt: there must be one
Result<std::uint64_t> number_in(std::string_view text, std::optional<std::uint64_t> otherwise,
                                const char* what) {
  if (text.empty() && otherwise) return *otherwise;
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) return number;
  return bad_query(what);
}

Result<Form> read_query(const Request& request, std::initializer_list<std::string_view> names,
                        const char* what) {
  CHANCERY_ASSIGN(Form query, Form::parse(request.query));
  return query.has_only(names) ? Result<Form>(std::move(query)) : bad_query(what);
}

Result<api::AuditQuery> read_entries_query(const Request& request) {
  constexpr const char* kWhat =
      "the query takes `after`, `limit` (1 to 1000) or, for the end of the log, `last` (1 to 1000), and `ref`";
  CHANCERY_ASSIGN(const Form form, read_query(request, {"after", "limit", "last", "ref"}, kWhat));
  api::AuditQuery query;
  query.ref = form.text("ref");
  query.is_tail = !form.text("last").empty();
  if (query.is_tail && !(form.text("after").empty() && form.text("limit").empty())) return bad_query(kWhat);
  CHANCERY_ASSIGN(query.after, number_in(form.text("after"), 0, kWhat));
  CHANCERY_ASSIGN(query.limit, number_in(form.text(query.is_tail ? "last" : "limit"), query.limit, kWhat));
  return query;
}

/// Two numbers of a query that must both be there.
Result<std::pair<std::uint64_t, std::uint64_t>> read_pair(const Request& request, std::string_view first,
                                                          std::string_view second, const char* what) {
  CHANCERY_ASSIGN(const Form form, read_query(request, {first, second}, what));
  CHANCERY_ASSIGN(const std::uint64_t one, number_in(form.text(first), std::nullopt, what));
  CHANCERY_ASSIGN(const std::uint64_t other, number_in(form.text(second), std::nullopt, what));
  return std::pair(one, other);
}

/// Who may not ask at all is told that, whatever the question is like.
/// \param run  Question → Result<Answer>
template <typename Question, typename Run>
Response answer_to(const service::Office& office, const Request& request, const Result<Question>& question,
                   Run run) {
  if (question) return answered(run(*question));
  const Status allowed = service::require_authority(office, context_of(request), service::scope::kAuditRead);
  return problem(allowed ? question.error() : allowed.error());
}

}  // namespace

Response list_audit_entries(service::Office& office, const Request& request, std::string_view) {
  return answer_to(office, request, read_entries_query(request), [&](const api::AuditQuery& query) {
    return service::list_audit_entries(office, context_of(request), query);
  });
}

Response show_audit_entry(service::Office& office, const Request& request, std::string_view number) {
  const auto wanted =
      number_in(number, std::nullopt, "an entry is named by its number: they are counted from 1");
  return answer_to(office, request, wanted, [&](std::uint64_t entry) {
    return service::show_audit_entry(office, context_of(request), entry);
  });
}

Response prove_inclusion(service::Office& office, const Request& request, std::string_view) {
  const auto pair = read_pair(request, "entry", "size",
                              "the query takes `entry`, its number, and `size`, the tree's, and needs both");
  return answer_to(office, request, pair, [&](const auto& asked) {
    return service::prove_inclusion(office, context_of(request), asked.first, asked.second);
  });
}

Response prove_consistency(service::Office& office, const Request& request, std::string_view) {
  const auto pair =
      read_pair(request, "from", "to", "the query takes `from` and `to`, sizes of trees, and needs both");
  return answer_to(office, request, pair, [&](const auto& asked) {
    return service::prove_consistency(office, context_of(request), asked.first, asked.second);
  });
}

Response list_audit_checkpoints(service::Office& office, const Request& request, std::string_view) {
  constexpr const char* kWhat = "the query takes `after`, the size of a tree, and `limit` (1 to 1000)";
  const auto page = [&]() -> Result<std::pair<std::uint64_t, std::uint64_t>> {
    CHANCERY_ASSIGN(const Form form, read_query(request, {"after", "limit"}, kWhat));
    CHANCERY_ASSIGN(const std::uint64_t after, number_in(form.text("after"), 0, kWhat));
    CHANCERY_ASSIGN(const std::uint64_t limit, number_in(form.text("limit"), 100, kWhat));
    return std::pair(after, limit);
  }();
  return answer_to(office, request, page, [&](const auto& asked) {
    return service::list_audit_checkpoints(office, context_of(request), asked.first, asked.second);
  });
}

Response make_audit_checkpoint(service::Office& office, const Request& request, std::string_view) {
  return answered(service::make_audit_checkpoint(office, context_of(request)));
}

Response show_audit_checkpoint(service::Office& office, const Request&, std::string_view) {
  auto note = service::newest_audit_checkpoint(office);
  if (!note) return problem(note.error());
  return Response{200, "text/plain; charset=utf-8", *std::move(note), {}};
}

Response show_audit_keys(service::Office& office, const Request&, std::string_view) {
  return answered(service::show_audit_keys(office));
}

Response rotate_audit_key(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_rotate_key, [&](const api::RotateKey& message) {
    return service::rotate_audit_key(office, context_of(request), message);
  });
}

}  // namespace chancery::rest
