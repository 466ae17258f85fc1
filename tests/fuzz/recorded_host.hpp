#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <chancery/bytes.hpp>

#include "attest/verify/endorsement.hpp"

namespace chancery::fuzz {

/// Evidence of a host as a verifier gets it, recorded from a swtpm (tests/fuzz/record_host.cpp). Each field can be changed.
class RecordedHost {
 public:
  /// Which judge looks at a field.
  enum class Part : std::uint8_t { kKey, kMeasurements, kEndorsement };

  struct Field {
    const char* name;
    Part part;
    Bytes octets;
  };

  /// Ends the process when the file is not there or not as it should be.
  [[nodiscard]] static RecordedHost load();

  [[nodiscard]] const std::vector<Field>& fields() const noexcept { return fields_; }

  /// Whether the judge of the field takes the evidence with these octets in its place, although they say something else
  /// than what was recorded. Other octets that say the same are the documented set (docs/protocol/attestation.md): padding
  /// behind a certificate, and the log in another spelling, which is hashed in its canonical one.
  [[nodiscard]] bool accepts_change(std::size_t field, const Bytes& octets) const;
  /// Whether it is accepted as it is, by all of them.
  [[nodiscard]] bool is_accepted() const;

 private:
  [[nodiscard]] bool is_accepted(Part part) const;
  [[nodiscard]] bool accepts_key() const;
  [[nodiscard]] bool accepts_measurements() const;
  [[nodiscard]] bool accepts_endorsement() const;
  [[nodiscard]] const Bytes& at(std::string_view name) const;

  std::vector<Field> fields_;
  attest::Endorsers endorsers_;
  std::chrono::sys_seconds recorded_at_{};
};

}  // namespace chancery::fuzz
