#include "daemon/runtime/import_command.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chancery/token.hpp>

#include "sdk/base/descriptor.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::runtime {
namespace {

namespace fs = std::filesystem;
using tools::Import;
using tools::ImportedTool;

constexpr std::size_t kLargestDocument = 32 * 1024 * 1024;
// Bounds of 64-bit integers are common in such documents, and are left out.
constexpr json::Limits kLimits{.max_depth = 128, .max_values = 1u << 21, .allow_unsafe_integers = true};
constexpr const char* kEnding = ".toml.proposed";

std::variant<json::Document, std::string> read_document(const fs::path& file) {
  const std::string name = printable(file.string());
  std::error_code failure;
  const auto size = fs::file_size(file, failure);
  if (failure) return name + ": cannot be read: " + failure.message();
  if (size > kLargestDocument) return name + ": is larger than 32 MiB";
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) return name + ": cannot be read";
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || text[first] != '{')
    return name +
           ": is no JSON object. YAML is not read here: convert it first, with `python3 -c 'import json, sys, yaml; "
           "json.dump(yaml.safe_load(sys.stdin), sys.stdout, default=str)' <FILE.yaml >FILE.json`";
  auto document = json::Document::parse(std::move(text), kLimits);
  if (!document) return name + ": " + document.error().what;
  return *std::move(document);
}

// `payments.json` → `payments`: a proposal, as the rest is.
std::string prefix_from(const fs::path& file) {
  const std::string stem = file.stem().string();
  return classify_scope(stem + ".x") == ScopeForm::kLiteral ? stem : "";
}

/// What was asked for of all that could be imported.
class Selection {
 public:
  explicit Selection(const ImportOrder& order) : order_(order), left_(order.only) {}

  bool has(const ImportedTool& tool) {
    const std::string_view name = tool.name;
    bool is_wanted = is_named(name);
    is_wanted = is_named(name.substr(order_.options.name_prefix.size())) || is_wanted;
    return is_named(tool.operation) || is_wanted;
  }
  bool has(const tools::RefusedOperation& refused) { return is_named(refused.operation); }

  /// What was asked for, and is not in the document.
  [[nodiscard]] const std::vector<std::string>& left() const noexcept { return left_; }

 private:
  bool is_named(std::string_view text) {
    if (order_.only.empty()) return true;
    if (std::ranges::find(order_.only, text) == order_.only.end()) return false;
    std::erase(left_, text);
    return true;
  }

  const ImportOrder& order_;
  std::vector<std::string> left_;
};

fs::path file_of(const ImportOrder& order, const ImportedTool& tool) {
  return order.folder / (tool.name + kEnding);
}

// Comments above a declaration: what whoever reads it should know.
std::string text_of(const ImportOrder& order, const ImportedTool& tool) {
  std::string text =
      "# Proposed from " + printable(tool.operation) + " of " +
      printable(order.document.filename().string()) +
      ".\n# It serves nobody yet: read it, mind scope, risk, allow and the constraints that it lacks, and "
      "take .proposed off\n# its name.\n";
  for (const std::string& note : tool.notes) text += "# " + printable(note) + "\n";
  return text + "\n" + tool.toml;
}

std::optional<std::string> write_new(const fs::path& file, const std::string& text) {
  const std::string name = printable(file.string());
  const Descriptor descriptor(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  // Nothing of it is secret, and the runtime's user is to read it once it serves.
  if (!descriptor || ::fchmod(descriptor.get(), 0644) != 0)
    return name + ": cannot be written: " + std::generic_category().message(errno);
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t written = ::write(descriptor.get(), rest.data(), rest.size());
    if (written <= 0) {
      const int error = errno;
      ::unlink(file.c_str());
      return name + ": cannot be written: " + std::generic_category().message(error);
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return std::nullopt;
}

std::string described(const ImportOrder& order, const ImportedTool& tool) {
  std::string text = tool.name + ": " + printable(tool.operation) + "\n  in " +
                     printable(file_of(order, tool).string()) + "\n";
  for (const std::string& note : tool.notes) text += "  look: " + printable(note) + "\n";
  std::error_code ignored;
  if (fs::exists(order.folder / (tool.name + ".toml"), ignored))
    text += "  look: " + tool.name + ".toml is there already: compare the two\n";
  return text;
}

// What is asked for, without what is not; what is wrong with the request otherwise.
std::optional<std::string> select(const ImportOrder& order, Import& import) {
  Selection selection(order);
  std::erase_if(import.tools, [&](const ImportedTool& tool) { return !selection.has(tool); });
  std::erase_if(import.refused,
                [&](const tools::RefusedOperation& refused) { return !selection.has(refused); });
  if (selection.left().empty()) return std::nullopt;
  return "the document has no operation " + printable(selection.left().front()) +
         ": name tools as the report does without --only, or operations as \"POST /refunds\"";
}

std::optional<std::string> check_folder(const ImportOrder& order, const Import& import) {
  std::error_code failure;
  if (!fs::is_directory(order.folder, failure))
    return printable(order.folder.string()) + ": is no folder: make it first";
  for (const ImportedTool& tool : import.tools) {
    const fs::path file = file_of(order, tool);
    if (fs::symlink_status(file, failure).type() != fs::file_type::not_found)
      return printable(file.string()) + ": is there already: move it away, nothing was written";
  }
  return std::nullopt;
}

std::string plural(std::size_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace

std::variant<ImportReport, std::string> import_declarations(const ImportOrder& order) {
  auto read = read_document(order.document);
  if (auto* wrong = std::get_if<std::string>(&read)) return std::move(*wrong);
  tools::ImportOptions options = order.options;
  if (options.scope_prefix.empty()) options.scope_prefix = prefix_from(order.document);
  if (options.scope_prefix.empty())
    return std::string("the file's name makes no scope: say --scope-prefix, such as payments");
  auto import = tools::import_openapi(std::get<json::Document>(read).root(), options);
  if (!import) return printable(order.document.string()) + ": " + import.error().what;
  if (auto wrong = select(order, *import)) return *std::move(wrong);
  if (auto wrong = check_folder(order, *import)) return *std::move(wrong);
  ImportReport report;
  for (const ImportedTool& tool : import->tools) {
    if (auto wrong = write_new(file_of(order, tool), text_of(order, tool)))
      return *std::move(wrong) + "; before it, " + plural(report.written, "declaration") + " were written";
    report.text += described(order, tool);
    ++report.written;
  }
  for (const tools::RefusedOperation& refused : import->refused)
    report.text +=
        "not taken over: " + printable(refused.operation) + ": " + printable(refused.reason) + "\n";
  report.text += plural(report.written, "declaration") + " proposed, " +
                 plural(import->refused.size(), "operation") + " not taken over.\n";
  if (report.written > 0)
    report.text += "None serves yet: read each, take .proposed off its name, and reload the runtime.\n";
  return report;
}

}  // namespace chancery::runtime
