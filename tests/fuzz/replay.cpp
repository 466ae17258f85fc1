#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/target.hpp"
#include "tests/unit/sdk/random_source.hpp"

// Runs a fuzz target without libFuzzer: each file of a corpus as it is, then the same mutations on every
// machine.
//
// usage: replay_NAME FOLDER-OR-FILE…

namespace {

using chancery::tests::RandomSource;

constexpr std::uint64_t kSeed = 20260601;
constexpr std::size_t kMutations = 20000;
constexpr std::size_t kMaxSize = 1u << 16;
constexpr std::chrono::seconds kLongest{4};  // sanitizers are slow: fewer mutations are then enough

std::vector<std::string> read_corpus(int count, char** paths) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < count; ++i) {
    if (std::filesystem::is_directory(paths[i])) {
      const std::filesystem::directory_iterator folder(paths[i]);
      std::ranges::copy(folder, std::back_inserter(files));
    } else {
      files.emplace_back(paths[i]);
    }
  }
  std::ranges::sort(files);  // a folder has no order of its own
  std::vector<std::string> inputs;
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  return inputs;
}

void mutate(std::string& input, RandomSource& random, const std::vector<std::string>& corpus) {
  constexpr std::array<const char*, 16> kPieces{"{",  "}", "[",       "]",    "\"",
                                                ",",  ":", "\\u0000", "null", "1e400",
                                                "-0", ".", "~",       "\xFF", "9007199254740992",
                                                "\n"};
  const std::size_t at = random.below(input.size() + 1);
  const std::size_t length = random.below(input.size() - at + 1);
  switch (random.below(6)) {
    case 0:
      if (at < input.size()) input[at] = static_cast<char>(input[at] ^ 1 << random.below(8));
      break;
    case 1:
      if (at < input.size()) input[at] = static_cast<char>(random.below(256));
      break;
    case 2:
      input.erase(at, random.once_in(2) ? 1 : length);
      break;
    case 3:
      input.insert(at, random.pick(kPieces));
      break;
    case 4:
      input.insert(at, input.substr(random.below(input.size() + 1), length));
      break;
    default: {
      const std::string& other = random.pick(corpus);
      input.replace(at, length, other.substr(random.below(other.size() + 1), 1 + random.below(64)));
    }
  }
  if (input.size() > kMaxSize) input.resize(kMaxSize);
}

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> corpus = read_corpus(argc, argv);
  if (corpus.empty()) {
    std::fputs("give a corpus that is not empty\n", stderr);
    return 2;
  }
  for (const std::string& input : corpus) run(input);
  const auto deadline = std::chrono::steady_clock::now() + kLongest;
  RandomSource random(kSeed);
  for (std::size_t i = 0; i < kMutations && std::chrono::steady_clock::now() < deadline; ++i) {
    std::string input = corpus[i % corpus.size()];
    for (std::size_t changes = 1 + random.below(4); changes > 0; --changes) mutate(input, random, corpus);
    run(input);
  }
  return 0;
}
