#pragma once

#include <chancery/error.hpp>

namespace chancery::hsm {

// What whoever asks a token is told by the queue in front of it, wherever the module lives.

inline constexpr Error kTokenTooLate{ErrorCode::kDeviceTimeout,
                                     "no time was left for the token: the deadline had passed"};
inline constexpr Error kTokenTimedOut{ErrorCode::kDeviceTimeout,
                                      "the token did not answer in time: it may be stalled or overloaded"};
inline constexpr Error kTokenBusy{ErrorCode::kDeviceBusy,
                                  "too many requests wait for the token: try again later"};
inline constexpr Error kTokenEnding{ErrorCode::kDeviceUnavailable,
                                    "the token is no longer used: the backend is ending"};

}  // namespace chancery::hsm
