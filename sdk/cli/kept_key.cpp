#include "sdk/cli/kept_key.hpp"

#include <fstream>
#include <utility>

#include "sdk/cli/files.hpp"

namespace chancery::cli {
namespace {

constexpr std::size_t kMostKey = 16 * 1024;
constexpr unsigned kPrivate = 0600;

constexpr char kOfDevice = '{';  // JSON, where a PEM begins with dashes

Checked<DeviceKey> device_key_from(const SecretBytes& text, const std::string& file) {
  auto key = read_device_key(trimmed(as_text(text.view())));
  if (!key) return failure(key.error(), file);
  return *std::move(key);
}

}  // namespace

Checked<KeptKey> KeptKey::in_device(DeviceKey key, const std::string& subject) {
  auto device = std::make_shared<const DeviceKey>(std::move(key));
  auto holder = HolderKey::held_by(signer_of(device));
  if (!holder) return failure(holder.error(), subject);
  KeptKey out(*std::move(holder));
  out.device_ = std::move(device);
  return out;
}

Checked<KeptKey> KeptKey::make(const KeyPlace& place) {
  if (place.kind == KeyPlace::Kind::kFile) {
    auto key = HolderKey::generate();
    if (!key) return failure(key.error());
    return KeptKey(*std::move(key));
  }
  bool emulated = false;
  auto key = make_device_key(place, emulated);
  if (!key) return failure(key.error(), place_text(place));
  CHANCERY_ASSIGN(KeptKey out, in_device(*std::move(key), place_text(place)));
  out.is_only_here_ = true;
  out.is_emulated_ = emulated;
  return out;
}

Checked<KeptKey> KeptKey::load(const std::string& file) {
  CHANCERY_ASSIGN(const SecretBytes text, read_key_file(file, kMostKey));
  if (as_text(text.view()).starts_with(kOfDevice)) {
    CHANCERY_ASSIGN(DeviceKey key, device_key_from(text, file));
    return in_device(std::move(key), file);
  }
  auto key = HolderKey::from_pem(text.view());
  if (!key) return failure(key.error(), file);
  return KeptKey(*std::move(key));
}

Checked<void> KeptKey::save(const std::string& file) {
  if (!device_) {
    if (const Status saved = holder_.save(file); !saved) return failure(saved.error(), file);
    return {};
  }
  CHANCERY_TRY(create_file(file, write_device_key(*device_) + "\n", kPrivate));
  is_only_here_ = false;
  return {};
}

void KeptKey::give_up(Output& output) const {
  if (!is_only_here_) return;
  const Status destroyed = destroy_device_key(*device_);
  if (destroyed) return;
  output.note("the key that was made stays in its token, under a label that ends in " +
              device_->stored.binding.key_id + ": " + destroyed.error().what);
}

void KeptKey::tell_custody(Output& output) const {
  output.note(custody_text(place().kind));
  if (is_emulated_)
    output.note("its device is a simulator: the key is software, and as safe as that one's files");
}

Checked<KeyPlace> place_of_key(const std::string& file) {
  if (std::ifstream(file).peek() != kOfDevice) return KeyPlace{};
  CHANCERY_ASSIGN(const SecretBytes text, read_key_file(file, kMostKey));
  CHANCERY_ASSIGN(DeviceKey key, device_key_from(text, file));
  return std::move(key.place);
}

}  // namespace chancery::cli
