#pragma once

namespace chancery::client {

/// Sets libcurl up, once and for the whole process, with memory that is cleansed when libcurl gives it back: its buffers have
/// had tokens and client secrets in them. Thread-safe.
/// \return whether libcurl can be used
[[nodiscard]] bool set_up_curl();

}  // namespace chancery::client
