#pragma once

#include <chrono>
#include <filesystem>

#include <chancery/result.hpp>

namespace chancery::edge {

/// Where `chanceryd --dev` keeps what its TLS needs.
struct DevCertificateFiles {
  std::filesystem::path authority;    ///< for clients: the certificate to trust
  std::filesystem::path certificate;  ///< for the server: its certificate, then the authority's
  std::filesystem::path key;          ///< for the server: mode 0600
};

/// Makes a P-256 certificate for `localhost`, 127.0.0.1 and ::1, by an authority of its own whose key is
/// forgotten here: whoever trusts the authority trusts this certificate and none else. (Not one certificate
/// for both: some TLS libraries refuse an authority as a server.)
/// \param now  the validity begins an hour before, for clocks that differ, and lasts 30 days
/// \return kFileUnwritable (a file that exists already included), kCryptoFailure
[[nodiscard]] Status make_dev_certificate(const DevCertificateFiles& files, std::chrono::sys_seconds now);

}  // namespace chancery::edge
