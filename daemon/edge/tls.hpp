#pragma once

#include <filesystem>

#include <boost/asio/ssl/context.hpp>

#include <chancery/result.hpp>

namespace chancery::edge {

/// The server's side of TLS 1.3 and 1.2, without compression and renegotiation; ALPN offers `http/1.1`.
/// \param certificate  PEM chain, the server's own first
/// \param key  PEM, unencrypted; nobody but its owner may write to it, nobody but owner and group read it
/// \return kFileUnreadable, kFilePermissions; kConfigInvalid when the files hold something else or do not
///         fit each other; `native` is errno or OpenSSL's code
Result<boost::asio::ssl::context> server_tls(const std::filesystem::path& certificate,
                                             const std::filesystem::path& key);

}  // namespace chancery::edge
