#pragma once

#include <string_view>

namespace chancery {

/// Whether a text may name an agent, a backend, an operator or a stored context: [a-z0-9][a-z0-9._-]{0,62}. Such
/// a name changes neither the path of a URL nor that of a file that it stands in.
[[nodiscard]] bool is_name(std::string_view text) noexcept;

/// Whether a text may name a person who approves: KIND:REST, such as user:bob@example.org, of at most 256 octets that can be
/// shown as they are, without space, and KIND is not `group`, which names groups. Whom gates can name and who can be enrolled is the
/// same by this.
[[nodiscard]] bool is_person(std::string_view text);

}  // namespace chancery
