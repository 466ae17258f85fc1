#include "daemon/rest/routes.hpp"

#include <array>

namespace chancery::rest {

std::span<const Route> routes() noexcept {
  using enum Listener;
  static constexpr std::array kRoutes{
      Route{"GET", "/.well-known/jwks.json", kAny, false, show_key_set},
      Route{"GET", "/.well-known/oauth-authorization-server", kAny, false, show_metadata},
      Route{"GET", "/healthz", kAny, false, show_health},
      Route{"GET", "/metrics", kLocal, true, show_metrics},
      Route{"GET", "/openapi.json", kAny, false, show_openapi},
      Route{"GET", "/readyz", kAny, true, show_readiness},
      Route{"GET", "/v1/agents", kUnixSocket, true, list_agents},
      Route{"POST", "/v1/agents", kUnixSocket, true, create_agent},
      Route{"DELETE", "/v1/agents/{name}", kUnixSocket, true, retire_agent},
      Route{"GET", "/v1/agents/{name}", kUnixSocket, true, show_agent},
      Route{"GET", "/v1/agents/{name}/keys", kUnixSocket, true, list_agent_keys},
      Route{"POST", "/v1/agents/{name}/reenroll", kUnixSocket, true, reenroll_agent},
      Route{"POST", "/v1/agents/{name}/rotate", kUnixSocket, true, rotate_agent},
      Route{"GET", "/v1/backends", kUnixSocket, true, list_backends},
      Route{"GET", "/v1/backends/{name}", kUnixSocket, true, show_backend},
      Route{"POST", "/v1/backends/{name}/adopt", kUnixSocket, true, adopt_backend},
      Route{"POST", "/v1/chains/explain", kAny, false, explain_chain},
      Route{"POST", "/v1/chains/verify", kAny, false, verify_chain},
      Route{"POST", "/v1/delegations", kUnixSocket, true, create_delegation},
      Route{"POST", "/v1/grants", kUnixSocket, true, create_grant},
      Route{"GET", "/v1/issuer/keys", kUnixSocket, true, list_issuer_keys},
      Route{"POST", "/v1/issuer/rotate", kUnixSocket, true, rotate_issuer},
      Route{"POST", "/v1/keys/{name}/revoke", kUnixSocket, true, revoke_key},
      Route{"GET", "/v1/process", kUnixSocket, true, show_process},
      Route{"POST", "/v1/proofs", kUnixSocket, true, create_proof},
  };
  static_assert(kRoutes.size() <= telemetry::RequestCounts::kMaxRoutes);
  return kRoutes;
}

}  // namespace chancery::rest
