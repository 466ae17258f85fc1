#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/audit/merkle.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

using namespace chancery;
using namespace chancery::audit;

namespace bdata = boost::unit_test::data;

namespace {

std::vector<Sha256Digest> leaves_of(std::size_t count) {
  std::vector<Sha256Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(leaf_hash(as_bytes("entry " + std::to_string(i))));
  return leaves;
}

// RFC 6962 section 2.1, word for word: slow, and plainly right.
Sha256Digest naive_root(std::span<const Sha256Digest> leaves) {
  if (leaves.empty()) return sha256({});
  if (leaves.size() == 1) return leaves.front();
  std::size_t k = 1;
  while (2 * k < leaves.size()) k *= 2;
  return node_hash(naive_root(leaves.first(k)), naive_root(leaves.subspan(k)));
}

std::vector<Sha256Digest> naive_path(std::size_t m, std::span<const Sha256Digest> leaves) {
  if (leaves.size() == 1) return {};
  std::size_t k = 1;
  while (2 * k < leaves.size()) k *= 2;
  auto path = m < k ? naive_path(m, leaves.first(k)) : naive_path(m - k, leaves.subspan(k));
  path.push_back(m < k ? naive_root(leaves.subspan(k)) : naive_root(leaves.first(k)));
  return path;
}

std::vector<Sha256Digest> naive_subproof(std::size_t m, std::span<const Sha256Digest> leaves, bool is_whole) {
  if (m == leaves.size()) return is_whole ? std::vector<Sha256Digest>{} : std::vector{naive_root(leaves)};
  std::size_t k = 1;
  while (2 * k < leaves.size()) k *= 2;
  auto proof =
      m <= k ? naive_subproof(m, leaves.first(k), is_whole) : naive_subproof(m - k, leaves.subspan(k), false);
  proof.push_back(m <= k ? naive_root(leaves.subspan(k)) : naive_root(leaves.first(k)));
  return proof;
}

/// A log that was grown leaf by leaf, and keeps what the frontier says is complete.
struct Grown {
  explicit Grown(std::span<const Sha256Digest> leaves) {
    for (const Sha256Digest& leaf : leaves) {
      frontier.append(leaf, [&](const Subtree& part, const Sha256Digest& hash) {
        kept[{part.level, part.index}] = hash;
      });
    }
  }
  SubtreeHash hashes() const {
    return [this](const Subtree& part) -> Result<Sha256Digest> {
      const auto found = kept.find({part.level, part.index});
      if (found == kept.end()) return Error{ErrorCode::kInternal, "this subtree is not perfect"};
      return found->second;
    };
  }
  Frontier frontier;
  std::map<std::pair<unsigned, std::uint64_t>, Sha256Digest> kept;
};

Sha256Digest altered(Sha256Digest hash) {
  hash[7] ^= 1;
  return hash;
}

/// A proof that has been tampered with in some way.
std::vector<std::vector<Sha256Digest>> forgeries_of(const std::vector<Sha256Digest>& proof) {
  std::vector<std::vector<Sha256Digest>> out;
  for (std::size_t i = 0; i < proof.size(); ++i) {
    out.push_back(proof);
    out.back()[i] = altered(proof[i]);
  }
  out.push_back(proof);
  out.back().push_back(Sha256Digest{});
  if (!proof.empty()) {
    out.push_back(proof);
    out.back().pop_back();
    out.emplace_back(proof.begin() + 1, proof.end());
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(merkle_tree)

// The hashes of the tree of Certificate Transparency's reference tests, which many implementations share.
BOOST_AUTO_TEST_CASE(known_roots_come_out) {
  const std::vector<std::string> inputs{
      "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
  const std::vector<std::string> roots{"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                       "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                       "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                       "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                       "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                       "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                       "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                       "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  Frontier frontier;
  BOOST_TEST(hex_encode(frontier.root()) == hex_encode(sha256({})));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    frontier.append(leaf_hash(*hex_decode(inputs[i])));
    BOOST_TEST(hex_encode(frontier.root()) == roots[i]);
  }
}

BOOST_AUTO_TEST_CASE(an_entry_of_any_length_is_hashed_behind_its_prefix) {
  for (const std::size_t size : {0u, 1u, 4094u, 4095u, 4096u, 4097u, 100'000u}) {
    const Bytes entry(size, 0x61);
    Bytes prefixed(size + 1, 0x61);
    prefixed.front() = 0;
    BOOST_TEST(hex_encode(leaf_hash(entry)) == hex_encode(sha256(prefixed)));
  }
}

BOOST_AUTO_TEST_CASE(roots_and_proofs_are_those_of_the_definition_at_every_size) {
  constexpr std::size_t kMost = 70;
  const auto leaves = leaves_of(kMost);
  const Grown grown(leaves);
  for (std::size_t size = 0; size <= kMost; ++size) {
    const auto tree = std::span(leaves).first(size);
    BOOST_TEST((*root_of(size, grown.hashes()) == naive_root(tree)));
    BOOST_TEST((Grown(tree).frontier.root() == naive_root(tree)));
    for (std::size_t m = 0; m < size; ++m)
      BOOST_TEST((*inclusion_proof(m, size, grown.hashes()) == naive_path(m, tree)));
    for (std::size_t m = 1; m <= size; ++m)
      BOOST_TEST((*consistency_proof(m, size, grown.hashes()) == naive_subproof(m, tree, true)));
  }
}

BOOST_AUTO_TEST_CASE(an_entry_is_proved_where_it_stands_and_nowhere_else) {
  constexpr std::size_t kMost = 33;
  const auto leaves = leaves_of(kMost);
  const Grown grown(leaves);
  for (std::size_t size = 1; size <= kMost; ++size) {
    const TreeHead tree{size, *root_of(size, grown.hashes())};
    for (std::size_t at = 0; at < size; ++at) {
      const auto proof = *inclusion_proof(at, size, grown.hashes());
      BOOST_TEST(proves_inclusion(leaves[at], at, tree, proof));
      BOOST_TEST(!proves_inclusion(altered(leaves[at]), at, tree, proof));
      BOOST_TEST(!proves_inclusion(leaves[at], at, {size, altered(tree.root)}, proof));
      BOOST_TEST(!proves_inclusion(leaves[at], size, tree, proof));
      for (std::size_t other = 0; other < size; ++other)
        BOOST_TEST(proves_inclusion(leaves[at], other, tree, proof) == (other == at));
      for (const auto& forged : forgeries_of(proof))
        BOOST_TEST(!proves_inclusion(leaves[at], at, tree, forged));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_tree_is_proved_to_begin_another_and_no_other_is) {
  constexpr std::size_t kMost = 33;
  const Grown grown(leaves_of(kMost));
  for (std::size_t second = 0; second <= kMost; ++second) {
    const TreeHead larger{second, *root_of(second, grown.hashes())};
    for (std::size_t first = 0; first <= second; ++first) {
      const TreeHead smaller{first, *root_of(first, grown.hashes())};
      const auto proof = *consistency_proof(first, second, grown.hashes());
      BOOST_TEST(proves_consistency(smaller, larger, proof));
      BOOST_TEST(!proves_consistency({first, altered(smaller.root)}, larger, proof));
      if (first != 0) BOOST_TEST(!proves_consistency(smaller, {second, altered(larger.root)}, proof));
      if (first != second) BOOST_TEST(!proves_consistency(larger, smaller, proof));
      for (const auto& forged : forgeries_of(proof)) BOOST_TEST(!proves_consistency(smaller, larger, forged));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_a_tree_does_not_have_is_refused) {
  const Grown grown(leaves_of(5));
  BOOST_TEST((inclusion_proof(5, 5, grown.hashes()).error().code == ErrorCode::kInvalidArgument));
  BOOST_TEST((inclusion_proof(0, 0, grown.hashes()).error().code == ErrorCode::kInvalidArgument));
  BOOST_TEST((consistency_proof(6, 5, grown.hashes()).error().code == ErrorCode::kInvalidArgument));
  BOOST_TEST((inclusion_proof(0, 9, grown.hashes()).error().code == ErrorCode::kInternal));
}

BOOST_AUTO_TEST_CASE(a_frontier_takes_whole_subtrees) {
  const auto leaves = leaves_of(29);
  const Grown grown(leaves);
  Frontier frontier;
  frontier.append_subtree(4, *grown.hashes()({4, 0}));
  frontier.append_subtree(3, *grown.hashes()({3, 2}));
  frontier.append_subtree(2, *grown.hashes()({2, 6}));
  frontier.append(leaves[28]);
  BOOST_TEST(frontier.size() == 29u);
  BOOST_TEST((frontier.root() == grown.frontier.root()));
  Frontier quarters;
  for (std::uint64_t i = 0; i < 7; ++i) quarters.append_subtree(2, *grown.hashes()({2, i}));
  BOOST_TEST((quarters.root() == *root_of(28, grown.hashes())));
}

BOOST_AUTO_TEST_SUITE_END()
