// What `chancery doctor --unit` finds weaker than the unit that is packaged.
#include "sdk/cli/service_unit.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace chancery::cli {
namespace {

namespace data = boost::unit_test::data;

std::string packaged(const std::string& name) {
  std::ifstream in(CHANCERY_SOURCE_DIR "/daemon/packaging/systemd/" + name);
  BOOST_REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> settings_named(const std::vector<Finding>& findings) {
  std::vector<std::string> names;
  for (const Finding& finding : findings) {
    BOOST_TEST(!finding.remedy.empty(), finding.subject);
    names.push_back(finding.subject.substr(finding.subject.find(' ') + 1));
  }
  return names;
}

BOOST_AUTO_TEST_CASE(packaged_unit_is_as_tight_as_itself) {
  const auto findings = judge_unit(parse_unit_file(packaged("chanceryd.service")));
  BOOST_REQUIRE(findings.size() == 1U);
  BOOST_TEST((findings.front().level == Level::kFine), findings.front().subject);
}

BOOST_AUTO_TEST_CASE(plain_unit_has_every_weakness) {
  const auto findings = judge_unit(parse_unit_file("[Service]\nExecStart=/usr/sbin/chanceryd\n"));
  // All but what is off unless a unit asks for it.
  const auto tight = judge_unit(parse_unit_file(packaged("chanceryd.service"))).front().found;
  BOOST_TEST(tight.find("all " + std::to_string(findings.size() + 10) + " rules") != std::string::npos,
             tight);
  BOOST_TEST(std::ranges::any_of(findings, [](const Finding& f) { return f.level == Level::kProblem; }));
}

struct Weakening {
  const char* line;  ///< behind the packaged unit
  const char* setting;
};
std::ostream& operator<<(std::ostream& out, const Weakening& row) { return out << row.line; }

constexpr std::array kWeakenings{
    Weakening{"User=root", "User"},
    Weakening{"User=", "User"},
    Weakening{"NoNewPrivileges=no", "NoNewPrivileges"},
    Weakening{"CapabilityBoundingSet=CAP_SYS_PTRACE", "CapabilityBoundingSet"},
    Weakening{"LimitCORE=infinity", "LimitCORE"},
    Weakening{"MemorySwapMax=infinity", "MemorySwapMax"},
    Weakening{"MemoryDenyWriteExecute=no", "MemoryDenyWriteExecute"},
    Weakening{"SystemCallFilter=", "SystemCallFilter"},
    Weakening{"SystemCallFilter=ptrace", "SystemCallFilter"},
    Weakening{"SystemCallFilter=\nSystemCallFilter=~@mount", "SystemCallFilter"},
    Weakening{"SystemCallFilter=\nSystemCallFilter=@system-service @privileged @debug", "SystemCallFilter"},
    Weakening{
        "SystemCallFilter=\nSystemCallFilter=@system-service\nSystemCallFilter=~@privileged memfd_create",
        "SystemCallFilter"},
    Weakening{"SystemCallFilter=@system-service", "SystemCallFilter"},  // again, behind what was taken out
    Weakening{"SystemCallFilter=@debug", "SystemCallFilter"},
    Weakening{"SystemCallFilter=memfd_create", "SystemCallFilter"},
    Weakening{"SystemCallFilter=chroot:EPERM", "SystemCallFilter"},
    Weakening{"SystemCallFilter=read\tptrace", "SystemCallFilter"},
    Weakening{"SystemCallFilter=\"ptrace\"", "SystemCallFilter"},
    Weakening{"RestrictAddressFamilies=AF_NETLINK", "RestrictAddressFamilies"},
    Weakening{"DeviceAllow=/dev/mem rw", "DeviceAllow"},
    Weakening{"DeviceAllow=char-* rw", "DeviceAllow"},
    Weakening{"DevicePolicy=auto", "DevicePolicy"},
    Weakening{"NoExecPaths=", "NoExecPaths"},
    Weakening{"NoExecPaths=\nNoExecPaths=/", "NoExecPaths"},  // where it writes to it may then run
    Weakening{"NoExecPaths=\nNoExecPaths=/var/lib/chancery /tmp /var/tmp /dev/shm", "NoExecPaths"},
    Weakening{"ProtectSystem=full", "ProtectSystem"},
    Weakening{"UMask=0022", "UMask"},
    Weakening{"WatchdogSec=0", "WatchdogSec"},
    Weakening{"WatchdogSec=infinity", "WatchdogSec"},
};

BOOST_DATA_TEST_CASE(each_weakening_is_named, data::make(kWeakenings), row) {
  // In a drop-in, as the manager reads it behind the unit.
  const std::string text = packaged("chanceryd.service") + "\n[Service]\n" + row.line + "\n";
  const auto names = settings_named(judge_unit(parse_unit_file(text)));
  BOOST_TEST(names == std::vector<std::string>{row.setting}, boost::test_tools::per_element());
}

struct Widening {
  const char* line;  ///< behind the packaged unit
  const char* setting;
  Level level;
};
std::ostream& operator<<(std::ostream& out, const Widening& row) { return out << row.line; }

constexpr std::array kWidenings{
    Widening{"ExecPaths=/", "ExecPaths", Level::kProblem},
    Widening{"ExecPaths=-/usr/lib/", "ExecPaths", Level::kProblem},
    Widening{"ExecPaths=/usr/bin/sh", "ExecPaths", Level::kProblem},
    Widening{"ExecPaths=\"/usr/sbin\"", "ExecPaths", Level::kProblem},
    Widening{"ExecPaths=+/var/lib/chancery", "ExecPaths", Level::kProblem},
    Widening{"ExecPaths=/opt/vendor/lib", "ExecPaths", Level::kRemark},
    Widening{"ReadWritePaths=/", "ReadWritePaths", Level::kProblem},
    Widening{"ReadWritePaths=-/etc/chancery", "ReadWritePaths", Level::kProblem},
    Widening{"ReadWritePaths=/usrlocal", "ReadWritePaths", Level::kRemark},
    Widening{"BindPaths=/etc:/dev/etc", "BindPaths", Level::kProblem},
    Widening{"BindPaths=/dev/vendor0:/etc", "BindPaths", Level::kProblem},
    Widening{"BindPaths=/dev", "BindPaths", Level::kProblem},
    Widening{"BindPaths=-/dev/vendor0", "BindPaths", Level::kRemark},
    Widening{"SupplementaryGroups=docker", "SupplementaryGroups", Level::kProblem},
    Widening{"SupplementaryGroups=plugdev", "SupplementaryGroups", Level::kRemark},
};

BOOST_DATA_TEST_CASE(what_undoes_the_sandbox_is_a_problem_and_what_widens_it_a_remark, data::make(kWidenings),
                     row) {
  const std::string text = packaged("chanceryd.service") + "\n[Service]\n" + row.line + "\n";
  const auto findings = judge_unit(parse_unit_file(text));
  BOOST_TEST(settings_named(findings) == std::vector<std::string>{row.setting},
             boost::test_tools::per_element());
  BOOST_TEST((findings.front().level == row.level));
}

BOOST_AUTO_TEST_CASE(user_that_the_manager_makes_is_as_good) {
  const std::string text = packaged("chanceryd.service") + "\n[Service]\nUser=\nDynamicUser=yes\n";
  BOOST_TEST((judge_unit(parse_unit_file(text)).front().level == Level::kFine));
}

BOOST_AUTO_TEST_CASE(packaged_drop_ins_cost_what_they_say) {
  const std::string unit = packaged("chanceryd.service");
  const auto of = [&](const char* drop_in) {
    return judge_unit(parse_unit_file(unit + "\n" + packaged(std::string("drop-ins/") + drop_in)));
  };
  BOOST_TEST((of("tpm.conf").front().level == Level::kFine));
  const std::vector<std::string> token{"ExecPaths", "ReadWritePaths"};
  BOOST_TEST(settings_named(of("pkcs11.conf")) == token, boost::test_tools::per_element());
  const std::vector<std::string> executables{"CapabilityBoundingSet", "AmbientCapabilities"};
  BOOST_TEST(settings_named(of("executables.conf")) == executables, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(unit_file_is_read_as_the_manager_reads_it) {
  const UnitSettings settings = parse_unit_file(
      "[Unit]\nType=no\n[Service]\n# Type=no\n; Type=no\n  Type = notify \nSystemCallFilter=a \\\n  b\n"
      "SystemCallFilter=c\nSystemCallFilter=~d e\nDeviceAllow=x\nDeviceAllow=\nDeviceAllow=y\nUMask=1\nUMask=2\n[Install]\nUMask=3");
  const UnitSettings want{
      {"Type", "notify"}, {"SystemCallFilter", "a b c ~d ~e"}, {"DeviceAllow", "y"}, {"UMask", "2"}};
  BOOST_TEST((settings == want));
}

BOOST_AUTO_TEST_CASE(shown_unit_is_judged_like_its_file) {
  std::string shown = "LoadState=loaded\nUser=chanceryd\nDynamicUser=no\n";
  for (const auto& [name, value] : parse_unit_file(packaged("chanceryd.service"))) {
    if (name != "User") shown += (name == "WatchdogSec" ? "WatchdogUSec" : name) + "=" + value + "\n";
  }
  shown += "DeviceAllow=char-rtc r\nBindPaths=-/dev/tpmrm0:/dev/tpmrm0:rbind\n";
  BOOST_TEST((judge_unit(parse_shown_unit(shown)).front().level == Level::kFine));
}

BOOST_AUTO_TEST_CASE(name_that_a_shell_would_obey_is_refused) {
  for (const char* name : {"a'b", "a;b", "$(a)", "-H", "a b", ""}) {
    const auto findings = examine_unit(name);
    BOOST_REQUIRE(!findings);
    BOOST_TEST(findings.error().code == "invalid_argument", name);
  }
}

}  // namespace
}  // namespace chancery::cli
