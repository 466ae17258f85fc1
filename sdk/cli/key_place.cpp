#include "sdk/cli/key_place.hpp"

#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "sdk/wire/fields.hpp"

namespace chancery::cli {
namespace {

using Kind = KeyPlace::Kind;

constexpr std::array kKinds{Kind::kFile, Kind::kTpm, Kind::kPkcs11};
constexpr const char* kDefaultTcti = "device:/dev/tpmrm0";
constexpr const char* kWhat =
    "a key's device has `type`, \"tpm\" with `tcti` or \"pkcs11\" with `module`, `serial` or `uri`, and `pin_file`";

std::optional<Kind> kind_named(std::string_view name) {
  for (const Kind kind : kKinds) {
    if (kind_name(kind) == name) return kind;
  }
  return std::nullopt;
}

// Later commands run in other folders.
std::string absolute(const std::string& path) {
  std::error_code none;
  return path.empty() ? path : std::filesystem::absolute(path, none).string();
}

bool names_token(const KeyPlace& place) {
  return !(place.module.empty() && place.serial.empty() && place.uri.empty() && place.pin_file.empty());
}

}  // namespace

std::string_view kind_name(Kind kind) noexcept {
  switch (kind) {
    case Kind::kFile:
      return "file";
    case Kind::kTpm:
      return "tpm";
    case Kind::kPkcs11:
      return "pkcs11";
  }
  return "";
}

std::string place_text(const KeyPlace& place) {
  switch (place.kind) {
    case Kind::kFile:
      return "a file of this user's";
    case Kind::kTpm:
      return "the TPM at " + place.tcti;
    case Kind::kPkcs11:
      return "the token " + (place.uri.empty() ? place.serial : place.uri) + " of " + place.module;
  }
  return "";
}

const char* custody_text(Kind kind) noexcept {
  switch (kind) {
    case Kind::kFile:
      return "the key is a file of this user's: whoever can read it can sign in its owner's place";
    case Kind::kTpm:
      return "the key stays in this machine's TPM: every process of this user's can use it here, and nobody "
             "elsewhere";
    case Kind::kPkcs11:
      return "the key stays in the token: every process of this user's can use it while the token is there, and "
             "with it whoever has the token and its PIN";
  }
  return "";
}

json::Node write_place(const KeyPlace& place) {
  json::Node node = json::Node::object({{"type", kind_name(place.kind)}});
  wire::set_unless_empty(node, "tcti", place.tcti);
  wire::set_unless_empty(node, "module", place.module);
  wire::set_unless_empty(node, "serial", place.serial);
  wire::set_unless_empty(node, "uri", place.uri);
  wire::set_unless_empty(node, "pin_file", place.pin_file);
  if (place.allow_simulator) node.set("allow_simulator", true);
  return node;
}

Result<KeyPlace> read_place(const json::Value& object) {
  CHANCERY_TRY(wire::allow_only(
      object, {"type", "tcti", "module", "serial", "uri", "pin_file", "allow_simulator"}, kWhat));
  KeyPlace place;
  CHANCERY_ASSIGN(const std::string type, wire::need_text(object, "type", kWhat));
  const auto kind = kind_named(type);
  if (!kind || *kind == Kind::kFile) return Error{ErrorCode::kMalformed, kWhat};
  place.kind = *kind;
  CHANCERY_ASSIGN(place.tcti, wire::text_or_empty(object, "tcti", kWhat));
  CHANCERY_ASSIGN(place.module, wire::text_or_empty(object, "module", kWhat));
  CHANCERY_ASSIGN(place.serial, wire::text_or_empty(object, "serial", kWhat));
  CHANCERY_ASSIGN(place.uri, wire::text_or_empty(object, "uri", kWhat));
  CHANCERY_ASSIGN(place.pin_file, wire::text_or_empty(object, "pin_file", kWhat));
  CHANCERY_ASSIGN(place.allow_simulator, wire::flag(object, "allow_simulator", kWhat));
  return place;
}

void add_key_options(CLI::App& command, KeyOptions& options, const std::string& by_default) {
  KeyPlace& device = options.device;
  command
      .add_option("--key-in", options.key_in,
                  "where the new key is made and kept: file, tpm or pkcs11; default: " + by_default)
      ->check(CLI::IsMember({"file", "tpm", "pkcs11"}));
  command.add_option("--tcti", device.tcti, "with tpm: where it is; default: device:/dev/tpmrm0");
  command.add_option("--module", device.module, "with pkcs11: the vendor's library");
  command.add_option("--serial", device.serial, "with pkcs11: the token, by its serial number …");
  command.add_option("--uri", device.uri, "… or by a pkcs11: URI (RFC 7512)");
  command.add_option(
      "--pin-file", device.pin_file,
      "with pkcs11: the file with the token's PIN, for its owner alone; later commands read it too");
  command.add_flag("--allow-simulator", device.allow_simulator,
                   "with tpm or pkcs11: take a simulator, whose keys are software");
}

Checked<KeyPlace> chosen_place(const KeyOptions& options) {
  KeyPlace place = options.device;
  place.kind = kind_named(options.key_in).value_or(Kind::kFile);
  if (place.kind != Kind::kTpm && !place.tcti.empty()) return misuse("--tcti goes with --key-in tpm");
  if (place.kind != Kind::kPkcs11 && names_token(place))
    return misuse("--module, --serial, --uri and --pin-file go with --key-in pkcs11");
  if (place.kind == Kind::kFile && place.allow_simulator)
    return misuse("--allow-simulator goes with --key-in tpm or pkcs11");
  if (place.kind == Kind::kTpm && place.tcti.empty()) place.tcti = kDefaultTcti;
  place.module = absolute(place.module);
  place.pin_file = absolute(place.pin_file);
  return place;
}

}  // namespace chancery::cli
