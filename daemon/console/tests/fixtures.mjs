// What the fake daemon knows: requests that try to deceive, a chain that narrows, ten thousand agents, a log.

import { createHash } from 'node:crypto';

import { canonical } from './canonical.mjs';
import { FakeLog } from './fake_log.mjs';

export const hash = (text) => createHash('sha256').update(text).digest('hex');
const jkt = (text) => createHash('sha256').update(text).digest('base64url');

/** What somebody hostile puts into every text that it controls. */
export const kScript = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';
export const kTurned = 'safe\u202Egpj.exe';
export const kHomograph = 'p\u0430ypal.example';

function document(now, id, changes = {}) {
  const argumentsOf = changes.arguments ?? { amount: 101, charge: 'ch_1QxR', currency: 'eur', note: 'Customer returned the goods' };
  return {
    typ: 'chancery-approval-request',
    v: 1,
    id,
    kind: 'call',
    tool: 'payments.refund',
    scope: 'payments.refund',
    uri: 'https://runtime.example.org:8444/v1/tools/payments.refund',
    audience: 'https://runtime.example.org:8444',
    arguments_sha256: hash(canonical(argumentsOf)),
    risk: 'high',
    description: 'Gives money back to a customer.',
    credential: 'stripe-refunds',
    principal: 'user:alice@example.org',
    agent: 'spiffe://example.org/agent/support-agent',
    client_id: 'spiffe://example.org/agent/support-agent',
    key: jkt('support-agent'),
    token: hash('leaf'),
    runtime: 'spiffe://example.org/agent/runtime',
    debits: { 'payments.refund#amount': '101' },
    gates: [{ gate: 'refunds-above-100', why: 'amount 101 is above 100' }],
    asked_at: now - 95,
    expires_at: now + 805,
    ...changes,
    arguments: argumentsOf,
  };
}

function approval(of, changes = {}) {
  const gate = { name: 'refunds-above-100', quorum: 1, approvals: 0, separation: 'requester', enforcement: 'software-enforced' };
  return {
    id: of.id,
    kind: of.kind,
    state: 'pending',
    tool: of.tool,
    principal: of.principal,
    key: of.key,
    sha256: hash(canonical(of)),
    enforcement: 'software-enforced',
    gates: [gate],
    asked_at: of.asked_at,
    expires_at: of.expires_at,
    decisions: [],
    document: of,
    ...(of.agent === undefined ? {} : { agent: of.agent }),
    ...(of.risk === undefined ? {} : { risk: of.risk }),
    ...(typeof of.arguments?.amount === 'number' ? { amounts: { amount: String(of.arguments.amount) } } : {}),
    ...changes,
  };
}

export function approvals(now) {
  const plain = document(now, 'a1'.repeat(16));
  const hostile = document(now, 'b2'.repeat(16), {
    description: `Sends a file. ${kScript}`,
    tool: 'files.send',
    scope: 'files.send',
    arguments: { file: kTurned, to: `billing@${kHomograph}`, note: `hid\u200Bden ${kScript}\nsecond line  \u05D0\u05D1 12`, tag: 'ok\u{E0068}\u{E0069}' },
    risk: 'medium',
    principal: `user:m\u0430llory@example.org`,
    client_id: `spiffe://example.org/agent/${kScript}`,
    uri: `https://${kHomograph}/v1/tools/${kScript}`,
    audience: `https://${kHomograph}/${kScript}`,
    credential: `mail ${kScript}`,
    debits: { [`files.send#${kScript}`]: '1', [`files.send#${kTurned}`]: '2' },
    gates: [{ gate: 'outgoing-files', why: `\`${kScript}\` is asked for the first time` }],
    asked_at: now - 20,
    expires_at: now + 100,
  });
  const part = (value) => Buffer.from(canonical(value)).toString('base64url');
  const claims = {
    aud: ['https://infra.example.org'],
    authorization_details: [{ scopes: ['infra.deploy'], type: 'agent_delegation', constraints: [{ key: 'environment', one_of: ['staging', 'production'] }] }],
    client_id: 'spiffe://example.org/agent/deploy-agent', cnf: { jkt: jkt('deploy-agent') }, exp: now + 3600, iat: now - 300,
    iss: 'https://chancery.example.org', sub: 'user:alice@example.org',
  }; // prettier-ignore
  const grant = {
    typ: 'chancery-approval-request', v: 1, id: 'c3'.repeat(16), kind: 'grant', gates: [{ gate: 'production', why: 'the TPM grants these scopes by approval only' }],
    principal: claims.sub, client_id: claims.client_id, agent: claims.client_id, key: claims.cnf.jkt, asked_by: 'uid:1000',
    unsigned_token: `${part({ alg: 'ES256', kid: jkt('gated'), typ: 'dt+jwt' })}.${part(claims)}`, asked_at: now - 300, expires_at: now + 600,
  }; // prettier-ignore
  const ended = document(now, 'd4'.repeat(16), { arguments: { amount: 250, charge: 'ch_0PqZ', currency: 'eur', reason_code: 'duplicate' }, asked_at: now - 90000, expires_at: now - 89000 });
  const vote = { approver: 'user:bob@example.org', key: jkt('bob'), verdict: 'approve', at: now - 89900, enforcement: 'software-enforced', reason: 'Checked with the customer' };
  return [
    approval(plain, { previous: { id: ended.id, state: 'approved', decided_at: vote.at, sha256: hash(canonical(ended)), document: ended } }),
    approval(hostile, { gates: [{ name: 'outgoing-files', quorum: 2, approvals: 1, separation: 'principal', enforcement: 'software-enforced' }], decisions: [{ ...vote, at: now - 5 }] }),
    approval(grant, { tool: 'infra.deploy', enforcement: 'tpm-enforced', gates: [{ name: 'production', quorum: 1, approvals: 0, separation: 'requester', enforcement: 'tpm-enforced' }] }),
    approval(ended, { state: 'used', amounts: undefined, ended_at: now - 89800, decisions: [vote] }),
  ];
}

const iso = (at) => `${new Date(at * 1000).toISOString().slice(0, 19)}Z`;

export function explanation(now, isValid) {
  const hop = (changes) => ({ state: isValid ? 'passed' : 'not_reached', principal: 'user:alice@example.org', audience: 'https://runtime.example.org:8444', ...changes });
  const hops = [
    hop({
      state: 'passed',
      giver: 'https://chancery.example.org',
      receiver: 'spiffe://example.org/agent/orchestrator',
      scopes: 'crm.read, payments.capture, payments.refund, tickets.write',
      constraints: ['payments.refund#amount max 500'],
      valid_from: iso(now - 7200),
      valid_until: iso(now + 21600),
      signed_with: `trust anchor ${jkt('issuer')}`,
      holder: jkt('orchestrator'),
    }),
    hop({
      state: isValid ? 'passed' : 'failed',
      giver: 'spiffe://example.org/agent/orchestrator',
      receiver: 'spiffe://example.org/agent/support-agent',
      scopes: 'crm.read, payments.refund',
      constraints: ['payments.refund#amount max 500', 'payments.refund#amount max_lifetime 500'],
      valid_from: iso(now - 3600),
      valid_until: iso(now + (isValid ? 7200 : -600)),
      signed_with: `its giver's holder key ${jkt('orchestrator')}`,
      holder: jkt('support-agent'),
    }),
    hop({
      giver: 'spiffe://example.org/agent/support-agent',
      receiver: `spiffe://example.org/agent/${kScript}`,
      scopes: 'payments.refund',
      constraints: ['payments.refund#amount max 150', 'payments.refund#amount max_lifetime 500'],
      valid_from: iso(now - 300),
      valid_until: iso(now + (isValid ? 300 : -700)),
      signed_with: `its giver's holder key ${jkt('support-agent')}`,
      holder: jkt('session'),
    }),
  ];
  const says = 'A TPM whose endorsement key leads to its maker’s root certified that the key was made in it and cannot leave it.';
  const custody = hops.map((_, at) => ({ how: at < 2 ? 'vouched' : 'session', level: 'tpm-certified', says, verifier: 'https://chancery.example.org', evidence_at: now - 4000 }));
  const verdict = isValid
    ? { outcome: 'valid', step: null, hop: null, reason: 'every check that was made passed' }
    : {
        outcome: 'expired', step: 5, hop: 1, reason: 'a token is outside of its validity', expected: `a time up to ${iso(now - 600)}`, found: iso(now),
        remedy: 'have the giver of token 1 delegate again: nothing else of the chain has to change',
      }; // prettier-ignore
  return { ...verdict, not_performed: ['holder_binding', 'replay', 'action'], tokens: hops.length, hops, custody };
}

const kWords = ['billing', 'support', 'search', 'deploy', 'ledger', 'mail', 'crm', 'audit', 'stock', 'report'];

export function agents(now) {
  const states = ['active', 'active', 'active', 'active', 'rotating', 'active', 'active', 'active', 'lost', 'active'];
  return Array.from({ length: 10000 }, (_, at) => {
    const name = `${kWords[at % 10]}-agent-${String(at).padStart(5, '0')}`;
    const state = at % 37 === 36 ? 'revoked' : states[at % 10];
    return {
      name,
      id: `spiffe://example.org/agent/${name}`,
      state,
      ...(state === 'lost' ? { reason: 'the device that has its key does not answer as it did' } : {}),
      backend: at % 4 === 3 ? 'hsm0' : 'tpm0',
      type: at % 4 === 3 ? 'pkcs11' : 'tpm',
      ...(at % 4 === 3 ? {} : { custody: 'tpm-certified' }),
      jkt: jkt(name),
      created_at: now - 86400 * (30 + (at % 90)),
      key_created_at: now - 86400 * (at % 30) - 60,
      ...(at % 5 === 0 ? {} : { last_used_at: now - 17 * (at % 400) - 3 }),
    };
  }).sort((one, other) => (one.name < other.name ? -1 : 1));
}

export function budgets(now) {
  return [
    { token: hash('t1'), constraint: 'payments.refund#amount', kind: 'lifetime', limit: '500', spent: '120.5', ends_at: now + 7200 },
    { token: hash('t1'), constraint: 'crm.read#records', kind: 'rate', limit: '100', spent: '74', ends_at: now + 7200 },
    { token: hash('t2'), constraint: 'mail.send#messages', kind: 'subtree', limit: '20', spent: '19', ends_at: now + 900 },
  ];
}

export function log(now) {
  const actions = ['action.authorize', 'token.delegate', 'approval.request', 'proof.create', 'tool.permit', 'key.rotate', 'console.sign_in'];
  const entries = Array.from({ length: 173 }, (_, at) => ({
    v: 1,
    at: now - (173 - at) * 41,
    action: actions[at % actions.length],
    outcome: at % 9 === 4 ? 'deny' : actions[at % actions.length] === 'action.authorize' ? 'permit' : 'done',
    principal: 'user:alice@example.org',
    agent: at % 11 === 7 ? kScript : 'support-agent',
    request_id: hash(`request ${at}`).slice(0, 32),
    ids: { token: hash(`token ${at % 13}`), key: jkt('support-agent') },
    details: { scope: 'payments.refund', note: at % 17 === 3 ? kTurned : 'ok' },
  }));
  return new FakeLog(entries, [64, 128, 168]);
}

export function overview(now, size, checkpoint) {
  return {
    version: '0.1.0', started_at: now - 3 * 86400 - 4000, now, ready: true, missing: [], issuer: 'https://chancery.example.org',
    keys: ['issuer', 'status lists', 'attestation', 'audit log'].map((purpose) => ({
      purpose, jkt: jkt(purpose), backend: 'tpm0', state: 'active', custody: 'tpm-certified', created_at: now - 40 * 86400,
    })),
    backends: [
      { name: 'tpm0', type: 'tpm', up: true, simulator: false, queued: 3, signatures: 48211, mean_ms: 61.4 },
      { name: 'hsm0', type: 'pkcs11', up: false, simulator: false, queued: 0, signatures: 903, mean_ms: 4.2 },
    ],
    counts: { active_agents: 9730, lost_agents: 973, retired_agents: 12, tokens: 15220, revoked_tokens: 31, suspended_tokens: 2, status_lists: 4 },
    budgets: 'open', reservations: 7, audit: { entries: size, failures: 0, behind: false, checkpoint: { size: checkpoint.size, signed_at: checkpoint.at } },
    status_list_signed_at: now - 140, anomalies: 3,
  }; // prettier-ignore
}

export const backends = {
  backends: [
    { name: 'tpm0', type: 'tpm', manufacturer: 'Infineon', firmware: '15.23', emulated: false, algorithms: ['ES256'], state: 'ok', load: {}, default: true, issuer: true, agent_keys: 7300 },
    { name: 'hsm0', type: 'pkcs11', manufacturer: 'Example', firmware: '2.1', emulated: false, algorithms: ['ES256', 'Ed25519'], state: 'device_absent', advice: 'See whether the token is plugged in.', load: {}, default: false, issuer: false, agent_keys: 2430 },
  ],
}; // prettier-ignore

export function anomalies(now) {
  return {
    anomalies: [
      { id: 3, at: now - 260, agent: 'billing-agent-00010', kind: 'call_rate', measured: 42.5, usual: 3.1 },
      { id: 2, at: now - 5000, agent: 'mail-agent-00005', kind: 'new_resource', measured: 0, usual: 0, what: kScript },
      { id: 1, at: now - 9000, agent: 'crm-agent-00006', kind: 'denial_rate', measured: 0.6, usual: 0.01, suspension: 4 },
    ],
  };
}

export function impact(now) {
  return {
    target: { agent: 'x' }, tokens: 3, descendants: 12, until: now + 7200, last_used_at: now - 30, open_reservations: 1, standing: [],
    agents: [{ name: 'support-agent', tokens: 8 }, { name: 'mail-agent-00005', tokens: 4 }],
  }; // prettier-ignore
}
