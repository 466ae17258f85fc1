#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "sdk/audit/exported_line.hpp"
#include "sdk/audit/log_verifier.hpp"
#include "sdk/base/descriptor.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "tests/bench/report.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::bench {
namespace {

constexpr std::uint64_t kEntries = 10'000'000;
constexpr std::uint64_t kBetweenCheckpoints = 10'000;
constexpr const char* kOrigin = "chancery.example.org/audit/0123456789abcdef";

[[noreturn]] void fail() { std::abort(); }  // a figure of something that did not work would be a lie

// As long as a decision's entry is.
std::string entry_of(std::uint64_t number) {
  const std::string n = std::to_string(number);
  const std::string id = std::string(32 - n.size(), '0') + n;
  return R"({"action":"action.authorize","agent":"support","at":1790000000,"caller":{"gid":1000,"pid":4242,"uid":1000},)"
         R"("details":{"audience":"https://api.example.org","debits":2,"params":")" +
         id + id + R"(","scope":"crm.refund"},"ids":{"decision":")" + id + R"(","key":")" + id +
         R"(0123456789a","token":")" + id + id +
         R"("},"outcome":"permit","policy":"0123456789abcdef","principal":"user:alice@example.org","request_id":")" +
         id + R"(","v":1})";
}

/// A file that is written once and read from the disk each time.
class LogFile {
 public:
  explicit LogFile(const std::filesystem::path& path)
      : path_(path), file_(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
    if (!file_) fail();
  }

  void add(const std::string& text) {
    buffer_ += text;
    if (buffer_.size() > kBuffer) flush();
  }

  void finish() {
    flush();
    if (::fsync(file_.get()) != 0) fail();
  }

  // What the kernel has of it in memory is given up.
  void rewind() const {
    if (::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED) != 0 ||
        ::lseek(file_.get(), 0, SEEK_SET) != 0)
      fail();
  }

  [[nodiscard]] std::size_t read(std::span<char> buffer) const {
    const ssize_t got = ::read(file_.get(), buffer.data(), buffer.size());
    if (got < 0) fail();
    return static_cast<std::size_t>(got);
  }

  [[nodiscard]] double size() const { return static_cast<double>(std::filesystem::file_size(path_)); }

 private:
  static constexpr std::size_t kBuffer = 4 * 1024 * 1024;

  void flush() {
    std::string_view rest = buffer_;
    while (!rest.empty()) {
      const ssize_t put = ::write(file_.get(), rest.data(), rest.size());
      if (put <= 0) fail();
      rest.remove_prefix(static_cast<std::size_t>(put));
    }
    buffer_.clear();
  }

  std::filesystem::path path_;
  Descriptor file_;
  std::string buffer_;
};

audit::NoteKey write_log(LogFile& log) {
  const SigningKey secret = *SigningKey::generate(Algorithm::kES256);
  const audit::NoteKey key{kOrigin, secret.public_key()};
  audit::Frontier tree;
  log.add(audit::exported_header(kOrigin));
  for (std::uint64_t number = 1; number <= kEntries; ++number) {
    const std::string entry = entry_of(number);
    const Sha256Digest leaf = audit::leaf_hash(as_bytes(entry));
    tree.append(leaf);
    log.add(audit::exported_entry({entry, number, leaf}));
    if (number % kBetweenCheckpoints != 0) continue;
    const std::string text = audit::checkpoint_text({kOrigin, {tree.size(), tree.root()}, {}});
    log.add(
        audit::exported_checkpoint(text + "\n" + *audit::signature_line(key, *secret.sign(as_bytes(text)))));
  }
  log.finish();
  return key;
}

template <typename Work>
double seconds_of(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double read_seconds(const LogFile& log) {
  std::vector<char> buffer(4 * 1024 * 1024);
  log.rewind();
  return seconds_of([&] {
    while (log.read(buffer) > 0) continue;
  });
}

double verify_seconds(const LogFile& log, const audit::NoteKey& key) {
  log.rewind();
  return seconds_of([&] {
    const auto report =
        audit::verify_log([&](std::span<char> buffer) { return Result<std::size_t>(log.read(buffer)); },
                          {.keys = {key}, .threads = std::max(1u, std::thread::hardware_concurrency())});
    if (!report || !report->is_sound() || report->newest->tree.size != kEntries) fail();
  });
}

}  // namespace

/// An exported log of ten million entries, verified from the disk, beside reading the same file.
void bench_audit(Report& report) {
  const testing::TemporaryFolder folder;
  LogFile log(folder.path() / "log.jsonl");
  const audit::NoteKey key = write_log(log);
  const SideBySide sides =
      median_ratio([&] { return verify_seconds(log, key); }, [&] { return read_seconds(log); }, 3);
  report.add("audit_log_gib", log.size() / (1024.0 * 1024 * 1024));
  report.add("audit_verify_10m_s", sides.a);
  report.add("audit_read_10m_s", sides.b);
  report.add("audit_verify_mib_per_s", log.size() / (1024.0 * 1024) / sides.a);
  report.add("audit_verify_ratio", sides.ratio);
}

}  // namespace chancery::bench
