#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

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

/// A deadline that nothing meets.
inline std::chrono::steady_clock::time_point far_away() {
  return std::chrono::steady_clock::now() + std::chrono::minutes(10);
}

}  // namespace chancery::bench
