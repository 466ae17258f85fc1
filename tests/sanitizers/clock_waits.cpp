#include <pthread.h>
#include <time.h>

// std::timed_mutex waits with pthread_mutex_clocklock(), which ThreadSanitizer of LLVM 14 (and of GCC 12) does not know:
// it would miss that the mutex is held. This one, which it sees in place of libc's, waits with what it knows.

namespace {

constexpr long kSecond = 1'000'000'000;

timespec difference(const timespec& a, const timespec& b) {
  timespec out{a.tv_sec - b.tv_sec, a.tv_nsec - b.tv_nsec};
  if (out.tv_nsec < 0) out = {out.tv_sec - 1, out.tv_nsec + kSecond};
  return out;
}

timespec sum(const timespec& a, const timespec& b) {
  timespec out{a.tv_sec + b.tv_sec, a.tv_nsec + b.tv_nsec};
  if (out.tv_nsec >= kSecond) out = {out.tv_sec + 1, out.tv_nsec - kSecond};
  return out;
}

timespec now(clockid_t clock) {
  timespec out{};
  ::clock_gettime(clock, &out);
  return out;
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libc chose the name
extern "C" int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                                       const timespec* until) noexcept {
  const timespec left = difference(*until, now(clock));
  const timespec real_time = sum(now(CLOCK_REALTIME), left);
  return ::pthread_mutex_timedlock(mutex, &real_time);
}
