#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <chancery/api_attestation.hpp>

#include "sdk/cli/output.hpp"
#include "sdk/verify/attestation_result.hpp"

namespace chancery::cli {

// What attestation found, for people: the level first, and beside it what it does not prove.

/// `  custody      LEVEL: what that means`, with emulation in another colour than proof.
void show_custody_level(Output& output, std::string_view level);

/// A host as its verifier knows it.
void show_host(Output& output, const api::AttestedHost& host);

/// What a result says, whose signature and times were judged.
void show_result(Output& output, const AttestationResult& result);

}  // namespace chancery::cli
