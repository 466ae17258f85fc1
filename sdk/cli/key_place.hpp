#pragma once

#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "sdk/cli/failure.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {

/// Where a private key of this user's is kept; devices in the words of the daemon's `[[backend]]` sections. A value.
struct KeyPlace {
  enum class Kind : std::uint8_t { kFile, kTpm, kPkcs11 };
  Kind kind = Kind::kFile;
  std::string tcti{};      ///< of a TPM
  std::string module{};    ///< of a token: the vendor's library, absolute
  std::string serial{};    ///< which token: by its serial number …
  std::string uri{};       ///< … or by a `pkcs11:` URI (RFC 7512)
  std::string pin_file{};  ///< absolute; the PIN itself is nowhere else
  bool allow_simulator = false;
  bool operator==(const KeyPlace&) const = default;
};

/// "file", "tpm", "pkcs11".
[[nodiscard]] std::string_view kind_name(KeyPlace::Kind kind) noexcept;

/// For people: "the TPM at device:/dev/tpmrm0".
[[nodiscard]] std::string place_text(const KeyPlace& place);

/// What keeping a key there means, for people; one sentence.
[[nodiscard]] const char* custody_text(KeyPlace::Kind kind) noexcept;

/// A device as a key file has it.
[[nodiscard]] json::Node write_place(const KeyPlace& place);
/// \return kMalformed
[[nodiscard]] Result<KeyPlace> read_place(const json::Value& object);

/// What the command line says of the place of a new key.
struct KeyOptions {
  std::string key_in{};  ///< empty: not said
  KeyPlace device{};     ///< its kind is what `key_in` says
  bool operator==(const KeyOptions&) const = default;
};

/// `--key-in` and what devices need. \param by_default  for people: what it is when nothing is said
void add_key_options(CLI::App& command, KeyOptions& options, const std::string& by_default = "file");

/// The place that the options mean; a file when they say nothing.
/// \return misuse for options that do not go together
[[nodiscard]] Checked<KeyPlace> chosen_place(const KeyOptions& options);

}  // namespace chancery::cli
