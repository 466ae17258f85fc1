#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "sdk/audit/entry_proof.hpp"
#include "sdk/base/base64.hpp"
#include "sdk/crypto/signing_key.hpp"

using namespace chancery;
using namespace chancery::audit;

namespace {

// Entry 5 (index 4) of a log of seven.
struct Proved {
  Proved() {
    std::vector<Sha256Digest> leaves;
    for (int i = 0; i < 7; ++i) leaves.push_back(leaf_hash(as_bytes(entry(i))));
    const auto subtree = [&](const Subtree& part) -> Result<Sha256Digest> {
      Frontier frontier;
      const std::size_t size = std::size_t{1} << part.level;
      for (std::size_t i = 0; i < size; ++i) frontier.append(leaves[part.index * size + i]);
      return frontier.root();
    };
    const std::string text = checkpoint_text({"log.example.org/a", {7, *root_of(7, subtree)}, {}});
    proof.entry = entry(4);
    proof.index = 4;
    proof.path = *inclusion_proof(4, 7, subtree);
    proof.checkpoint = text + "\n" + *signature_line(key(), *secret.sign(as_bytes(text)));
  }
  static std::string entry(int i) { return R"({"action":"grant","at":)" + std::to_string(i) + "}"; }
  [[nodiscard]] NoteKey key() const { return {"log.example.org/a", secret.public_key()}; }

  SigningKey secret = *SigningKey::generate(Algorithm::kES256);
  EntryProof proof;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(entry_proofs)

BOOST_AUTO_TEST_CASE(a_proof_goes_round_and_holds) {
  const Proved proved;
  const std::string text = write_entry_proof(proved.proof);
  BOOST_TEST(text.starts_with("c2sp.org/tlog-proof@v1\nextra " + base64_encode(as_bytes(proved.entry(4))) +
                              "\nindex 4\n"));
  const auto parsed = parse_entry_proof(text);
  BOOST_REQUIRE(parsed);
  BOOST_TEST((*parsed == proved.proof));
  const auto checkpoint = check_entry_proof(*parsed, std::vector{proved.key()});
  BOOST_REQUIRE(checkpoint);
  BOOST_TEST(checkpoint->tree.size == 7u);
}

BOOST_AUTO_TEST_CASE(nothing_of_a_proof_can_be_another) {
  const Proved proved;
  const std::string text = write_entry_proof(proved.proof);
  const auto holds = [&](const std::string& altered) {
    const auto parsed = parse_entry_proof(altered);
    return parsed && check_entry_proof(*parsed, std::vector{proved.key()});
  };
  BOOST_TEST(holds(text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string altered = text;
    altered[i] = static_cast<char>(altered[i] ^ 0x01);
    BOOST_TEST(!holds(altered), "octet " << i);
    BOOST_TEST(!holds(text.substr(0, i)), "cut at " << i);
  }
}

BOOST_AUTO_TEST_CASE(another_key_proves_nothing) {
  const Proved proved, other;
  const auto judged = check_entry_proof(proved.proof, std::vector{other.key()});
  BOOST_REQUIRE(!judged);
  BOOST_TEST((judged.error().code == ErrorCode::kSignatureInvalid));
}

BOOST_AUTO_TEST_CASE(a_proof_without_its_entry_is_refused) {
  const Proved proved;
  std::string text = write_entry_proof(proved.proof);
  const std::size_t begin = text.find("extra");
  text.erase(begin, text.find('\n', begin) + 1 - begin);
  BOOST_REQUIRE(!parse_entry_proof(text));
  BOOST_TEST((parse_entry_proof(text).error().code == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_SUITE_END()
