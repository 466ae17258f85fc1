#pragma once

#include <cstdlib>
#include <type_traits>
#include <utility>
#include <variant>

#include <chancery/error.hpp>

namespace chancery {

/// A value or an Error, spelled like std::expected. Reading the side that is not there aborts: a signer
/// that stops beats one that signs wrongly. `E` is another type only where an error must carry text of its
/// own: at the edges, in the client and the command line.
template <typename T, typename E = Error>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = E;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  [[nodiscard]] T& value() & {
    if (!has_value()) std::abort();
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] const T& value() const& {
    if (!has_value()) std::abort();
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T&& value() && {
    if (!has_value()) std::abort();
    return std::move(*std::get_if<0>(&state_));
  }
  [[nodiscard]] const E& error() const {
    if (has_value()) std::abort();
    return *std::get_if<1>(&state_);
  }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  template <typename U>
  [[nodiscard]] T value_or(U&& fallback) && {
    return has_value() ? std::move(*this).value() : static_cast<T>(std::forward<U>(fallback));
  }

 private:
  std::variant<T, E> state_;
};

/// Success without a value, or an Error.
template <typename E>
class [[nodiscard]] Result<void, E> {
 public:
  using value_type = void;
  using error_type = E;

  Result() = default;
  Result(E error) : error_(std::move(error)), failed_(true) {}

  [[nodiscard]] bool has_value() const noexcept { return !failed_; }
  explicit operator bool() const noexcept { return has_value(); }
  [[nodiscard]] const E& error() const {
    if (!failed_) std::abort();
    return error_;
  }

 private:
  E error_{};
  bool failed_ = false;
};

using Status = Result<void>;

}  // namespace chancery

/// Returns the error of `expression` (any Result; a value is dropped) from the enclosing function, if it has
/// one.
#define CHANCERY_TRY(expression)                                                      \
  do {                                                                                \
    if (auto chancery_try = (expression); !chancery_try) return chancery_try.error(); \
  } while (false)

#define CHANCERY_JOIN_(a, b) a##b
#define CHANCERY_JOIN(a, b) CHANCERY_JOIN_(a, b)
#define CHANCERY_ASSIGN_(temporary, target, expression) \
  auto temporary = (expression);                        \
  if (!temporary) return temporary.error();             \
  target = *std::move(temporary)

/// `CHANCERY_ASSIGN(auto key, parse_jwk(text));` declares or assigns the value, or returns the error.
#define CHANCERY_ASSIGN(target, ...) \
  CHANCERY_ASSIGN_(CHANCERY_JOIN(chancery_result_, __LINE__), target, (__VA_ARGS__))
