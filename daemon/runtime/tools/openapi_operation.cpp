#include "daemon/runtime/tools/openapi_operation.hpp"

#include <algorithm>
#include <array>

#include "daemon/runtime/schema/pointer.hpp"
#include "daemon/runtime/tools/toml_text.hpp"
#include "daemon/runtime/tools/tool_file.hpp"
#include "sdk/base/name.hpp"

namespace chancery::tools {
namespace {

using Kind = json::Value::Kind;
using Outcome = OperationImport::Outcome;

constexpr std::size_t kLongestDescription = 1024;

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return is_upper(c) ? static_cast<char>(c + 32) : c; });
  return out;
}

// "createRefund", "Create a refund", "refunds/{id}": each to words with "_" between, as names and scopes have them.
std::string snake_case(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool begins_word = is_upper(c) && i > 0 && is_lower_or_digit(text[i - 1]);
    if ((begins_word || !(is_upper(c) || is_lower_or_digit(c))) && !out.empty() && out.back() != '_')
      out += '_';
    if (is_upper(c)) out += static_cast<char>(c + 32);
    if (is_lower_or_digit(c)) out += c;
  }
  while (out.ends_with('_')) out.pop_back();
  return out;
}

std::string_view text_of(const json::Value& value, std::string_view name) {
  const json::Value* member = value.find(name);
  return member == nullptr ? std::string_view() : member->string().value_or("");
}

bool flag_of(const json::Value& value, std::string_view name) {
  const json::Value* member = value.find(name);
  return member != nullptr && member->boolean() == true;
}

// The schema of one kind of content; nullptr when it is not offered.
const json::Value* content_schema(const json::Value& holder, std::string_view type) {
  const json::Value* content = holder.find("content");
  if (content == nullptr) return nullptr;
  for (const json::Member& member : content->members()) {
    if (lower_case(member.name.substr(0, member.name.find(';'))) == type) return member.value.find("schema");
  }
  return nullptr;
}

std::string pointer_to(std::string_view name) { return "/" + schema::escape_token(name); }

std::string inline_table(const std::map<std::string, std::string>& pairs) {
  std::string out;
  for (const auto& [name, pointer] : pairs)
    out += (out.empty() ? " " : ", ") + toml_key(name) + " = " + toml_string(pointer);
  return "{" + out + " }";
}

std::string inline_list(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + toml_string(text);
  return "[" + out + "]";
}

}  // namespace

std::string OperationImport::operation_name() const {
  std::string name = snake_case(text_of(source_.operation, "operationId"));
  if (name.empty()) name = snake_case(std::string(source_.method) + " " + std::string(source_.path));
  if (name.front() >= '0' && name.front() <= '9') name = std::string(source_.method) + "_" + name;
  return name;
}

std::string OperationImport::description() const {
  std::string text(text_of(source_.operation, "summary"));
  if (text.empty()) text = std::string(text_of(source_.operation, "description"));
  if (text.empty()) text = std::string(source_.method) + " " + std::string(source_.path);
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; }, ' ');
  if (text.size() <= kLongestDescription) return text;
  std::size_t end = kLongestDescription;
  while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside of a character
  return text.substr(0, end);
}

// One value without parts: what a URL, a header or a form can carry.
bool OperationImport::is_word(const json::Value& schema) const {
  const json::Value* target = followed(source_.document, schema);
  const std::string_view type = target == nullptr ? "" : text_of(*target, "type");
  return type == "string" || type == "integer" || type == "number" || type == "boolean";
}

Outcome OperationImport::add_argument(const std::string& name, const json::Value& schema,
                                      std::string_view described, bool required) {
  if (properties_.contains(name))
    return NotImported{"two parts of the request have the name " + toml_string(name)};
  CHANCERY_ASSIGN(json::Node node, schemas_.convert(schema));
  const bool may_describe = !described.empty() && schema.is(Kind::kObject) &&
                            schema.find("description") == nullptr && schema.find("$ref") == nullptr;
  if (may_describe) node.set("description", described);
  properties_.emplace(name, std::move(node));
  if (required) required_.push_back(name);
  return {};
}

Outcome OperationImport::take_parameters() {
  // Those of the operation stand for those of the path that have the same name and place.
  std::map<std::pair<std::string, std::string>, Parameter> parameters;
  for (const json::Value* holder : {&source_.shared, &source_.operation}) {
    const json::Value* list = holder->find("parameters");
    if (list == nullptr) continue;
    for (const json::Value& item : list->items()) {
      const json::Value* described = followed(source_.document, item);
      if (described == nullptr) return NotImported{"a parameter refers to a place that is not there"};
      Parameter parameter{std::string(text_of(*described, "name")), std::string(text_of(*described, "in")),
                          flag_of(*described, "required"), described};
      if (parameter.name.empty()) return NotImported{"a parameter has no name"};
      parameters[{parameter.in, parameter.name}] = parameter;
    }
  }
  for (const auto& [key, parameter] : parameters) CHANCERY_TRY(take_parameter(parameter));
  return {};
}

Outcome OperationImport::take_parameter(const Parameter& parameter) {
  const std::string what = "the parameter " + toml_string(parameter.name) + " (" + parameter.in + ")";
  const std::string header = lower_case(parameter.name);
  // OpenAPI: such header parameters shall be ignored.
  if (parameter.in == "header" &&
      (header == "accept" || header == "content-type" || header == "authorization"))
    return {};
  const json::Value* schema = parameter.described->find("schema");
  const bool place = parameter.in == "path" || parameter.in == "query" || parameter.in == "header";
  if (!place || schema == nullptr || !is_word(*schema)) {
    if (parameter.required)
      return NotImported{what + " is required and no string, number or truth value of path, query or header"};
    notes_.push_back("left out: " + what +
                     ", which is no string, number or truth value of path, query or header");
    return {};
  }
  const bool required = parameter.required || parameter.in == "path";
  CHANCERY_TRY(add_argument(parameter.name, *schema, text_of(*parameter.described, "description"), required));
  if (parameter.in == "query") query_[parameter.name] = pointer_to(parameter.name);
  if (parameter.in == "header") headers_[header] = pointer_to(parameter.name);
  return {};
}

Outcome OperationImport::take_body() {
  const json::Value* given = source_.operation.find("requestBody");
  if (given == nullptr) return {};
  const json::Value* body = followed(source_.document, *given);
  if (body == nullptr) return NotImported{"the body refers to a place that is not there"};
  const bool required = flag_of(*body, "required");
  if (const json::Value* schema = content_schema(*body, "application/json")) {
    CHANCERY_TRY(add_argument("body", *schema, text_of(*body, "description"), required));
    body_ = "json";
    body_value_ = "/body";
    return {};
  }
  if (const json::Value* schema = content_schema(*body, "application/x-www-form-urlencoded")) {
    return take_form(*schema, required);
  }
  if (required)
    return NotImported{"the body is neither application/json nor application/x-www-form-urlencoded"};
  notes_.emplace_back(
      "left out: the body, which is neither application/json nor application/x-www-form-urlencoded");
  return {};
}

Outcome OperationImport::take_form(const json::Value& schema, bool required) {
  const json::Value* form = followed(source_.document, schema);
  const json::Value* fields = form == nullptr ? nullptr : form->find("properties");
  const bool words = fields != nullptr &&
                     std::ranges::all_of(fields->members(),
                                         [&](const json::Member& member) { return is_word(member.value); });
  if (!words) return NotImported{"the form has fields that are no strings, numbers or truth values"};
  CHANCERY_TRY(add_argument("form", schema, "", required));
  body_ = "form";
  for (const json::Member& member : fields->members()) {
    body_members_[std::string(member.name)] = "/form" + pointer_to(member.name);
  }
  return {};
}

std::optional<std::string> OperationImport::credential_place(const std::string& name, std::string& problem) {
  const json::Value* components = source_.document.find("components");
  const json::Value* schemes = components == nullptr ? nullptr : components->find("securitySchemes");
  const json::Value* given = schemes == nullptr ? nullptr : schemes->find(name);
  const json::Value* scheme = given == nullptr ? nullptr : followed(source_.document, *given);
  problem = "the security scheme " + toml_string(name) + " is not known here";
  if (scheme == nullptr) return std::nullopt;
  const std::string_view type = text_of(*scheme, "type");
  const std::string key(text_of(*scheme, "name"));
  if (type == "apiKey" && text_of(*scheme, "in") == "header") return "header:" + key + ": {}";
  if (type == "apiKey" && text_of(*scheme, "in") == "query") return "query:" + key;
  if (type == "apiKey" && text_of(*scheme, "in") == "cookie") return "header:Cookie: " + key + "={}";
  if (type == "oauth2" || type == "openIdConnect") return "header:Authorization: Bearer {}";
  const std::string http = type == "http" ? lower_case(text_of(*scheme, "scheme")) : "";
  if (http == "bearer") return "header:Authorization: Bearer {}";
  if (http != "basic") return std::nullopt;
  problem = "basic authentication wants a user: say with --basic-user which one";
  return source_.options.basic_user.empty() ? std::nullopt
                                            : std::optional("basic:" + source_.options.basic_user);
}

Outcome OperationImport::take_security() {
  const json::Value* choices = source_.operation.find("security");
  if (choices == nullptr) choices = source_.document.find("security");
  if (choices == nullptr || choices->items().empty()) return {};
  std::string problem = "every way to authenticate takes more than one credential";
  for (const json::Value& choice : choices->items()) {
    if (choice.members().empty()) {
      notes_.emplace_back("authentication is optional: none was taken");
      return {};
    }
    if (choice.members().size() != 1) continue;
    const std::string name(choice.members().front().name);
    const auto place = credential_place(name, problem);
    if (!place) continue;
    credential_in_ = *place;
    credential_ = source_.options.credential.empty() ? snake_case(name) : source_.options.credential;
    return {};
  }
  return NotImported{problem};
}

void OperationImport::take_answer_fields(const json::Value& schema, const std::string& before) {
  const json::Value* target = followed(source_.document, schema);
  if (target == nullptr) return;
  if (const json::Value* fields = target->find("properties")) {
    for (const json::Member& member : fields->members()) allow_.push_back(before + pointer_to(member.name));
  }
  const json::Value* items = target->find("items");
  if (items != nullptr && before.empty()) take_answer_fields(*items, "/*");
}

void OperationImport::take_answer() {
  const json::Value* answers = source_.operation.find("responses");
  if (answers == nullptr) return;
  for (const std::string_view status : {"200", "201", "202", "2XX", "default"}) {
    const json::Value* given = answers->find(status);
    const json::Value* answer = given == nullptr ? nullptr : followed(source_.document, *given);
    const json::Value* schema = answer == nullptr ? nullptr : content_schema(*answer, "application/json");
    if (schema == nullptr) continue;
    take_answer_fields(*schema, "");
    break;
  }
  if (allow_.empty())
    notes_.emplace_back("nothing of the answer passes: its fields are not described, so list them in allow");
}

Result<std::string, NotImported> OperationImport::arguments_text() {
  std::string text = "\n[tool.arguments]\ntype = \"object\"\nadditionalProperties = false\n";
  std::ranges::sort(required_);
  if (!required_.empty()) text += "required = " + inline_list(required_) + "\n";
  const auto put = [&](const char* section, const std::map<std::string, json::Node>& schemas) {
    if (schemas.empty()) return;
    text += std::string("\n[tool.arguments.") + section + "]\n";
    for (const auto& [name, node] : schemas) {
      const auto document = json::Document::parse(json::to_jcs(node));
      text += toml_key(name) + " = " + toml_value(document.value().root()) + "\n";
    }
  };
  put("properties", properties_);
  CHANCERY_ASSIGN(const auto definitions, schemas_.definitions());
  put("\"$defs\"", definitions);
  return text;
}

Result<std::string, NotImported> OperationImport::toml(const std::string& name) {
  const bool reads = source_.method == "get" || source_.method == "head";
  std::string method(source_.method);
  std::ranges::transform(method, method.begin(), [](char c) { return static_cast<char>(c - 32); });
  std::string text = "[tool]\nname = " + toml_string(name) + "\ndescription = " + toml_string(description());
  text += "\nscope = " + toml_string(source_.options.scope_prefix + "." + operation_name());
  text += std::string("\nrisk = ") + (reads                        ? "\"low\""
                                      : source_.method == "delete" ? "\"high\""
                                                                   : "\"medium\"");
  if (!credential_.empty()) text += "\ncredential = " + toml_string(credential_);
  CHANCERY_ASSIGN(const std::string arguments, arguments_text());
  text += "\n" + arguments + "\n[tool.http]\nmethod = " + toml_string(method);
  text += "\nurl = " + toml_string(source_.server + std::string(source_.path)) + "\n";
  if (!query_.empty()) text += "query = " + inline_table(query_) + "\n";
  if (!headers_.empty()) text += "headers = " + inline_table(headers_) + "\n";
  if (body_ != "none") text += "body = " + toml_string(body_) + "\n";
  if (!body_value_.empty()) text += "body_value = " + toml_string(body_value_) + "\n";
  if (!body_members_.empty()) text += "body_members = " + inline_table(body_members_) + "\n";
  if (!credential_in_.empty()) text += "credential_in = " + toml_string(credential_in_) + "\n";
  text += "\n[tool.response]\nallow = " + inline_list(allow_) + "\n";
  return text;
}

Result<ImportedTool, NotImported> OperationImport::run() {
  CHANCERY_TRY(take_parameters());
  CHANCERY_TRY(take_body());
  CHANCERY_TRY(take_security());
  take_answer();
  ImportedTool tool;
  tool.name = source_.options.name_prefix + operation_name();
  if (!is_name(tool.name))
    return NotImported{"no name for a tool: " + toml_string(tool.name) + " is longer than 63 characters"};
  CHANCERY_ASSIGN(tool.toml, toml(tool.name));
  const auto parsed = parse_tool(tool.toml, tool.name + ".toml");
  if (!parsed) return NotImported{parsed.error().message};
  tool.notes = std::move(notes_);
  return tool;
}

}  // namespace chancery::tools
