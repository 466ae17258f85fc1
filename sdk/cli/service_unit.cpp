#include "sdk/cli/service_unit.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <initializer_list>
#include <memory>
#include <utility>

#include "sdk/cli/files.hpp"

namespace chancery::cli {
namespace {

// How a value is held against what ours has. Each takes nullptr for one that is not set.
using Holds = bool (*)(const std::string* value);

bool is_yes(const std::string* value) {
  return value != nullptr && (*value == "yes" || *value == "true" || *value == "on" || *value == "1");
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
  return words;
}

// An allow list without what no part of the daemon calls. Systemd shows a list's groups by their members.
bool bounds_calls(const std::string* value) {
  constexpr std::array<std::string_view, 6> kNever{"mount",       "ptrace",     "bpf",
                                                   "init_module", "kexec_load", "@mount"};
  if (value == nullptr || value->empty() || value->front() == '~') return false;
  const auto words = words_of(*value);
  return std::ranges::none_of(
      kNever, [&](std::string_view call) { return std::ranges::find(words, call) != words.end(); });
}

bool are_among(std::string_view value, std::initializer_list<std::string_view> allowed) {
  return std::ranges::all_of(words_of(value), [&](std::string_view word) {
    return std::ranges::find(allowed, word) != allowed.end();
  });
}

// None is fine: what a unit without devices may have is DevicePolicy's part. ProtectClock= adds the clock's by itself.
bool only_tpm(const std::string* value) {
  return value == nullptr || are_among(*value, {"/dev/tpmrm0", "char-rtc", "r", "rw", "rwm"});
}

bool has_families(const std::string* value) {
  return value != nullptr && !value->empty() && are_among(*value, {"AF_UNIX", "AF_INET", "AF_INET6"});
}

bool is_bounded(const std::string* value) {
  return value != nullptr && !value->empty() && *value != "0" && *value != "infinity";
}

bool is_absent_or_empty(const std::string* value) { return value == nullptr || value->empty(); }

bool is_unprivileged(const std::string* value) {
  return value != nullptr && !value->empty() && *value != "root" && *value != "0";
}

template <const char* wanted>
bool is(const std::string* value) {
  return value != nullptr && *value == wanted;
}

constexpr char kNone[] = "", kZero[] = "0", kStrict[] = "strict", kClosed[] = "closed", kNotify[] = "notify",
               kOwnOnly[] = "0077", kNative[] = "native", kPid[] = "pid";

struct Rule {
  const char* setting;
  Holds holds;
  Level level;
  const char* remedy;
};

constexpr Level kBad = Level::kProblem;
constexpr Level kWeak = Level::kRemark;

constexpr std::array kRules{
    Rule{"User", is_unprivileged, kBad, "User=chanceryd: a flaw in the daemon is then no flaw in root"},
    Rule{"NoNewPrivileges", is_yes, kBad, "NoNewPrivileges=yes"},
    Rule{"CapabilityBoundingSet", is<kNone>, kWeak,
         "CapabilityBoundingSet= (empty), unless selectors by executable need CAP_SYS_PTRACE"},
    Rule{"AmbientCapabilities", is_absent_or_empty, kWeak,
         "AmbientCapabilities= (empty), unless selectors by executable need CAP_SYS_PTRACE"},
    Rule{"LimitCORE", is<kZero>, kBad,
         "LimitCORE=0: keys' authorizations and tokens pass through its memory"},
    Rule{"MemorySwapMax", is<kZero>, kWeak,
         "MemorySwapMax=0: what passes through its memory reaches no swap device"},
    Rule{"LimitMEMLOCK", is_bounded, kWeak, "LimitMEMLOCK=8M: secrets are locked into memory"},
    Rule{"MemoryDenyWriteExecute", is_yes, kBad, "MemoryDenyWriteExecute=yes"},
    Rule{"SystemCallFilter", bounds_calls, kBad,
         "SystemCallFilter=@system-service, and then ~@privileged @resources"},
    Rule{"SystemCallArchitectures", is<kNative>, kWeak, "SystemCallArchitectures=native"},
    Rule{"RestrictAddressFamilies", has_families, kWeak, "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6"},
    Rule{"RestrictNamespaces", is_yes, kWeak, "RestrictNamespaces=yes"},
    Rule{"RestrictRealtime", is_yes, kWeak, "RestrictRealtime=yes"},
    Rule{"RestrictSUIDSGID", is_yes, kWeak, "RestrictSUIDSGID=yes"},
    Rule{"LockPersonality", is_yes, kWeak, "LockPersonality=yes"},
    Rule{"ProtectSystem", is<kStrict>, kBad,
         "ProtectSystem=strict, with StateDirectory=chancery to write to"},
    Rule{"ProtectHome", is_yes, kWeak, "ProtectHome=yes"},
    Rule{"ProtectClock", is_yes, kWeak, "ProtectClock=yes: the clock decides what has expired"},
    Rule{"ProtectHostname", is_yes, kWeak, "ProtectHostname=yes"},
    Rule{"ProtectKernelTunables", is_yes, kWeak, "ProtectKernelTunables=yes"},
    Rule{"ProtectKernelModules", is_yes, kWeak, "ProtectKernelModules=yes"},
    Rule{"ProtectKernelLogs", is_yes, kWeak, "ProtectKernelLogs=yes"},
    Rule{"ProtectControlGroups", is_yes, kBad,
         "ProtectControlGroups=yes: callers' units are read from there"},
    Rule{"ProcSubset", is<kPid>, kWeak, "ProcSubset=pid"},
    Rule{"PrivateTmp", is_yes, kWeak, "PrivateTmp=yes"},
    Rule{"PrivateMounts", is_yes, kWeak, "PrivateMounts=yes"},
    Rule{"PrivateDevices", is_yes, kWeak, "PrivateDevices=yes, with BindPaths=-/dev/tpmrm0"},
    Rule{"DevicePolicy", is<kClosed>, kBad, "DevicePolicy=closed"},
    Rule{"DeviceAllow", only_tpm, kWeak,
         "DeviceAllow=/dev/tpmrm0 rw, and a token's own device where it has one"},
    Rule{"UMask", is<kOwnOnly>, kWeak, "UMask=0077"},
    Rule{"Type", is<kNotify>, kWeak, "Type=notify: what is started after it finds its sockets serving"},
    Rule{"WatchdogSec", is_bounded, kWeak, "WatchdogSec=60s: a daemon that is stuck is started again"},
};

const std::string* find(const UnitSettings& settings, std::string_view name) {
  const auto found = settings.find(name);
  return found == settings.end() ? nullptr : &found->second;
}

// With DynamicUser= the manager makes a user.
bool holds(const Rule& rule, const UnitSettings& settings) {
  if (rule.holds(find(settings, rule.setting))) return true;
  return std::string_view(rule.setting) == "User" && is_yes(find(settings, "DynamicUser"));
}

std::string found_text(const std::string* value) {
  constexpr std::size_t kLongest = 60;
  if (value == nullptr) return "not set";
  if (value->empty()) return "empty";
  return value->size() <= kLongest ? *value : value->substr(0, kLongest) + " …";
}

// The next line, and what follows one that ends with a backslash.
std::string take_line(std::string_view& text) {
  std::string line;
  bool continues = true;
  while (continues && !text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view piece = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    continues = piece.ends_with('\\');
    if (continues) piece.remove_suffix(1);
    line += (line.empty() ? "" : " ") + std::string(trimmed(piece));
  }
  return line;
}

void set(UnitSettings& settings, std::string_view name, std::string_view value) {
  std::string& there = settings[std::string(name)];
  // Of lists, the further ones add to the first; of what takes one value, the last counts.
  constexpr std::array<std::string_view, 5> kLists{"CapabilityBoundingSet", "AmbientCapabilities",
                                                   "SystemCallFilter", "RestrictAddressFamilies",
                                                   "DeviceAllow"};
  const bool adds = std::ranges::find(kLists, name) != kLists.end() && !value.empty() && !there.empty();
  there = adds ? there + " " + std::string(value) : std::string(value);
}

Checked<std::string> ask_systemd(const std::string& unit) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@:._-";
  if (unit.empty() || unit.front() == '-' || unit.find_first_not_of(kAllowed) != std::string::npos)
    return misuse("--unit: give the name of a unit, such as chanceryd.service, or the path of a unit file");
  const std::string command = "systemctl show --all --no-pager '" + unit + "' 2>/dev/null";
  const std::unique_ptr<FILE, decltype(&::pclose)> pipe(::popen(command.c_str(), "re"), ::pclose);
  std::string text;
  std::array<char, 4096> buffer{};
  for (std::size_t size = 1; pipe && size > 0;) {
    size = std::fread(buffer.data(), 1, buffer.size(), pipe.get());
    text.append(buffer.data(), size);
  }
  if (!text.empty()) return text;
  return failure(
      Error{ErrorCode::kFileUnreadable, "systemd does not answer here: give the path of the unit file"},
      unit);
}

}  // namespace

UnitSettings parse_unit_file(std::string_view text) {
  UnitSettings settings;
  bool in_service = false;
  while (!text.empty()) {
    const std::string line = take_line(text);
    const std::size_t equals = line.find('=');
    if (line.starts_with('#') || line.starts_with(';')) continue;
    if (line.starts_with('[')) in_service = line == "[Service]";
    if (!in_service || equals == std::string::npos) continue;
    const std::string_view whole = line;
    set(settings, trimmed(whole.substr(0, equals)), trimmed(whole.substr(equals + 1)));
  }
  return settings;
}

UnitSettings parse_shown_unit(std::string_view text) {
  UnitSettings settings;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, equals);
    set(settings, name == "WatchdogUSec" ? "WatchdogSec" : name, line.substr(equals + 1));
  }
  return settings;
}

std::vector<Finding> judge_unit(const UnitSettings& settings) {
  std::vector<Finding> findings;
  for (const Rule& rule : kRules) {
    if (holds(rule, settings)) continue;
    findings.push_back({rule.level, std::string("unit, ") + rule.setting,
                        found_text(find(settings, rule.setting)), std::string("set ") + rule.remedy});
  }
  if (findings.empty()) {
    const std::string all = std::to_string(kRules.size());
    findings.push_back(
        {Level::kFine, "unit", "as tight as the packaged one, by all " + all + " settings", {}});
  }
  return findings;
}

Checked<std::vector<Finding>> examine_unit(const std::string& unit) {
  if (unit.find('/') != std::string::npos) {
    constexpr std::size_t kMost = 1024 * 1024;
    CHANCERY_ASSIGN(const std::string text, read_input(unit, kMost));
    return judge_unit(parse_unit_file(text));
  }
  CHANCERY_ASSIGN(const std::string text, ask_systemd(unit));
  const UnitSettings settings = parse_shown_unit(text);
  const std::string* loaded = find(settings, "LoadState");
  if (loaded == nullptr || *loaded != "loaded")
    return failure(Error{ErrorCode::kNotFound, "systemd knows no such unit: see `systemctl list-units`"},
                   unit);
  return judge_unit(settings);
}

}  // namespace chancery::cli
