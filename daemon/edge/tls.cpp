#include "daemon/edge/tls.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include "sdk/base/descriptor.hpp"

namespace chancery::edge {
namespace {

namespace ssl = boost::asio::ssl;

Error openssl_error(ErrorCode code, const char* what) {
  const unsigned long native = ERR_peek_error();
  ERR_clear_error();
  return {code, what, native};
}

Result<struct stat> inspect(const std::filesystem::path& path, const char* what) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) {
    return Error{ErrorCode::kFileUnreadable, what, static_cast<std::uint64_t>(errno)};
  }
  return status;
}

// RFC 7301: a client that names protocols and not ours gets the alert that says so.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned in_size, void*) {
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, out_size, kOurs, sizeof kOurs - 1, in, in_size);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void restrict_protocol(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                   SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");  // of TLS 1.2
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);              // idle connections give back 34 KiB
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

// OpenSSL would ask the terminal for the passphrase of an encrypted key.
int no_passphrase(char*, int, int, void*) { return 0; }

}  // namespace

Result<ssl::context> server_tls(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  CHANCERY_TRY(
      inspect(certificate, "cannot read the TLS certificate: name a file that the daemon's user may read"));
  CHANCERY_ASSIGN(const struct stat key_file,
                  inspect(key, "cannot read the TLS key: name a file that the daemon's user may read"));
  if ((key_file.st_mode & 037) != 0) {
    return Error{ErrorCode::kFilePermissions,
                 "others may read or write the TLS key: set its mode to 0600 or 0640"};
  }
  ssl::context context(ssl::context::tls_server);
  SSL_CTX* const native = context.native_handle();
  restrict_protocol(native);
  SSL_CTX_set_default_passwd_cb(native, no_passphrase);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(native, certificate.c_str()) != 1) {
    return openssl_error(ErrorCode::kConfigInvalid, "the TLS certificate is no PEM certificate chain");
  }
  if (SSL_CTX_use_PrivateKey_file(native, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    if (ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH) {
      return openssl_error(ErrorCode::kConfigInvalid, "the TLS key is not that of the certificate");
    }
    return openssl_error(ErrorCode::kConfigInvalid, "the TLS key is no unencrypted PEM private key");
  }
  if (SSL_CTX_check_private_key(native) != 1) {
    return openssl_error(ErrorCode::kConfigInvalid, "the TLS key is not that of the certificate");
  }
  return context;
}

}  // namespace chancery::edge
