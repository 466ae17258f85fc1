// Prints the evidence of a host with a swtpm, for tests/fuzz/data/swtpm-host.json: `record_host > FILE`.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "attest/evidence/measurement_log.hpp"
#include "hsm/attester.hpp"
#include "hsm/tpm/backend.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/writer.hpp"
#include "simulators/swtpm/swtpm.hpp"

namespace {

using namespace chancery;
using json::Node;

template <typename T>
T must(Result<T> result) {
  if (!result) {
    std::fputs(result.error().what, stderr);
    std::exit(1);
  }
  return *std::move(result);
}

void must(const Status& status) {
  if (!status) {
    std::fputs(status.error().what, stderr);
    std::exit(1);
  }
}

std::string root_of(const simulators::Swtpm& tpm) {
  const auto folder = tpm.certificates().parent_path();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().filename() != "issuercert.pem") continue;
    std::ifstream in(entry.path());
    return {std::istreambuf_iterator<char>(in), {}};
  }
  return {};
}

Node statement(const hsm::SignedAttest& octets) {
  return Node::object({{"attest", hex_encode(octets.attest)}, {"signature", hex_encode(octets.signature)}});
}

}  // namespace

int main() {
  const simulators::Swtpm tpm = must(simulators::Swtpm::start({.folder = {}, .certificates = true}));
  hsm::TpmOptions options;
  options.name = "recorded";
  options.tcti = tpm.tcti();
  options.allow_simulator = true;
  options.master = SecretBytes(Bytes(32, 0x5a));
  const auto backend = must(hsm::TpmBackend::open(std::move(options)));
  hsm::Attester& attester = *backend->attester();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  const Bytes nonce(32, 0x17);
  const hsm::StoredKey key = must(backend->create({"agent", "k1"}, Algorithm::kES256, deadline));
  const hsm::HostIdentity host = must(attester.identity(deadline));
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());

  std::vector<Node> log;
  for (const std::uint64_t seq : {1, 2}) {
    const attest::AgentMeasurement entry{seq, now, "agent", sha256(as_bytes(std::to_string(seq))),
                                         sha256({})};
    must(attester.measure(digest_of(entry), deadline));
    log.push_back(to_node(entry));
  }
  const auto bank = attest::Hash::named("sha256").value();
  const hsm::SignedAttest certified = must(attester.certify(key, nonce, deadline));
  const hsm::PcrQuote quote = must(attester.quote({{bank, {0, 7}}}, nonce, deadline));
  const hsm::MeasurementStatement measured = must(attester.certify_measurements(nonce, deadline));
  Node pcrs = Node::object();
  for (const auto& [index, value] : quote.values.at(bank)) pcrs.set(std::to_string(index), hex_encode(value));

  const Node out = Node::object({{"ak", hex_encode(host.ak_public)},
                                 {"at", now.time_since_epoch().count()},
                                 {"certify", statement(certified)},
                                 {"ek", hex_encode(host.ek_public)},
                                 {"ek_certificate", hex_encode(host.ek_certificate)},
                                 {"index_public", hex_encode(measured.index_public)},
                                 {"key_public", hex_encode(must(attester.public_area(key)))},
                                 {"log", Node::array(std::move(log))},
                                 {"measured", statement(measured.statement)},
                                 {"nonce", hex_encode(nonce)},
                                 {"pcrs", std::move(pcrs)},
                                 {"quote", statement(quote.statement)},
                                 {"root", root_of(tpm)},
                                 {"srk", hex_encode(host.srk_public)}});
  std::puts(json::to_jcs(out).c_str());
}
