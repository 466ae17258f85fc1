#include "daemon/telemetry/log.hpp"

#include <cerrno>
#include <mutex>
#include <shared_mutex>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include "daemon/telemetry/request_scope.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::telemetry {
namespace {

// Longer values are cut, after redaction, so that no token shows because its end was cut off.
constexpr std::size_t kLongestValue = 2048;
// Before redaction: what is longer is not searched further, and ends as a secret may begin.
constexpr std::size_t kLongestSearched = 64 * 1024;
// journald cuts at 48 KiB, and would leave half of an object.
constexpr std::size_t kLongestLine = 16 * 1024;

// spdlog's own sinks buffer in stdio; a line must be out before the process may be killed.
class DescriptorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit DescriptorSink(int descriptor) : descriptor_(descriptor) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::string_view rest(line.data(), line.size());
    while (!rest.empty()) {
      const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  void flush_() override {}

  int descriptor_;
};

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::kTrace:
      return spdlog::level::trace;
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// "%v" is a part of a JSON object in the second.
const char* pattern(Format format) {
  switch (format) {
    case Format::kText:
      return "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v";
    case Format::kJson:
      return R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";
  }
  return "%v";
}

bool is_plain(std::string_view text) {
  return !text.empty() && text.find_first_of(" \"=\\") == std::string_view::npos;
}

}  // namespace

class Log::Writer {
 public:
  explicit Writer(const LogOptions& options)
      : format_(options.format),
        redactor_(options.redactor ? options.redactor : std::make_shared<const Redactor>()),
        logger_("chanceryd", std::make_shared<DescriptorSink>(options.descriptor)) {
    use(options);
  }

  // A line is begun and ended in one format.
  void use(const LogOptions& options) {
    const std::unique_lock lock(changing_);
    format_ = options.format;
    logger_.set_level(spdlog_level(options.level));
    logger_.set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern(options.format),
                                                                      spdlog::pattern_time_type::utc, "\n"));
  }

  void write(Level level, std::string_view message, const Error* failure,
             std::initializer_list<Field> fields) {
    if (!writes(level)) return;
    const std::shared_lock lock(changing_);
    std::string line = format_ == Format::kJson ? "\"message\":" + quoted(message) : safe(message);
    if (failure != nullptr) {
      append(line, {"error", error_name(failure->code)});
      append(line, {"what", failure->what});
      if (failure->native != 0) append(line, {"native", failure->native});
    }
    append_mark(line);
    for (const Field& field : fields) append(line, field);
    logger_.log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
  }

  [[nodiscard]] bool writes(Level level) const { return logger_.should_log(spdlog_level(level)); }

 private:
  // The one place that all text goes through.
  std::string safe(std::string_view text) const {
    const bool is_searched_whole = text.size() <= kLongestSearched;
    std::string out = printable(redactor_->text(text.substr(0, kLongestSearched)));
    if (!is_searched_whole && out.size() <= kLongestValue) return std::string(kRedacted);
    if (out.size() <= kLongestValue) return out;
    std::size_t end = kLongestValue;
    while ((static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;  // not within a character
    out.resize(end);
    return out + "…";
  }

  std::string quoted(std::string_view text) const {
    std::string out;
    json::append_string(out, safe(text));
    return out;
  }

  std::string value_text(const Field& field) const {
    if (const auto* flag = std::get_if<bool>(&field.value)) return *flag ? "true" : "false";
    if (const auto* number = std::get_if<std::int64_t>(&field.value)) return std::to_string(*number);
    const std::string_view text = std::get<std::string_view>(field.value);
    return format_ == Format::kText && is_plain(text) ? safe(text) : quoted(text);
  }

  void append_mark(std::string& line) const {
    const RequestMark* const mark = current_request();
    if (mark == nullptr) return;
    append(line, {"request_id", mark->id});
    if (!mark->trace_id.empty()) append(line, {"trace_id", mark->trace_id});
    if (!mark->task.empty()) append(line, {"task", mark->task});
  }

  // What would make the line too long is left out, and the rest after it says so by missing.
  void append(std::string& line, const Field& field) const {
    const std::string text = format_ == Format::kJson
                                 ? "," + quoted(field.name) + ":" + value_text(field)
                                 : " " + std::string(field.name) + "=" + value_text(field);
    if (line.size() + text.size() <= kLongestLine) line += text;
  }

  std::shared_mutex changing_;
  Format format_;
  std::shared_ptr<const Redactor> redactor_;
  spdlog::logger logger_;
};

Log::Log(const LogOptions& options) : writer_(std::make_unique<Writer>(options)) {}
Log::~Log() = default;

void Log::use(const LogOptions& options) { writer_->use(options); }
bool Log::writes(Level level) const { return writer_->writes(level); }

void Log::trace(std::string_view message, std::initializer_list<Field> fields) const {
  writer_->write(Level::kTrace, message, nullptr, fields);
}

void Log::debug(std::string_view message, std::initializer_list<Field> fields) const {
  writer_->write(Level::kDebug, message, nullptr, fields);
}

void Log::info(std::string_view message, std::initializer_list<Field> fields) const {
  writer_->write(Level::kInfo, message, nullptr, fields);
}

void Log::warning(std::string_view message, std::initializer_list<Field> fields) const {
  writer_->write(Level::kWarning, message, nullptr, fields);
}

void Log::error(std::string_view message, std::initializer_list<Field> fields) const {
  writer_->write(Level::kError, message, nullptr, fields);
}

void Log::warning(std::string_view message, const Error& failure, std::initializer_list<Field> fields) const {
  writer_->write(Level::kWarning, message, &failure, fields);
}

void Log::error(std::string_view message, const Error& failure, std::initializer_list<Field> fields) const {
  writer_->write(Level::kError, message, &failure, fields);
}

}  // namespace chancery::telemetry
