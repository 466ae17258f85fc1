#include "sdk/cli/reference_pages.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

namespace chancery::cli {
namespace {

// A command with the names that lead to it: "agent create"; empty for the program itself.
struct Entry {
  std::string path;
  const CLI::App* app;
};

std::vector<const CLI::App*> children(const CLI::App& app) {
  auto all = app.get_subcommands([](const CLI::App* child) { return !child->get_group().empty(); });
  std::ranges::sort(all, {}, [](const CLI::App* child) { return child->get_name(); });
  return all;
}

void collect(const CLI::App& app, const std::string& path, std::vector<Entry>& out) {
  out.push_back({path, &app});
  for (const CLI::App* child : children(app))
    collect(*child, path.empty() ? child->get_name() : path + " " + child->get_name(), out);
}

std::vector<Entry> all_commands(const CLI::App& app) {
  std::vector<Entry> out;
  collect(app, "", out);
  return out;
}

std::vector<const CLI::Option*> options_of(const CLI::App& app, bool positional) {
  return app.get_options([&](const CLI::Option* option) {
    return option->get_positional() == positional && !option->get_group().empty();
  });
}

// Each as it is typed: "-h", "--help".
std::vector<std::string> spellings(const CLI::Option& option) {
  std::vector<std::string> out;
  for (const std::string& name : option.get_snames()) out.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) out.push_back("--" + name);
  return out;
}

bool takes_value(const CLI::Option& option) { return option.get_type_size_max() > 0; }

// --- chancery(1)

std::string roff(std::string_view text) {
  std::string out;
  bool begins_line = true;
  for (const char c : text) {
    if (begins_line && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\' || c == '-') {
      out += c == '-' ? "\\-" : "\\e";
    } else {
      out += c;
    }
    begins_line = c == '\n';
  }
  return out;
}

std::string synopsis(const Entry& entry) {
  std::string out = ".B chancery " + roff(entry.path) + "\n";
  const auto options = options_of(*entry.app, false);
  std::string arguments = options.size() > 1 ? "[options]" : "";  // each has --help
  for (const CLI::Option* option : options_of(*entry.app, true)) {
    const std::string name = option->get_name();
    arguments += (arguments.empty() ? "" : " ") + (option->get_required() ? name : "[" + name + "]");
  }
  return arguments.empty() ? out : out + roff(arguments) + "\n";
}

std::string man_option(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : spellings(option)) names += (names.empty() ? "" : ", ") + name;
  if (names.empty()) names = option.get_name();
  const std::string value =
      takes_value(option) && !option.get_positional() ? " " + option.get_type_name() : "";
  return ".TP\n.B \"" + roff(names + value) + "\"\n" + roff(option.get_description()) + "\n";
}

bool is_help(const CLI::Option& option) { return option.get_name() == "--help"; }

std::string man_options(const CLI::App& app) {
  std::string out;
  for (const bool positional : {true, false}) {
    for (const CLI::Option* option : options_of(app, positional)) {
      if (!is_help(*option)) out += man_option(*option);
    }
  }
  return out;
}

std::string literal(std::string_view text) {
  return text.empty() ? "" : ".PP\n.nf\n" + roff(text) + "\n.fi\n";
}

std::string man_command(const Entry& entry) {
  std::string out = ".SS \"chancery " + roff(entry.path) + "\"\n" + synopsis(entry) + ".PP\n" +
                    roff(entry.app->get_description()) + ".\n" + man_options(*entry.app);
  return out + literal(entry.app->get_footer());
}

// --- completion

std::string words_of(const Entry& entry) {
  std::string out;
  for (const CLI::App* child : children(*entry.app)) out += (out.empty() ? "" : " ") + child->get_name();
  for (const CLI::Option* option : options_of(*entry.app, false)) {
    for (const std::string& name : spellings(*option)) out += (out.empty() ? "" : " ") + name;
  }
  return out;
}

std::string shell_words(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

// Lines "path) command ;;" of a `case`, for whatever `command` makes of an entry.
std::string cases(const CLI::App& app, const std::function<std::string(const Entry&)>& command) {
  std::string out;
  for (const Entry& entry : all_commands(app))
    out += "    " + shell_words(entry.path) + ") " + command(entry) + " ;;\n";
  return out;
}

// The names of commands among the words so far, as far as each follows on the one before.
std::string path_patterns(const CLI::App& app) {
  std::string out;
  for (const Entry& entry : all_commands(app)) {
    if (!entry.path.empty()) out += (out.empty() ? "" : "|") + shell_words(entry.path);
  }
  return out;
}

std::string one_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

}  // namespace

std::string man_page(const CLI::App& app) {
  std::string out =
      ".TH CHANCERY 1 \"\" \"Chancery " CHANCERY_VERSION
      "\" \"User commands\"\n.SH NAME\nchancery \\- command line for delegation chains of AI agents\n"
      ".SH SYNOPSIS\n.B chancery\n.I command\n[arguments] [options]\n.SH DESCRIPTION\n" +
      roff(app.get_description()) + "\n" + literal(app.get_footer()) +
      ".SH OPTIONS\nEach command takes these, before or after its name, and \\-\\-help.\n" +
      man_options(app) + ".SH COMMANDS\n";
  for (const Entry& entry : all_commands(app)) {
    if (!entry.path.empty() && children(*entry.app).empty()) out += man_command(entry);
  }
  return out + ".SH SEE ALSO\n.BR chanceryd (8),\n.BR chancery.toml (5)\n";
}

std::string bash_completion(const CLI::App& app) {
  const auto words = [](const Entry& entry) { return "words=" + shell_words(words_of(entry)); };
  return "# bash completion for chancery, made from its table of commands.\n"
         "_chancery() {\n"
         "  local path='' words='' word\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case \"${path:+$path }$word\" in\n"
         "    " +
         path_patterns(app) +
         ") path=\"${path:+$path }$word\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$path\" in\n" +
         cases(app, words) +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "}\n"
         "complete -o default -F _chancery chancery\n";
}

std::string zsh_completion(const CLI::App& app) {
  const auto describe = [](const Entry& entry) {
    std::string items;
    const auto add = [&](const std::string& name, std::string_view text) {
      std::string said;
      for (const char c : one_line(text)) said += c == ':' ? "\\:" : std::string(1, c);
      items += " " + shell_words(name + ":" + said);
    };
    for (const CLI::App* child : children(*entry.app)) add(child->get_name(), child->get_description());
    for (const CLI::Option* option : options_of(*entry.app, false)) {
      for (const std::string& name : spellings(*option)) add(name, option->get_description());
    }
    return "items=(" + items + " )";
  };
  return "#compdef chancery\n"
         "# Made from its table of commands.\n"
         "local path_so_far='' word\n"
         "local -a items\n"
         "for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
         "  case \"${path_so_far:+$path_so_far }$word\" in\n"
         "    (" +
         path_patterns(app) +
         ") path_so_far=\"${path_so_far:+$path_so_far }$word\" ;;\n"
         "  esac\n"
         "done\n"
         "case \"$path_so_far\" in\n" +
         cases(app, describe) +
         "esac\n"
         "_describe 'chancery' items || _files\n";
}

std::string fish_completion(const CLI::App& app) {
  std::string paths;
  for (const Entry& entry : all_commands(app)) {
    if (!entry.path.empty()) paths += " " + shell_words(entry.path);
  }
  std::string out =
      "# fish completion for chancery, made from its table of commands.\n"
      "function __chancery_at\n"
      "  set -l path ''\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    set -l next (string trim \"$path $word\")\n"
      "    if contains -- $next" +
      paths +
      "\n"
      "      set path $next\n"
      "    end\n"
      "  end\n"
      "  test \"$path\" = \"$argv[1]\"\n"
      "end\n";
  for (const Entry& entry : all_commands(app)) {
    const std::string at = "complete -c chancery -n \"__chancery_at '" + entry.path + "'\"";
    for (const CLI::App* child : children(*entry.app)) {
      out += at + " -f -a " + shell_words(child->get_name()) + " -d " +
             shell_words(one_line(child->get_description())) + "\n";
    }
    for (const CLI::Option* option : options_of(*entry.app, false)) {
      out += at;
      for (const std::string& name : option->get_snames()) out += " -s " + name;
      for (const std::string& name : option->get_lnames()) out += " -l " + name;
      out += (takes_value(*option) ? " -r -d " : " -d ") + shell_words(one_line(option->get_description())) +
             "\n";
    }
  }
  return out;
}

void add_reference(CLI::App& app, const std::function<void(const std::string& page)>& write) {
  using Maker = std::string (*)(const CLI::App&);
  static const std::map<std::string, Maker> kMakers{
      {"man", man_page}, {"bash", bash_completion}, {"zsh", zsh_completion}, {"fish", fish_completion}};
  CLI::App* command = app.add_subcommand("reference", "Print a manual page or a shell's completion");
  command->group("");
  auto kind = std::make_shared<std::string>();
  command->add_option("KIND", *kind, "man, bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"man", "bash", "zsh", "fish"}));
  command->callback([&app, kind, write] { write(kMakers.at(*kind)(app)); });
}

}  // namespace chancery::cli
