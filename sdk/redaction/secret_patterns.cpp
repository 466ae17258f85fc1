#include "sdk/redaction/secret_patterns.hpp"

#include <array>

namespace chancery::redaction {
namespace {

using enum SecretPattern::Case;

constexpr std::string_view kJose = "eyJ eyAi ewog ew0K";
constexpr std::string_view kJoseRun = R"(A-Za-z0-9_-)";

// What a bot's token of Discord begins with: base64 of the first three digits of a number.
constexpr std::string_view kDiscordMarks =
    "MTA MTE MTI MTM MTQ MTU MTY MTc MTg MTk MjA MjE MjI MjM MjQ MjU MjY Mjc Mjg Mjk MzA MzE MzI MzM MzQ MzU MzY Mzc "
    "Mzg Mzk NDA NDE NDI NDM NDQ NDU NDY NDc NDg NDk NTA NTE NTI NTM NTQ NTU NTY NTc NTg NTk NjA NjE NjI NjM NjQ NjU "
    "NjY Njc Njg Njk NzA NzE NzI NzM NzQ NzU NzY Nzc Nzg Nzk ODA ODE ODI ODM ODQ ODU ODY ODc ODg ODk OTA OTE OTI OTM "
    "OTQ OTU OTY OTc OTg OTk";

// A secret's end is where a character stands that it cannot have. Lengths are lower bounds, so that prose about
// `sk-` or `Bearer` stays readable. A header of JOSE begins with {" or, written for people, with a brace and white space.
constexpr std::array kPatterns{
    SecretPattern{"encrypted tokens (JWE)",
                  R"((?:eyJ|eyAi|ewog|ew0K)[\w-]*\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]*)",
                  kJose,
                  kExact,
                  {},
                  0,
                  kJoseRun},
    SecretPattern{"signed tokens, chains and proofs (JWS, SD-JWT, DPoP)",
                  R"((?:eyJ|eyAi|ewog|ew0K)[\w-]*\.[\w-]+\.[\w-]*(?:~[\w.-]*)*)",
                  kJose,
                  kExact,
                  {},
                  0,
                  kJoseRun},
    SecretPattern{"join tokens", R"(chancery-join-[\w-]{8,})", "chancery-join-"},
    SecretPattern{
        "private keys in PEM",
        R"(-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:-?[\w+/=\s\\:,])*(?:-----END [A-Z0-9 ]*PRIVATE KEY-----)?)",
        "-----BEGIN"},
    SecretPattern{
        "`Authorization` values",
        R"(((?i:\bauthorization["']?\s*[:=]\s*["']?(?:(?:bearer|dpop|basic|digest)\s+)?))[^\s"',;]+)",
        "authorization", kAny},
    SecretPattern{"bearer, DPoP and basic credentials",
                  R"(((?i:\b(?:bearer|dpop|basic)\s+))[\w.~+/-]{24,}=*)", "bearer dpop basic", kAny},
    SecretPattern{"cookies", R"(((?i:\b(?:set-)?cookie["']?\s*[:=]\s*["']?))[^\r\n"']+)", "cookie", kAny},
    SecretPattern{"passwords in URLs", R"((\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@"']*:)[^\s/@"']+(@))", "://",
                  kExact, "a-zA-Z0-9+.-", 40},
    SecretPattern{"PINs in PKCS#11 URIs", R"((\bpin-value=)[^\s;&?"']+)", "pin-value="},
    SecretPattern{
        "values named as passwords, keys or tokens",
        R"(((?i:\b(?:password|passwd|passphrase|client_secret|api[_-]?key|(?:access|refresh|id|session)_token)["']?\s*[:=]\s*["']?))[^\s"',;&]+)",
        "password passwd passphrase client_secret api_key api-key apikey access_token refresh_token id_token session_token",
        kAny},
    SecretPattern{
        "environment variables named as secrets",
        R"((\b[A-Z0-9_]*(?:_(?:PASSWORD|PASSWD|PASS|PWD|SECRET|TOKEN|CREDENTIALS?)|(?:API|SECRET|ACCESS|PRIVATE|ENCRYPTION|SIGNING|MASTER|AUTH|SERVICE|DEPLOY)_KEY|PGPASSWORD)["']?\s*(?:=|:\s*["'])\s*["']?)[^\s"',;&$<{(][^\s"',;&]{7,})",
        "_PASSWORD _PASSWD _PASS _PWD _SECRET _TOKEN _KEY _CREDENTIAL PGPASSWORD", kExact, "A-Z0-9_", 64},
    SecretPattern{"AWS access key ids", R"(\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b)", "AKIA ASIA ABIA ACCA"},
    SecretPattern{
        "AWS secret keys",
        R"(((?i:\baws_?(?:secret_?access_?key|secret_?key|session_?token)["']?\s*[:=]\s*["']?))[\w/+=]{16,})",
        "aws_se awsse", kAny},
    SecretPattern{"Azure keys in connection strings",
                  R"(((?i:\b(?:AccountKey|SharedAccessKey)=))[\w+/%-]{40,}={0,2})",
                  "accountkey= sharedaccesskey=", kAny},
    SecretPattern{"Azure shared access signatures", R"(([?&;]sig=)[\w+/%-]{40,}={0,2})", "?sig= &sig= ;sig="},
    SecretPattern{"Azure client secrets", R"([\w~.-]{3}8Q~[\w~.-]{34})", "8Q~", kExact, "a-zA-Z0-9_~.-", 3},
    SecretPattern{"GitHub tokens", R"(\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,}))",
                  "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_"},
    SecretPattern{"GitLab tokens", R"(\bgl(?:pat|dt|rt|ft|cbt|ptt|soat|agent|oas)-[\w-]{20,})",
                  "glpat- gldt- glrt- glft- glcbt- glptt- glsoat- glagent- gloas-"},
    SecretPattern{
        "Slack tokens and web hooks",
        R"(\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-[A-Za-z0-9-]{10,}|\bhooks\.slack\.com/services/[\w/]+)",
        "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xapp- hooks.slack.com/services/"},
    SecretPattern{"Stripe keys", R"(\b(?:(?:sk|rk)_(?:live|test)|whsec)_[A-Za-z0-9]{16,})",
                  "sk_live_ sk_test_ rk_live_ rk_test_ whsec_"},
    SecretPattern{"Google keys and tokens", R"(\bAIza[\w-]{35}|\bya29\.[\w-]{20,}|\bGOCSPX-[\w-]{28})",
                  "AIza ya29. GOCSPX-"},
    SecretPattern{"OpenAI and Anthropic keys",
                  R"(\bsk-(?:proj-|svcacct-|admin-|ant-)?[\w-]{20,})",
                  "sk-",
                  kExact,
                  {},
                  0,
                  {},
                  true},
    SecretPattern{"Twilio keys", R"(\bSK[0-9a-f]{32}\b)",
                  "SK0 SK1 SK2 SK3 SK4 SK5 SK6 SK7 SK8 SK9 SKa SKb SKc SKd SKe SKf"},
    SecretPattern{"SendGrid keys", R"(\bSG\.[\w-]{16,32}\.[\w-]{32,64})", "SG."},
    SecretPattern{"npm tokens", R"(\bnpm_[A-Za-z0-9]{36,})", "npm_"},
    SecretPattern{"PyPI tokens", R"(\bpypi-[\w-]{50,})", "pypi-"},
    SecretPattern{"Hugging Face tokens", R"(\bhf_[A-Za-z0-9]{30,})", "hf_"},
    SecretPattern{"DigitalOcean tokens", R"(\bdo[oprt]_v1_[0-9a-f]{64})", "doo_v1_ dop_v1_ dor_v1_ dot_v1_"},
    SecretPattern{"Telegram bots' tokens", R"(\b[0-9]{8,10}:AA[\w-]{33})", ":AA", kExact, "0-9", 10},
    SecretPattern{"Discord bots' tokens", R"(\b[MNO][A-Za-z0-9]{23,27}\.[\w-]{6}\.[\w-]{27,45})",
                  kDiscordMarks},
    SecretPattern{"Discord web hooks", R"((\bdiscord(?:app)?\.com/api/webhooks/[0-9]+/)[\w-]{20,})",
                  "discord.com/api/webhooks/ discordapp.com/api/webhooks/"},
    SecretPattern{"HashiCorp Vault tokens", R"(\bhv[sbr]\.[\w-]{24,})", "hvs. hvb. hvr."},
    SecretPattern{"Shopify tokens", R"(\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32})", "shpat_ shpca_ shppa_ shpss_"},
    SecretPattern{"age identities", R"(\bAGE-SECRET-KEY-1[0-9A-Z]{58})", "AGE-SECRET-KEY-1"},
};

}  // namespace

std::span<const SecretPattern> secret_patterns() noexcept { return kPatterns; }

}  // namespace chancery::redaction
