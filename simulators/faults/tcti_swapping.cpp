#include "simulators/faults/tcti_swapping.hpp"

#include <cstdlib>

#include <unistd.h>

#include "simulators/faults/tcti_wire.hpp"

namespace chancery::simulators {
namespace {

// TPM 2.0 part 2: command codes, and the handle type of transient objects.
constexpr std::uint32_t kContextLoad = 0x161;
constexpr std::uint32_t kContextSave = 0x162;
constexpr std::uint32_t kFlushContext = 0x165;
constexpr std::uint32_t kGetCapability = 0x17A;
constexpr std::uint32_t kCapabilityCommands = 2;
constexpr std::uint32_t kFirstCommand = 0x11F;
constexpr std::uint32_t kTransient = 0x80;

constexpr std::size_t kHeaderSize = 10;
constexpr std::size_t kHandleSize = 4;

bool is_transient(std::uint32_t handle) { return handle >> 24 == kTransient; }

Bytes command_of(std::uint32_t code, std::initializer_list<std::uint32_t> numbers, ByteView rest = {}) {
  Bytes command = response_of(code);  // the header has the same form
  for (const std::uint32_t number : numbers) {
    command.resize(command.size() + kHandleSize);
    put_number(command, command.size() - kHandleSize, number);
  }
  command.insert(command.end(), rest.begin(), rest.end());
  fix_size(command);
  return command;
}

bool has_succeeded(const Bytes& answer) { return !answer.empty() && code_of(answer) == 0; }

}  // namespace

SwappingTpm::SwappingTpm(const std::filesystem::path& tpm_socket)
    : tpm_(connect_to(tpm_socket)), front_([this](int fd) { relay(fd); }) {
  // Where clients set the locality, which passes by us.
  std::filesystem::create_symlink(tpm_socket.string() + ".ctrl", front_.path() + ".ctrl");
}

SwappingTpm::~SwappingTpm() {
  if (tpm_ >= 0) ::close(tpm_);
}

Bytes SwappingTpm::ask(const Bytes& command) {
  write_octets(tpm_, command);
  return read_message(tpm_);
}

void SwappingTpm::learn_commands() {
  constexpr std::uint32_t kMost = 256;
  constexpr std::size_t kListAt = kHeaderSize + 1 + 4 + 4;  // more data, capability, count
  const Bytes answer = ask(command_of(kGetCapability, {kCapabilityCommands, kFirstCommand, kMost}));
  if (!has_succeeded(answer)) std::abort();
  for (std::size_t at = kListAt; at + 4 <= answer.size(); at += 4) {
    const std::uint32_t attributes = number_at(answer, at);
    commands_[attributes & 0xFFFF] = {attributes >> 25 & 7, (attributes >> 28 & 1) != 0};
  }
}

void SwappingTpm::relay(int fd) {
  if (commands_.empty()) learn_commands();
  for (;;) {
    Bytes command = read_message(fd);
    if (command.empty()) return;
    const Bytes answer = exchange(std::move(command));
    if (answer.empty()) return;
    write_octets(fd, answer);
  }
}

Bytes SwappingTpm::exchange(Bytes command) {
  if (code_of(command) == kFlushContext && contexts_.erase(number_at(command, kHeaderSize)) > 0) {
    return response_of(0);
  }
  const CommandShape shape = commands_[code_of(command)];
  std::vector<Loaded> objects = load_objects(command);
  Bytes answer = ask(command);
  if (shape.makes_handle && has_succeeded(answer) && is_transient(number_at(answer, kHeaderSize))) {
    objects.push_back({next_++, number_at(answer, kHeaderSize)});
    put_number(answer, kHeaderSize, objects.back().name);
  }
  save_objects(objects);
  return answer;
}

std::vector<SwappingTpm::Loaded> SwappingTpm::load_objects(Bytes& command) {
  std::vector<Loaded> objects;
  for (std::size_t i = 0; i < commands_[code_of(command)].handles; ++i) {
    const std::size_t at = kHeaderSize + i * kHandleSize;
    if (at + kHandleSize > command.size()) break;
    const Handle name = number_at(command, at);
    const auto context = contexts_.find(name);
    if (context == contexts_.end()) continue;
    const Bytes answer = ask(command_of(kContextLoad, {}, context->second));
    if (!has_succeeded(answer)) continue;  // the TPM then says that there is no such object
    objects.push_back({name, number_at(answer, kHeaderSize)});
    put_number(command, at, objects.back().real);
  }
  return objects;
}

void SwappingTpm::save_objects(std::span<const Loaded> objects) {
  for (const Loaded& object : objects) {
    const Bytes saved = ask(command_of(kContextSave, {object.real}));
    // What the command itself removed, such as a sequence that it completed, is gone for good.
    if (!has_succeeded(saved)) {
      contexts_.erase(object.name);
      continue;
    }
    contexts_[object.name].assign(saved.begin() + kHeaderSize, saved.end());
    static_cast<void>(ask(command_of(kFlushContext, {object.real})));
  }
}

}  // namespace chancery::simulators
