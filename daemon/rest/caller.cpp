#include "daemon/rest/caller.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include "daemon/service/authenticate.hpp"
#include "sdk/verify/htu.hpp"

namespace chancery::rest {
namespace {

// RFC 9110 section 11.1: the scheme is case-insensitive.
std::optional<std::string_view> credentials(std::string_view header, std::string_view scheme) {
  const bool matches =
      header.size() > scheme.size() && header[scheme.size()] == ' ' &&
      std::equal(scheme.begin(), scheme.end(), header.begin(),
                 [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
  if (!matches) return std::nullopt;
  header.remove_prefix(scheme.size());
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  return header;
}

// What the sender called, if it may have: a proof for somebody else's address, passed on to us, must not count.
// Addresses are compared as those in proofs are, in which case and a default port make no difference.
Result<std::string> called_uri(const service::Policy& policy, const Request& request) {
  const auto called = normalize_htu("https://" + std::string(request.header("host").value_or("")) + "/");
  for (const std::string& url : policy.public_urls) {
    if (called && normalize_htu(url + "/") == called) return url + request.path;
  }
  return Error{
      ErrorCode::kProofRefused,
      "the daemon is not known by this address: call it by [issuer] url, or add the address to [server] "
      "public_urls"};
}

std::string_view error_parameter(ErrorCode code) {
  if (code == ErrorCode::kNonceRequired) return "use_dpop_nonce";
  if (code == ErrorCode::kProofRefused) return "invalid_dpop_proof";
  if (code == ErrorCode::kChainRefused) return "invalid_token";
  return {};
}

}  // namespace

Result<Presented> read_presented(const Request& request) {
  const auto token = credentials(request.header("authorization").value_or(""), "DPoP");
  const auto proof = request.header("dpop");
  if (token && proof) return Presented{*token, std::string(*proof)};
  return Error{ErrorCode::kUnauthenticated,
               "send a chain and a proof: `Authorization: DPoP`, `Delegation-Chain` and `DPoP`"};
}

Result<VerifiedChain> find_caller(service::Office& office, const Request& request) {
  CHANCERY_ASSIGN(Presented presented, read_presented(request));
  service::Presentation presentation;
  if (const auto parents = request.header("delegation-chain")) presentation.chain = split_chain(*parents);
  presentation.chain.push_back(presented.token);
  presentation.proof = std::move(presented.proof);
  presentation.method = request.method;
  CHANCERY_ASSIGN(presentation.uri, called_uri(*office.policy.current(), request));
  return service::authenticate(office, presentation, request.received_at);
}

Response challenge(const Error& error) {
  Response response = problem(error);
  if (response.status != 401) return response;
  std::string value = "DPoP algs=\"ES256 Ed25519\"";
  const std::string_view parameter = error_parameter(error.code);
  if (!parameter.empty()) value.append(", error=\"").append(parameter).append("\"");
  response.headers.emplace_back("WWW-Authenticate", value);
  return response;
}

void add_nonce(const service::Office& office, const Request& request, Response& response) {
  response.headers.emplace_back("DPoP-Nonce", office.nonces.current(request.received_at));
}

}  // namespace chancery::rest
