#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <chancery/client.hpp>

#include "simulators/swtpm/swtpm.hpp"
#include "tests/bench/http_connection.hpp"
#include "tests/bench/large_store.hpp"
#include "tests/bench/runtime_scene.hpp"
#include "tests/bench/tls_connection.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::bench {

/// The real daemon on a swtpm with the console on TLS, 10,000 agents with keys in the TPM, five tokens each, a million audit
/// entries, a thousand requests that wait and two hundred that were denied.
class ConsoleScene {
 public:
  static constexpr int kAgents = 10'000;
  static constexpr int kWaiting = 1'000;

  ConsoleScene();

  [[nodiscard]] std::filesystem::path socket() const { return folder_.path() / "s"; }
  [[nodiscard]] std::filesystem::path certificate() const { return folder_.path() / "tls.pem"; }
  [[nodiscard]] std::string origin() const { return "https://localhost:" + std::to_string(port_); }
  [[nodiscard]] Client daemon() const { return client_at(socket()); }
  /// Where a browser signs in, once.
  [[nodiscard]] std::string link() const;
  /// What a browser and its page show to be of a session.
  struct Session {
    std::string cookie{};
    std::string mark = "1";  ///< of a page without one
  };
  /// A browser's connection, and a session that it has signed in to.
  [[nodiscard]] TlsConnection connect() const { return {port_, folder_.path() / "ca.pem"}; }
  [[nodiscard]] Session sign_in() const;
  /// As the console's page asks it.
  [[nodiscard]] HttpRequest request(const std::string& method, const std::string& target,
                                    const std::string& body, const Session& session) const;

  [[nodiscard]] const FilledStore& filled() const { return filled_; }
  /// The one request that was made last, and waits.
  [[nodiscard]] const std::string& waiting() const { return waiting_; }
  /// A chain that was granted here, as text.
  [[nodiscard]] const std::string& chain() const { return chain_; }
  /// Its last token.
  [[nodiscard]] const std::string& token() const { return token_; }
  /// Of the last two checkpoints.
  [[nodiscard]] const std::vector<std::uint64_t>& heads() const { return heads_; }
  /// From starting the daemon over that store until it accepts connections.
  [[nodiscard]] double start_ms() const { return start_ms_; }

 private:
  void configure() const;
  [[nodiscard]] std::filesystem::path make_page() const;
  void start();
  void park_requests();
  void make_heads();

  testing::TemporaryFolder folder_;
  simulators::Swtpm tpm_;
  std::uint16_t port_;
  std::unique_ptr<Program> daemon_;
  FilledStore filled_;
  std::string waiting_;
  std::string chain_;
  std::string token_;
  std::vector<std::uint64_t> heads_;
  double start_ms_ = 0;
};

}  // namespace chancery::bench
