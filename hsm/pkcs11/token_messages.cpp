#include "hsm/pkcs11/token_messages.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "hsm/pkcs11/check.hpp"
#include "hsm/pkcs11/key_claims.hpp"
#include "hsm/pkcs11/packet_codec.hpp"
#include "hsm/pkcs11/token_errors.hpp"

namespace chancery::hsm {
namespace {

constexpr Error kMalformed{ErrorCode::kMalformed,
                           "the process that holds the PKCS#11 module sent what is no message of ours"};

constexpr std::uint32_t kMostAlgorithms = 2;
constexpr std::uint8_t kMostMechanisms = 8;

Bytes read_octets(Reader& in, std::uint32_t most) {
  const ByteView octets = in.octets(most);
  return {octets.begin(), octets.end()};
}

Algorithm read_algorithm(Reader& in) { return in.one_of<Algorithm>(1); }

void write(Writer& out, const PublicKey& key) {
  out.number(static_cast<std::uint8_t>(key.algorithm()));
  for (const ByteView half : {key.x(), key.y()}) {
    std::array<std::uint8_t, 32> octets{};
    std::ranges::copy(half, octets.begin());
    out.fixed(octets);
  }
}

PublicKey read_public_key(Reader& in) {
  const Algorithm algorithm = read_algorithm(in);
  const auto x = in.fixed<32>(), y = in.fixed<32>();
  return algorithm == Algorithm::kES256 ? PublicKey::p256(x, y) : PublicKey::ed25519(x);
}

void write(Writer& out, const KeyReference& key) {
  out.text(key.serial);
  out.text(key.label);
  out.octets(key.id);
}

KeyReference read_reference(Reader& in) {
  KeyReference key;
  key.serial = in.text();
  key.label = in.text();
  key.id = read_octets(in, kLongestText);
  return key;
}

// A secret is never empty, so that none is written as one of no octets.
void write(Writer& out, const SharedSecret& secret) { out.octets(secret ? secret->view() : ByteView()); }

SharedSecret read_secret(Reader& in) {
  const ByteView octets = in.octets(Sealer::kMaxSecret);
  return octets.empty() ? nullptr : std::make_shared<const SecretBytes>(octets);
}

void write(Writer& out, const BackendLoad& load) {
  for (const std::uint64_t count :
       {load.queued, load.live_objects, load.live_sessions, load.cached_keys, load.recoveries})
    out.number(count);
  out.flag(load.is_up);
}

BackendLoad read_load(Reader& in) {
  BackendLoad load;
  for (std::uint64_t* const count :
       {&load.queued, &load.live_objects, &load.live_sessions, &load.cached_keys, &load.recoveries})
    *count = in.number<std::uint64_t>();
  load.is_up = in.flag();
  return load;
}

void write(Writer& out, const TokenCondition& condition) {
  for (const std::uint64_t number :
       {std::uint64_t{condition.flags}, condition.sessions, condition.max_sessions})
    out.number(number);
  out.number(static_cast<std::uint8_t>(condition.mechanisms.size()));
  for (const CK_MECHANISM_TYPE mechanism : condition.mechanisms) out.number(std::uint64_t{mechanism});
}

TokenCondition read_condition(Reader& in) {
  TokenCondition condition;
  condition.flags = in.number<std::uint64_t>();
  condition.sessions = in.number<std::uint64_t>();
  condition.max_sessions = in.number<std::uint64_t>();
  const auto mechanisms = in.one_of<std::uint8_t>(kMostMechanisms);
  for (std::uint8_t i = 0; i < mechanisms; ++i) condition.mechanisms.push_back(in.number<std::uint64_t>());
  return condition;
}

void write(Writer& out, const attest::KeyClaims& claims) {
  for (const bool claim : {claims.sensitive, claims.always_sensitive, claims.never_extractable, claims.local})
    out.flag(claim);
  out.number(static_cast<std::uint8_t>(claims.certificates.size()));
  for (const Bytes& certificate : claims.certificates) out.octets(certificate);
}

attest::KeyClaims read_claims(Reader& in) {
  attest::KeyClaims claims;
  for (bool* const claim :
       {&claims.sensitive, &claims.always_sensitive, &claims.never_extractable, &claims.local})
    *claim = in.flag();
  const auto certificates = in.one_of<std::uint8_t>(kMostCertificates);
  for (std::uint8_t i = 0; i < certificates; ++i) {
    const ByteView der = in.octets(kLargestCertificate);
    claims.certificates.emplace_back(der.begin(), der.end());
  }
  return claims;
}

struct Text {
  ErrorCode code;
  const char* what;
};

// Every code that a token's owner gives.
constexpr auto kTexts = std::to_array<Text>({
    {ErrorCode::kInvalidArgument, "several tokens match: say which one by its serial number"},
    {ErrorCode::kUnsupportedAlgorithm,
     "the token does not offer the algorithm: ask for another, or use another token"},
    {ErrorCode::kDeviceUnavailable, "the token is not there: it is sought again at the next request"},
    {ErrorCode::kDeviceBusy, kTokenBusy.what},
    {ErrorCode::kDeviceTimeout, kTokenTimedOut.what},
    {ErrorCode::kDeviceError, "the token refused a command: look at the module's own log"},
    {ErrorCode::kDeviceLockout,
     "the token has locked the PIN, or has one try left, which is not taken: log in once with its own tools"},
    {ErrorCode::kKeyLost, "the token has no such key any more: register the agent again"},
    {ErrorCode::kKeyMismatch,
     "the token's key is not the one that was made for the agent: look for tampering"},
    {ErrorCode::kWrongDevice,
     "this is not the token that holds the key: connect the right one, or register the agent again"},
    {ErrorCode::kSimulatorRefused,
     "this token is a simulator, and allow_simulator is off: use a hardware token, or allow it knowingly"},
    {ErrorCode::kPinRefused,
     "the token refused the PIN, which is not tried again: correct the PIN file and restart"},
    {ErrorCode::kFileUnreadable,
     "the PKCS#11 module is missing or cannot be loaded: name a library of this architecture with `module`"},
    {ErrorCode::kFilePermissions,
     "everybody may write to the PKCS#11 module, which is code: take that permission away"},
    {ErrorCode::kInternal, "the process that holds the PKCS#11 module met an error of ours"},
});

std::optional<Error> read_error(Reader& in) {
  const auto code = static_cast<ErrorCode>(in.number<std::uint16_t>());
  const auto native = in.number<std::uint64_t>();
  const auto text = std::ranges::find(kTexts, code, &Text::code);
  if (text == kTexts.end()) return std::nullopt;
  const Status exact = check_pkcs11(static_cast<CK_RV>(native), text->what);
  if (!exact && exact.error().code == code) return exact.error();
  return Error{code, text->what, native};
}

void write(Writer& out, const TokenReply& reply) {
  out.fixed(reply.signature);
  write(out, reply.public_key);
  out.text(reply.serial);
  out.flag(reply.may_pass);
  write(out, reply.condition);
  write(out, reply.claims);
  out.octets(reply.sealed);
  write(out, reply.opened);
}

TokenReply read_reply(Reader& in) {
  TokenReply reply;
  reply.signature = in.fixed<64>();
  reply.public_key = read_public_key(in);
  reply.serial = in.text();
  reply.may_pass = in.flag();
  reply.condition = read_condition(in);
  reply.claims = read_claims(in);
  reply.sealed = read_octets(in, kLongestText);
  reply.opened = read_secret(in);
  return reply;
}

Result<OwnerMessage> decode_answer(ByteView packet) {
  Reader in(packet, Tag::kAnswer);
  TokenAnswer answer{in.number<std::uint64_t>(), read_load(in), TokenReply{}};
  if (in.flag()) {
    answer.result = read_reply(in);
  } else {
    const auto error = read_error(in);
    if (!error) return kMalformed;
    answer.result = *error;
  }
  if (!in.is_done()) return kMalformed;
  return OwnerMessage{std::move(answer)};
}

Result<OwnerMessage> decode_facts(ByteView packet) {
  Reader in(packet, Tag::kFacts);
  TokenFacts facts;
  for (std::string* const text :
       {&facts.label, &facts.manufacturer, &facts.model, &facts.serial, &facts.firmware})
    *text = in.text();
  facts.emulated = in.flag();
  const auto algorithms = in.one_of<std::uint8_t>(kMostAlgorithms);
  for (std::uint8_t i = 0; i < algorithms; ++i) facts.algorithms.push_back(read_algorithm(in));
  facts.seals = in.flag();
  if (!in.is_done()) return kMalformed;
  return OwnerMessage{std::move(facts)};
}

Result<OwnerMessage> decode_login(ByteView packet) {
  Reader in(packet, Tag::kLogin);
  LoginNews news;
  news.step = in.one_of<LoginStep>(static_cast<std::uint8_t>(LoginStep::kFailed));
  news.native = in.number<std::uint64_t>();
  const bool says_why = news.step != LoginStep::kRefused || refuses_pin(static_cast<CK_RV>(news.native));
  if (!in.is_done() || !says_why) return kMalformed;
  return OwnerMessage{news};
}

}  // namespace

SecretBytes encode(const Start& start) {
  Writer out(Tag::kStart);
  const TokenOptions& token = start.token;
  out.text(token.module.string());
  for (const std::string* const text :
       {&token.selector.token, &token.selector.manufacturer, &token.selector.model, &token.selector.serial})
    out.text(*text);
  out.flag(token.allow_simulator);
  out.flag(token.is_pin_in_doubt);
  out.flag(token.is_pin_refused);
  out.number(std::uint64_t{token.key_cache});
  out.number(std::uint64_t{start.pool.sessions});
  out.number(std::uint64_t{start.pool.queue});
  out.number(static_cast<std::uint32_t>(token.pin.size()));
  // The PIN last and by itself: a vector that grows leaves copies behind.
  const CleansedBytes head = out.take();
  SecretBytes packet(head.size() + token.pin.size());
  std::ranges::copy(token.pin.view(), std::ranges::copy(head, packet.writable().begin()).out);
  return packet;
}

Result<Start> decode_start(ByteView packet) {
  Reader in(packet, Tag::kStart);
  Start start;
  TokenOptions& token = start.token;
  token.module = in.text();
  for (std::string* const text :
       {&token.selector.token, &token.selector.manufacturer, &token.selector.model, &token.selector.serial})
    *text = in.text();
  token.allow_simulator = in.flag();
  token.is_pin_in_doubt = in.flag();
  token.is_pin_refused = in.flag();
  token.key_cache = in.number<std::uint64_t>();
  start.pool.sessions = in.number<std::uint64_t>();
  start.pool.queue = in.number<std::uint64_t>();
  token.pin = SecretBytes(in.octets(kLongestText));
  if (!in.is_done()) return kMalformed;
  return start;
}

CleansedBytes encode(std::uint64_t id, const TokenRequest& request) {
  Writer out(Tag::kOrder);
  out.number(id);
  out.number(static_cast<std::uint8_t>(request.verb));
  out.text(request.owner);
  out.number(static_cast<std::uint64_t>(request.deadline.time_since_epoch().count()));
  write(out, request.key);
  out.number(static_cast<std::uint8_t>(request.algorithm));
  write(out, request.public_key);
  out.octets(request.input);
  out.flag(request.seeks_anew);
  out.flag(request.is_repeated);
  out.fixed(request.context);
  write(out, request.secret);
  return out.take();
}

Result<TokenOrder> decode_order(ByteView packet) {
  Reader in(packet, Tag::kOrder);
  TokenOrder order;
  order.id = in.number<std::uint64_t>();
  TokenRequest& request = order.request;
  request.verb = in.one_of<TokenVerb>(static_cast<std::uint8_t>(TokenVerb::kUnseal));
  request.owner = in.text();
  request.deadline = Deadline(Deadline::duration(static_cast<std::int64_t>(in.number<std::uint64_t>())));
  request.key = read_reference(in);
  request.algorithm = read_algorithm(in);
  request.public_key = read_public_key(in);
  request.input = read_octets(in, kLongestInput);
  request.seeks_anew = in.flag();
  request.is_repeated = in.flag();
  request.context = in.fixed<32>();
  request.secret = read_secret(in);
  if (!in.is_done()) return kMalformed;
  return order;
}

CleansedBytes encode(const TokenAnswer& answer) {
  Writer out(Tag::kAnswer);
  out.number(answer.id);
  write(out, answer.load);
  out.flag(answer.result.has_value());
  if (answer.result) {
    write(out, *answer.result);
  } else {
    out.number(static_cast<std::uint16_t>(answer.result.error().code));
    out.number(answer.result.error().native);
  }
  return out.take();
}

CleansedBytes encode(const TokenFacts& facts) {
  Writer out(Tag::kFacts);
  for (const std::string* const text :
       {&facts.label, &facts.manufacturer, &facts.model, &facts.serial, &facts.firmware})
    out.text(*text);
  out.flag(facts.emulated);
  out.number(static_cast<std::uint8_t>(facts.algorithms.size()));
  for (const Algorithm algorithm : facts.algorithms) out.number(static_cast<std::uint8_t>(algorithm));
  out.flag(facts.seals);
  return out.take();
}

CleansedBytes encode(const LoginNews& news) {
  Writer out(Tag::kLogin);
  out.number(static_cast<std::uint8_t>(news.step));
  out.number(news.native);
  return out.take();
}

Result<OwnerMessage> decode_from_owner(ByteView packet) {
  if (packet.empty()) return kMalformed;
  switch (static_cast<Tag>(packet.front())) {
    case Tag::kAnswer:
      return decode_answer(packet);
    case Tag::kFacts:
      return decode_facts(packet);
    case Tag::kLogin:
      return decode_login(packet);
    case Tag::kStart:
    case Tag::kOrder:
      break;  // are for it, not from it
  }
  return kMalformed;
}

}  // namespace chancery::hsm
