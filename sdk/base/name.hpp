#pragma once

#include <string_view>

namespace chancery {

/// Whether a text may name an agent, a backend, an operator or a stored context: [a-z0-9][a-z0-9._-]{0,62}. Such
/// a name changes neither the path of a URL nor that of a file that it stands in.
[[nodiscard]] bool is_name(std::string_view text) noexcept;

}  // namespace chancery
