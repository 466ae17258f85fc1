#include "tests/fuzz/recorded_host.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "attest/verify/key_evidence.hpp"
#include "attest/verify/measurements.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/json/reader.hpp"
#include "tests/fuzz/target.hpp"

namespace chancery::fuzz {
namespace {

using attest::PublicArea;

std::string text_at(const json::Value& root, std::string_view path) {
  const json::Value* value = &root;
  for (std::string_view rest = path; value != nullptr && !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    value = value->find(name);
  }
  require(value != nullptr);
  return std::string(value->string().value_or(value->source()));
}

std::optional<PublicArea> area(const Bytes& octets) {
  auto parsed = PublicArea::parse(octets, PublicArea::Form::kBare);
  return parsed ? std::optional(*std::move(parsed)) : std::nullopt;
}

std::optional<attest::MeasurementLog> read_log(const Bytes& octets) {
  const auto document = json::Document::parse(std::string(as_text(octets)));
  if (!document) return std::nullopt;
  auto log = attest::read_measurement_log(document->root());
  return log ? std::optional(*std::move(log)) : std::nullopt;
}

bool says_the_same(std::string_view name, const Bytes& before, const Bytes& after) {
  if (name == "log") return read_log(before) == read_log(after);
  if (name != "ek_certificate") return before == after;
  const auto was = attest::Certificate::parse(before);
  const auto is = attest::Certificate::parse(after);
  return was && is && was->fingerprint() == is->fingerprint();
}

}  // namespace

RecordedHost RecordedHost::load() {
  std::ifstream in(CHANCERY_SOURCE_DIR "/tests/fuzz/data/swtpm-host.json");
  const auto document = json::Document::parse(std::string(std::istreambuf_iterator<char>(in), {}));
  require(document.has_value());
  const json::Value& root = document->root();
  RecordedHost host;
  using enum Part;
  for (const auto& [name, part] :
       {std::pair{"key_public", kKey}, std::pair{"certify/attest", kKey},
        std::pair{"certify/signature", kKey}, std::pair{"quote/attest", kKey},
        std::pair{"quote/signature", kKey}, std::pair{"pcrs/0", kKey}, std::pair{"pcrs/7", kKey},
        std::pair{"nonce", kKey}, std::pair{"ak", kKey}, std::pair{"ek", kKey}, std::pair{"srk", kKey},
        std::pair{"index_public", kMeasurements}, std::pair{"measured/attest", kMeasurements},
        std::pair{"measured/signature", kMeasurements}, std::pair{"ek_certificate", kEndorsement}}) {
    host.fields_.push_back({name, part, hex_decode(text_at(root, name)).value()});
  }
  const std::string log = text_at(root, "log");
  host.fields_.push_back({"log", kMeasurements, {log.begin(), log.end()}});
  host.recorded_at_ = std::chrono::sys_seconds(std::chrono::seconds(*root.find("at")->integer()));
  host.endorsers_.emulator_roots = attest::read_certificates(text_at(root, "root")).value();
  return host;
}

const Bytes& RecordedHost::at(std::string_view name) const {
  const auto field =
      std::ranges::find(fields_, name, [](const Field& row) { return std::string_view(row.name); });
  require(field != fields_.end());
  return field->octets;
}

bool RecordedHost::accepts_change(std::size_t field, const Bytes& octets) const {
  const Field& before = fields_[field];
  if (says_the_same(before.name, before.octets, octets)) return false;
  RecordedHost changed = *this;
  changed.fields_[field].octets = octets;
  return changed.is_accepted(before.part);
}

bool RecordedHost::is_accepted() const {
  return is_accepted(Part::kKey) && is_accepted(Part::kMeasurements) && is_accepted(Part::kEndorsement);
}

bool RecordedHost::is_accepted(Part part) const {
  switch (part) {
    case Part::kKey:
      return accepts_key();
    case Part::kMeasurements:
      return accepts_measurements();
    case Part::kEndorsement:
      return accepts_endorsement();
  }
  std::abort();
}

bool RecordedHost::accepts_key() const {
  const auto ek = area(at("ek"));
  const auto ak = area(at("ak"));
  const auto srk = area(at("srk"));
  if (!ek || !ak || !srk) return false;
  const attest::EnrolledHost host{*ek, *ak, *srk, Custody::kTpmCertified, {}, {}};
  const attest::Hash bank = attest::Hash::named("sha256").value();
  static const Bytes kBlank(32);  // a swtpm has no firmware that measures
  attest::Policy policy{"fuzz"};
  policy.pcrs[bank] = {{0, {kBlank, at("pcrs/0")}}, {7, {kBlank, at("pcrs/7")}}};
  attest::KeyEvidence evidence{at("key_public"), {at("certify/attest"), at("certify/signature")}, {}, {}};
  evidence.quote = {{at("quote/attest"), at("quote/signature")},
                    {{bank, {{0, at("pcrs/0")}, {7, at("pcrs/7")}}}},
                    std::nullopt};
  return attest::verify_evidence(evidence, host, policy, at("nonce")).has_value();
}

bool RecordedHost::accepts_measurements() const {
  const auto log = read_log(at("log"));
  if (!log) return false;
  const attest::EnrolledHost host{
      *area(at("ek")), *area(at("ak")), *area(at("srk")), Custody::kTpmCertified, {}, {}};
  return attest::check_measurements(
             {{at("measured/attest"), at("measured/signature")}, at("index_public"), *log}, host, at("nonce"))
      .has_value();
}

bool RecordedHost::accepts_endorsement() const {
  const auto judged = attest::judge_ek(*area(at("ek")), at("ek_certificate"), endorsers_, recorded_at_);
  return judged && judged->by == attest::Endorsement::kRoot;
}

}  // namespace chancery::fuzz
