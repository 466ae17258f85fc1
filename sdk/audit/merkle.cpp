#include "sdk/audit/merkle.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <optional>

#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/sha256_stream.hpp"

namespace chancery::audit {
namespace {

constexpr std::uint8_t kLeafPrefix = 0x00;
constexpr std::uint8_t kNodePrefix = 0x01;

// Most entries fit; prefix and entry are hashed as one piece then.
constexpr std::size_t kShortEntry = 4096;

constexpr Error kNoSuchEntry{ErrorCode::kInvalidArgument,
                             "the tree has no such entry: name one below its size"};
constexpr Error kShrinks{ErrorCode::kInvalidArgument,
                         "the first tree is larger than the second: name the smaller one first"};

// The largest power of two that is less than `size`, as an exponent: where a tree of two leaves or more is split.
unsigned split_level(std::uint64_t size) noexcept {
  return static_cast<unsigned>(std::bit_width(size - 1)) - 1;
}

/// Leaves from `begin`, which need not be a perfect subtree; `begin` is a multiple of the least power of two that is
/// not below their number.
struct Range {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
};

Result<Sha256Digest> hash_of(Range range, const SubtreeHash& hashes) {
  std::vector<Subtree> parts;  // from the left, each smaller than the one before
  while (range.size > 0) {
    const auto level = static_cast<unsigned>(std::bit_width(range.size)) - 1;
    parts.push_back({level, range.begin >> level});
    range.begin += std::uint64_t{1} << level;
    range.size -= std::uint64_t{1} << level;
  }
  std::optional<Sha256Digest> root;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    CHANCERY_ASSIGN(const Sha256Digest hash, hashes(*part));
    root = root ? node_hash(hash, *root) : hash;
  }
  return root.value_or(sha256({}));
}

}  // namespace

Sha256Digest leaf_hash(ByteView entry) noexcept {
  if (entry.size() >= kShortEntry) {
    Sha256Stream stream;
    stream.add({&kLeafPrefix, 1});
    stream.add(entry);
    return stream.finish();
  }
  std::array<std::uint8_t, kShortEntry> message;
  message[0] = kLeafPrefix;
  std::ranges::copy(entry, message.begin() + 1);
  return sha256(ByteView(message).first(entry.size() + 1));
}

Sha256Digest node_hash(const Sha256Digest& left, const Sha256Digest& right) noexcept {
  std::array<std::uint8_t, 65> message;
  message[0] = kNodePrefix;
  std::ranges::copy(left, message.begin() + 1);
  std::ranges::copy(right, message.begin() + 33);
  return sha256(message);
}

// --- the growing tree

void Frontier::append_subtree(unsigned level, const Sha256Digest& hash) {
  const std::uint64_t leaves = std::uint64_t{1} << level;
  if (size_ % leaves != 0) std::abort();
  Sha256Digest node = hash;
  unsigned at = level;
  for (; (size_ >> at & 1) != 0; ++at) node = node_hash(edge_[at], node);
  edge_[at] = node;
  size_ += leaves;
}

Sha256Digest Frontier::root() const noexcept {
  std::optional<Sha256Digest> root;
  for (unsigned level = 0; level < kLevels; ++level) {
    if ((size_ >> level & 1) == 0) continue;
    root = root ? node_hash(edge_[level], *root) : edge_[level];
  }
  return root ? *root : sha256({});
}

// --- proofs are made

Result<Sha256Digest> root_of(std::uint64_t size, const SubtreeHash& hashes) {
  return hash_of({0, size}, hashes);
}

Result<std::vector<Sha256Digest>> inclusion_proof(std::uint64_t index, std::uint64_t size,
                                                  const SubtreeHash& hashes) {
  if (index >= size) return kNoSuchEntry;
  std::vector<Sha256Digest> path;  // from the root downwards
  Range range{0, size};
  while (range.size > 1) {
    const std::uint64_t left = std::uint64_t{1} << split_level(range.size);
    const Range lower{range.begin, left};
    const Range upper{range.begin + left, range.size - left};
    const bool is_lower = index < upper.begin;
    CHANCERY_ASSIGN(const Sha256Digest sibling, hash_of(is_lower ? upper : lower, hashes));
    path.push_back(sibling);
    range = is_lower ? lower : upper;
  }
  std::ranges::reverse(path);
  return path;
}

Result<std::vector<Sha256Digest>> consistency_proof(std::uint64_t first, std::uint64_t second,
                                                    const SubtreeHash& hashes) {
  if (first > second) return kShrinks;
  std::vector<Sha256Digest> proof;  // from the root downwards
  if (first == 0 || first == second) return proof;
  Range range{0, second};
  std::uint64_t known = first;  // of the range's leaves, those of the first tree
  while (known < range.size) {
    const std::uint64_t left = std::uint64_t{1} << split_level(range.size);
    const Range lower{range.begin, left};
    const Range upper{range.begin + left, range.size - left};
    const bool ends_in_lower = known <= left;
    CHANCERY_ASSIGN(const Sha256Digest sibling, hash_of(ends_in_lower ? upper : lower, hashes));
    proof.push_back(sibling);
    range = ends_in_lower ? lower : upper;
    if (!ends_in_lower) known -= left;
  }
  // What is left is a perfect subtree at the first tree's end. When it begins at 0 it is that tree, whose root the
  // verifier has.
  if (range.begin != 0) {
    CHANCERY_ASSIGN(const Sha256Digest node, hash_of(range, hashes));
    proof.push_back(node);
  }
  std::ranges::reverse(proof);
  return proof;
}

// --- proofs are judged

bool proves_inclusion(const Sha256Digest& leaf, std::uint64_t index, const TreeHead& tree,
                      std::span<const Sha256Digest> proof) noexcept {
  if (index >= tree.size) return false;
  std::uint64_t node = index;
  std::uint64_t last = tree.size - 1;
  Sha256Digest root = leaf;
  for (const Sha256Digest& sibling : proof) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      root = node_hash(sibling, root);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      root = node_hash(root, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && root == tree.root;
}

bool proves_consistency(const TreeHead& first, const TreeHead& second,
                        std::span<const Sha256Digest> proof) noexcept {
  if (first.size > second.size) return false;
  if (first.size == second.size) return proof.empty() && first.root == second.root;
  if (first.size == 0) return proof.empty() && first.root == sha256({});
  // A first tree that is perfect is a subtree of the second, and its root is not repeated in the proof.
  const bool is_perfect = std::has_single_bit(first.size);
  if (proof.empty() && !is_perfect) return false;
  Sha256Digest first_root = is_perfect ? first.root : proof.front();
  Sha256Digest second_root = first_root;
  if (!is_perfect) proof = proof.subspan(1);
  std::uint64_t node = first.size - 1;
  std::uint64_t last = second.size - 1;
  while ((node & 1) != 0) {
    node >>= 1;
    last >>= 1;
  }
  for (const Sha256Digest& sibling : proof) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      first_root = node_hash(sibling, first_root);
      second_root = node_hash(sibling, second_root);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      second_root = node_hash(second_root, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && first_root == first.root && second_root == second.root;
}

}  // namespace chancery::audit
