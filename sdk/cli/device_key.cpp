#include "sdk/cli/device_key.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/cli/open_device.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::cli {
namespace {

using namespace std::chrono_literals;

constexpr const char* kOwner = "holder";  // in the label that a token's own tools show
constexpr std::size_t kMasterSize = 32;
constexpr std::size_t kIdSize = 16;
constexpr auto kPatience = 20s;  // a TPM may be busy with others
constexpr const char* kWhat =
    "a key file of a device has `device`, `key_id`, `jwk`, `blob`, `master` and, of a TPM, `tpm_name`";

hsm::Deadline deadline() { return std::chrono::steady_clock::now() + kPatience; }

class DeviceSigner final : public Signer {
 public:
  explicit DeviceSigner(std::shared_ptr<const DeviceKey> key) : key_(std::move(key)) {}

  const PublicKey& public_key() const noexcept override { return key_->stored.public_key; }

  Result<Signature> sign(ByteView message) const override {
    CHANCERY_ASSIGN(hsm::KeyBackend* const device, opened());
    auto signature = device->sign(key_->stored, message, deadline());
    if (!signature) return for_people(signature.error(), key_->place.kind);
    return signature;
  }

 private:
  // A PIN that was refused is thus presented once, whatever the command goes on to do.
  [[nodiscard]] Result<hsm::KeyBackend*> opened() const {
    const std::lock_guard lock(mutex_);
    if (!device_) device_ = open_device(key_->place, key_->master, key_->tpm_name);
    if (!*device_) return device_->error();
    return (*device_)->keys.get();
  }

  const std::shared_ptr<const DeviceKey> key_;
  mutable std::mutex mutex_;
  mutable std::optional<Result<OpenDevice>> device_;
};

Result<Bytes> need_octets(const json::Value& object, std::string_view name) {
  CHANCERY_ASSIGN(const std::string text, wire::need_text(object, name, kWhat));
  return base64url_decode(text);
}

Result<SecretBytes> need_master(const json::Value& object) {
  const json::Value* member = object.find("master");
  const std::string_view text = member == nullptr ? "" : member->string().value_or("");
  if (text.size() % 4 == 1 || base64url_decoded_size(text.size()) != kMasterSize)
    return Error{ErrorCode::kMalformed, kWhat};
  SecretBytes master(kMasterSize);
  if (!base64url_decode_into(text, master.writable().data())) return Error{ErrorCode::kMalformed, kWhat};
  return master;
}

Result<PublicKey> need_jwk(const json::Value& object) {
  const json::Value* jwk = object.find("jwk");
  if (jwk == nullptr) return Error{ErrorCode::kMalformed, kWhat};
  return parse_jwk(jwk->source());
}

}  // namespace

Result<DeviceKey> make_device_key(const KeyPlace& place, bool& emulated) {
  SecretBytes master(kMasterSize);
  CHANCERY_TRY(random_bytes(master.writable()));
  Bytes id(kIdSize);
  CHANCERY_TRY(random_bytes(id));
  CHANCERY_ASSIGN(OpenDevice device, open_device(place, master, {}));
  const hsm::KeyBinding binding{kOwner, hex_encode(id)};
  auto stored = device.keys->create(binding, Algorithm::kES256, deadline());
  if (!stored) {
    static_cast<void>(device.keys->discard(binding, deadline()));  // what came late
    return for_people(stored.error(), place.kind);
  }
  emulated = device.keys->describe().emulated;
  return DeviceKey{place, std::move(device.tpm_name), std::move(master), *std::move(stored)};
}

Status destroy_device_key(const DeviceKey& key) {
  if (key.place.kind == KeyPlace::Kind::kTpm) return {};
  CHANCERY_ASSIGN(const OpenDevice device, open_device(key.place, key.master, key.tpm_name));
  const Status destroyed = device.keys->destroy(key.stored, deadline());
  return destroyed ? destroyed : for_people(destroyed.error(), key.place.kind);
}

// A command may load a context twice, and a simulated TPM serves one connection at a time.
std::shared_ptr<const Signer> signer_of(std::shared_ptr<const DeviceKey> key) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<const Signer>> in_use;  // by thumbprint and place
  const std::lock_guard lock(mutex);
  std::weak_ptr<const Signer>& known =
      in_use[key->stored.public_key.thumbprint().text() + json::to_jcs(write_place(key->place))];
  if (auto signer = known.lock()) return signer;
  auto signer = std::make_shared<const DeviceSigner>(std::move(key));
  known = signer;
  return signer;
}

std::string write_device_key(const DeviceKey& key) {
  json::Node node = json::Node::object({{"device", write_place(key.place)},
                                        {"key_id", key.stored.binding.key_id},
                                        {"jwk", json::Node::canonical(key.stored.public_key.jwk())},
                                        {"blob", base64url_encode(key.stored.blob)},
                                        {"master", base64url_encode(key.master.view())}});
  wire::set_unless_empty(node, "tpm_name", hex_encode(key.tpm_name));
  return json::to_jcs(node);
}

Result<DeviceKey> read_device_key(std::string_view text) {
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(text));
  const json::Value& root = document.root();
  CHANCERY_TRY(wire::allow_only(root, {"device", "key_id", "jwk", "blob", "master", "tpm_name"}, kWhat));
  const json::Value* device = root.find("device");
  if (device == nullptr) return Error{ErrorCode::kMalformed, kWhat};
  CHANCERY_ASSIGN(KeyPlace place, read_place(*device));
  CHANCERY_ASSIGN(std::string key_id, wire::need_text(root, "key_id", kWhat));
  CHANCERY_ASSIGN(const PublicKey public_key, need_jwk(root));
  CHANCERY_ASSIGN(Bytes blob, need_octets(root, "blob"));
  CHANCERY_ASSIGN(SecretBytes master, need_master(root));
  CHANCERY_ASSIGN(const std::string name, wire::text_or_empty(root, "tpm_name", kWhat));
  CHANCERY_ASSIGN(Bytes tpm_name, hex_decode(name));
  // Without it any TPM would be taken.
  if ((place.kind == KeyPlace::Kind::kTpm) == tpm_name.empty()) return Error{ErrorCode::kMalformed, kWhat};
  return DeviceKey{std::move(place),
                   std::move(tpm_name),
                   std::move(master),
                   {{kOwner, std::move(key_id)}, public_key, std::move(blob)}};
}

}  // namespace chancery::cli
