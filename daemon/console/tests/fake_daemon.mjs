// Answers the console's interface (docs/protocol/console.md) from fixtures, with the policy and the checks of the real daemon, so that
// the pages can be looked at and tested alone: node fake_daemon.mjs DIST [PORT]. Nothing of Chancery trusts it or ships it.

import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, extname, join } from 'node:path';

import { canonical } from './canonical.mjs';
import * as fixtures from './fixtures.mjs';

const kHeaders = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; " +
    "manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};
const kTypes = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

class Refusal extends Error {
  constructor(status, code, detail) {
    super(detail);
    Object.assign(this, { status, code });
  }
}

const sha256 = (octets) => createHash('sha256').update(octets).digest();
const now = () => Math.floor(Date.now() / 1000);

export class FakeDaemon {
  links = new Map([['good-link-for-the-tests', { role: 'operator' }]]);
  sessions = new Map();
  passkeys = []; // {credential_id, jkt, key, principal}
  asked = new Map(); // what an assertion is to be over, by challenge or id
  done = []; // what was changed
  frozen = ['ledger-agent-00014'];

  constructor(dist) {
    this.dist = dist;
    const time = now();
    this.approvals = fixtures.approvals(time);
    this.agents = fixtures.agents(time);
    this.log = fixtures.log(time);
  }

  async listen(port = 0) {
    this.server = createServer((request, response) => void this.answer(request, response));
    await new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    this.origin = `http://localhost:${this.server.address().port}`;
    return this.origin;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }

  async answer(request, response) {
    try {
      const url = new URL(request.url, this.origin);
      if (request.method === 'GET' && this.serveFile(url.pathname, response)) return;
      let body = '';
      for await (const part of request) body += part;
      const { status = 200, headers = {}, value } = this.route(request, url, body);
      response.writeHead(status, { ...kHeaders, 'Content-Type': 'application/json', ...headers });
      response.end(value === undefined ? '' : JSON.stringify(value));
    } catch (error) {
      const status = error.status ?? 500;
      response.writeHead(status, { ...kHeaders, 'Content-Type': 'application/problem+json' });
      response.end(JSON.stringify({ type: 'x', title: 'refused', status, detail: error.message, code: error.code ?? 'internal' }));
    }
  }

  serveFile(path, response) {
    const file = path === '/ui' || path === '/ui/' ? 'index.html' : /^\/ui\/assets\/[\w.-]+$/.test(path) ? join('assets', basename(path)) : undefined;
    if (file === undefined) return false;
    response.writeHead(200, { ...kHeaders, 'Content-Type': kTypes[extname(file)] });
    response.end(readFileSync(join(this.dist, file)));
    return true;
  }

  checkRequest(request) {
    const mark = request.headers['x-chancery-console'] ?? '';
    if (mark === '' || (mark.endsWith('; background') && request.method !== 'GET')) throw new Refusal(403, 'forbidden', 'X-Chancery-Console is missing');
    if (request.method !== 'GET' && request.headers.origin !== this.origin) throw new Refusal(403, 'forbidden', 'of another origin');
  }

  sessionOf(request) {
    const cookie = /(?:^|; )fake=([0-9a-f]+)/.exec(request.headers.cookie ?? '')?.[1];
    const session = this.sessions.get(cookie);
    if (session?.mark !== request.headers['x-chancery-console'].replace('; background', '')) throw new Refusal(401, 'unauthenticated', 'sign in: chancery console gives a link');
    return session;
  }

  show(session) {
    const may = ['chancery.agents.read', 'chancery.approvals.read', 'chancery.audit.read'];
    return {
      role: session.role, uid: 1000, needs_passkey: false, passkeys: this.passkeys.length, began_at: now() - 60, ends_at: now() + 28000, idle_s: 900,
      now: now(), version: '0.1.0', issuer: this.origin, rp_id: 'localhost', may,
      ...(session.passkey ? { principal: session.passkey.principal, passkey: { jkt: session.passkey.jkt, credential_id: session.passkey.credential_id } } : {}),
    }; // prettier-ignore
  }

  route(request, url, text) {
    this.checkRequest(request);
    const path = url.pathname;
    const body = text === '' ? {} : JSON.parse(text);
    if (path === '/ui/session' && request.method === 'POST') return this.exchange(body);
    const session = this.sessionOf(request);
    const found = (value) => ({ value });
    const key = `${request.method} ${path}`;
    if (key === 'GET /ui/session') return found(this.show(session));
    if (key === 'DELETE /ui/session') {
      for (const [cookie, one] of this.sessions) if (one === session) this.sessions.delete(cookie);
      return { status: 204 };
    }
    if (request.method === 'GET') return found(this.read(path.replace('/ui/api/', ''), url.searchParams));
    return this.change(session, request, path, body, text);
  }

  exchange({ link }) {
    if (!this.links.delete(link)) throw new Refusal(401, 'unauthenticated', 'this link is not good: chancery console gives another');
    const cookie = randomBytes(16).toString('hex');
    const session = { role: 'operator', mark: randomBytes(16).toString('base64url') };
    this.sessions.set(cookie, session);
    return { status: 201, headers: { 'Set-Cookie': `fake=${cookie}; Path=/; HttpOnly; SameSite=Strict` }, value: { ...this.show(session), mark: session.mark } };
  }

  listApprovals(query) {
    const wanted = query.get('state') ?? '';
    const found = this.approvals.filter(({ state }) => wanted === '' || state === wanted || (wanted === 'settled' && state !== 'pending'));
    if (query.get('order') === 'newest') found.reverse();
    const begin = found.findIndex(({ id }) => id === query.get('after')) + 1;
    const page = found.slice(begin, begin + Number(query.get('limit') ?? 100)).map(({ document, previous, ...rest }) => rest);
    return { approvals: page, ...(begin + page.length < found.length ? { next: page.at(-1).id } : {}) };
  }

  read(path, query) {
    const time = now();
    const newest = this.log.checkpoints.at(-1);
    const one = (list, member, wanted) => {
      const item = list.find((value) => value[member] === decodeURIComponent(wanted));
      if (item === undefined) throw new Refusal(404, 'not_found', 'there is none of that name');
      return item;
    };
    const [first, second, third] = path.split('/');
    if (path === 'approvals') return this.listApprovals(query);
    if (first === 'console' && second === 'approvals') {
      const approval = one(this.approvals, 'id', third);
      return { approval, chain: ['eyJ.a.b', 'eyJ.c.d', 'eyJ.e.f'] };
    }
    if (first === 'console' && second === 'chains') return { chain: ['eyJ.a.b'] };
    if (path === 'console/agents') return this.listAgents(query);
    if (first === 'console' && second === 'agents') return { agent: one(this.agents, 'name', third), budgets: fixtures.budgets(time), tokens: 3 };
    if (first === 'agents' && third === 'keys') return this.keysOf(one(this.agents, 'name', second));
    if (path === 'console/audit') return this.log.search(query.get('ref') ?? '', query.get('action') ?? '', Number(query.get('before') ?? 1e9), Number(query.get('limit') ?? 50));
    if (path.startsWith('audit/entries/')) return this.log.entry(Number(third));
    if (path === 'audit/keys') return this.log.keys();
    if (path === 'audit/checkpoints') return { checkpoints: this.log.checkpoints.filter(({ size }) => size > Number(query.get('after') ?? 0)) };
    if (path === 'audit/consistency') return this.log.consistency(Number(query.get('from')), Number(query.get('to')));
    if (first === 'approvers') return { groups: one(this.passkeys, 'principal', second).groups };
    if (path === 'overview') return fixtures.overview(time, this.log.entries.length, newest);
    if (path === 'backends') return fixtures.backends;
    if (path === 'anomalies') return fixtures.anomalies(time);
    if (path === 'freeze') return { frozen: false, enforcement: 'tpm', agents: this.frozen, switched_keys: 7300, other_keys: 2430, armed: true };
    if (path === 'budget') return { state: 'open', checkpoint: 'counter', totals: 4, reservations: 7 };
    throw new Refusal(404, 'route_unknown', 'there is no such path');
  }

  listAgents(query) {
    const search = query.get('search') ?? '';
    const limit = Number(query.get('limit') ?? 50);
    const found = this.agents.filter(({ name, id, jkt }) => name.startsWith(search) || id === search || jkt === search);
    const rest = found.filter(({ name }) => name > (query.get('after') ?? ''));
    const page = rest.slice(0, limit);
    return { agents: page, active: 9730, retired: 12, lost: 973, ...(rest.length > limit ? { next: page.at(-1).name } : {}) };
  }

  keysOf(agent) {
    const key = { jkt: agent.jkt, owner: agent.name, backend: agent.backend, algorithm: 'ES256', state: 'active', created_at: agent.key_created_at };
    return { keys: [key, { ...key, jkt: `${agent.jkt.slice(1)}A`, state: 'retired', created_at: agent.created_at, ended_at: agent.key_created_at }] };
  }

  options(challenge, session) {
    const allowed = session.passkey ? [session.passkey] : this.passkeys;
    return {
      challenge: challenge.toString('base64url'), rpId: 'localhost', userVerification: 'required', timeout: 120000,
      allowCredentials: allowed.map(({ credential_id }) => ({ type: 'public-key', id: credential_id })),
    }; // prettier-ignore
  }

  /** Fails unless a passkey of ours signed this challenge, here, with the person verified. */
  verifyAssertion(assertion, challenge, passkey) {
    const authenticatorData = Buffer.from(assertion.authenticatorData, 'base64url');
    const clientData = Buffer.from(assertion.clientDataJSON, 'base64url');
    const said = JSON.parse(clientData.toString());
    const message = Buffer.concat([authenticatorData, sha256(clientData)]);
    const holds =
      said.type === 'webauthn.get' && said.challenge === challenge.toString('base64url') && said.origin === this.origin &&
      authenticatorData.subarray(0, 32).equals(sha256('localhost')) && (authenticatorData[32] & 5) === 5 &&
      verify('sha256', message, passkey.key, Buffer.from(assertion.signature, 'base64url')); // prettier-ignore
    if (!holds) throw new Refusal(401, 'unauthenticated', 'this passkey does not sign in here');
  }

  change(session, request, path, body, text) {
    const found = (value) => ({ value });
    if (path === '/ui/session/challenge') {
      const id = randomBytes(8).toString('hex');
      this.asked.set(id, randomBytes(32));
      return found({ id, options: this.options(this.asked.get(id), session) });
    }
    if (path === '/ui/session/passkey') {
      const passkey = this.passkeys.find(({ credential_id }) => credential_id === body.credential_id);
      this.verifyAssertion(body.assertion, this.asked.get(body.id), passkey);
      session.passkey = passkey;
      session.mark = randomBytes(16).toString('base64url');
      return found({ ...this.show(session), mark: session.mark });
    }
    if (path === '/ui/api/chains/explain') return found(fixtures.explanation(now(), !JSON.stringify(body).includes('expired')));
    if (path === '/ui/api/impact') return found(fixtures.impact(now()));
    if (path === '/ui/decisions') return found(this.askDecision(session, body));
    if (path.endsWith('/decision')) return found(this.decide(session, path.split('/')[4], body.decision));
    if (path === '/ui/confirmations') return found(this.askConfirmation(session, body));
    if (path === '/ui/passkeys/options') return found(this.passkeyOptions(body));
    if (path === '/ui/passkeys') return found(this.madePasskey(body));
    if (path === '/ui/authorizations') return found(this.askAuthorization(session, body));
    if (path === '/ui/api/approvers') {
      const { enrolment } = body;
      if (typeof enrolment !== 'object') throw new Refusal(400, 'malformed', '`enrolment` is the document, as an object');
      if (this.passkeys.length > 0) this.verifyAuthorization(session, { ...body, enrolment: canonical(enrolment) });
      this.passkeys = this.passkeys.filter(({ jkt }) => jkt !== enrolment.replaces);
      this.passkeys.push({ ...this.waiting, principal: enrolment.principal, groups: enrolment.groups });
      return found({});
    }
    return found(this.confirmed(session, request, path, text));
  }

  askDecision(session, { request, verdict, reason }) {
    const approval = this.approvals.find(({ id }) => id === request);
    if (approval.state !== 'pending') throw new Refusal(409, 'conflict', 'this request was decided meanwhile');
    const part = (value) => Buffer.from(canonical(value)).toString('base64url');
    const digest = this.forged ?? approval.sha256;
    const claims = { iat: now(), iss: session.passkey.principal, request, request_sha256: digest, verdict, ...(reason ? { reason } : {}) };
    const input = `${part({ alg: 'chancery-webauthn-es256', kid: session.passkey.jkt, typ: 'chancery-decision+jwt' })}.${part(claims)}`;
    return { input, request_sha256: digest, options: this.options(sha256(input), session) };
  }

  decide(session, id, decision) {
    const [header, payload, signature] = decision.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    this.verifyAssertion(JSON.parse(Buffer.from(signature, 'base64url').toString()), sha256(`${header}.${payload}`), session.passkey);
    const approval = this.approvals.find((one) => one.id === id);
    if (approval.state !== 'pending') throw new Refusal(409, 'conflict', 'this request was decided meanwhile');
    approval.state = claims.verdict === 'approve' ? 'approved' : 'denied';
    approval.decisions = [{ approver: claims.iss, key: session.passkey.jkt, verdict: claims.verdict, at: claims.iat, enforcement: 'software-enforced', reason: claims.reason ?? '' }];
    return { id, state: approval.state, enforcement: 'software-enforced' };
  }

  askAuthorization(session, { enrolment }) {
    const part = (value) => Buffer.from(canonical(value)).toString('base64url');
    const digest = this.forged ?? sha256(enrolment).toString('hex');
    const claims = { aud: this.origin, document_sha256: digest, iat: now(), iss: session.passkey.principal };
    const input = `${part({ alg: 'chancery-webauthn-es256', kid: session.passkey.jkt, typ: 'chancery-enrolment+jwt' })}.${part(claims)}`;
    return { input, options: this.options(sha256(input), session) };
  }

  verifyAuthorization(session, { enrolment, authorization }) {
    const [header, payload, signature] = authorization.split('.');
    this.verifyAssertion(JSON.parse(Buffer.from(signature, 'base64url').toString()), sha256(`${header}.${payload}`), session.passkey);
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    if (claims.document_sha256 !== sha256(enrolment).toString('hex')) throw new Refusal(403, 'forbidden', 'vouched for was something else');
  }

  askConfirmation(session, { method, path, body }) {
    const id = randomBytes(8).toString('hex');
    const challenge = sha256(canonical({ typ: 'chancery-console-confirmation', id, method, path, body_sha256: sha256(body).toString('hex') }));
    this.asked.set(id, { challenge, method, path, body });
    return { id, options: this.options(challenge, session) };
  }

  confirmed(session, request, path, text) {
    const header = request.headers['chancery-confirmation'];
    if (header === undefined) throw new Refusal(404, 'route_unknown', 'there is no such path');
    const { id, assertion } = JSON.parse(Buffer.from(header, 'base64url').toString());
    const asked = this.asked.get(id);
    this.asked.delete(id);
    if (asked?.path !== path || asked.body !== text || asked.method !== request.method) throw new Refusal(403, 'forbidden', 'confirmed was something else');
    this.verifyAssertion(assertion, asked.challenge, session.passkey);
    this.done.push({ path, body: text });
    if (request.method === 'DELETE') this.approvals.find(({ id }) => path.endsWith(id)).state = 'cancelled';
    if (path.endsWith('/freeze')) this.frozen.push(path.split('/')[4]);
    return {};
  }

  passkeyOptions({ principal, groups = [], replaces }) {
    if (groups.some((name) => name.startsWith('group:')))
      throw new Refusal(400, 'invalid_argument', '`groups` are names such as finance, without `group:`, none twice, at most 32');
    const user = { id: randomBytes(16).toString('base64url'), name: principal, displayName: principal };
    const options = {
      rp: { id: 'localhost', name: 'Chancery' }, user, challenge: randomBytes(32).toString('base64url'), pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
      excludeCredentials: [], authenticatorSelection: { userVerification: 'required' }, attestation: 'none',
    }; // prettier-ignore
    this.enrolling = { principal, groups: [...groups].sort(), ...(replaces ? { replaces } : {}) };
    return { id: 'enrol', options };
  }

  madePasskey({ registration }) {
    // The end of the authenticator's data is the key in COSE; the coordinates of one of P-256 are its last octets but three.
    const data = Buffer.from(registration.authenticatorData, 'base64url');
    const part = (from) => data.subarray(data.length + from, data.length + from + 32).toString('base64url');
    const jwk = { crv: 'P-256', kty: 'EC', x: part(-67), y: part(-32) };
    const jkt = sha256(canonical(jwk)).toString('base64url');
    this.waiting = { credential_id: registration.id, jkt, key: createPublicKey({ key: jwk, format: 'jwk' }) };
    const enrolment = canonical({ typ: 'chancery-approver-enrolment', v: 1, ...this.enrolling, jwk, kind: 'passkey', credential_id: registration.id });
    return { enrolment, sha256: sha256(enrolment).toString('hex'), jkt, first: this.passkeys.length === 0 };
  }
}

if (import.meta.filename === process.argv[1]) {
  const daemon = new FakeDaemon(process.argv[2]);
  const origin = await daemon.listen(Number(process.argv[3] ?? 8080));
  console.log(`${origin}/ui#link=good-link-for-the-tests`);
}
