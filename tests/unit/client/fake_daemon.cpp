#include "tests/unit/client/fake_daemon.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sdk/crypto/openssl_handles.hpp"

namespace chancery::testing {
namespace {

using Certificate = std::unique_ptr<X509, openssl::Deleter<X509_free>>;

// A broken fixture is no result of a test.
void require(bool fact) {
  if (!fact) std::abort();
}

Certificate self_signed(EVP_PKEY* key, const std::string& name) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  // One file may hold several of them, which OpenSSL tells by this name.
  static std::atomic<int> made{0};
  const std::string common_name = "fake daemon " + std::to_string(++made);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  X509_set_pubkey(certificate.get(), key);
  const std::string names = "DNS:" + name;
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  X509_add_ext(certificate.get(), extension, -1);
  X509_EXTENSION_free(extension);
  require(X509_sign(certificate.get(), key, EVP_sha256()) > 0);
  return certificate;
}

void write_pem(const std::string& path, X509* certificate) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  require(file != nullptr && PEM_write_X509(file, certificate) == 1);
  std::fclose(file);
}

}  // namespace

long Connection::read_some(char* into, std::size_t size) {
  if (tls_ == nullptr) return ::read(descriptor_, into, size);
  return SSL_read(tls_, into, static_cast<int>(size));
}

std::string Connection::read_request() {
  std::string request;
  std::size_t wanted = std::string::npos;
  constexpr std::string_view kLength = "\r\nContent-Length:";
  char chunk[4096];
  while (request.size() < wanted) {
    const long got = read_some(chunk, sizeof chunk);
    if (got <= 0) return {};
    request.append(chunk, static_cast<std::size_t>(got));
    const std::size_t end = request.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    const std::size_t length = request.find(kLength);
    wanted =
        end + 4 + (length < end ? std::strtoul(request.c_str() + length + kLength.size(), nullptr, 10) : 0);
  }
  return request;
}

void Connection::write(std::string_view octets) {
  while (!octets.empty()) {
    const long put = tls_ == nullptr ? ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL)
                                     : SSL_write(tls_, octets.data(), static_cast<int>(octets.size()));
    if (put <= 0) return;
    octets.remove_prefix(static_cast<std::size_t>(put));
  }
}

void Connection::hang_up() { ::shutdown(descriptor_, SHUT_RDWR); }

void Connection::wait_for_peer() {
  char chunk[256];
  while (read_some(chunk, sizeof chunk) > 0) {
  }
}

std::unique_ptr<FakeDaemon> FakeDaemon::on_socket(Script script) {
  std::unique_ptr<FakeDaemon> daemon(new FakeDaemon(std::move(script)));
  daemon->listen_on_socket();
  daemon->start();
  return daemon;
}

std::unique_ptr<FakeDaemon> FakeDaemon::on_tls(Script script, const std::string& name) {
  std::unique_ptr<FakeDaemon> daemon(new FakeDaemon(std::move(script)));
  daemon->listen_on_tls(name);
  daemon->start();
  return daemon;
}

FakeDaemon::~FakeDaemon() {
  ::shutdown(listener_, SHUT_RDWR);
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
  ::close(listener_);
}

void FakeDaemon::listen_on_socket() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket().c_str(), sizeof address.sun_path - 1);
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

void FakeDaemon::listen_on_tls(const std::string& name) {
  const openssl::Pkey key(EVP_EC_gen("P-256"));
  const Certificate certificate = self_signed(key.get(), name);
  write_pem(ca_file(), certificate.get());
  tls_ = std::shared_ptr<SSL_CTX>(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  require(SSL_CTX_use_certificate(tls_.get(), certificate.get()) == 1);
  require(SSL_CTX_use_PrivateKey(tls_.get(), key.get()) == 1);

  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  require(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
}

void FakeDaemon::start() {
  std::signal(SIGPIPE, SIG_IGN);  // SSL_write has no MSG_NOSIGNAL
  require(::listen(listener_, 64) == 0);
  threads_.emplace_back([this] { accept_all(); });
}

void FakeDaemon::accept_all() {
  for (;;) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      ::close(descriptor);
      return;
    }
    open_.push_back(descriptor);
    threads_.emplace_back([this, descriptor] { serve(descriptor); });
  }
}

void FakeDaemon::serve(int descriptor) {
  const std::unique_ptr<SSL, openssl::Deleter<SSL_free>> tls(tls_ ? SSL_new(tls_.get()) : nullptr);
  if (tls) SSL_set_fd(tls.get(), descriptor);
  if (!tls || SSL_accept(tls.get()) == 1) {
    Connection connection(descriptor, tls.get());
    script_(connection);
    if (tls) SSL_shutdown(tls.get());
  }
  const std::lock_guard lock(mutex_);
  std::erase(open_, descriptor);
  ::close(descriptor);
}

FakeDaemon::Script answers(std::string octets) {
  return [octets = std::move(octets)](Connection& connection) {
    connection.read_request();
    connection.write(octets);
  };
}

std::string http_answer(int status, std::string_view content_type, std::string_view body,
                        std::string_view more_headers) {
  return "HTTP/1.1 " + std::to_string(status) + " Something\r\nContent-Type: " + std::string(content_type) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(more_headers) + "\r\n" +
         std::string(body);
}

}  // namespace chancery::testing
