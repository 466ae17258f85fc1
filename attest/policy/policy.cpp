#include "attest/policy/policy.hpp"

namespace chancery::attest {

PcrSelection selection_of(const Policy& policy) {
  PcrSelection selection;
  for (const auto& [bank, pcrs] : policy.pcrs) {
    for (const auto& [index, values] : pcrs) selection[bank].insert(index);
  }
  return selection;
}

}  // namespace chancery::attest
