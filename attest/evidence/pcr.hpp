#pragma once

#include <cstdint>
#include <map>
#include <set>

#include <chancery/bytes.hpp>

#include "attest/evidence/hash.hpp"

namespace chancery::attest {

using PcrIndex = std::uint32_t;
/// By bank.
using PcrSelection = std::map<Hash, std::set<PcrIndex>>;
using PcrValues = std::map<Hash, std::map<PcrIndex, Bytes>>;

}  // namespace chancery::attest
