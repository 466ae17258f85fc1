#include "daemon/rest/oauth_answer.hpp"

#include <algorithm>

#include "sdk/json/writer.hpp"
#include "sdk/token/authority_json.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::rest {
namespace {

using json::Node;

std::string joined_by(char separator, const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) {
    if (!out.empty()) out += separator;
    out += text;
  }
  return out;
}

// Whom every token of the chain names: step 8 wants all of them to, so the leaf alone does not say.
std::vector<std::string> common_audience(const VerifiedChain& chain) {
  std::vector<std::string> common = chain.leaf().claims().aud;
  std::erase_if(common, [&](const std::string& name) {
    return !std::ranges::all_of(chain.tokens(), [&](const auto& token) {
      return std::ranges::find(token->claims().aud, name) != token->claims().aud.end();
    });
  });
  return common;
}

// What a token allows, for clients that know no authorization details too.
void set_authority(Node& node, const Authority& authority) {
  node.set("scope", joined_by(' ', authority.scopes));
  node.set("authorization_details", Node::array({to_json(authority)}));
}

}  // namespace

std::string write_tokens(const std::vector<std::string>& chain, std::chrono::sys_seconds now,
                         std::string_view issued_token_type) {
  const auto leaf = Token::parse(chain.back());
  const Claims& claims = leaf->claims();
  // Every token is bound to a key, its own one's or the proof's, and of use with a proof by it only.
  Node node = Node::object({{"access_token", chain.back()},
                            {"token_type", "DPoP"},
                            {"expires_in", claims.exp - static_cast<double>(now.time_since_epoch().count())},
                            {"delegation_chain", joined_by('~', chain)}});
  set_authority(node, claims.authority);
  if (!issued_token_type.empty()) node.set("issued_token_type", issued_token_type);
  return json::to_jcs(node);
}

std::string write_introspection(const std::optional<VerifiedChain>& chain) {
  const std::vector<std::string> audience = chain ? common_audience(*chain) : std::vector<std::string>();
  if (audience.empty()) return R"({"active":false})";
  const Claims& claims = chain->leaf().claims();
  Node node = Node::object({{"active", true},
                            {"token_type", "DPoP"},
                            {"iss", claims.iss},
                            {"sub", claims.sub},
                            {"client_id", claims.client_id},
                            {"aud", wire::text_array(audience)},
                            {"iat", claims.iat},
                            {"exp", claims.exp},
                            {"jti", claims.jti},
                            {"cnf", Node::object({{"jkt", claims.holder.text()}})},
                            {"del_depth", claims.del_depth}});
  if (claims.nbf) node.set("nbf", *claims.nbf);
  set_authority(node, claims.authority);
  return json::to_jcs(node);
}

}  // namespace chancery::rest
