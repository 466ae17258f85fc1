// TLS as clients meet it, and the certificate of `chanceryd --dev`.
#include "daemon/edge/tls.hpp"

#include <fstream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include "daemon/edge/dev_certificate.hpp"
#include "tests/integration/edge/scene.hpp"

namespace chancery::testing {
namespace {

namespace data = boost::unit_test::data;
using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Session = std::unique_ptr<SSL, decltype(&SSL_free)>;

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Context client_context() { return {SSL_CTX_new(TLS_client_method()), SSL_CTX_free}; }

/// A handshake with the scene's server. \return the session, empty when it failed
Session shake_hands(const Context& context, const Descriptor& socket, std::string_view protocols = "") {
  Session session(SSL_new(context.get()), SSL_free);
  SSL_set_fd(session.get(), socket.get());
  if (!protocols.empty()) {
    SSL_set_alpn_protos(session.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned>(protocols.size()));
  }
  return SSL_connect(session.get()) == 1 ? std::move(session) : Session(nullptr, SSL_free);
}

struct Version {
  const char* name;
  int version;
  bool accepted;
};
std::ostream& operator<<(std::ostream& out, const Version& row) { return out << row.name; }

constexpr std::array kVersions{
    Version{"TLS 1.3", TLS1_3_VERSION, true}, Version{"TLS 1.2", TLS1_2_VERSION, true},
    Version{"TLS 1.1", TLS1_1_VERSION, false}, Version{"TLS 1.0", TLS1_VERSION, false}};

BOOST_DATA_TEST_CASE(tls_1_2_and_later_are_spoken, data::make(kVersions), row) {
  Scene scene;
  const Context context = client_context();
  SSL_CTX_set_security_level(context.get(), 0);  // so that the server is the one who refuses
  SSL_CTX_set_min_proto_version(context.get(), row.version);
  SSL_CTX_set_max_proto_version(context.get(), row.version);
  const Descriptor socket = connect_tcp(scene.server().tls_port());
  BOOST_TEST((shake_hands(context, socket) != nullptr) == row.accepted);
}

BOOST_AUTO_TEST_CASE(tls_1_3_is_preferred_without_compression_or_renegotiation) {
  Scene scene;
  const Context context = client_context();
  const Descriptor socket = connect_tcp(scene.server().tls_port());
  const Session session = shake_hands(context, socket);
  BOOST_REQUIRE(session);
  BOOST_TEST(SSL_version(session.get()) == TLS1_3_VERSION);
  BOOST_TEST((SSL_get_current_compression(session.get()) == nullptr));
}

BOOST_AUTO_TEST_CASE(renegotiation_is_refused) {
  Scene scene;
  const Context context = client_context();
  SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  const Descriptor socket = connect_tcp(scene.server().tls_port());
  const Session session = shake_hands(context, socket);
  BOOST_REQUIRE(session);
  SSL_renegotiate(session.get());
  char octet = 0;
  const bool renegotiated = SSL_do_handshake(session.get()) == 1 && SSL_read(session.get(), &octet, 1) == 1;
  BOOST_TEST(!renegotiated);
  scene.check_serves(Wire::kTls);
}

BOOST_AUTO_TEST_CASE(http_1_1_is_chosen_among_offered_protocols_and_nothing_else) {
  Scene scene;
  const Context context = client_context();
  const Descriptor both = connect_tcp(scene.server().tls_port());
  const Session session = shake_hands(context, both, "\x02h2\x08http/1.1");
  BOOST_REQUIRE(session);
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(session.get(), &chosen, &size);
  BOOST_TEST(std::string(reinterpret_cast<const char*>(chosen), size) == "http/1.1");
  const Descriptor other = connect_tcp(scene.server().tls_port());
  BOOST_TEST((shake_hands(context, other, "\x02h2") == nullptr));
}

BOOST_AUTO_TEST_CASE(close_is_announced_to_tls_clients) {
  Scene scene;
  const Context context = client_context();
  const Descriptor socket = connect_tcp(scene.server().tls_port());
  const Session session = shake_hands(context, socket);
  BOOST_REQUIRE(session);
  const std::string request = "GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  BOOST_TEST(SSL_write(session.get(), request.data(), static_cast<int>(request.size())) > 0);
  char buffer[4096];
  int size = 0;
  while ((size = SSL_read(session.get(), buffer, sizeof buffer)) > 0) {
  }
  BOOST_TEST(SSL_get_error(session.get(), size) == SSL_ERROR_ZERO_RETURN);
}

// --- the development certificate

BOOST_AUTO_TEST_CASE(development_certificate_is_for_this_machine_only) {
  Scene scene;  // RawClient::to_tls checks chain and the name localhost
  scene.check_serves(Wire::kTls);
  for (const char* address : {"127.0.0.1", "::1"}) {
    const Context context = client_context();
    BOOST_REQUIRE(SSL_CTX_load_verify_locations(context.get(), scene.authority().c_str(), nullptr) == 1);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(context.get()), address);
    const Descriptor socket = connect_tcp(scene.server().tls_port());
    BOOST_TEST((shake_hands(context, socket) != nullptr), address);
  }
  const Context context = client_context();
  BOOST_REQUIRE(SSL_CTX_load_verify_locations(context.get(), scene.authority().c_str(), nullptr) == 1);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  X509_VERIFY_PARAM_set1_host(SSL_CTX_get0_param(context.get()), "example.org", 0);
  const Descriptor socket = connect_tcp(scene.server().tls_port());
  BOOST_TEST((shake_hands(context, socket) == nullptr));
}

struct DevFiles {
  TemporaryFolder folder;
  edge::DevCertificateFiles paths{folder.path() / "ca.pem", folder.path() / "server.pem",
                                  folder.path() / "server.key"};
  DevFiles() { BOOST_REQUIRE(edge::make_dev_certificate(paths, now())); }
};

BOOST_AUTO_TEST_CASE(development_key_is_for_its_owner_and_files_are_never_replaced) {
  const DevFiles files;
  struct stat status {};
  BOOST_REQUIRE(::stat(files.paths.key.c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 0777) == 0600U);
  const Status again = edge::make_dev_certificate(files.paths, now());
  BOOST_REQUIRE(!again);
  BOOST_TEST((again.error().code == ErrorCode::kFileUnwritable));
}

// --- files that do not serve

void write(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
  ::chmod(path.c_str(), 0600);
}

struct BadFiles {
  const char* name;
  void (*spoil)(edge::DevCertificateFiles& files);
  ErrorCode code;
  const char* what;
};
std::ostream& operator<<(std::ostream& out, const BadFiles& row) { return out << row.name; }

const std::array kBadFiles{
    BadFiles{"missing certificate", [](auto& files) { files.certificate = "/nonexistent"; },
             ErrorCode::kFileUnreadable, "cannot read the TLS certificate"},
    BadFiles{"missing key", [](auto& files) { files.key = "/nonexistent"; }, ErrorCode::kFileUnreadable,
             "cannot read the TLS key"},
    BadFiles{"certificate that is none", [](auto& files) { write(files.certificate, "hello"); },
             ErrorCode::kConfigInvalid, "no PEM certificate"},
    BadFiles{"empty certificate", [](auto& files) { write(files.certificate, ""); },
             ErrorCode::kConfigInvalid, "no PEM certificate"},
    BadFiles{"folder as certificate", [](auto& files) { files.certificate = "/tmp"; },
             ErrorCode::kConfigInvalid, "no PEM certificate"},
    BadFiles{"key that is none", [](auto& files) { write(files.key, "hello"); }, ErrorCode::kConfigInvalid,
             "no unencrypted PEM"},
    BadFiles{"encrypted key",
             [](auto& files) {
               write(files.key,
                     "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n");
             },
             ErrorCode::kConfigInvalid, "no unencrypted PEM"},
    BadFiles{"key of another certificate",
             [](auto& files) {
               std::filesystem::remove(files.key);
               const auto folder = files.key.parent_path();
               BOOST_REQUIRE(edge::make_dev_certificate(
                   {folder / "ca2.pem", folder / "server2.pem", files.key}, now()));
             },
             ErrorCode::kConfigInvalid, "not that of the certificate"},
    BadFiles{"key that others may read", [](auto& files) { ::chmod(files.key.c_str(), 0644); },
             ErrorCode::kFilePermissions, "mode to 0600"},
    BadFiles{"key that the group may write", [](auto& files) { ::chmod(files.key.c_str(), 0660); },
             ErrorCode::kFilePermissions, "mode to 0600"},
};

BOOST_DATA_TEST_CASE(bad_certificate_or_key_is_refused_by_its_own_error, data::make(kBadFiles), row) {
  DevFiles files;
  row.spoil(files.paths);
  const auto context = edge::server_tls(files.paths.certificate, files.paths.key);
  BOOST_REQUIRE(!context);
  BOOST_TEST((context.error().code == row.code));
  BOOST_TEST(std::string(context.error().what).find(row.what) != std::string::npos, context.error().what);
}

BOOST_AUTO_TEST_CASE(key_that_the_group_may_read_is_accepted) {
  DevFiles files;
  ::chmod(files.paths.key.c_str(), 0640);
  BOOST_TEST(edge::server_tls(files.paths.certificate, files.paths.key).has_value());
}

}  // namespace
}  // namespace chancery::testing
