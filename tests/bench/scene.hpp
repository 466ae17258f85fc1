#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <chancery/client.hpp>
#include <chancery/result.hpp>

namespace chancery::bench {

// What the scenes that are measured share: a figure of a scene that failed would mean nothing.

/// Says why, and ends the program.
[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "bench: %s\n", what);
  std::abort();
}

/// The value of a result that must be one.
template <typename T>
T required(Result<T> result) {
  if (!result) fail(result.error().what);
  return *std::move(result);
}

/// The same of what the daemon answered.
template <typename T>
T answered(ClientResult<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "bench: %s\n", result.error().detail.c_str());
  fail(result.error().error.what);
}

/// A deadline that nothing meets.
inline std::chrono::steady_clock::time_point far_away() {
  return std::chrono::steady_clock::now() + std::chrono::minutes(10);
}

}  // namespace chancery::bench
