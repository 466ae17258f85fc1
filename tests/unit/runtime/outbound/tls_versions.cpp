#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <ostream>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "sdk/base/descriptor.hpp"
#include "sdk/crypto/openssl_handles.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"
#include "tests/unit/runtime/outbound/upstream.hpp"

// Which versions of TLS a call takes.

namespace {

using namespace chancery;
using namespace chancery::runtime;
using namespace chancery::testing;
namespace data = boost::unit_test::data;

using Certificate = std::unique_ptr<X509, openssl::Deleter<X509_free>>;

Certificate self_signed(EVP_PKEY* key) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"),
                             -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_set_pubkey(certificate.get(), key);
  X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
  X509_add_ext(certificate.get(), names, -1);
  X509_EXTENSION_free(names);
  BOOST_REQUIRE(X509_sign(certificate.get(), key, EVP_sha256()) > 0);
  return certificate;
}

/// Answers one connection, in one version of TLS alone, as an old server does.
class VersionedServer {
 public:
  explicit VersionedServer(int version)
      : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free), key_(EVP_EC_gen("P-256")) {
    const Certificate certificate = self_signed(key_.get());
    std::FILE* const file = std::fopen(ca_file().c_str(), "w");
    BOOST_REQUIRE((file != nullptr && PEM_write_X509(file, certificate.get()) == 1));
    std::fclose(file);
    SSL_CTX_set_security_level(context_.get(), 0);
    BOOST_REQUIRE(SSL_CTX_set_min_proto_version(context_.get(), version) == 1);
    BOOST_REQUIRE(SSL_CTX_set_max_proto_version(context_.get(), version) == 1);
    BOOST_REQUIRE(SSL_CTX_use_certificate(context_.get(), certificate.get()) == 1);
    BOOST_REQUIRE(SSL_CTX_use_PrivateKey(context_.get(), key_.get()) == 1);
    listener_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    BOOST_REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    BOOST_REQUIRE(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    BOOST_REQUIRE(::listen(listener_.get(), 4) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~VersionedServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  VersionedServer(const VersionedServer&) = delete;
  VersionedServer& operator=(const VersionedServer&) = delete;

  [[nodiscard]] std::string url() const { return "https://localhost:" + std::to_string(port_) + "/"; }
  [[nodiscard]] std::string ca_file() const { return (folder_.path() / "ca.pem").string(); }

 private:
  void serve() {
    const Descriptor accepted(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!accepted) return;
    const std::unique_ptr<SSL, openssl::Deleter<SSL_free>> tls(SSL_new(context_.get()));
    SSL_set_fd(tls.get(), accepted.get());
    if (SSL_accept(tls.get()) != 1) return;
    Connection connection(accepted.get(), tls.get());
    connection.read_request();
    connection.write(http_answer(200, "text/plain", "abc"));
    SSL_shutdown(tls.get());
  }

  TemporaryFolder folder_;
  std::shared_ptr<SSL_CTX> context_;
  openssl::Pkey key_;
  Descriptor listener_;
  int port_ = 0;
  std::thread thread_;
};

struct Version {
  const char* name;
  int version;
  bool is_taken;
};
std::ostream& operator<<(std::ostream& out, const Version& row) { return out << row.name; }

constexpr std::array kVersions{
    Version{"1.0", TLS1_VERSION, false},
    Version{"1.1", TLS1_1_VERSION, false},
    Version{"1.2", TLS1_2_VERSION, true},
    Version{"1.3", TLS1_3_VERSION, true},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(tls_versions)

BOOST_DATA_TEST_CASE(nothing_older_than_the_least_is_spoken, data::make(kVersions), row) {
  const VersionedServer server(row.version);
  CountingResolver resolver;
  OutboundRequest request;
  request.url = server.url();
  request.ca_file = server.ca_file();
  request.allowed.push_back(AddressRange::parse("127.0.0.1").value());
  const auto response = OutboundCaller(resolver.asked()).call(request);
  BOOST_REQUIRE(response.has_value() == row.is_taken);
  if (!response) BOOST_TEST((response.error().code == ErrorCode::kTlsFailed));
}

BOOST_AUTO_TEST_SUITE_END()
