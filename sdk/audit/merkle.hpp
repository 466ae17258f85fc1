#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery::audit {

// The Merkle tree of RFC 6962 section 2.1 over the entries of a log. Entries are counted from 0 here.

/// The hash of an entry as a leaf of the tree.
[[nodiscard]] Sha256Digest leaf_hash(ByteView entry) noexcept;

/// The hash of an inner node.
[[nodiscard]] Sha256Digest node_hash(const Sha256Digest& left, const Sha256Digest& right) noexcept;

/// A perfect subtree: the 2^level leaves that begin at leaf index · 2^level.
struct Subtree {
  unsigned level = 0;
  std::uint64_t index = 0;
  bool operator==(const Subtree&) const = default;
};

/// The right edge of a growing tree: the perfect subtrees that it consists of, at most one a level. It is all that is
/// needed to append and to tell the root. A value of some two kilobytes.
class Frontier {
 public:
  static constexpr unsigned kLevels = 64;

  /// \param completed  of each perfect subtree that this leaf completes, from the leaf itself upwards: which one it is
  ///                   and its hash
  template <typename Completed>
  void append(const Sha256Digest& leaf, Completed&& completed) {
    Sha256Digest hash = leaf;
    std::uint64_t index = size_;
    unsigned level = 0;
    completed(Subtree{level, index}, hash);
    for (; (index & 1) != 0; index >>= 1) {
      hash = node_hash(edge_[level], hash);
      ++level;
      completed(Subtree{level, index >> 1}, hash);
    }
    edge_[level] = hash;
    ++size_;
  }
  void append(const Sha256Digest& leaf) {
    append(leaf, [](const Subtree&, const Sha256Digest&) {});
  }

  /// Appends a perfect subtree at once. The size must be a multiple of its leaves' number, which is 2^level.
  void append_subtree(unsigned level, const Sha256Digest& hash);

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  /// The root; of an empty tree the hash of nothing.
  [[nodiscard]] Sha256Digest root() const noexcept;

 private:
  std::uint64_t size_ = 0;
  std::array<Sha256Digest, kLevels> edge_{};  // of the levels whose bit is set in size_
};

/// Tells the hash of a perfect subtree, from wherever it is kept.
using SubtreeHash = std::function<Result<Sha256Digest>(const Subtree&)>;

/// The root of the first `size` leaves. \return what `hashes` said
[[nodiscard]] Result<Sha256Digest> root_of(std::uint64_t size, const SubtreeHash& hashes);

/// The audit path of an entry (RFC 6962 section 2.1.1), from the leaf upwards.
/// \return the path; kInvalidArgument when the tree has no such entry; what `hashes` said
[[nodiscard]] Result<std::vector<Sha256Digest>> inclusion_proof(std::uint64_t index, std::uint64_t size,
                                                                const SubtreeHash& hashes);

/// That a tree is the beginning of a larger one (RFC 6962 section 2.1.2); empty when they are of one size, or the first
/// has no entries.
/// \return the proof; kInvalidArgument when `first` is larger than `second`; what `hashes` said
[[nodiscard]] Result<std::vector<Sha256Digest>> consistency_proof(std::uint64_t first, std::uint64_t second,
                                                                  const SubtreeHash& hashes);

/// A tree as somebody vouched for it.
struct TreeHead {
  std::uint64_t size = 0;
  Sha256Digest root{};
  bool operator==(const TreeHead&) const = default;
};

/// Whether the leaf stands at `index` in that tree (RFC 9162 section 2.1.3.2).
[[nodiscard]] bool proves_inclusion(const Sha256Digest& leaf, std::uint64_t index, const TreeHead& tree,
                                    std::span<const Sha256Digest> proof) noexcept;

/// Whether one tree is the beginning of the other (RFC 9162 section 2.1.4.2).
[[nodiscard]] bool proves_consistency(const TreeHead& first, const TreeHead& second,
                                      std::span<const Sha256Digest> proof) noexcept;

}  // namespace chancery::audit
