#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace chancery::bench {

/// How much a state folder is filled with.
struct LargeStore {
  std::uint64_t entries = 1'000'000;  ///< of the audit log, with those that are there
  int tokens_of_agent = 5;
};

/// Names a thing that one entry alone is about.
struct FilledStore {
  std::uint64_t entry = 0;
  std::string request;  ///< its `request_id`
  std::string key;      ///< thumbprint of an agent's key
};

/// Fills the state folder of a daemon that is not running: an entry of a decision after the other, each recorded by the journal
/// with its references and its place in the log's tree, many in one transaction; and tokens of each agent that is registered, whose
/// signer is nobody's and which stand in the database alone. Then the whole log is held against its tree.
[[nodiscard]] FilledStore fill_store(const std::filesystem::path& state, const LargeStore& wanted);

}  // namespace chancery::bench
