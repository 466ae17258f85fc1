#include "sdk/cli/evidence_sample.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "attest/evidence/event_log.hpp"
#include "attest/evidence/public_area.hpp"
#include "attest/verify/attestation_key.hpp"
#include "attest/verify/certificate.hpp"
#include "attest/verify/certification.hpp"
#include "attest/verify/credential.hpp"
#include "attest/verify/quote.hpp"
#include "sdk/base/base64.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

using attest::Check;
using attest::Judged;
using attest::PublicArea;
using attest::Refusal;
using json::Value;

constexpr std::size_t kMostSample = 4 * 1024 * 1024;
constexpr std::size_t kMostLog = 64 * 1024 * 1024;
constexpr std::size_t kMostCertificate = 64 * 1024;

/// Reads a sample's members. Whatever is wrong with its JSON ends it with a Failure, since that is no verdict about
/// evidence.
class Sample {
 public:
  Sample(const Value& root, std::filesystem::path folder) : root_(root), folder_(std::move(folder)) {}

  [[nodiscard]] bool has(std::string_view name) const {
    const Value* value = root_.find(name);
    return value != nullptr && !value->is(Value::Kind::kNull);
  }

  [[nodiscard]] Checked<std::string> text(std::string_view name) const {
    const Value* value = root_.find(name);
    if (value == nullptr || !value->string()) return wrong(name, "must be a text");
    return std::string(*value->string());
  }

  /// Empty when it is absent.
  [[nodiscard]] Checked<Bytes> octets(std::string_view name) const {
    if (!has(name)) return Bytes();
    CHANCERY_ASSIGN(const std::string encoded, text(name));
    auto decoded = base64_decode(encoded);
    if (!decoded) return wrong(name, "must be base64");
    return *std::move(decoded);
  }

  [[nodiscard]] Checked<std::chrono::sys_seconds> time(std::string_view name) const {
    if (!has(name)) return std::chrono::sys_seconds{};
    const auto number = root_.find(name)->integer();
    if (!number) return wrong(name, "must be a time: seconds since 1970");
    return std::chrono::sys_seconds(std::chrono::seconds(*number));
  }

  [[nodiscard]] Checked<Bytes> file(std::string_view name) const {
    CHANCERY_ASSIGN(const std::string path, text(name));
    return read(path, kMostLog);
  }

  /// Certificates in the files that an array names.
  [[nodiscard]] Checked<std::vector<Bytes>> files(std::string_view name) const {
    std::vector<Bytes> out;
    if (!has(name)) return out;
    for (const Value& item : root_.find(name)->items()) {
      if (!item.string()) return wrong(name, "must be file names");
      CHANCERY_ASSIGN(Bytes octets, read(std::string(*item.string()), kMostCertificate));
      out.push_back(std::move(octets));
    }
    return out;
  }

  [[nodiscard]] Checked<attest::PcrSelection> selection(std::string_view name) const {
    attest::PcrSelection out;
    if (!has(name)) return out;
    for (const json::Member& bank : root_.find(name)->members()) {
      const auto hash = attest::Hash::named(bank.name);
      if (!hash) return wrong(name, "names a bank that is none");
      for (const Value& index : bank.value.items()) {
        if (!index.integer() || *index.integer() < 0) return wrong(name, "must hold numbers of PCRs");
        out[*hash].insert(static_cast<attest::PcrIndex>(*index.integer()));
      }
    }
    return out;
  }

  [[nodiscard]] Checked<attest::PcrValues> values(std::string_view name) const {
    attest::PcrValues out;
    if (!has(name)) return out;
    for (const json::Member& bank : root_.find(name)->members()) {
      const auto hash = attest::Hash::named(bank.name);
      if (!hash) return wrong(name, "names a bank that is none");
      for (const json::Member& pcr : bank.value.members()) {
        attest::PcrIndex index = 0;
        const char* const end = pcr.name.data() + pcr.name.size();
        const auto parsed = std::from_chars(pcr.name.data(), end, index);
        auto value = hex_decode(pcr.value.string().value_or("?"));
        if (parsed.ec != std::errc() || parsed.ptr != end || !value)
          return wrong(name, "must hold PCR values");
        out[*hash][index] = *std::move(value);
      }
    }
    return out;
  }

  [[nodiscard]] Checked<PublicArea::Form> form(std::string_view name) const {
    CHANCERY_ASSIGN(const std::string said, text(name));
    if (said == "TPMT_PUBLIC") return PublicArea::Form::kBare;
    if (said == "TPM2B_PUBLIC") return PublicArea::Form::kSized;
    return wrong(name, "must be TPMT_PUBLIC or TPM2B_PUBLIC");
  }

  [[nodiscard]] static Failure wrong(std::string_view name, std::string_view what) {
    Failure out = failure(Error{ErrorCode::kMalformed, "the file is no sample of evidence"});
    out.message += ": `" + std::string(name) + "` " + std::string(what);
    return out;
  }

 private:
  [[nodiscard]] Checked<Bytes> read(const std::string& named, std::size_t limit) const {
    const std::filesystem::path relative(named);
    const bool climbs = std::ranges::find(relative, "..") != relative.end();
    if (relative.is_absolute() || climbs) return wrong(named, "must be a path within the samples' folder");
    std::filesystem::path path = folder_ / relative;
    if (!is_input(path.string())) path = folder_ / ".." / relative;
    CHANCERY_ASSIGN(const std::string content, read_input(path.string(), limit));
    return Bytes(content.begin(), content.end());
  }

  const Value& root_;
  std::filesystem::path folder_;
};

/// A public area by the names that its members have in samples.
struct AreaNames {
  const char* octets;
  const char* form;
};
constexpr AreaNames kAk{"ak_public", "ak_public_format"};
constexpr AreaNames kKey{"key_public", "key_public_format"};
constexpr AreaNames kEk{"ek_public", "ek_public_format"};

Checked<Judged<PublicArea>> read_area(const Sample& sample, const AreaNames& names) {
  CHANCERY_ASSIGN(const Bytes octets, sample.octets(names.octets));
  CHANCERY_ASSIGN(const PublicArea::Form form, sample.form(names.form));
  return PublicArea::parse(octets, form);
}

Checked<Judged<attest::CertificatePath>> read_path(const Sample& sample, const char* intermediates,
                                                   const char* roots) {
  attest::CertificatePath path;
  CHANCERY_ASSIGN(path.at, sample.time("at"));
  for (const auto& [name, list] :
       {std::pair{intermediates, &path.intermediates}, std::pair{roots, &path.roots}}) {
    CHANCERY_ASSIGN(const std::vector<Bytes> files, sample.files(name));
    for (const Bytes& der : files) {
      auto certificate = attest::Certificate::parse(der);
      if (!certificate) return Judged<attest::CertificatePath>(certificate.error());
      list->push_back(*std::move(certificate));
    }
  }
  return Judged<attest::CertificatePath>(std::move(path));
}

/// What a judge of one kind found.
enum class Found : std::uint8_t { kAll, kFormOnly };
using Outcome = Checked<Judged<Found>>;

Outcome refused(const Refusal& refusal) { return Judged<Found>(refusal); }

template <typename T>
Outcome all_or_refused(const Judged<T>& judged) {
  return judged ? Judged<Found>(Found::kAll) : Judged<Found>(judged.error());
}

// --- statements

/// A sample's statement, of which SignedStatement borrows.
struct StatementOctets {
  Bytes attest;
  Bytes signature;
  std::optional<Bytes> nonce;
  Bytes parent;

  [[nodiscard]] attest::SignedStatement view() const {
    attest::SignedStatement out{attest, signature, std::nullopt, parent};
    if (nonce) out.nonce = *nonce;
    return out;
  }
};

Checked<StatementOctets> read_statement(const Sample& sample) {
  StatementOctets out;
  CHANCERY_ASSIGN(out.attest, sample.octets("attest"));
  CHANCERY_ASSIGN(out.signature, sample.octets("signature"));
  if (sample.has("nonce")) {
    CHANCERY_ASSIGN(out.nonce, sample.octets("nonce"));
  }
  CHANCERY_ASSIGN(out.parent, sample.octets("parent_qualified_name"));
  return out;
}

Checked<Judged<attest::AttestationKey>> read_key(const Sample& sample) {
  attest::PresentedKey presented;
  if (sample.has(kAk.octets)) {
    CHANCERY_ASSIGN(auto area, read_area(sample, kAk));
    if (!area) return Judged<attest::AttestationKey>(area.error());
    presented.area = *std::move(area);
  }
  if (sample.has("ak_cert")) {
    CHANCERY_ASSIGN(const Bytes der, sample.octets("ak_cert"));
    auto certificate = attest::Certificate::parse(der);
    if (!certificate) return Judged<attest::AttestationKey>(certificate.error());
    presented.certificate = *std::move(certificate);
    CHANCERY_ASSIGN(auto path, read_path(sample, "ak_intermediates", "ak_roots"));
    if (!path) return Judged<attest::AttestationKey>(path.error());
    presented.path = *std::move(path);
  }
  return attest::check_attestation_key(presented);
}

Checked<Judged<attest::Statement>> check_statement(const Sample& sample, TPM2_ST type,
                                                   const attest::StatementRules& rules) {
  CHANCERY_ASSIGN(const auto key, read_key(sample));
  if (!key) return Judged<attest::Statement>(key.error());
  CHANCERY_ASSIGN(const StatementOctets statement, read_statement(sample));
  return attest::check_statement(*key, statement.view(), type, rules);
}

Outcome judge_quote(const Sample& sample, const attest::StatementRules& rules) {
  CHANCERY_ASSIGN(const auto statement, check_statement(sample, TPM2_ST_ATTEST_QUOTE, rules));
  if (!statement) return refused(statement.error());
  attest::QuotedPcrs pcrs;
  CHANCERY_ASSIGN(pcrs.selection, sample.selection("selection"));
  CHANCERY_ASSIGN(pcrs.values, sample.values("pcrs"));
  Bytes log;
  if (sample.has("event_log")) {
    CHANCERY_ASSIGN(log, sample.file("event_log"));
    pcrs.log = log;
  }
  return all_or_refused(attest::check_quoted(*statement, pcrs));
}

Outcome judge_certification(const Sample& sample, const attest::StatementRules& rules) {
  CHANCERY_ASSIGN(const auto statement, check_statement(sample, TPM2_ST_ATTEST_CERTIFY, rules));
  if (!statement) return refused(statement.error());
  CHANCERY_ASSIGN(const auto key, read_area(sample, kKey));
  if (!key) return refused(key.error());
  return all_or_refused(attest::check_certified(*statement, *key));
}

Outcome judge_creation(const Sample& sample, const attest::StatementRules& rules) {
  CHANCERY_ASSIGN(const auto statement, check_statement(sample, TPM2_ST_ATTEST_CREATION, rules));
  if (!statement) return refused(statement.error());
  CHANCERY_ASSIGN(const auto key, read_area(sample, kKey));
  if (!key) return refused(key.error());
  CHANCERY_ASSIGN(const Bytes creation, sample.octets("creation_data"));
  return all_or_refused(attest::check_created(*statement, *key, creation));
}

// --- the others

Outcome judge_activation(const Sample& sample) {
  CHANCERY_ASSIGN(const auto ek, read_area(sample, kEk));
  if (!ek) return refused(ek.error());
  CHANCERY_ASSIGN(const Bytes name, sample.octets("ak_name"));
  CHANCERY_ASSIGN(const Bytes secret, sample.octets("secret"));
  CHANCERY_ASSIGN(const Bytes id_object, sample.octets("id_object"));
  CHANCERY_ASSIGN(const Bytes encrypted, sample.octets("encrypted_secret"));
  CHANCERY_ASSIGN(const Bytes seed, sample.octets("seed"));
  CHANCERY_ASSIGN(const Bytes ephemeral, sample.octets("ephemeral_private"));
  const auto opened = attest::open_credential(*ek, name, {id_object, encrypted, seed, ephemeral});
  if (!opened) return refused(opened.error());
  if (seed.empty() && ephemeral.empty()) return Judged<Found>(Found::kFormOnly);
  if (equal_constant_time(opened->view(), secret)) return Judged<Found>(Found::kAll);
  return refused({Check::kSecret, "the credential holds another secret"});
}

// An anchor without a leaf only has to load.
Outcome judge_ek_chain(const Sample& sample) {
  Bytes der;
  if (sample.has("leaf")) {
    CHANCERY_ASSIGN(der, sample.octets("leaf"));
  }
  const auto leaf = attest::Certificate::parse(der);
  if (sample.has("leaf") && !leaf) return refused(leaf.error());
  CHANCERY_ASSIGN(const auto path, read_path(sample, "intermediates", "roots"));
  if (!path) return refused(path.error());
  if (!sample.has("leaf")) return Judged<Found>(Found::kAll);
  if (!sample.has(kEk.octets)) return all_or_refused(attest::check_ek_certificate(*leaf, *path, nullptr));
  CHANCERY_ASSIGN(const auto ek, read_area(sample, kEk));
  if (!ek) return refused(ek.error());
  return all_or_refused(attest::check_ek_certificate(*leaf, *path, &*ek));
}

Outcome judge_log(const Sample& sample) {
  CHANCERY_ASSIGN(const Bytes octets, sample.file("log"));
  CHANCERY_ASSIGN(const std::string format, sample.text("log_format"));
  CHANCERY_ASSIGN(const attest::PcrValues values, sample.values("pcrs"));
  const bool is_ima = format == "ima-ascii" || format == "ima-binary";
  const auto log = format == "ima-ascii"    ? attest::read_ima_text(octets)
                   : format == "ima-binary" ? attest::read_ima_binary(octets)
                                            : attest::read_event_log(octets);
  if (!log) return refused(log.error());
  if (const auto replayed = attest::check_replay(*log, values); !replayed) return refused(replayed.error());
  return Judged<Found>(is_ima || !values.empty() ? Found::kAll : Found::kFormOnly);
}

Outcome judge(const Sample& sample, const std::string& kind, const attest::StatementRules& rules) {
  if (kind == "quote") return judge_quote(sample, rules);
  if (kind == "certify") return judge_certification(sample, rules);
  if (kind == "certify_creation") return judge_creation(sample, rules);
  if (kind == "activation") return judge_activation(sample);
  if (kind == "ek_chain") return judge_ek_chain(sample);
  if (kind == "event_log") return judge_log(sample);
  return Sample::wrong("kind", "is none that is known here");
}

}  // namespace

std::string SampleVerdict::json() const {
  return json::to_jcs(
      json::Node::object({{"id", id}, {"reason", reason}, {"verdict", accepted ? "accept" : "reject"}}));
}

Checked<SampleVerdict> judge_sample(const std::filesystem::path& file, const SampleOptions& options) {
  CHANCERY_ASSIGN(const std::string text, read_input(file.string(), kMostSample));
  return judge_sample_text(text, file, options);
}

Checked<SampleVerdict> judge_sample_text(std::string_view text, const std::filesystem::path& file,
                                         const SampleOptions& options) {
  const auto document = json::Document::parse_borrowed(text);
  if (!document) return failure(document.error(), file.string());
  const Sample sample(document->root(), file.parent_path());
  SampleVerdict verdict;
  CHANCERY_ASSIGN(verdict.id, sample.text("id"));
  CHANCERY_ASSIGN(const std::string kind, sample.text("kind"));
  CHANCERY_ASSIGN(const auto found, judge(sample, kind, {options.allow_weak_hash}));
  verdict.accepted = found.has_value();
  verdict.reason = !found                       ? std::string(attest::check_name(found.error().check))
                   : *found == Found::kFormOnly ? "parse_only"
                                                : "ok";
  if (!found) verdict.explanation = found.error().what;
  return verdict;
}

}  // namespace chancery::cli
