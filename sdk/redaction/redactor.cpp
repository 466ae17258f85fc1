#include <utility>

#include <chancery/redaction.hpp>

#include "sdk/redaction/secret_finder.hpp"

namespace chancery {
namespace {

redaction::FinderOptions finder_options(const RedactorOptions& options) {
  redaction::FinderOptions out;
  out.random_tokens = options.random_tokens;
  out.configured = options.patterns;
  return out;
}

}  // namespace

struct Redactor::Parts {
  explicit Parts(const RedactorOptions& options) : finder(known, finder_options(options)) {}

  std::shared_ptr<redaction::KnownSecrets> known = std::make_shared<redaction::KnownSecrets>();
  redaction::SecretFinder finder;
};

Redactor::Redactor(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Redactor::~Redactor() = default;
Redactor::Redactor(Redactor&& other) noexcept = default;
Redactor& Redactor::operator=(Redactor&& other) noexcept = default;

Result<Redactor> Redactor::create(const RedactorOptions& options) {
  for (const std::string& pattern : options.patterns)
    CHANCERY_TRY(redaction::ConfiguredPatterns::check(pattern));
  return Redactor(std::make_unique<Parts>(options));
}

Status Redactor::hide(ByteView secret) {
  CHANCERY_TRY(parts_->known->add(secret, "hidden value"));
  return {};
}

std::string Redactor::redact(std::string_view text) const { return parts_->finder.redact(text).text; }

std::string Redactor::redact_json(std::string_view json) const {
  return parts_->finder.redact_json(json).text;
}

}  // namespace chancery
