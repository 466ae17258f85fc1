#include "daemon/runtime/tools/tool_file.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chancery/token.hpp>

#include "daemon/runtime/schema/pointer.hpp"
#include "daemon/runtime/tools/fields.hpp"
#include "daemon/runtime/tools/upstream_fields.hpp"
#include "sdk/base/descriptor.hpp"
#include "sdk/base/name.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::tools {
namespace {

constexpr std::array<std::string_view, 3> kRisks{"low", "medium", "high"};
constexpr std::array<std::string_view, 2> kApprovals{"none", "required"};
constexpr std::array<std::string_view, 5> kForms{"number", "string", "path", "url", "host"};
constexpr std::array<std::string_view, 3> kUpstreams{"http", "mcp_stdio", "mcp_http"};

constexpr std::size_t kLargestFile = 256 * 1024;
constexpr std::size_t kMostTools = 1000;
constexpr std::size_t kLongestDescription = 4096;

Result<std::string, LoadError> read_file(const std::filesystem::path& file) {
  const auto refusal = [&](ErrorCode code, const char* message) {
    return LoadError{code, file.string(), 0, message};
  };
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!descriptor || ::fstat(descriptor.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return refusal(ErrorCode::kFileUnreadable,
                   "cannot be read: it must be a regular file that the runtime may read");
  }
  if ((status.st_mode & S_IWOTH) != 0) {
    return refusal(ErrorCode::kFilePermissions, "everybody may write to it: take that permission away");
  }
  if (status.st_size > static_cast<off_t>(kLargestFile)) {
    return refusal(ErrorCode::kConfigInvalid, "is larger than 256 KiB: it is no declaration");
  }
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  if (::read(descriptor.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return refusal(ErrorCode::kFileUnreadable, "cannot be read: it changed meanwhile");
  }
  return text;
}

/// Reads the sections of one declaration.
class Declaration {
 public:
  Declaration(Fields tool, std::filesystem::path file) : tool_(std::move(tool)), file_(std::move(file)) {}

  Result<Tool, LoadError> read();

 private:
  Result<std::string, LoadError> read_description();
  Result<std::string, LoadError> read_scope();
  Result<json::Document, LoadError> read_schema_document(const Fields& fields);
  Result<schema::Schema, LoadError> read_arguments();
  Result<std::vector<ConstraintSource>, LoadError> read_constraints(const schema::Schema& arguments);
  Result<void, LoadError> read_upstream(Tool& tool);
  Result<ResponseRules, LoadError> read_response();
  Result<void, LoadError> check_credential(const Tool& tool);
  Result<void, LoadError> check_http(const Tool& tool, const HttpUpstream& http);
  /// Whether the arguments can have what a pointer points to, as far as the schema's root tells.
  Result<void, LoadError> check_known(const schema::Schema& arguments, const Pointer& pointer,
                                      const std::string& what);

  Fields tool_;
  std::filesystem::path file_;
};

Result<std::string, LoadError> Declaration::read_description() {
  const toml::node* node = tool_.raw("description");
  const auto text = node == nullptr ? std::nullopt : node->value_exact<std::string>();
  if (!text || text->empty())
    return tool_.wrong("description", "is missing: say in a sentence what the tool does");
  std::string without_lines = *text;
  std::erase_if(without_lines, [](char c) { return c == '\n' || c == '\t'; });
  if (has_control(without_lines) || text->size() > kLongestDescription) {
    return tool_.wrong("description",
                       "must have 4096 octets at most, and no control characters but line ends");
  }
  return *text;
}

Result<std::string, LoadError> Declaration::read_scope() {
  CHANCERY_ASSIGN(std::string scope, tool_.required_text("scope"));
  const auto form = classify_scope(scope);
  if (!form || *form == ScopeForm::kWildcard) {
    return tool_.wrong("scope", "must be one scope such as \"payments.refund\", no wildcard");
  }
  return scope;
}

Result<json::Document, LoadError> Declaration::read_schema_document(const Fields& fields) {
  const auto beside = fields.whole()["schema"].value_exact<std::string>();
  if (!beside) {
    auto node = to_json(fields.whole());
    if (!node) {
      LoadError error = node.error();
      error.file = fields.file();
      error.message = "tool.arguments holds what JSON does not have: a value " + error.message;
      return error;
    }
    return json::Document::parse(json::to_jcs(*node)).value();
  }
  const std::filesystem::path name = *beside;
  if (fields.whole().size() != 1 || name.filename() != name || !beside->ends_with(".json") ||
      beside->starts_with('.')) {
    return fields.wrong("schema",
                        "must be the one option of its section, and name a .json file in the same folder");
  }
  CHANCERY_ASSIGN(std::string text, read_file(file_.parent_path() / name));
  auto document = json::Document::parse(std::move(text));
  if (!document) {
    return LoadError{ErrorCode::kConfigInvalid, (file_.parent_path() / name).string(), 0,
                     document.error().what};
  }
  return *std::move(document);
}

// The line of the deepest part of a section that a pointer into it reaches.
int line_at(const toml::table& table, std::string_view pointer) {
  const toml::node* node = &table;
  const auto tokens = schema::split_pointer(pointer);
  for (const std::string& token : tokens.value_or(std::vector<std::string>())) {
    const toml::node* next = nullptr;
    if (const toml::table* inner = node->as_table()) next = inner->get(token);
    if (const toml::array* list = node->as_array()) {
      const auto index = static_cast<std::size_t>(std::strtoul(token.c_str(), nullptr, 10));
      next = index < list->size() ? list->get(index) : nullptr;
    }
    if (next == nullptr) break;
    node = next;
  }
  return line_of(*node);
}

// Arguments that nobody declared do not pass, unless the schema says that they may.
std::string closed(const json::Value& root) {
  json::Node node = json::Node::object();
  for (const json::Member& member : root.members())
    node.set(std::string(member.name), json::Node::copy(member.value));
  const auto has = [&](std::string_view keyword) { return root.find(keyword) != nullptr; };
  if (has("additionalProperties") || has("unevaluatedProperties")) return json::to_jcs(node);
  constexpr std::array<std::string_view, 8> kInPlace{"$ref",  "$dynamicRef", "allOf", "anyOf",
                                                     "oneOf", "if",          "not",   "dependentSchemas"};
  const bool composed = std::ranges::any_of(kInPlace, has);
  node.set(composed ? "unevaluatedProperties" : "additionalProperties", false);
  return json::to_jcs(node);
}

Result<schema::Schema, LoadError> Declaration::read_arguments() {
  CHANCERY_ASSIGN(const auto fields, tool_.table("arguments"));
  std::string text = R"({"additionalProperties":false,"type":"object"})";
  if (fields) {
    CHANCERY_ASSIGN(const json::Document given, read_schema_document(*fields));
    const json::Value* type = given.root().find("type");
    if (type == nullptr || type->string() != "object") {
      return fields->wrong_here("is the schema of an object: write type = \"object\" and properties");
    }
    text = closed(given.root());
  }
  const auto document = json::Document::parse(std::move(text));
  if (!document) return tool_.wrong("arguments", document.error().what);
  schema::Options options;
  options.refuse_unknown = true;
  options.assert_formats = true;
  auto compiled = schema::Schema::compile(document->root(), options);
  if (compiled) return *std::move(compiled);
  const schema::SchemaError& error = compiled.error();
  const int line = fields ? line_at(fields->whole(), error.location) : 0;
  return LoadError{ErrorCode::kConfigInvalid, tool_.file(), line,
                   "tool.arguments" + printable(error.location) + " " + error.message};
}

Result<void, LoadError> Declaration::check_known(const schema::Schema& arguments, const Pointer& pointer,
                                                 const std::string& what) {
  if (pointer.tokens.empty()) return tool_.wrong(what, "must name one argument, as \"/amount\" does");
  const json::Value* properties = arguments.document().find("properties");
  const bool open =
      arguments.document().find("additionalProperties") == nullptr;  // composed of other schemas
  if (open || (properties != nullptr && properties->find(pointer.tokens.front()) != nullptr)) return {};
  return tool_.wrong(
      what, "names " + printable(pointer.text) + ", which tool.arguments does not have among its properties");
}

Result<std::vector<ConstraintSource>, LoadError> Declaration::read_constraints(
    const schema::Schema& arguments) {
  CHANCERY_ASSIGN(auto sections, tool_.tables("constraint"));
  std::vector<ConstraintSource> constraints;
  for (Fields& fields : sections) {
    ConstraintSource source;
    CHANCERY_ASSIGN(auto argument, fields.pointer("argument"));
    if (!argument) return fields.wrong("argument", "is missing: name an argument, as \"/amount\" does");
    source.argument = *std::move(argument);
    CHANCERY_ASSIGN(source.parameter, fields.required_text("parameter"));
    CHANCERY_ASSIGN(const auto form, fields.choice("as", kForms));
    if (!form) return fields.wrong("as", "is missing: say number, string, path, url or host");
    source.form = static_cast<ValueForm>(*form);
    CHANCERY_TRY(fields.finish());
    if (source.parameter == "calls")
      return fields.wrong("parameter", "may not be \"calls\", which counts actions");
    const auto same = [&](const ConstraintSource& other) {
      return other.parameter == source.parameter || other.argument.text == source.argument.text;
    };
    if (std::ranges::any_of(constraints, same)) {
      return fields.wrong("parameter", "and argument stand in one constraint each: another one has them");
    }
    auto known = check_known(arguments, source.argument, "constraint.argument");
    if (!known)
      return fields.wrong("argument",
                          "names " + source.argument.text + ", which tool.arguments does not have");
    constraints.push_back(std::move(source));
  }
  return constraints;
}

Result<void, LoadError> Declaration::check_http(const Tool& tool, const HttpUpstream& http) {
  const json::Value& schema = tool.arguments.document();
  const json::Value* required = schema.find("required");
  for (const std::string& place : http.url.places()) {
    const bool there =
        required != nullptr && std::ranges::any_of(required->items(), [&](const json::Value& name) {
          return name.string() == std::string_view(place);
        });
    if (!there)
      return tool_.wrong("http.url",
                         "has {" + printable(place) + "}: put that argument into required of tool.arguments");
  }
  const auto check_all = [&](const std::vector<NamedPointer>& sources,
                             const std::string& what) -> Result<void, LoadError> {
    for (const auto& [name, pointer] : sources) CHANCERY_TRY(check_known(tool.arguments, pointer, what));
    return {};
  };
  CHANCERY_TRY(check_all(http.query, "http.query"));
  CHANCERY_TRY(check_all(http.headers, "http.headers"));
  CHANCERY_TRY(check_all(http.body_members, "http.body_members"));
  return http.body_value ? check_known(tool.arguments, *http.body_value, "http.body_value")
                         : Result<void, LoadError>();
}

Result<void, LoadError> Declaration::check_credential(const Tool& tool) {
  const bool placed = std::visit(
      [](const auto& upstream) {
        if constexpr (requires { upstream.credential_in; }) return upstream.credential_in.has_value();
        return false;
      },
      tool.upstream);
  if (placed == !tool.credential.empty()) return {};
  if (placed)
    return tool_.wrong("credential",
                       "is missing: credential_in says where one goes, so name the vault's record");
  return tool_.wrong("credential", "has no place: say with credential_in where it goes");
}

Result<void, LoadError> Declaration::read_upstream(Tool& tool) {
  CHANCERY_ASSIGN(auto http, tool_.table("http"));
  CHANCERY_ASSIGN(auto stdio, tool_.table("mcp_stdio"));
  CHANCERY_ASSIGN(auto remote, tool_.table("mcp_http"));
  if (std::ranges::count_if(kUpstreams, [&](std::string_view name) { return tool_.has(name); }) != 1) {
    return tool_.wrong_here("must have exactly one of [tool.http], [tool.mcp_stdio] and [tool.mcp_http]");
  }
  if (http) {
    CHANCERY_ASSIGN(tool.upstream, read_http(*std::move(http)));
    CHANCERY_TRY(check_http(tool, std::get<HttpUpstream>(tool.upstream)));
  }
  if (stdio) {
    CHANCERY_ASSIGN(tool.upstream, read_mcp_stdio(*std::move(stdio)));
  }
  if (remote) {
    CHANCERY_ASSIGN(tool.upstream, read_mcp_http(*std::move(remote)));
  }
  return check_credential(tool);
}

Result<ResponseRules, LoadError> Declaration::read_response() {
  CHANCERY_ASSIGN(auto fields, tool_.table("response"));
  constexpr const char* kMissing =
      "is missing: list the fields of the answer that may pass, or [\"\"] for all of it";
  if (!fields) return tool_.wrong("response", kMissing);
  CHANCERY_ASSIGN(auto allow, fields->pointers("allow"));
  if (!allow) return fields->wrong("allow", kMissing);
  CHANCERY_ASSIGN(auto pii, fields->pointers("pii"));
  CHANCERY_TRY(fields->finish());
  return ResponseRules{*std::move(allow), std::move(pii).value_or(std::vector<Pointer>())};
}

Result<Tool, LoadError> Declaration::read() {
  CHANCERY_ASSIGN(const std::string name, tool_.required_text("name"));
  if (!is_name(name))
    return tool_.wrong("name", "must be 1 to 63 of a-z, 0-9, '.', '_' and '-', the first a letter or digit");
  CHANCERY_ASSIGN(const std::string description, read_description());
  CHANCERY_ASSIGN(const std::string scope, read_scope());
  CHANCERY_ASSIGN(const auto risk, tool_.choice("risk", kRisks));
  if (!risk) return tool_.wrong("risk", "is missing: say low, medium or high");
  CHANCERY_ASSIGN(const auto approval, tool_.choice("approval", kApprovals));
  CHANCERY_ASSIGN(const auto credential, tool_.text("credential"));
  if (credential && !is_name(*credential))
    return tool_.wrong("credential", "must be the name of a record of the vault");
  CHANCERY_ASSIGN(schema::Schema arguments, read_arguments());
  CHANCERY_ASSIGN(auto constraints, read_constraints(arguments));
  Tool tool{name,
            description,
            scope,
            static_cast<Risk>(*risk),
            static_cast<Approval>(approval.value_or(0)),
            credential.value_or(""),
            std::move(arguments),
            std::move(constraints),
            {},
            {},
            file_.string()};
  CHANCERY_TRY(read_upstream(tool));
  CHANCERY_ASSIGN(tool.response, read_response());
  CHANCERY_TRY(tool_.finish());
  return tool;
}

// What the reader expected, without what it saw instead: that may be a line's end.
LoadError not_toml(const toml::parse_error& error, const std::string& file) {
  const std::string_view said = error.description();
  return {ErrorCode::kConfigInvalid, file, static_cast<int>(error.source().begin.line),
          "not TOML: " + printable(said.substr(0, said.find(", saw ")))};
}

}  // namespace

std::string_view risk_name(Risk risk) noexcept { return kRisks[static_cast<std::size_t>(risk)]; }
std::string_view approval_name(Approval approval) noexcept {
  return kApprovals[static_cast<std::size_t>(approval)];
}
std::string_view value_form_name(ValueForm form) noexcept { return kForms[static_cast<std::size_t>(form)]; }

std::string load_error_text(const LoadError& error) {
  return printable(error.file) + (error.line > 0 ? ":" + std::to_string(error.line) : "") + ": " +
         error.message;
}

Result<Tool, LoadError> parse_tool(std::string_view toml, const std::filesystem::path& file) {
  const toml::parse_result document = toml::parse(toml);
  if (!document) return not_toml(document.error(), file.string());
  Fields top(document.table(), "", file.string());
  CHANCERY_ASSIGN(auto tool, top.table("tool"));
  if (!tool)
    return LoadError{ErrorCode::kConfigInvalid, file.string(), 0,
                     "has no section [tool]: it declares nothing"};
  CHANCERY_TRY(top.finish());
  return Declaration(*std::move(tool), file).read();
}

Result<std::vector<Tool>, std::vector<LoadError>> load_tools(const std::filesystem::path& folder) {
  using Errors = std::vector<LoadError>;
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return Errors{
        {ErrorCode::kFileUnreadable, folder.string(), 0, "cannot be read: name a folder of declarations"}};
  }
  if ((status.st_mode & S_IWOTH) != 0) {
    return Errors{{ErrorCode::kFilePermissions, folder.string(), 0,
                   "everybody may write to it: take that permission away"}};
  }
  std::vector<std::filesystem::path> files;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failure)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".toml") && !name.starts_with('.')) files.push_back(entry.path());
  }
  if (failure || files.size() > kMostTools) {
    return Errors{{ErrorCode::kFileUnreadable, folder.string(), 0,
                   "cannot be read whole: it must hold 1000 declarations at most"}};
  }
  std::ranges::sort(files);
  std::map<std::string, Tool> tools;
  Errors errors;
  for (const auto& file : files) {
    auto text = read_file(file);
    auto tool = text ? parse_tool(*text, file) : Result<Tool, LoadError>(text.error());
    if (!tool) {
      errors.push_back(tool.error());
      continue;
    }
    const auto [known, is_new] = tools.emplace(tool->name, *tool);
    if (!is_new) {
      errors.push_back({ErrorCode::kConfigInvalid, file.string(), 0,
                        "declares the tool \"" + tool->name + "\", which " + printable(known->second.file) +
                            " declares too"});
    }
  }
  if (!errors.empty()) return errors;
  std::vector<Tool> loaded;
  for (auto& [name, tool] : tools) loaded.push_back(std::move(tool));
  return loaded;
}

}  // namespace chancery::tools
