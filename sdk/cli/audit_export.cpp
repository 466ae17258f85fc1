#include <memory>
#include <utility>

#include <chancery/audit_client.hpp>

#include "sdk/audit/event_formats.hpp"
#include "sdk/audit/exported_line.hpp"
#include "sdk/audit/merkle.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/cli/audit_commands.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/audit_messages.hpp"

namespace chancery::cli {
namespace {

constexpr std::size_t kPage = 1000;

struct ExportArguments {
  std::string form = "jsonl";
  std::uint64_t after = 0;
  bool sign = false;
};

/// The log's checkpoints in their order, a page at a time.
class Checkpoints {
 public:
  explicit Checkpoints(const AuditClient& log) : log_(log) {}

  /// The next one that comprises no more than that; nullptr when there is none, or not yet.
  Checked<const api::AuditCheckpoint*> next_to(std::uint64_t size) {
    if (at_ == page_.size() && !is_over_) {
      auto page = log_.checkpoints(page_.empty() ? 0 : page_.back().size, kPage);
      if (!page) return failure(page.error());
      is_over_ = page->checkpoints.size() < kPage;
      page_ = std::move(page->checkpoints);
      at_ = 0;
    }
    if (at_ == page_.size() || page_[at_].size > size) return nullptr;
    return &page_[at_++];
  }

 private:
  const AuditClient& log_;
  std::vector<api::AuditCheckpoint> page_;
  std::size_t at_ = 0;
  bool is_over_ = false;
};

/// Writes each entry in the form that was asked for.
class Writer {
 public:
  Writer(Output& output, const AuditClient& log, std::string origin, const ExportArguments& arguments)
      : output_(output), origin_(std::move(origin)), form_(arguments.form), checkpoints_(log) {}

  void begin() {
    if (form_ == "jsonl") line(audit::exported_header(origin_));
  }

  Checked<void> add(const api::AuditEntry& entry) {
    if (form_ == "jsonl") {
      line(audit::exported_entry({entry.json, entry.number, audit::leaf_hash(as_bytes(entry.json))}));
      return add_checkpoints(entry.number);
    }
    CHANCERY_ASSIGN(const audit::Entry read, read_entry(entry));
    output_.line(form_ == "ocsf" ? audit::ocsf_event(read, origin_) : audit::syslog_message(read, origin_));
    return {};
  }

 private:
  Checked<void> add_checkpoints(std::uint64_t size) {
    for (;;) {
      CHANCERY_ASSIGN(const api::AuditCheckpoint* const checkpoint, checkpoints_.next_to(size));
      if (checkpoint == nullptr) return {};
      line(audit::exported_checkpoint(checkpoint->note));
    }
  }

  void line(std::string_view with_line_feed) {
    output_.line(with_line_feed.substr(0, with_line_feed.size() - 1));
  }

  Output& output_;
  std::string origin_;
  std::string form_;
  Checkpoints checkpoints_;
};

// As far as the log goes when the export begins: a busy log would have no end.
Checked<ExitCode> export_log(Context& context, const ExportArguments& arguments) {
  if (arguments.after != 0 && arguments.form == "jsonl")
    return misuse("--after is for ocsf and syslog: a log that is to be verified begins with its first entry");
  const auto client = connect(context);
  if (!client) return client.error();
  const AuditClient log(*client);
  const auto keys = log.keys();
  if (!keys) return failure(keys.error());
  if (arguments.sign) {
    if (const auto made = log.make_checkpoint(); !made) return failure(made.error());
  }
  Writer writer(context.output, log, keys->origin, arguments);
  writer.begin();
  std::optional<std::uint64_t> end;
  for (std::uint64_t after = arguments.after; !end || after < *end;) {
    const auto page = log.entries({.after = after, .limit = kPage});
    if (!page) return failure(page.error());
    if (!end) end = page->size;
    if (page->entries.empty()) break;
    for (const api::AuditEntry& entry : page->entries) {
      if (entry.number > *end) break;
      CHANCERY_TRY(writer.add(entry));
    }
    after = page->entries.back().number;
  }
  return ExitCode::kSuccess;
}

void add_export(CLI::App& audit, Command& chosen) {
  const auto arguments = std::make_shared<ExportArguments>();
  CLI::App* command =
      audit.add_subcommand("export", "The whole log, to be kept, verified or searched elsewhere");
  command->add_option("--as", arguments->form, "jsonl (default; `audit verify` takes it), ocsf or syslog")
      ->check(CLI::IsMember({"jsonl", "ocsf", "syslog"}));
  command->add_option("--after", arguments->after, "only entries behind this one (ocsf, syslog)");
  command->add_flag("--sign", arguments->sign,
                    "have the daemon sign a checkpoint first, so that all of it is signed");
  command->footer(
      "ocsf: events of the Open Cybersecurity Schema Framework, class API Activity, one a line. syslog: messages of\n"
      "RFC 5424, one a line.\n\n"
      "Example:\n  chancery audit export --sign > log.jsonl && chancery audit verify log.jsonl --key audit.keys");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return export_log(context, *arguments); };
  });
}

// --- checkpoints and keys

Checked<ExitCode> checkpoint(Context& context, bool now) {
  const auto client = connect(context);
  if (!client) return client.error();
  const AuditClient log(*client);
  if (now) {
    if (const auto made = log.make_checkpoint(); !made) return failure(made.error());
  }
  const auto note = log.checkpoint();
  if (!note) return failure(note.error());
  if (context.output.json()) {
    context.output.document(json::to_jcs(json::Node::object({{"checkpoint", *note}})));
  } else {
    context.output.lines(*note);
  }
  return ExitCode::kSuccess;
}

// Text is what --key takes as a file.
Checked<ExitCode> keys(Context& context) {
  const auto client = connect(context);
  if (!client) return client.error();
  const auto published = AuditClient(*client).keys();
  if (!published) return failure(published.error());
  if (context.output.json()) {
    context.output.document(wire::write(*published));
  } else {
    for (const api::AuditKey& key : published->keys) context.output.line(printable(key.verifier_key));
  }
  return ExitCode::kSuccess;
}

}  // namespace

void add_audit_export(CLI::App& audit, Command& chosen) { add_export(audit, chosen); }

void add_audit_checkpoints(CLI::App& audit, Command& chosen) {
  const auto now = std::make_shared<bool>(false);
  CLI::App* newest = audit.add_subcommand(
      "checkpoint", "The newest checkpoint: keep it where the daemon's operator cannot write");
  newest->add_flag("--now", *now, "have the daemon sign the log as it is now");
  newest->footer(
      "A signed note in the format of C2SP tlog-checkpoint.\n\n"
      "Example:\n  chancery audit checkpoint --now > $(date +%F).note");
  newest->callback(
      [now, &chosen] { chosen = [now](Context& context) { return checkpoint(context, *now); }; });
  CLI::App* list =
      audit.add_subcommand("keys", "The keys that sign checkpoints, as `audit verify --key` takes them");
  list->footer(
      "Take them once, compare the key with whoever runs the daemon, and keep them: they are what the log is judged by.\n\n"
      "Example:\n  chancery audit keys > audit.keys");
  list->callback([&chosen] { chosen = keys; });
}

}  // namespace chancery::cli
