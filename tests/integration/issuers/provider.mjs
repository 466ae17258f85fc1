// An authorization server that was written elsewhere (oidc-provider), on loopback over TLS.
//
//   node provider.mjs FOLDER
//
// FOLDER has tls.pem, tls.key, and in scene.json the lifetime of access tokens and the clients. Where it listens is written to
// address.txt once it does; each answer of the token and the revocation endpoint is a line of events.txt before it is sent.

import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';

import Provider from 'oidc-provider';

const folder = process.argv[2];
const scene = JSON.parse(readFileSync(join(folder, 'scene.json'), 'utf8'));

const configuration = {
  clients: scene.clients,
  scopes: ['openid', 'offline_access', 'orders.read', 'orders.write'],
  clientAuthMethods: ['client_secret_basic', 'private_key_jwt', 'none'],
  cookies: { keys: ['of no worth'] },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  ttl: {
    AccessToken: scene.lifetime, ClientCredentials: scene.lifetime, AuthorizationCode: 60, Grant: 3600, IdToken: 3600,
    Interaction: 3600, RefreshToken: 3600, Session: 3600,
  },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'orders.read orders.write',
        audience: resource,
        accessTokenFormat: 'opaque',
        accessTokenTTL: scene.lifetime,
      }),
    },
  },
};

const server = createServer({ cert: readFileSync(join(folder, 'tls.pem')), key: readFileSync(join(folder, 'tls.key')) });
server.listen(scene.port ?? 0, '127.0.0.1', () => {
  const address = `https://localhost:${server.address().port}`;
  const provider = new Provider(address, configuration);
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.method === 'POST' && ctx.path.startsWith('/token')) {
      const grant = ctx.oidc?.params?.grant_type ?? '-';
      appendFileSync(join(folder, 'events.txt'), `${ctx.path} ${grant} ${ctx.status}\n`);
    }
  });
  provider.on('server_error', (ctx, error) => console.error(error));
  server.on('request', provider.callback());
  writeFileSync(join(folder, 'address.new'), address);
  renameSync(join(folder, 'address.new'), join(folder, 'address.txt'));
});
