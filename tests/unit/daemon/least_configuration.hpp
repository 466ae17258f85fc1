#pragma once

#include <string>

namespace chancery::config::testing {

/// The least that is complete; 9 lines.
inline const std::string kLeast = R"([issuer]
trust_domain = "example.org"
url = "https://chancery.example.org"
backend = "tpm0"
[server]
tls_listen = ""
[[backend]]
name = "tpm0"

)";

}  // namespace chancery::config::testing
