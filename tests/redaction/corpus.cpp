#include "tests/redaction/corpus.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <set>
#include <utility>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "tests/redaction/made_secrets.hpp"

namespace chancery::tests {
namespace {

using redaction::Extent;
using redaction::Hit;
using redaction::HitKind;
using redaction::SecretFinder;

constexpr std::uint64_t kSeed = 20260301;
constexpr int kTimes = 10;  // a negative with something made in it
constexpr std::string_view kSecretMark = "{{secret}}";
constexpr std::string_view kKnownDetector = "known values";

struct Line {
  std::string about;
  std::string text;
};

[[noreturn]] void give_up() { std::abort(); }  // figures of half a corpus would mean nothing

std::vector<Line> read_lines(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<Line> lines;
  for (std::string line; std::getline(in, line);) {
    const auto document = json::Document::parse(line);
    if (!document) give_up();
    const json::Value* about = document->root().find("about");
    const json::Value* text = document->root().find("text");
    if (about == nullptr || text == nullptr) give_up();
    lines.push_back({std::string(*about->string()), std::string(*text->string())});
  }
  if (lines.empty()) give_up();
  return lines;
}

std::string uuid(RandomSource& random) {
  std::string hex = random_text(random, kLowerHex, 32);
  for (const std::size_t at : {20, 16, 12, 8}) hex.insert(at, "-");
  return hex;
}

// hex40, digits3, base64_64, ...
std::string made(std::string_view what, RandomSource& random) {
  if (what == "uuid") return uuid(random);
  const std::size_t digits = what.find_last_not_of("0123456789") + 1;
  std::size_t size = 0;
  std::from_chars(what.data() + digits, what.data() + what.size(), size);
  const std::string_view kind = what.substr(0, digits);
  if (kind == "hex") return random_text(random, kLowerHex, size);
  if (kind == "digits") return random_text(random, "123456789", size);
  if (kind == "alnum") return random_text(random, kAlphanumeric, size);
  if (kind == "base64_") return random_text(random, kBase64Alphabet, size);
  if (kind == "base64url_") return random_text(random, kBase64UrlAlphabet, size);
  give_up();
}

std::string filled(std::string_view text, RandomSource& random) {
  std::string out;
  for (std::size_t at = 0;;) {
    const std::size_t open = text.find("{{", at);
    if (open == std::string_view::npos) return out.append(text.substr(at));
    const std::size_t close = text.find("}}", open);
    out.append(text.substr(at, open - at)).append(made(text.substr(open + 2, close - open - 2), random));
    at = close + 2;
  }
}

// What stands in a string of JSON is written as such.
std::string written_into(const Line& context, std::string_view text) {
  if (context.about != "json") return std::string(text);
  std::string out;
  json::append_string(out, text);
  return out.substr(1, out.size() - 2);
}

Sample placed(const Line& context, const MadeSecret& secret) {
  const std::size_t mark = context.text.find(kSecretMark);
  if (mark == std::string::npos) give_up();
  Sample sample;
  sample.about = context.about;
  sample.text = context.text.substr(0, mark) + written_into(context, secret.before);
  sample.secret.begin = sample.text.size();
  sample.text += written_into(context, secret.secret);
  sample.secret.end = sample.text.size();
  sample.text += written_into(context, secret.after) + context.text.substr(mark + kSecretMark.size());
  return sample;
}

void add_kinds(Corpus& corpus, const std::vector<Line>& contexts, RandomSource& random) {
  for (const SecretKind& kind : secret_kinds()) {
    for (const Line& context : contexts) {
      Sample sample = placed(context, kind.make(random));
      sample.detector = kind.detector;
      sample.form = "plain";
      corpus.positives.push_back(std::move(sample));
    }
  }
}

void add_known(Corpus& corpus, const std::vector<Line>& contexts, RandomSource& random) {
  corpus.known = {"correct horse/battery+staple&more", "p\"4ss<w0rd>&'%41\\n",
                  random_text(random, kAlphanumeric, 40), random_text(random, kBase64Alphabet, 64)};
  std::size_t next = 0;
  for (const std::string& value : corpus.known) {
    for (const WrittenForm& form : written_forms(value)) {
      for (int i = 0; i < 4; ++i) {
        const Line& context = contexts[next++ % contexts.size()];
        MadeSecret secret{form.text.substr(0, form.begin),
                          form.text.substr(form.begin, form.end - form.begin), form.text.substr(form.end)};
        Sample sample = placed(context, secret);
        sample.detector = kKnownDetector;
        sample.form = form.form;
        corpus.positives.push_back(std::move(sample));
      }
    }
  }
}

std::string detector_of(const Hit& hit) {
  return hit.kind == HitKind::kKnown ? std::string(kKnownDetector) : hit.name;
}

bool covers(const std::vector<Hit>& hits, std::string_view detector, const Extent& secret) {
  std::vector<Extent> extents;
  for (const Hit& hit : hits) {
    if (detector_of(hit) == detector) extents.push_back(hit.extent);
  }
  return std::ranges::any_of(redaction::merged(std::move(extents)), [&](const Extent& extent) {
    return extent.begin <= secret.begin && extent.end >= secret.end;
  });
}

}  // namespace

double Figures::recall() const {
  return found + missed == 0 ? 1 : static_cast<double>(found) / (found + missed);
}

double Figures::precision() const {
  return found + wrong == 0 ? 1 : static_cast<double>(found) / (found + wrong);
}

Corpus read_corpus(const std::filesystem::path& folder) {
  RandomSource random(kSeed);
  Corpus corpus;
  const std::vector<Line> contexts = read_lines(folder / "contexts.jsonl");
  add_kinds(corpus, contexts, random);
  add_known(corpus, contexts, random);
  for (const Line& line : read_lines(folder / "negatives.jsonl")) {
    const int times = line.text.find("{{") == std::string::npos ? 1 : kTimes;
    for (int i = 0; i < times; ++i)
      corpus.negatives.push_back({{}, line.about, {}, filled(line.text, random), {}});
  }
  return corpus;
}

SecretFinder full_finder(const Corpus& corpus) {
  const auto known = std::make_shared<redaction::KnownSecrets>();
  for (const std::string& value : corpus.known) {
    if (!known->add(as_bytes(value), "value")) give_up();
  }
  redaction::FinderOptions options;
  options.personal = {true, true, true, true};
  return SecretFinder(known, options);
}

std::map<std::string, Figures> measure(const Corpus& corpus) {
  const SecretFinder finder = full_finder(corpus);
  std::map<std::string, Figures> figures;
  for (const Sample& sample : corpus.positives) {
    Figures& mine = figures[sample.detector];
    if (covers(finder.find(sample.text), sample.detector, sample.secret)) {
      ++mine.found;
      continue;
    }
    ++mine.missed;
    mine.mistakes.push_back("missed, " + sample.form + ", " + sample.about + ": " + sample.text);
  }
  for (const Sample& sample : corpus.negatives) {
    std::set<std::string> detectors;
    for (const Hit& hit : finder.find_json(sample.text)) detectors.insert(detector_of(hit));
    for (const std::string& detector : detectors) {
      ++figures[detector].wrong;
      figures[detector].mistakes.push_back("wrong, " + sample.about + ": " + sample.text);
    }
  }
  return figures;
}

}  // namespace chancery::tests
