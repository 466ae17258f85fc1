// `chancery-bench [--json FILE] [--only SECTION]`: what Chancery costs, beside the bare libraries that it
// stands on.

#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "tests/bench/report.hpp"

namespace chancery::bench {

void bench_verify(Report& report);
void bench_tpm(Report& report);
void bench_freezing(Report& report);
void bench_gated(Report& report);
void bench_pkcs11(Report& report);
void bench_noisy(Report& report);
void bench_attestation(Report& report);
void bench_audit(Report& report);
void bench_redaction(Report& report);
void bench_runtime(Report& report);
void bench_rest(Report& report);
void bench_approvals(Report& report);
void bench_authorize(Report& report);
void bench_console(Report& report);
void bench_status(Report& report);

namespace {

struct Section {
  std::string_view name;
  void (*run)(Report& report);
};

// The last two pin this process to a core.
constexpr std::array kSections{
    Section{"verify", bench_verify},
    Section{"tpm", bench_tpm},
    Section{"gated", bench_gated},
    Section{"freezing", bench_freezing},
    Section{"pkcs11", bench_pkcs11},
    Section{"noisy", bench_noisy},
    Section{"attestation", bench_attestation},
    Section{"audit", bench_audit},
    Section{"redaction", bench_redaction},
    Section{"authorize", bench_authorize},
    Section{"runtime", bench_runtime},
    Section{"approvals", bench_approvals},
    Section{"console", bench_console},
    Section{"status", bench_status},
    Section{"rest", bench_rest},
};

struct Arguments {
  std::string json;
  std::string_view only;
};

bool is_section(std::string_view name) {
  for (const Section& section : kSections) {
    if (section.name == name) return true;
  }
  return false;
}

std::optional<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    if (i + 1 == argc) return std::nullopt;
    if (option == "--json") {
      arguments.json = argv[i + 1];
    } else if (option == "--only" && is_section(argv[i + 1])) {
      arguments.only = argv[i + 1];
    } else {
      return std::nullopt;
    }
  }
  return arguments;
}

int complain() {
  std::fputs("usage: chancery-bench [--json FILE] [--only SECTION], where SECTION is one of:", stderr);
  for (const Section& section : kSections) std::fprintf(stderr, " %s", std::string(section.name).c_str());
  std::fputc('\n', stderr);
  return 2;
}

int run(const Arguments& arguments) {
  Report report;
  for (const Section& section : kSections) {
    if (!arguments.only.empty() && arguments.only != section.name) continue;
    std::fprintf(stderr, "measuring: %s\n", std::string(section.name).c_str());
    section.run(report);
  }
  report.print(stdout);
  if (arguments.json.empty()) return 0;
  const Status written = report.write_json(arguments.json);
  if (!written) std::fprintf(stderr, "chancery-bench: %s\n", written.error().what);
  return written ? 0 : 1;
}

}  // namespace
}  // namespace chancery::bench

int main(int argc, char** argv) {
  const auto arguments = chancery::bench::parse(argc, argv);
  return arguments ? chancery::bench::run(*arguments) : chancery::bench::complain();
}
