#include "sdk/cli/context.hpp"

#include <cstdlib>
#include <utility>

#include "sdk/cli/stored_context.hpp"

namespace chancery::cli {
namespace {

bool is_set(const char* name) {
  const char* value = environment(name);
  return value != nullptr && value[0] != '\0';
}

Checked<SessionOptions> stored(const std::string& name) {
  SessionOptions out;
  CHANCERY_ASSIGN(out.daemon, load_context(name, environment));
  return out;
}

Checked<Client> opened(ClientOptions options) {
  if (is_set("CHANCERY_TASK")) options.task = environment("CHANCERY_TASK");
  if (is_set("TRACEPARENT")) options.traceparent = environment("TRACEPARENT");
  auto client = Client::connect(options);
  if (!client) return failure(client.error());
  return *std::move(client);
}

}  // namespace

const char* environment(const char* name) { return std::getenv(name); }

Checked<SessionOptions> options_of(const Context& context) {
  SessionOptions given;
  given.daemon = context.daemon;
  const bool is_named = !given.daemon.socket.empty() || !given.daemon.address.empty();
  if (is_named && !context.name.empty()) return misuse("give --context, or --socket or --addr: not both");
  if (is_named) return given;
  if (!context.name.empty()) return stored(context.name);
  if (is_set("CHANCERY_SESSION_FD")) {
    const auto session = Session::inherited();
    if (!session) return failure(session.error(), "CHANCERY_SESSION_FD");
    return (*session)->options();
  }
  if (is_set("CHANCERY_SOCKET") || is_set("CHANCERY_ADDR")) return given;
  CHANCERY_ASSIGN(const std::string current, current_context(environment));
  return current.empty() ? Checked<SessionOptions>(given) : stored(current);
}

Checked<Client> connect(const Context& context) {
  CHANCERY_ASSIGN(SessionOptions options, options_of(context));
  return opened(std::move(options.daemon));
}

Checked<Client> connect_as_anybody(const Context& context) {
  CHANCERY_ASSIGN(SessionOptions options, options_of(context));
  options.daemon.credential.reset();
  return opened(std::move(options.daemon));
}

}  // namespace chancery::cli
