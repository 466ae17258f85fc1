#include "daemon/runtime/reload.hpp"

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/edge/tls.hpp"
#include "daemon/runtime/serving.hpp"
#include "daemon/runtime/tools/tool_file.hpp"
#include "sdk/base/printable.hpp"

namespace chancery::runtime {
namespace {

constexpr const char* kNotGood = "the configuration is as it was: what was read is not good";

}  // namespace

Reload::Reload(std::filesystem::path file, Settings running, Parts parts)
    : file_(std::move(file)), running_(std::move(running)), parts_(parts) {}

void Reload::again() {
  const auto read = load_settings(file_);
  if (const auto* error = std::get_if<SettingsError>(&read))
    return complain(file_, error->line, error->message);
  take(std::get<Settings>(read));
}

// Everything that may be wrong is found out before the first part of it can be seen.
void Reload::take(const Settings& read) {
  const auto result = take_over(running_, read);
  if (const auto* error = std::get_if<SettingsError>(&result))
    return complain(file_, error->line, error->message);
  const auto& taken = std::get<TakenOver>(result);
  auto loaded = tools::load_tools(taken.settings.tools);
  if (!loaded) {
    for (const tools::LoadError& error : loaded.error()) complain(error.file, error.line, error.message);
    return;
  }
  std::optional<boost::asio::ssl::context> tls;
  if (!taken.settings.tls_listen.empty()) {
    auto context = edge::server_tls(taken.settings.tls_certificate, taken.settings.tls_key);
    if (!context) return parts_.log.error(kNotGood, context.error());
    tls = *std::move(context);
  }
  std::vector<tools::Tool> tools = served(*std::move(loaded));
  const std::size_t count = tools.size();
  parts_.server.use(limits_for(tools));
  if (tls) parts_.server.use(*std::move(tls));
  parts_.application.use(std::move(tools));
  parts_.log.use(log_options(taken.settings));
  running_ = taken.settings;
  parts_.log.info("the configuration was read again", {{"changed", joined(taken.changed)}, {"tools", count}});
  if (!taken.need_restart.empty())
    parts_.log.warning("some changes take a restart", {{"options", joined(taken.need_restart)}});
}

void Reload::complain(const std::filesystem::path& file, int line, const std::string& what) const {
  parts_.log.error(kNotGood, {{"file", file.string()}, {"line", line}, {"what", what}});
}

}  // namespace chancery::runtime
