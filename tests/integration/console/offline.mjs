// Keys outside of the daemon: an issuer that it trusts, and agents that delegate by themselves, past the daemon.

import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';

import { canonical } from '../tests/canonical.mjs';

const hash = (text) => createHash('sha256').update(text).digest('base64url');
const part = (value) => Buffer.from(canonical(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);

export class HeldKey {
  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
    this.secret = privateKey;
    this.jwk = { crv, kty, x, y };
    this.jkt = hash(canonical(this.jwk));
  }

  signed(typ, payload, named = { jwk: this.jwk }) {
    const input = `${part({ alg: 'ES256', typ, ...named })}.${part(payload)}`;
    return `${input}.${sign('sha256', Buffer.from(input), { key: this.secret, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }

  /** A DPoP proof for the holder of a chain's last token. */
  proof(chain, htm, htu) {
    return this.signed('dpop+jwt', { ath: hash(chain.at(-1)), htm, htu, iat: now(), jti: randomUUID() });
  }

  /** The first token of a chain, as an issuer signs it. */
  grant(holder, claims) {
    const times = { iat: now(), exp: now() + 3600 };
    return [this.signed('at+jwt', { ...times, jti: randomUUID(), cnf: { jkt: holder.jkt }, del_depth: 0, del_max_depth: 4, ...claims }, { kid: this.jkt })];
  }

  /** Another token below a chain that this key holds, for `holder`: nobody narrows or reads it before it is shown. */
  delegate(chain, holder, claims) {
    const [head, payload] = chain.at(-1).split('.');
    const { aud, sub, exp, client_id, del_depth, authorization_details } = JSON.parse(Buffer.from(payload, 'base64url'));
    const below = { iss: client_id, del_depth: del_depth + 1, par_hash: hash(`${head}.${payload}`) };
    const own = { iat: now(), jti: randomUUID(), cnf: { jkt: holder.jkt }, ...below, ...claims };
    return [...chain, this.signed('at+jwt', { aud, sub, exp, authorization_details, ...own })];
  }
}
