#include "daemon/runtime/review.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "daemon/runtime/outbound/outbound_call.hpp"
#include "daemon/runtime/upstreams/upstreams.hpp"
#include "sdk/base/descriptor.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/mcp/tool.hpp"

namespace chancery::runtime {
namespace {

constexpr std::size_t kLongestCredential = 16 * 1024;

void add_line(std::string& text, std::string_view label, std::string_view value) {
  constexpr std::size_t kColumn = 16;
  text.append("  ").append(label).append(kColumn - std::min(label.size(), kColumn), ' ');
  text.append(printable(value)).append("\n");
}

// Each line by itself, so that none of them can look like one of ours: it stands behind the column of labels.
void add_lines(std::string& text, std::string_view label, std::string_view value) {
  for (bool is_first = true; is_first || !value.empty(); is_first = false) {
    const std::size_t end = std::min(value.find('\n'), value.size());
    add_line(text, is_first ? label : "", value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
  }
}

void add_description(std::string& text, const mcp::Tool& offered) {
  if (offered.title) add_lines(text, "title", *offered.title);
  add_lines(text, "description", offered.description.value_or("(none)"));
  add_line(text, "arguments", offered.input_schema);
  if (offered.output_schema) add_line(text, "result", *offered.output_schema);
  if (offered.annotations) add_line(text, "annotations", *offered.annotations);
}

std::string others(const tools::Tool& tool, const mcp::UpstreamTools& listed) {
  std::string names;
  for (const mcp::Tool& other : listed.usable) {
    if (other.name != tools::name_at_server(tool)) names.append(names.empty() ? "" : ", ").append(other.name);
  }
  return names;
}

int complain(const std::string& message) {
  std::fprintf(stderr, "chancery-runtime: %s\n", message.c_str());
  return 1;
}

Result<SecretBytes> read_credential(const std::filesystem::path& file) {
  constexpr Error kUnreadable{ErrorCode::kFileUnreadable,
                              "the file of the credential cannot be read, or has more than 16 KiB"};
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  SecretBytes buffer(kLongestCredential + 1);
  const ssize_t got =
      descriptor ? ::read(descriptor.get(), buffer.writable().data(), buffer.size()) : ssize_t{-1};
  if (got < 0 || static_cast<std::size_t>(got) > kLongestCredential) return kUnreadable;
  std::size_t size = static_cast<std::size_t>(got);
  while (size > 0 && (buffer.view()[size - 1] == '\n' || buffer.view()[size - 1] == '\r')) --size;
  return SecretBytes(buffer.view().first(size));
}

// What a server says of its failure is its operator's to read.
Result<mcp::UpstreamTools> list(Upstreams& upstreams, const tools::Tool& tool,
                                const SecretBytes* credential) {
  const auto deadline = std::chrono::steady_clock::now() + tools::limits_of(tool).timeout;
  CHANCERY_ASSIGN(const OpenTransport open, upstreams.open(tool));
  CHANCERY_ASSIGN(const OpenedTransport opened, open(credential, {}));
  auto listed = list_tools_of(*opened.transport,
                              std::holds_alternative<tools::McpHttpUpstream>(tool.upstream), deadline);
  const std::string complaint = listed ? std::string() : opened.complaint();
  if (!complaint.empty()) complain(tool.name + ": its server says: " + printable(complaint));
  return listed;
}

bool show(Upstreams& upstreams, const tools::Tool& tool, const SecretBytes* credential) {
  const auto listed = list(upstreams, tool, credential);
  if (!listed) {
    const bool is_refused = listed.error().code == ErrorCode::kRequestRefused && credential == nullptr;
    complain(tool.name + ": " + listed.error().what + (is_refused ? ": try --credential-file FILE" : ""));
    return false;
  }
  const Review made = review_of(tool, *listed);
  std::fputs(made.text.c_str(), stdout);
  return made.is_as_reviewed;
}

}  // namespace

Review review_of(const tools::Tool& tool, const mcp::UpstreamTools& listed) {
  Review out;
  const std::string& name = tools::name_at_server(tool);
  const auto pin = tools::reviewed_digest(tool);
  const auto offered = std::ranges::find(listed.usable, name, &mcp::Tool::name);
  const auto digest = offered == listed.usable.end() ? std::nullopt : [&]() -> std::optional<std::string> {
    const auto made = mcp::description_digest(*offered);
    return made ? std::optional(hex_encode(*made)) : std::nullopt;
  }();
  out.is_as_reviewed = pin && digest == pin;
  const char* const state = !digest              ? "the server does not offer it"
                            : !pin               ? "nobody has reviewed it: it is not served"
                            : out.is_as_reviewed ? "as it was reviewed"
                                                 : "CHANGED since it was reviewed: it is not called";
  out.text = tool.name + ": " + state + "\n";
  add_line(out.text, "declared in", tool.file);
  add_line(out.text, "at the server", name);
  if (digest) add_description(out.text, *offered);
  for (const mcp::RejectedTool& rejected : listed.rejected) {
    if (rejected.name == name) add_line(out.text, "cannot be used", rejected.why);
  }
  if (pin && !out.is_as_reviewed) add_line(out.text, "was reviewed as", *pin);
  const std::string beside = others(tool, listed);
  if (!beside.empty()) add_line(out.text, "offered besides", beside);
  if (digest) out.text += "  description_sha256 = \"" + *digest + "\"\n";
  out.text += "\n";
  return out;
}

int review(const Settings& settings, const std::vector<tools::Tool>& tools, const ReviewOrder& order) {
  std::optional<SecretBytes> credential;
  if (!order.credential.empty()) {
    auto read = read_credential(order.credential);
    if (!read) return complain(read.error().what);
    credential = *std::move(read);
  }
  OutboundCaller outbound;
  Upstreams upstreams(outbound, settings.ca.string());
  std::size_t looked_at = 0;
  bool all_as_reviewed = true;
  for (const tools::Tool& tool : tools) {
    const bool is_meant = tools::speaks_mcp(tool) && (order.tool.empty() || tool.name == order.tool);
    if (!is_meant) continue;
    ++looked_at;
    all_as_reviewed = show(upstreams, tool, credential ? &*credential : nullptr) && all_as_reviewed;
  }
  if (looked_at == 0)
    return complain(order.tool.empty() ? "no tool of an MCP server is declared"
                                       : "no tool of an MCP server is declared as " + printable(order.tool));
  return all_as_reviewed ? 0 : 1;
}

}  // namespace chancery::runtime
