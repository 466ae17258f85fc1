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
    const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
    const std::size_t end = std::min(text.find_first_of(" \t", begin), text.size());
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
  return words;
}

template <typename List>
bool has(const List& list, std::string_view wanted) {
  return std::ranges::find(list, wanted) != std::end(list);
}

bool are_among(std::string_view value, std::initializer_list<std::string_view> allowed) {
  return std::ranges::all_of(words_of(value), [&](std::string_view word) { return has(allowed, word); });
}

// The members of @privileged, @resources (but setrlimit), @mount and @debug, and what makes code out of data.
constexpr std::string_view kNeverCalled =
    "_sysctl acct adjtimex bpf capset chown chown32 chroot clock_adjtime clock_adjtime64 clock_settime "
    "clock_settime64 delete_module fanotify_init fanotify_mark fchown fchown32 fchownat finit_module "
    "fsconfig fsmount fsopen fspick init_module ioperm iopl ioprio_set kexec_file_load kexec_load lchown "
    "lchown32 lookup_dcookie mbind memfd_create migrate_pages modify_ldt mount mount_setattr move_mount "
    "move_pages nfsservctl nice open_by_handle_at open_tree pciconfig_iobase pciconfig_read "
    "pciconfig_write perf_event_open pidfd_getfd pivot_root ptrace quotactl quotactl_fd reboot "
    "sched_setaffinity sched_setattr sched_setparam sched_setscheduler set_mempolicy "
    "set_mempolicy_home_node setdomainname setfsuid setfsuid32 setgroups setgroups32 sethostname "
    "setpriority setresuid setresuid32 setreuid setreuid32 settimeofday setuid setuid32 swapoff swapon "
    "umount umount2 vhangup vm86 vm86old";

// One that is taken out begins with `~`; behind a colon stands the error that it gets.
bool is_among_ours(std::string_view call, const std::vector<std::string_view>& never) {
  call = call.substr(0, call.find(':'));
  if (call.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-@~") != std::string_view::npos)
    return false;
  return call.starts_with('@') ? call == "@system-service" : !has(never, call);
}

// An allow list, without what no part of the daemon calls. Systemd shows a list's groups by their members; a file has
// them by name, and later words count for more.
bool bounds_calls(const std::string* value) {
  if (value == nullptr || value->empty() || value->front() == '~') return false;
  const auto words = words_of(*value);
  const auto never = words_of(kNeverCalled);
  if (!std::ranges::all_of(words, [&](std::string_view call) { return is_among_ours(call, never); }))
    return false;
  const auto group = std::find(words.rbegin(), words.rend(), "@system-service");
  if (group == words.rend()) return true;
  const std::vector<std::string_view> later(group.base(), words.end());
  return has(later, "~@privileged") && has(later, "~@resources") && has(later, "~memfd_create");
}

// Without the marks before it: one that need not exist, or is below the unit's own root.
std::string_view path_of(std::string_view word) {
  word.remove_prefix(std::min(word.find_first_not_of("-+\"'"), word.size()));
  while (word.size() > 1 && (word.ends_with('/') || word.ends_with('"') || word.ends_with('\'')))
    word.remove_suffix(1);
  return word;
}

bool is_in(std::string_view path, std::string_view folder) {
  if (!path.starts_with(folder)) return false;
  return folder == "/" || path.size() == folder.size() || path[folder.size()] == '/';
}

template <typename Predicate>
bool all_paths(const std::string* value, Predicate holds) {
  return value == nullptr ||
         std::ranges::all_of(words_of(*value), [&](std::string_view word) { return holds(path_of(word)); });
}

// Neither one of these folders, nor what is in it, nor what it is in.
bool is_apart_from(const std::vector<std::string_view>& folders, std::string_view path) {
  return std::ranges::none_of(
      folders, [&](std::string_view folder) { return is_in(path, folder) || is_in(folder, path); });
}

// `/` does not reach the folders to write to, which are mounts of the unit's own.
bool runs_nothing_else(const std::string* value) {
  if (value == nullptr) return false;
  std::vector<std::string_view> paths;
  for (const std::string_view word : words_of(*value)) paths.push_back(path_of(word));
  return std::ranges::all_of(words_of("/ /var/lib/chancery /tmp /var/tmp /dev/shm"),
                             [&](std::string_view path) { return has(paths, path); });
}

constexpr std::string_view kDaemon = "/usr/sbin/chanceryd";

// Where programs are, and where the daemon or anybody may put one.
bool runs_no_programs(const std::string* value) {
  const auto programs = words_of(
      "/bin /sbin /usr/bin /usr/sbin /usr/games /usr/libexec /lib/systemd /usr/lib/systemd /usr/local/bin "
      "/usr/local/sbin /home /root /tmp /var /run /dev /etc /proc");
  return all_paths(value,
                   [&](std::string_view path) { return path == kDaemon || is_apart_from(programs, path); });
}

bool runs_libraries_alone(const std::string* value) {
  constexpr std::array<std::string_view, 3> kOurs{kDaemon, "/usr/lib/x86_64-linux-gnu",
                                                  "/usr/lib/aarch64-linux-gnu"};
  return all_paths(value, [&](std::string_view path) { return has(kOurs, path); });
}

bool writes_no_system(const std::string* value) {
  const auto system = words_of("/bin /boot /dev /etc /home /lib /proc /root /run /sbin /sys /usr");
  return all_paths(value, [&](std::string_view path) { return is_apart_from(system, path); });
}

// SOURCE, or SOURCE:DESTINATION and behind that options.
bool binds_devices(const std::string* value) {
  return all_paths(value, [](std::string_view path) {
    const std::size_t colon = std::min(path.find(':'), path.size());
    const std::string_view to = path.substr(std::min(colon + 1, path.size()));
    return path.substr(0, colon).starts_with("/dev/") && (to.empty() || to.starts_with("/dev/"));
  });
}

bool binds_tpm(const std::string* value) {
  return all_paths(value, [](std::string_view path) {
    return path == "/dev/tpmrm0" || path == "/dev/tpmrm0:/dev/tpmrm0" ||
           path.starts_with("/dev/tpmrm0:/dev/tpmrm0:");
  });
}

// Whose members are as good as root, or read what only root does.
bool is_in_no_mighty_group(const std::string* value) {
  const auto mighty = words_of("root 0 adm disk docker incus kmem libvirt lxd shadow sudo wheel");
  return value == nullptr ||
         std::ranges::none_of(words_of(*value), [&](std::string_view name) { return has(mighty, name); });
}

bool is_in_tss_alone(const std::string* value) { return value == nullptr || are_among(*value, {"tss"}); }

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

// Of a setting with two rules the first that does not hold counts.
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
         "SystemCallFilter=@system-service, and then ~@privileged @resources memfd_create"},
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
    Rule{"BindPaths", binds_devices, kBad, "BindPaths=-/dev/tpmrm0: what is bound may be written to"},
    Rule{"BindPaths", binds_tpm, kWeak, "BindPaths=-/dev/tpmrm0, and a token's own device where it has one"},
    Rule{
        "NoExecPaths", runs_nothing_else, kBad,
        "NoExecPaths=/ /var/lib/chancery /tmp /var/tmp /dev/shm, and ExecPaths= for the daemon and the system's libraries"},
    Rule{"ExecPaths", runs_no_programs, kBad,
         "ExecPaths=/usr/sbin/chanceryd -/usr/lib/x86_64-linux-gnu -/usr/lib/aarch64-linux-gnu: no folder of "
         "programs, and none that is written to"},
    Rule{"ExecPaths", runs_libraries_alone, kWeak,
         "no more in ExecPaths= than the folder of a token's own module"},
    Rule{"ReadWritePaths", writes_no_system, kBad,
         "ReadWritePaths= (empty): StateDirectory=chancery is what the daemon writes to"},
    Rule{"ReadWritePaths", is_absent_or_empty, kWeak,
         "no more in ReadWritePaths= than the folder that a token's own module writes to"},
    Rule{"SupplementaryGroups", is_in_no_mighty_group, kBad,
         "SupplementaryGroups=tss: with this one a flaw in the daemon is a flaw in root"},
    Rule{"SupplementaryGroups", is_in_tss_alone, kWeak,
         "SupplementaryGroups=tss, and a token's own group where it has one"},
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

// The `~` before a line's first word counts for all of them: so each has its own, once lines stand together.
std::string each_with_its_mark(std::string_view value) {
  if (!value.starts_with('~')) return std::string(value);
  std::string out;
  for (const std::string_view word : words_of(value.substr(1)))
    out.append(out.empty() ? "~" : " ~").append(word);
  return out;
}

void set(UnitSettings& settings, std::string_view name, std::string_view value) {
  std::string& there = settings[std::string(name)];
  // Of lists, the further ones add to the first; of what takes one value, the last counts.
  constexpr std::array<std::string_view, 10> kLists{
      "CapabilityBoundingSet", "AmbientCapabilities", "SystemCallFilter", "RestrictAddressFamilies",
      "DeviceAllow",           "BindPaths",           "NoExecPaths",      "ExecPaths",
      "ReadWritePaths",        "SupplementaryGroups"};
  const bool is_list = has(kLists, name);
  const bool adds = is_list && !value.empty() && !there.empty();
  const std::string text = is_list ? each_with_its_mark(value) : std::string(value);
  there = adds ? there + " " + text : text;
}

Checked<std::string> ask_systemd(const std::string& unit) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@:._-";
  if (unit.empty() || unit.front() == '-' || unit.find_first_not_of(kAllowed) != std::string::npos)
    return misuse("--unit: give the name of a unit, such as chanceryd.service, or the path of a unit file");
  const std::string command = "systemctl show --all --no-pager '" + unit + "' 2>/dev/null";
  // NOLINTNEXTLINE(cert-env33-c): of the name, all that a shell would take for something else was refused
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
    const std::string subject = std::string("unit, ") + rule.setting;
    const bool is_told = !findings.empty() && findings.back().subject == subject;
    if (is_told || holds(rule, settings)) continue;
    findings.push_back(
        {rule.level, subject, found_text(find(settings, rule.setting)), std::string("set ") + rule.remedy});
  }
  if (findings.empty()) {
    const std::string all = std::to_string(kRules.size());
    findings.push_back({Level::kFine, "unit", "as tight as the packaged one, by all " + all + " rules", {}});
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
