// `chancery console`: signs this user in to the console, in a browser.

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <string>

#include <fcntl.h>
#include <spawn.h>

#include <chancery/console_client.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

constexpr unsigned kOwnerOnly = 0600;
constexpr const char* kPage = "console.html";

// What a desktop empties at the end of a session, if there is one.
Checked<std::filesystem::path> console_folder() {
  const char* const runtime = environment("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime == '/') return std::filesystem::path(runtime) / "chancery";
  return config_folder(environment);
}

// It goes into a page: a daemon that answered with anything else would write that page.
bool is_link(std::string_view url) {
  return url.starts_with("https://") && url.find("/ui#link=") != std::string_view::npos &&
         std::ranges::all_of(url, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view(":/.-_#=[]").find(c) != std::string_view::npos;
         });
}

// A browser is handed a page, and not the link: arguments are everybody's to read.
std::string page_with(const std::string& url) {
  return "<!doctype html>\n<meta charset=\"utf-8\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
         "<meta http-equiv=\"refresh\" content=\"0;url=" +
         url + "\">\n<title>Chancery</title>\n<a href=\"" + url + "\">Open the console</a>\n";
}

// Whether something was started that opens files. It is not waited for: it may go on as long as the browser.
bool open_in_browser(const std::string& path) {
  posix_spawn_file_actions_t actions;
  if (::posix_spawn_file_actions_init(&actions) != 0) return false;
  for (const int descriptor : {0, 1, 2})
    ::posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0);
  std::string program = "xdg-open";
  std::string argument = path;
  std::array<char*, 3> words{program.data(), argument.data(), nullptr};
  pid_t child = 0;
  const bool started = ::posix_spawnp(&child, program.c_str(), &actions, nullptr, words.data(), environ) == 0;
  ::posix_spawn_file_actions_destroy(&actions);
  return started;
}

void tell(Output& output, const api::ConsoleLink& link, const std::string& path, bool is_opened) {
  if (output.json()) {
    json::Node node =
        json::Node::object({{"path", path}, {"expires_at", link.expires_at}, {"role", link.role}});
    if (!link.principal.empty()) node.set("principal", link.principal);
    return output.document(json::to_jcs(node));
  }
  const std::string who = link.principal.empty() ? link.role : link.role + " " + link.principal;
  output.line((is_opened ? "Opening the console as " : "Open this file in a browser within a minute, as ") +
              printable(who) + (is_opened ? ". If no browser comes, open this file within a minute:" : ":"));
  output.line("  " + printable(path));
}

Checked<ExitCode> open_console(Context& context, bool with_browser) {
  const auto client = connect(context);
  if (!client) return client.error();
  CHANCERY_ASSIGN(const std::filesystem::path folder, console_folder());
  CHANCERY_TRY(make_private_folder(folder));
  const auto link = ConsoleClient(*client).link();
  if (!link) return failure(link.error());
  if (!is_link(link->url))
    return failure(Error{ErrorCode::kBadResponse, "the daemon answered with no link to a console"});
  const std::string path = (folder / kPage).string();
  CHANCERY_TRY(replace_file(path, page_with(link->url), kOwnerOnly));
  tell(context.output, *link, path, with_browser && open_in_browser(path));
  return ExitCode::kSuccess;
}

}  // namespace

void add_console(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand(
      "console", "Open the console in a browser (operator, approver; on the daemon's machine)");
  const auto no_browser = std::make_shared<bool>(false);
  command->add_flag("--no-browser", *no_browser, "Only write the file that opens it, and say where it is");
  command->footer(
      "The file holds a link that signs in once, within a minute, and is for its owner alone.\n"
      "Example:\n  chancery console");
  command->callback([no_browser, &chosen] {
    chosen = [no_browser](Context& context) { return open_console(context, !*no_browser); };
  });
}

}  // namespace chancery::cli
