#pragma once

#include <p11-kit/pkcs11.h>

#include <chancery/bytes.hpp>

namespace chancery::hsm {

/// The standard's pointers are not const, though what they lead to is only read.
[[nodiscard]] inline CK_BYTE* mutable_octets(ByteView octets) noexcept {
  return const_cast<CK_BYTE*>(octets.data());
}

/// Borrows `value`.
[[nodiscard]] inline CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, ByteView value) noexcept {
  return {type, mutable_octets(value), value.size()};
}

}  // namespace chancery::hsm
