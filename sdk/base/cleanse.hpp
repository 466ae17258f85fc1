#pragma once

#include <string>

namespace chancery {

/// Overwrites a text that may hold a secret, whatever is to become of its memory, with its unused capacity, and empties it.
/// For what others' interfaces want as a text; secrets of ours are SecretBytes.
void cleanse(std::string& text) noexcept;

}  // namespace chancery
