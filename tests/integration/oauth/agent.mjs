// An agent that knows OAuth and nothing of Chancery but its parameters: what oauth4webapi, jose and dpop make of the
// daemon, of whom this repository wrote nothing. usage: node agent.mjs FOLDER, with what clients.cpp left there.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import * as dpop from 'dpop'
import * as jose from 'jose'
import * as oauth from 'oauth4webapi'

const CHAIN = 'urn:chancery:token-type:chain'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const API = 'https://api.example.org'

const folder = process.argv[2]
const scene = JSON.parse(await readFile(join(folder, 'scene.json'), 'utf8'))
const key = await jose.importPKCS8(await readFile(join(folder, 'client.pem'), 'utf8'), 'ES256', { extractable: true })
const { kty, crv, x, y } = await jose.exportJWK(key)
const jwk = { kty, crv, x, y }

const issuer = new URL(scene.issuer)
const client = { client_id: scene.client_id }
const authentication = oauth.PrivateKeyJwt(key, {
  [oauth.modifyAssertion](header) {
    header.jwk = jwk
  },
})

async function discover() {
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2' }))
  const resource = await oauth.processResourceDiscoveryResponse(issuer, await oauth.resourceDiscoveryRequest(issuer))
  assert.deepEqual(resource.authorization_servers, [as.issuer])
  assert.ok(as.grant_types_supported.includes(EXCHANGE))
  assert.ok(as.token_endpoint_auth_methods_supported.includes('private_key_jwt'))
  return as
}

function credentials(changes = {}) {
  return new URLSearchParams({
    client_chain: scene.client_chain,
    sub: 'user:alice@example.org',
    agent: 'support',
    resource: API,
    depth: '2',
    authorization_details: JSON.stringify([{ type: 'agent_delegation', scopes: ['crm.*'] }]),
    ...changes,
  })
}

async function grant(as, parameters, options) {
  const response = await oauth.clientCredentialsGrantRequest(as, client, authentication, parameters, options)
  return oauth.processClientCredentialsResponse(as, client, response)
}

async function exchange(as, subject) {
  const parameters = new URLSearchParams({
    client_chain: scene.client_chain,
    subject_token: subject,
    subject_token_type: CHAIN,
    agent: 'lookup',
    authorization_details: JSON.stringify([{ type: 'agent_delegation', scopes: ['crm.read'] }]),
  })
  const response = await oauth.genericTokenEndpointRequest(as, client, authentication, EXCHANGE, parameters)
  return oauth.processGenericTokenEndpointResponse(as, client, response)
}

async function introspect(as, token) {
  const additionalParameters = { client_chain: scene.client_chain }
  const response = await oauth.introspectionRequest(as, client, authentication, token, { additionalParameters })
  return oauth.processIntrospectionResponse(as, client, response)
}

// The first refusal brings the nonce, which the library keeps.
async function grantedTo(as, handle) {
  let refusals = 0
  for (;;) {
    try {
      const granted = await grant(as, credentials(), { DPoP: handle })
      assert.equal(refusals, 1, 'a nonce is demanded once')
      return granted
    } catch (error) {
      if (!oauth.isDPoPNonceError(error) || ++refusals > 1) throw error
    }
  }
}

async function isRefusedAs(name, promise) {
  await assert.rejects(promise, (error) => error instanceof oauth.ResponseBodyError && error.error === name)
}

// The daemon as a resource: introspection by a chain and a proof that the package `dpop` makes.
async function introspectWithProof(as, token) {
  const pair = { privateKey: key, publicKey: await jose.importJWK(jwk, 'ES256') }
  const tokens = scene.client_chain.split('~')
  const leaf = tokens.pop()
  const ask = async (nonce) =>
    fetch(as.introspection_endpoint, {
      method: 'POST',
      headers: {
        authorization: `DPoP ${leaf}`,
        'delegation-chain': tokens.join('~'),
        dpop: await dpop.generateProof(pair, as.introspection_endpoint, 'POST', nonce, leaf),
      },
      body: new URLSearchParams({ token }),
    })
  const refused = await ask()
  assert.equal(refused.status, 401)
  assert.match(refused.headers.get('www-authenticate'), /use_dpop_nonce/)
  const answer = await ask(refused.headers.get('dpop-nonce'))
  assert.equal(answer.status, 200)
  return answer.json()
}

const as = await discover()
const keys = jose.createRemoteJWKSet(new URL(as.jwks_uri))

const granted = await grant(as, credentials())
assert.equal(granted.token_type, 'dpop') // the library writes it in lower case
const root = await jose.jwtVerify(granted.access_token, keys, { issuer: as.issuer, audience: API, typ: 'at+jwt' })
assert.equal(root.payload.sub, 'user:alice@example.org')
assert.deepEqual(root.payload.authorization_details, granted.authorization_details)

const pair = await oauth.generateKeyPair('ES256')
const bound = await grantedTo(as, oauth.DPoP(client, pair))
const jkt = await jose.calculateJwkThumbprint(await jose.exportJWK(pair.publicKey))
assert.equal(jose.decodeJwt(bound.access_token).cnf.jkt, jkt)

const exchanged = await exchange(as, granted.delegation_chain)
assert.equal(exchanged.issued_token_type, 'urn:ietf:params:oauth:token-type:access_token')
const child = await jose.jwtVerify(exchanged.access_token, jose.EmbeddedJWK)
assert.equal(await jose.calculateJwkThumbprint(child.protectedHeader.jwk), root.payload.cnf.jkt)
assert.deepEqual(exchanged.authorization_details[0].scopes, ['crm.read'])

const active = await introspect(as, bound.access_token)
assert.equal(active.active, true)
assert.equal(active.cnf.jkt, jkt)
assert.deepEqual(await introspect(as, 'nonsense'), { active: false })
assert.equal((await introspectWithProof(as, exchanged.delegation_chain)).active, true)

await isRefusedAs('unauthorized_client', grant(as, credentials({ sub: 'service:crm' })))
await isRefusedAs('invalid_target', grant(as, credentials({ resource: 'api' })))
await isRefusedAs('invalid_client', grant(as, credentials({ client_chain: granted.access_token })))

// For verifier.py: what was issued, and a proof by the key that the token is bound to.
const proof = await dpop.generateProof(pair, `${API}/customers`, 'GET', undefined, bound.access_token)
const jwks = await (await fetch(as.jwks_uri)).json()
await writeFile(
  join(folder, 'issued.json'),
  JSON.stringify({ jwks, chains: [granted, bound, exchanged].map((answer) => answer.delegation_chain), bound: 1, proof }),
)
console.log('oauth4webapi, jose and dpop: done')
