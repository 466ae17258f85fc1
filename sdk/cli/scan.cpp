#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "sdk/base/hex.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/cli/planted_secrets.hpp"
#include "sdk/cli/scan_commands.hpp"
#include "sdk/cli/tree_walk.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

constexpr std::size_t kFingerprintDigits = 16;

struct ScanArguments {
  std::vector<std::string> paths;
  std::vector<std::string> exclude;
  std::string baseline;
  std::uintmax_t max_mib = 64;
  bool write_baseline = false;
  bool git_dir = false;
  bool entropy = false;
  bool json = false;
};

/// What somebody looked at and accepted, or will.
class Baseline {
 public:
  /// A line begins with a fingerprint; the rest of it, and lines that begin with `#`, are for people.
  [[nodiscard]] static Checked<Baseline> read(const std::string& file);

  [[nodiscard]] bool has(const std::string& fingerprint) const { return lines_.contains(fingerprint); }
  void add(const PlantedSecret& secret, const std::string& path) {
    lines_.try_emplace(secret.fingerprint, path + ": " + secret.kind);
  }
  [[nodiscard]] Checked<void> write(const std::string& file) const;

 private:
  std::map<std::string, std::string> lines_;  // by fingerprint
};

Checked<Baseline> Baseline::read(const std::string& file) {
  constexpr std::size_t kLimit = 4 * 1024 * 1024;
  CHANCERY_ASSIGN(const std::string text, read_input(file, kLimit));
  Baseline out;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line.starts_with('#')) continue;
    const std::string_view fingerprint = line.substr(0, line.find_first_of(" \t"));
    if (fingerprint.size() != kFingerprintDigits || !hex_decode(fingerprint))
      return misuse(
          file +
          ": not a baseline: each line begins with 16 hexadecimal digits, as --write-baseline writes them");
    out.lines_.emplace(fingerprint, "");
  }
  return out;
}

Checked<void> Baseline::write(const std::string& file) const {
  std::string text = "# Secrets that `chancery scan` found here and somebody accepted.\n";
  for (const auto& [fingerprint, what] : lines_) text += fingerprint + "  " + what + "\n";
  constexpr unsigned kMode = 0644;
  return replace_file(file, text, kMode);
}

/// One scan.
class Scan {
 public:
  Scan(Context& context, const ScanArguments& arguments, Baseline accepted)
      : context_(context),
        arguments_(arguments),
        accepted_(std::move(accepted)),
        secrets_(arguments.entropy) {}

  [[nodiscard]] Checked<ExitCode> run();

 private:
  void look(const std::filesystem::path& path, const std::string& text);
  void tell(const std::string& path, const PlantedSecret& secret) const;
  void tell_end() const;

  Context& context_;
  const ScanArguments& arguments_;
  const Baseline accepted_;
  const PlantedSecrets secrets_;
  Baseline found_;
  std::size_t files_ = 0, hits_ = 0, known_ = 0, unreadable_ = 0;
};

Checked<ExitCode> Scan::run() {
  const TreeWalkOptions options{arguments_.exclude, arguments_.git_dir, arguments_.max_mib * 1024 * 1024};
  const TreeVisitor visitor{
      [this](const auto& path, const std::string& text) { look(path, text); },
      [this](const auto& path) {
        context_.output.note("not looked at, it is larger than --max-size: " + path.string());
      },
      [this](const auto& path, int error) {
        ++unreadable_;
        context_.output.note(path.string() + ": cannot be read (" + std::strerror(error) + ")");
      }};
  for (const std::string& path : arguments_.paths) walk_tree(path, options, visitor);
  if (arguments_.write_baseline) CHANCERY_TRY(found_.write(arguments_.baseline));
  tell_end();
  if (unreadable_ > 0) return ExitCode::kUndecided;
  return hits_ > 0 && !arguments_.write_baseline ? ExitCode::kDenied : ExitCode::kSuccess;
}

void Scan::look(const std::filesystem::path& path, const std::string& text) {
  ++files_;
  for (const PlantedSecret& secret : secrets_.find(path, text)) {
    const std::string shown = printable(path.string());
    found_.add(secret, shown);
    if (accepted_.has(secret.fingerprint)) {
      ++known_;
      continue;
    }
    ++hits_;
    tell(shown, secret);
  }
}

void Scan::tell(const std::string& path, const PlantedSecret& secret) const {
  Output& output = context_.output;
  if (!output.json() && !arguments_.json) {
    const std::string place = secret.line == 0
                                  ? "octet " + std::to_string(secret.offset)
                                  : std::to_string(secret.line) + ":" + std::to_string(secret.column);
    output.line(path + ":" + place + ": " + secret.kind + " (" + secret.fingerprint + ")");
    return;
  }
  json::Node node = json::Node::object({{"fingerprint", secret.fingerprint},
                                        {"kind", secret.kind},
                                        {"offset", secret.offset},
                                        {"path", path}});
  if (secret.line != 0) node.set("line", secret.line);
  if (secret.line != 0) node.set("column", secret.column);
  output.document(json::to_jcs(node));
}

void Scan::tell_end() const {
  const auto count = [](std::size_t number, const char* what) {
    return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
  };
  std::string text = count(hits_, "secret") + " in " + count(files_, "file");
  if (known_ > 0) text += ", and " + std::to_string(known_) + " that the baseline has";
  if (unreadable_ > 0) text += "; " + std::to_string(unreadable_) + " could not be read";
  // Behind what was found, on a terminal too. That it could not be written is told by who ends the program.
  if (context_.output.flush()) context_.output.note(text);
}

Checked<ExitCode> scan(Context& context, const ScanArguments& arguments) {
  if (arguments.write_baseline && arguments.baseline.empty())
    return misuse("--write-baseline needs --baseline FILE, which it writes");
  Baseline accepted;
  if (!arguments.baseline.empty() && !arguments.write_baseline) {
    CHANCERY_ASSIGN(accepted, Baseline::read(arguments.baseline));
  }
  return Scan(context, arguments, std::move(accepted)).run();
}

}  // namespace

void add_scan(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<ScanArguments>();
  CLI::App* command = app.add_subcommand("scan", "Find secrets that stand in files");
  command->add_option("PATH", arguments->paths, "files and folders; symbolic links in them are not followed")
      ->required();
  add_repeatable(*command, "--exclude", arguments->exclude,
                 "leave out what has this name or path, such as '*.lock' or 'vendor/*'");
  command->add_option("--baseline", arguments->baseline, "a file of fingerprints that are accepted");
  command->add_flag("--write-baseline", arguments->write_baseline,
                    "accept what is found: write the file of --baseline");
  command
      ->add_option("--max-size", arguments->max_mib,
                   "how many MiB a file may have to be looked at; default: 64")
      ->check(CLI::Range(1, 1024));
  command->add_flag("--git-dir", arguments->git_dir, "look into .git as well");
  command->add_flag("--entropy", arguments->entropy,
                    "tokens that are as good as random as well; finds too much");
  command->add_flag("--json", arguments->json, "one JSON object a line, as --format json");
  command->footer(
      "Prints for each secret path, line, column (in octets) and kind, with a fingerprint in its place: never the secret.\n"
      "Exit status: 0 nothing found; 1 something found; 2 something could not be read.\n\n"
      "Example:\n  chancery scan --exclude 'tests/*' --baseline .secrets-baseline .");
  command->callback(
      [arguments, &chosen] { chosen = [arguments](Context& context) { return scan(context, *arguments); }; });
}

}  // namespace chancery::cli
