#include "daemon/service/backends.hpp"

#include <array>
#include <cstdio>
#include <map>

#include "daemon/service/authority.hpp"

namespace chancery::service {
namespace {

using KeyCounts = std::map<std::string, std::uint64_t>;
using Clock = std::chrono::steady_clock;

// The device's codes are looked up in hexadecimal.
std::string native_text(std::uint64_t native) {
  if (native == 0) return {};
  std::array<char, 24> text;
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(native));
  return text.data();
}

std::string_view severity_name(hsm::Fact::Severity severity) {
  switch (severity) {
    case hsm::Fact::Severity::kOk:
      return "ok";
    case hsm::Fact::Severity::kWarn:
      return "warn";
    case hsm::Fact::Severity::kBad:
      return "bad";
  }
  return "bad";
}

std::vector<api::Fact> to_api(const std::vector<hsm::Fact>& facts) {
  std::vector<api::Fact> out;
  for (const hsm::Fact& fact : facts) {
    out.push_back({fact.name, fact.value, std::string(severity_name(fact.severity)), fact.advice});
  }
  return out;
}

api::BackendLoad to_api(const hsm::BackendLoad& load) {
  const auto count = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  return {count(load.queued), count(load.live_objects), count(load.live_sessions), count(load.cached_keys),
          count(load.recoveries)};
}

void set_state(api::Backend& out, const Status& checked) {
  out.state = checked ? "ok" : error_name(checked.error().code);
  if (checked) return;
  out.advice = checked.error().what;
  out.native = native_text(checked.error().native);
}

api::Backend describe(const Office& office, const std::string& name, const KeyCounts& keys,
                      const Status& checked) {
  const hsm::KeyBackend& backend = **office.backends.find(name);
  const hsm::BackendInfo info = backend.describe();
  api::Backend out;
  out.name = name;
  out.type = info.type;
  out.manufacturer = info.manufacturer;
  out.firmware = info.firmware;
  out.emulated = info.emulated;
  for (const Algorithm algorithm : info.algorithms) out.algorithms.emplace_back(algorithm_name(algorithm));
  set_state(out, checked);
  out.load = to_api(backend.load());
  out.is_default = name == office.backends.default_name();
  out.is_issuer = name == office.issuer.options().backend;
  const auto count = keys.find(name);
  out.agent_keys = count == keys.end() ? 0 : static_cast<std::int64_t>(count->second);
  return out;
}

// The last share is for what comes after the devices: the answer.
hsm::Deadline share_of(hsm::Deadline deadline, std::size_t devices) {
  const auto now = Clock::now();
  return now + (deadline - now) / static_cast<std::int64_t>(devices + 1);
}

}  // namespace

Result<api::BackendList> list_backends(Office& office, const CallContext& context) {
  CHANCERY_TRY(require_authority(office, context, scope::kBackendsRead));
  CHANCERY_ASSIGN(const KeyCounts keys, office.store.agent_keys_by_backend());
  const std::vector<std::string>& names = office.backends.names();
  api::BackendList out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    hsm::KeyBackend& backend = **office.backends.find(names[i]);
    const Status checked = backend.check(share_of(context.deadline, names.size() - i));
    out.backends.push_back(describe(office, names[i], keys, checked));
  }
  return out;
}

Result<api::Backend> show_backend(Office& office, const CallContext& context, std::string_view name) {
  CHANCERY_TRY(require_authority(office, context, scope::kBackendsRead, {{"backend", name}}));
  const auto backend = office.backends.find(name);
  if (!backend) {
    return Error{ErrorCode::kNotFound, "no backend of that name: `chancery backend list` shows them"};
  }
  CHANCERY_ASSIGN(const KeyCounts keys, office.store.agent_keys_by_backend());
  const Status checked = (*backend)->check(share_of(context.deadline, 2));
  api::Backend out = describe(office, std::string(name), keys, checked);
  // Also when it does not serve: a token that lets nobody log in still tells why.
  const auto facts = (*backend)->facts(share_of(context.deadline, 1));
  if (facts) {
    out.facts = to_api(*facts);
  } else if (checked) {
    set_state(out, facts.error());
  }
  return out;
}

Result<api::Process> show_process(const Office& office, const CallContext& context) {
  CHANCERY_TRY(require_authority(office, context, scope::kProcessRead));
  std::vector<hsm::Fact> facts = process_facts(office.files);
  facts.push_back(spending_fact(office.spending));
  return api::Process{to_api(facts)};
}

}  // namespace chancery::service
