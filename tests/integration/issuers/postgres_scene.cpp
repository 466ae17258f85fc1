#include "tests/integration/issuers/postgres_scene.hpp"

#include <csignal>
#include <fstream>
#include <thread>

#include <pwd.h>
#include <unistd.h>

namespace chancery::tests {
namespace {

constexpr const char* kSuperuser = "postgres";
constexpr const char* kSuperPassword = "superuser's password";

constexpr const char* kShop = R"(
CREATE DATABASE shop;
\c shop
CREATE TABLE orders (id int);
INSERT INTO orders VALUES (7);
CREATE ROLE readers;
CREATE ROLE writers;
CREATE ROLE heirs;
GRANT SELECT ON orders TO readers;
GRANT SELECT, INSERT ON orders TO writers;
GRANT CREATE ON SCHEMA public TO writers, heirs;
CREATE ROLE issuer LOGIN CREATEROLE PASSWORD 'issuer''s password' IN ROLE heirs;
)";

// PostgreSQL does not run as root.
const passwd* server_user() {
  if (::geteuid() != 0) return nullptr;
  const passwd* user = ::getpwnam("postgres");
  BOOST_REQUIRE_MESSAGE(user != nullptr, "there is no user postgres: `./dev test` installs PostgreSQL");
  return user;
}

/// The command as the user that the server runs under.
std::vector<std::string> as_server(std::vector<std::string> command) {
  if (server_user() == nullptr) return command;
  std::vector<std::string> all{"/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres",
                               "--init-groups",    "--pdeathsig=QUIT", "--"};
  all.insert(all.end(), command.begin(), command.end());
  return all;
}

void give_to_server(const std::filesystem::path& path) {
  const passwd* user = server_user();
  if (user != nullptr) BOOST_REQUIRE(::chown(path.c_str(), user->pw_uid, user->pw_gid) == 0);
}

void write(const std::filesystem::path& file, const std::string& text,
           std::ios::openmode mode = std::ios::out) {
  std::ofstream(file, mode) << text;
}

}  // namespace

PostgresScene::PostgresScene() : port_(free_port()) {
  make_certificate(folder_.path());
  give_to_server(folder_.path());
  give_to_server(folder_.path() / "tls.key");
  prepare();
  start();
}

std::string PostgresScene::program(const std::string& name) const {
  for (const auto& version : std::filesystem::directory_iterator(CHANCERY_POSTGRESQL)) {
    const std::filesystem::path file = version.path() / "bin" / name;
    if (std::filesystem::exists(file)) return file;
  }
  BOOST_FAIL("there is no " << name << " in " << CHANCERY_POSTGRESQL << ": `./dev test` installs it");
  return {};
}

void PostgresScene::prepare() const {
  const std::string at = folder_.path();
  write(at + "/password", kSuperPassword);
  give_to_server(at + "/password");
  static_cast<void>(output_of(as_server({program("initdb"), "--pgdata=" + at + "/data", "--username=postgres",
                                         "--pwfile=" + at + "/password", "--auth=scram-sha-256", "--no-sync",
                                         "--encoding=UTF8", "--locale=C"}),
                              at));
  write(
      at + "/data/postgresql.conf",
      "port = " + std::to_string(port_) + "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '" +
          at + "'\nssl = on\nssl_cert_file = '" + at + "/tls.pem'\nssl_key_file = '" + at +
          "/tls.key'\nlog_statement = 'all'\nlog_destination = 'stderr'\nlogging_collector = off\nfsync = off\n",
      std::ios::app);
  write(at + "/data/pg_hba.conf",
        "local all all scram-sha-256\nhostssl all all 127.0.0.1/32 scram-sha-256\n");
}

void PostgresScene::start() {
  const std::string at = folder_.path();
  server_ = std::make_unique<ServerProcess>(as_server({program("postgres"), "-D", at + "/data"}), at + "/log",
                                            SIGQUIT);
  const vault::Deadline patience = soon(std::chrono::seconds(60));
  while (!is_up()) {
    BOOST_REQUIRE_MESSAGE(!server_->has_ended() && std::chrono::steady_clock::now() < patience,
                          "PostgreSQL does not start: " << log());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  write(at + "/shop.sql", kShop);
  std::vector<std::string> command = psql(kSuperuser, kSuperPassword, "postgres");
  command.push_back("--file=" + at + "/shop.sql");
  static_cast<void>(output_of(command, at));
}

bool PostgresScene::is_up() const {
  std::vector<std::string> command = psql(kSuperuser, kSuperPassword, "postgres");
  command.insert(command.end(), {"--command", "SELECT 1"});
  return ServerProcess(command, folder_.path() / "tried").wait() == 0;
}

std::vector<std::string> PostgresScene::psql(const std::string& user, const std::string& password,
                                             const std::string& database) const {
  return {"/usr/bin/env",
          "PGPASSWORD=" + password,
          "PGCONNECT_TIMEOUT=10",
          program("psql"),
          "--no-psqlrc",
          "--tuples-only",
          "--no-align",
          "--set=ON_ERROR_STOP=1",
          "--host=" + folder_.path().string(),
          "--port=" + std::to_string(port_),
          "--username=" + user,
          "--dbname=" + database};
}

std::string PostgresScene::ask(const std::string& user, const std::string& password,
                               const std::string& sql) const {
  const std::filesystem::path file = folder_.path() / "answer";
  std::filesystem::remove(file);
  std::vector<std::string> command = psql(user, password, "shop");
  command.insert(command.end(), {"--command", sql});
  ServerProcess process(command, file);
  const int status = process.wait();
  std::string said = process.output();
  said.erase(said.find_last_not_of('\n') + 1);
  return status == 0 ? said : "psql: " + said;
}

std::string PostgresScene::ask(const std::string& sql) const {
  std::string said = ask(kSuperuser, kSuperPassword, sql);
  BOOST_REQUIRE_MESSAGE(!said.starts_with("psql: "), said);
  return said;
}

std::unique_ptr<ServerProcess> PostgresScene::session(const std::string& user, const std::string& password,
                                                      const std::string& sql) const {
  std::vector<std::string> command = psql(user, password, "shop");
  command.insert(command.end(), {"--command", sql});
  return std::make_unique<ServerProcess>(command, folder_.path() / "session");
}

vault::PostgresAddress PostgresScene::by_socket() const {
  vault::PostgresAddress out;
  out.host = folder_.path();
  out.port = port_;
  out.database = "shop";
  out.user = "issuer";
  out.password = SecretBytes(as_bytes(kIssuerPassword));
  return out;
}

vault::PostgresAddress PostgresScene::by_tls() const {
  vault::PostgresAddress out = by_socket();
  out.host = "localhost";
  out.ca_file = folder_.path() / "tls.pem";
  return out;
}

}  // namespace chancery::tests
