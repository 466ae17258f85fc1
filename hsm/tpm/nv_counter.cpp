#include "hsm/tpm/nv_counter.hpp"

#include <utility>

namespace chancery::hsm {
namespace {

constexpr std::uint16_t kValueSize = 8;

}  // namespace

/// What a request does with the counter while it has the device.
class NvCounter::Visit {
 public:
  Visit(TpmConnection& tpm, const NvPlace& place) : tpm_(tpm), index_(tpm, place) {}

  [[nodiscard]] Status open() { return index_.open(); }
  [[nodiscard]] Status define() { return index_.define(); }

  Result<std::uint64_t> read() {
    CHANCERY_ASSIGN(const Bytes octets, index_.read());
    std::uint64_t value = 0;
    for (const std::uint8_t octet : octets) value = value << 8 | octet;
    return value;
  }

  Status increment() {
    return index_.authorized("the TPM does not advance its counter", [&] {
      return Esys_NV_Increment(tpm_.esys(), index_.handle(), index_.handle(), tpm_.session(), ESYS_TR_NONE,
                               ESYS_TR_NONE);
    });
  }

 private:
  TpmConnection& tpm_;
  NvIndex index_;
};

NvCounter::NvCounter(TpmDevice& device, const SecretBytes& master)
    : device_(device),
      place_(
          std::make_shared<const NvPlace>(derive_nv_place(master, "counter", TPM2_NT_COUNTER, kValueSize))) {}

Result<std::uint64_t> NvCounter::run(Deadline deadline, Work work) {
  const auto value = std::make_shared<std::uint64_t>(0);
  CHANCERY_TRY(device_.run("daemon", deadline,
                           [place = place_, value, work = std::move(work)](OpenTpm& tpm) -> Status {
                             Visit visit(*tpm.connection, *place);
                             return work(visit, *value);
                           }));
  return *value;
}

Result<std::uint64_t> NvCounter::read(Deadline deadline) {
  return run(deadline, [](Visit& visit, std::uint64_t& value) -> Status {
    CHANCERY_TRY(visit.open());
    CHANCERY_ASSIGN(value, visit.read());
    return {};
  });
}

// The device repeats a request whose answer was lost, and an increment must not be repeated: what stands in
// the TPM then tells whether it came about. Nobody else can have done it.
Result<std::uint64_t> NvCounter::advance(Deadline deadline) {
  const auto from = std::make_shared<std::optional<std::uint64_t>>();
  return run(deadline, [from](Visit& visit, std::uint64_t& value) -> Status {
    CHANCERY_TRY(visit.open());
    CHANCERY_ASSIGN(value, visit.read());
    if (!*from) *from = value;
    if (value != **from) return {};
    CHANCERY_TRY(visit.increment());
    CHANCERY_ASSIGN(value, visit.read());
    return {};
  });
}

// A repetition may count once more, which nobody compares with anything yet.
Result<std::uint64_t> NvCounter::create(Deadline deadline) {
  return run(deadline, [](Visit& visit, std::uint64_t& value) -> Status {
    CHANCERY_TRY(visit.define());
    CHANCERY_TRY(visit.open());
    CHANCERY_TRY(visit.increment());
    CHANCERY_ASSIGN(value, visit.read());
    return {};
  });
}

}  // namespace chancery::hsm
