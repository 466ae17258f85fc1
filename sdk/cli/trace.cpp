#include "sdk/audit/trace.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include <chancery/audit_client.hpp>

#include "sdk/audit/exported_line.hpp"
#include "sdk/cli/audit_commands.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

using audit::EntryPtr;
using json::Node;

constexpr std::size_t kPage = 1000;
constexpr std::size_t kLargestLog = std::size_t{1} << 30;

struct TraceArguments {
  std::string id;
  std::string log;  ///< a file; empty: the daemon's
  std::size_t most = 1000;
};

/// Asks the daemon, each reference once. What went wrong is kept in the client's own words.
class AskedLog {
 public:
  explicit AskedLog(const AuditClient& log) : log_(log) {}

  Result<std::vector<EntryPtr>> find(std::string_view reference) {
    const auto known = found_.find(reference);
    if (known != found_.end()) return known->second;
    std::vector<EntryPtr> entries;
    for (std::uint64_t after = 0;;) {
      const auto page = log_.entries({.after = after, .limit = kPage, .ref = std::string(reference)});
      if (!page) {
        failure_ = failure(page.error());
        return page.error().error;
      }
      for (const api::AuditEntry& entry : page->entries) {
        CHANCERY_ASSIGN(audit::Entry read, audit::Entry::parse(entry.number, entry.json));
        entries.push_back(std::make_shared<const audit::Entry>(std::move(read)));
      }
      if (page->entries.empty()) break;  // a page ends also where it is large
      after = page->entries.back().number;
    }
    return found_.emplace(reference, std::move(entries)).first->second;
  }

  [[nodiscard]] const std::optional<Failure>& why() const noexcept { return failure_; }

 private:
  const AuditClient& log_;
  std::map<std::string, std::vector<EntryPtr>, std::less<>> found_;
  std::optional<Failure> failure_;
};

Checked<audit::EntryIndex> read_log(const std::string& file) {
  CHANCERY_ASSIGN(const std::string text, read_input(file, kLargestLog));
  audit::EntryIndex index;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const auto line = audit::parse_exported_line(rest.substr(0, end));
    if (!line) return failure(line.error(), file);
    if (const auto* exported = std::get_if<audit::ExportedEntry>(&*line)) {
      auto entry = audit::Entry::parse(exported->sequence, std::string(exported->entry));
      if (!entry) return failure(entry.error(), file);
      index.add(std::make_shared<const audit::Entry>(*std::move(entry)));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return index;
}

Node entry_node(const EntryPtr& entry) {
  return Node::object({{"sequence", entry->sequence()}, {"entry", Node::copy(entry->value())}});
}

Node entry_nodes(const std::vector<EntryPtr>& entries) {
  Node array = Node::array();
  for (const EntryPtr& entry : entries) array.push_back(entry_node(entry));
  return array;
}

std::string to_json(const std::string& id, const audit::Trace& trace) {
  Node consequences = Node::array();
  for (const audit::Consequence& consequence : trace.consequences) {
    Node node = entry_node(consequence.entry);
    node.set("depth", consequence.depth);
    consequences.push_back(std::move(node));
  }
  Node document = Node::object({{"id", id},
                                {"subject", entry_nodes(trace.subject)},
                                {"origin", entry_nodes(trace.origin)},
                                {"keys", entry_nodes(trace.keys)},
                                {"consequences", std::move(consequences)},
                                {"cut", trace.is_cut}});
  if (!trace.missing.empty()) document.set("missing", trace.missing);
  return json::to_jcs(document);
}

void show(Output& output, const char* title, const std::vector<EntryPtr>& entries) {
  if (entries.empty()) return;
  output.line(output.paint(Colour::kBold, title));
  for (const EntryPtr& entry : entries) output.line("  " + entry_line(*entry));
}

// A token that was asked about stands at the end of where it came from already.
std::vector<EntryPtr> only_subject(const audit::Trace& trace) {
  std::vector<EntryPtr> entries = trace.subject;
  std::erase_if(entries, [&](const EntryPtr& entry) {
    return std::ranges::find(trace.origin, entry) != trace.origin.end();
  });
  return entries;
}

void show(Output& output, const audit::Trace& trace) {
  show(output, "asked about", only_subject(trace));
  show(output, "where it came from", trace.origin);
  if (!trace.missing.empty())
    output.field("before that", "token " + trace.missing + ", which this log does not have");
  show(output, "keys", trace.keys);
  if (!trace.consequences.empty()) output.line(output.paint(Colour::kBold, "what came of it"));
  for (const auto& [entry, depth] : trace.consequences)
    output.line("  " + std::string(2 * depth, ' ') + entry_line(*entry));
  if (trace.is_cut) output.note("there is more: give a larger --most");
}

Checked<audit::Trace> walk(Context& context, const TraceArguments& arguments) {
  const audit::TraceOptions options{arguments.most};
  if (!arguments.log.empty()) {
    CHANCERY_ASSIGN(const audit::EntryIndex index, read_log(arguments.log));
    const audit::FindEntries find = [&](std::string_view id) { return Result(index.find(id)); };
    auto found = audit::trace(arguments.id, find, options);
    if (!found) return failure(found.error(), arguments.log);
    return *std::move(found);
  }
  const auto client = connect(context);
  if (!client) return client.error();
  const AuditClient daemon(*client);
  AskedLog log(daemon);
  auto found = audit::trace(
      arguments.id, [&](std::string_view id) { return log.find(id); }, options);
  if (!found) return log.why() ? *log.why() : failure(found.error());
  return *std::move(found);
}

Checked<ExitCode> run(Context& context, const TraceArguments& arguments) {
  CHANCERY_ASSIGN(const audit::Trace found, walk(context, arguments));
  if (found.subject.empty()) {
    Failure unknown = failure(Error{ErrorCode::kNotFound, "no entry of the log names it"}, arguments.id);
    unknown.exit = ExitCode::kDenied;
    return unknown;
  }
  if (context.output.json()) {
    context.output.document(to_json(arguments.id, found));
  } else {
    show(context.output, found);
  }
  return ExitCode::kSuccess;
}

}  // namespace

void add_trace(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<TraceArguments>();
  CLI::App* command = app.add_subcommand(
      "trace", "From a token, decision or request back to the grant, and on to what came of it");
  command->add_option("ID", arguments->id, "of a token, decision, request, task, session or key")->required();
  command->add_option("--log", arguments->log,
                      "an exported log instead of the daemon's; - for standard input");
  command->add_option("--most", arguments->most, "entries at most (1000)")->check(CLI::Range(1, 1'000'000));
  command->footer(
      "The log is taken at its word: `chancery audit verify` checks an exported one.\n\n"
      "Exit status: 0 when the log knows it; 1 when no entry names it; 2 when the log cannot be read.\n\n"
      "Example:\n  chancery trace 9f2c…  --log log.jsonl");
  command->callback(
      [arguments, &chosen] { chosen = [arguments](Context& context) { return run(context, *arguments); }; });
}

}  // namespace chancery::cli
