#include "daemon/telemetry/secret_patterns.hpp"

#include <array>

namespace chancery::telemetry {
namespace {

// A secret's end is where a character stands that it cannot have. Lengths are lower bounds, so that prose about
// `sk-` or `Bearer` stays readable. A header of JOSE begins with {" or, written for people, with a brace and white space.
constexpr std::array kPatterns{
    SecretPattern{"encrypted tokens (JWE)",
                  R"((?:eyJ|eyAi|ewog|ew0K)[\w-]*\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]*)"},
    SecretPattern{"signed tokens, chains and proofs (JWS, SD-JWT, DPoP)",
                  R"((?:eyJ|eyAi|ewog|ew0K)[\w-]*\.[\w-]+\.[\w-]*(?:~[\w.-]*)*)"},
    SecretPattern{"join tokens", R"(chancery-join-[\w-]{8,})"},
    SecretPattern{
        "private keys in PEM",
        R"(-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:-?[\w+/=\s\\:,])*(?:-----END [A-Z0-9 ]*PRIVATE KEY-----)?)"},
    SecretPattern{
        "`Authorization` values",
        R"(((?i:\bauthorization["']?\s*[:=]\s*["']?(?:(?:bearer|dpop|basic|digest)\s+)?))[^\s"',;]+)"},
    SecretPattern{"bearer, DPoP and basic credentials",
                  R"(((?i:\b(?:bearer|dpop|basic)\s+))[\w.~+/-]{24,}=*)"},
    SecretPattern{"cookies", R"(((?i:\b(?:set-)?cookie["']?\s*[:=]\s*["']?))[^\r\n"']+)"},
    SecretPattern{"passwords in URLs", R"((\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@"']*:)[^\s/@"']+(@))"},
    SecretPattern{"PINs in PKCS#11 URIs", R"((\bpin-value=)[^\s;&?"']+)"},
    SecretPattern{
        "values named as passwords, keys or tokens",
        R"(((?i:\b(?:password|passwd|passphrase|client_secret|api[_-]?key|(?:access|refresh|id|session)_token)["']?\s*[:=]\s*["']?))[^\s"',;&]+)"},
    SecretPattern{"AWS access key ids", R"(\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b)"},
    SecretPattern{
        "AWS secret keys",
        R"(((?i:\baws_?(?:secret_?access_?key|secret_?key|session_?token)["']?\s*[:=]\s*["']?))[\w/+=]{16,})"},
    SecretPattern{"GitHub tokens", R"(\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,}))"},
    SecretPattern{"GitLab tokens", R"(\bgl(?:pat|dt|rt|ft|cbt|ptt|soat|agent|oas)-[\w-]{20,})"},
    SecretPattern{
        "Slack tokens and web hooks",
        R"(\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-[A-Za-z0-9-]{10,}|\bhooks\.slack\.com/services/[\w/]+)"},
    SecretPattern{"Stripe keys", R"(\b(?:(?:sk|rk)_(?:live|test)|whsec)_[A-Za-z0-9]{16,})"},
    SecretPattern{"Google keys and tokens", R"(\bAIza[\w-]{35}|\bya29\.[\w-]{20,}|\bGOCSPX-[\w-]{28})"},
    SecretPattern{"OpenAI and Anthropic keys", R"(\bsk-(?:proj-|svcacct-|admin-|ant-)?[\w-]{20,})"},
};

}  // namespace

std::span<const SecretPattern> secret_patterns() noexcept { return kPatterns; }

}  // namespace chancery::telemetry
