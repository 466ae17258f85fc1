#pragma once

#include <string>
#include <utility>

namespace chancery::tests {

/// A tool as a file of tools.d declares it; over HTTP, by toml_of().
struct DeclaredTool {
  std::string name;
  std::string scope;
  std::string credential;  ///< empty: none
  std::string arguments;   ///< the schema's properties, one `name = {…}` a line
  std::string required;    ///< `"a", "b"`
  std::string url;
  std::string constraint{};  ///< `ARGUMENT KIND`, "amount number"; empty: none
  std::string addresses = R"("127.0.0.1/32")";
  std::string allow = R"("/id")";
  std::string description = "A tool.";
  bool needs_approval = false;
};

/// What a declaration says before the upstream's own section.
[[nodiscard]] inline std::string beginning_of(const DeclaredTool& tool) {
  std::string out = "[tool]\nname = \"" + tool.name + "\"\ndescription = \"" + tool.description +
                    "\"\nscope = \"" + tool.scope + "\"\nrisk = \"high\"\n";
  if (!tool.credential.empty()) out += "credential = \"" + tool.credential + "\"\n";
  if (tool.needs_approval) out += "approval = \"required\"\n";
  out += "[tool.arguments]\ntype = \"object\"\nadditionalProperties = false\nrequired = [" + tool.required +
         "]\n[tool.arguments.properties]\n" + tool.arguments + "\n";
  if (!tool.constraint.empty()) {
    const std::size_t space = tool.constraint.find(' ');
    const std::string argument = tool.constraint.substr(0, space);
    out += "[[tool.constraint]]\nargument = \"/" + argument + "\"\nparameter = \"" + argument +
           "\"\nas = \"" + tool.constraint.substr(space + 1) + "\"\n";
  }
  return out;
}

/// What it says at its end of the answer.
[[nodiscard]] inline std::string end_of(const DeclaredTool& tool) {
  return "[tool.response]\nallow = [" + tool.allow + "]\n";
}

[[nodiscard]] inline std::string toml_of(const DeclaredTool& tool) {
  std::string out = beginning_of(tool) + "[tool.http]\nmethod = \"POST\"\nurl = \"" + tool.url +
                    "\"\nbody = \"json\"\nallow_addresses = [" + tool.addresses + "]\ntimeout = \"5s\"\n";
  if (!tool.credential.empty()) out += "credential_in = \"header:Authorization: Bearer {}\"\n";
  return out + end_of(tool);
}

/// The tool `refund` with the credential `psp`: it takes a charge and an amount, which the chain may bound.
[[nodiscard]] inline DeclaredTool refund_tool(std::string url = {}) {
  return {.name = "refund",
          .scope = "payments.refund",
          .credential = "psp",
          .arguments =
              "charge = { type = \"string\", maxLength = 2000 }\n"
              "amount = { type = \"number\", minimum = 0 }",
          .required = R"("charge", "amount")",
          .url = std::move(url),
          .constraint = "amount number",
          .description = "Refunds a charge."};
}

}  // namespace chancery::tests
