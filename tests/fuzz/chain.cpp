#include <algorithm>
#include <string>

#include <chancery/proof.hpp>
#include <chancery/verify.hpp>

#include "tests/fuzz/signed_chain.hpp"
#include "tests/fuzz/target.hpp"

// An input is the text of a chain; or, when it begins with a brace, one payload a line, which the target
// signs. A first line `!SCOPE PARAMETERS` asks for an action too, with a good proof.

namespace chancery::fuzz {
namespace {

constexpr std::chrono::sys_seconds kNow{std::chrono::seconds{1800000000}};

ActionRequest action_of(std::string_view line) {
  ActionRequest request;
  request.audience = "https://a.example";
  const std::size_t space = std::min(line.find(' '), line.size());
  request.scope = line.substr(0, space);
  if (auto parameters = parse_parameters(line.substr(space))) request.parameters = *std::move(parameters);
  request.totals.resize(1);
  request.totals[0].max_subtree["calls"] = 3;
  return request;
}

void prove(ActionRequest& request, const std::vector<std::string>& tokens) {
  if (tokens.empty()) return;
  const SigningKey& holder = hop_keys().signers[tokens.size()];
  const auto proof =
      UnsignedProof::encode({"POST", "https://a.example/", "p"}, tokens.back(), holder.public_key(), kNow)
          .value();
  request.dpop = DpopPresentation{proof.with(holder.sign(as_bytes(proof.signing_input())).value()), "POST",
                                  "https://a.example", std::nullopt};
}

bool same(const Verdict& a, const Verdict& b) {
  if (a.outcome() != b.outcome() || a.not_performed() != b.not_performed()) return false;
  if (a.valid()) return true;
  const Denial& x = a.denial();
  const Denial& y = b.denial();
  return x.step == y.step && x.hop == y.hop && std::string_view(x.reason) == y.reason &&
         x.expected == y.expected && x.found == y.found && x.remedy == y.remedy;
}

bool is_harmless(const std::string& text) {
  return text.find("\xE2\x80\xAE") == std::string::npos &&
         std::ranges::none_of(text, [](char c) { return (c >= 0 && c < 0x20 && c != '\n') || c == 0x7F; });
}

void check(const std::vector<std::string_view>& chain, const ActionRequest* request) {
  VerifyOptions options;
  options.request = request;
  options.issuer_signed = true;
  const Verdict verdict = verify_chain(chain, hop_keys().trust, kNow, options);
  const Explanation explanation = explain(chain, hop_keys().trust, kNow, options);
  require(same(explanation.verdict, verdict));
  require(explanation.hops.size() <= chain.size());
  require(is_harmless(explanation.text()));
  VerificationCache cache(8);
  options.cache = &cache;
  require(same(verify_chain(chain, hop_keys().trust, kNow, options), verdict));
  require(same(verify_chain(chain, hop_keys().trust, kNow, options), verdict));
  if (!verdict.valid()) return;
  const auto tokens = verdict.chain().tokens();
  for (std::size_t hop = 1; hop < tokens.size(); ++hop) {
    require(subsumes(tokens[hop - 1]->claims().authority, tokens[hop]->claims().authority));
    require(tokens[hop]->claims().exp <= tokens[hop - 1]->claims().exp);
    require(tokens[hop]->claims().sub == verdict.chain().principal());
  }
}

}  // namespace
}  // namespace chancery::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  std::string_view input = fuzz::text_of(data, size);
  std::optional<ActionRequest> request;
  if (input.starts_with('!')) {
    const std::size_t end = std::min(input.find('\n'), input.size());
    request = fuzz::action_of(input.substr(1, end - 1));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  if (!input.starts_with('{')) {
    fuzz::check(split_chain(input), request ? &*request : nullptr);
    return 0;
  }
  const std::vector<std::string> tokens = fuzz::signed_chain(input);
  if (request) fuzz::prove(*request, tokens);
  fuzz::check({tokens.begin(), tokens.end()}, request ? &*request : nullptr);
  return 0;
}
