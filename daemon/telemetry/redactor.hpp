#pragma once

#include "sdk/redaction/log_redactor.hpp"

namespace chancery::telemetry {

using redaction::kRedacted;

/// What the daemon says goes through one of these: log lines, error answers, audit entries and metrics' labels.
using Redactor = redaction::LogRedactor;

}  // namespace chancery::telemetry
