#include "tests/unit/sdk/exported_log.hpp"

#include <algorithm>

namespace chancery::audit {

void ExportedLog::add(const std::string& entry) {
  const Sha256Digest leaf = leaf_hash(as_bytes(entry));
  tree_.append(leaf);
  lines.push_back(exported_entry({entry, tree_.size(), leaf}));
}

std::string ExportedLog::add_checkpoint(const SigningKey& secret) {
  const std::string text = checkpoint_text({origin_, {tree_.size(), tree_.root()}, {}});
  const NoteKey signer{origin_, secret.public_key()};
  std::string note = text + "\n" + *signature_line(signer, *secret.sign(as_bytes(text)));
  lines.push_back(exported_checkpoint(note));
  return note;
}

std::string ExportedLog::text() const {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

ReadMore reading(const std::string& text, std::size_t piece) {
  return [&text, piece, at = std::size_t{0}](std::span<char> buffer) mutable -> Result<std::size_t> {
    const std::size_t size = std::min({buffer.size(), piece, text.size() - at});
    std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(at), size, buffer.begin());
    at += size;
    return size;
  };
}

std::string some_entry(std::uint64_t number) {
  return R"({"action":"grant","at":1790000000,"request_id":"r)" + std::to_string(number) + R"("})";
}

}  // namespace chancery::audit
