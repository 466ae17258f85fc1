import { describe, expect, test } from 'vitest';

import { readRoute } from '../src/frame/router';
import { toBase64url, utf8 } from '../src/data/base64url';
import { changesSince } from '../src/pages/approval_changes';
import { agentOf, amountsOf } from '../src/pages/approval_words';
import { isTokenId, readChainInput, readParameters } from '../src/pages/chain_input';
import { alarmsOf } from '../src/pages/health';
import { narrowingOf } from '../src/pictures/narrowing';
import { ago, countdown, duration } from '../src/text/times';
import type { Approval, Hop, Overview } from '../src/data/types';

test.each([
  ['', 'approvals', '', ''],
  ['#/', 'approvals', '', ''],
  ['#/agents', 'agents', '', ''],
  ['#/agents/spiffe%3A%2F%2Fa%2Fb?search=x', 'agents', 'spiffe://a/b', 'x'],
  ['#/agents/%E0%A4%A', 'agents', '', ''],
])('the address %s leads to %s', (fragment, page, id, search) => {
  const route = readRoute(fragment);
  expect([route.page, route.id, route.query.get('search') ?? '']).toEqual([page, id, search]);
});

describe('what is pasted', () => {
  test.each([
    ['a~b', { chain: 'a~b' }],
    [' a\n b ~c\n'.trim(), { chain: 'a~b~c' }],
    ['["a","b"]', { chain: ['a', 'b'] }],
    ['"a~b"', { chain: 'a~b' }],
    ['{"chain":["a"],"attestation_results":["r"],"other":1}', { chain: ['a'], attestation_results: ['r'] }],
  ])('%s', (text, want) => expect(readChainInput(text)).toEqual(want));

  test.each(['{"chain"', '{"tokens":[]}'])('%s is refused with what to do', (text) => {
    expect(() => readChainInput(text)).toThrow(/paste/);
  });

  test('an id is told from a chain', () => {
    expect(isTokenId('a1'.repeat(32))).toBe(true);
    expect(isTokenId('A1'.repeat(32))).toBe(false);
    expect(isTokenId('a1'.repeat(31))).toBe(false);
  });

  test('parameters are an object', () => {
    expect(readParameters(' ')).toEqual({});
    expect(readParameters('{"amount":75}')).toEqual({ amount: 75 });
    for (const text of ['[]', 'null', '5', '{']) expect(() => readParameters(text)).toThrow(/JSON object/);
  });
});

test('what a token takes away is told', () => {
  const hops: Hop[] = [
    { state: 'passed', scopes: 'a, b, c', constraints: ['a#x max 5'], valid_until: '2027-01-01T00:01:00Z' },
    { state: 'passed', scopes: 'a, c', constraints: ['a#x max 3'], valid_until: '2027-01-01T00:00:10Z' },
  ];
  expect(narrowingOf(hops)[1]).toEqual({
    scopes: ['a', 'c'],
    lostScopes: ['b'],
    newScopes: [],
    constraints: ['a#x max 3'],
    newConstraints: ['a#x max 3'],
    formerConstraints: ['a#x max 5'],
    endsSooner: 50,
  });
  expect(narrowingOf(hops)[0]).toMatchObject({ lostScopes: [], newConstraints: [], formerConstraints: [], endsSooner: 0 });
});

test('times are told in the largest unit that there is one of', () => {
  expect([0, 1, 59, 60, 3599, 3600, 86399, 172800].map(duration)).toEqual([
    '0 seconds', '1 second', '59 seconds', '1 minute', '59 minutes', '1 hour', '23 hours', '2 days',
  ]); // prettier-ignore
  expect(ago(100, 100)).toBe('just now');
  expect([countdown(100, 100), countdown(165, 100), countdown(99, 100), countdown(7300, 100)]).toEqual(['0:00', '1:05', '0:00', '2 hours']);
});

describe('alarms', () => {
  const fine: Overview = {
    version: '1', started_at: 0, now: 1, ready: true, missing: [], issuer: '', keys: [], backends: [], budgets: 'open', reservations: 0,
    audit: { entries: 1, failures: 0, behind: false }, anomalies: 0,
  }; // prettier-ignore
  const backend = { name: 'tpm0', type: 'tpm', up: false, simulator: false, queued: 0, signatures: 0, mean_ms: 0 };

  test('none where everything is as it should be', () => expect(alarmsOf(fine, undefined)).toEqual([]));
  test.each<[string, Partial<Overview>, boolean]>([
    ['something is missing', { missing: ['the store'] }, true],
    ['a backend is down', { backends: [backend] }, true],
    ['entries were not recorded', { audit: { ...fine.audit, failures: 1 } }, true],
    ['the log is not signed', { audit: { ...fine.audit, behind: true } }, true],
    ['budgets are halted', { budgets: 'halted' }, true],
    ['budgets wait', { budgets: 'waiting' }, false],
    ['agents lost their keys', { counts: { lost_agents: 2 } }, false],
  ])('%s', (_, change, isBad) => expect(alarmsOf({ ...fine, ...change }, undefined).map((alarm) => alarm.isBad)).toEqual([isBad]));
});

describe('what changed since the last one like it', () => {
  const request = (changes: Record<string, unknown>) => ({
    typ: 'chancery-approval-request',
    kind: 'call',
    id: 'a1',
    asked_at: 1,
    expires_at: 2,
    token: 't1',
    arguments_sha256: 'h1',
    uri: 'https://tools.example/v1/tools/refund',
    arguments: { amount: 75, charge: 'ch_1' },
    ...changes,
  });
  const told = (before: Record<string, unknown>, after: Record<string, unknown>) =>
    changesSince(before, after).changed.map(({ kind, path }) => `${kind} ${path.join('.')}`);

  test.each([
    ['another amount', { arguments: { amount: 101, charge: 'ch_1' } }, ['changed arguments.amount']],
    ['one more argument', { arguments: { amount: 75, charge: 'ch_1', note: 'x' } }, ['added arguments.note']],
    ['another address', { uri: 'https://tools.example/v1/tools/payout' }, ['changed uri']],
    ['a credential that is new', { credential: 'psp' }, ['added credential']],
    ['its id, times and hashes alone', { id: 'b2', asked_at: 3, expires_at: 4, token: 't2', arguments_sha256: 'h2' }, []],
  ])('%s', (_, changes, want) => expect(told(request({}), request(changes))).toEqual(want));

  test('what is the same is told of the arguments alone', () => {
    const { same } = changesSince(request({}), request({ arguments: { amount: 75, charge: 'ch_2' } }));
    expect(same.map(({ path }) => path.join('.'))).toEqual(['arguments.amount']);
  });

  test('of a grant the claims are compared, without their times', () => {
    const part = (value: unknown) => toBase64url(utf8(JSON.stringify(value)));
    const grant = (claims: unknown) => ({ kind: 'grant', unsigned_token: `${part({})}.${part(claims)}` });
    const before = grant({ exp: 2, iat: 1, jti: 'a', scope: 'payments.refund' });
    expect(told(before, grant({ exp: 4, iat: 3, jti: 'b', scope: 'payments.payout' }))).toEqual(['changed granted.scope']);
  });
});

test('a line of a list says whose request it is, and its numbers', () => {
  const approval = { agent: 'spiffe://example.org/agent/support', amounts: { amount: '101', fee: '0.5' } } as unknown as Approval;
  expect(agentOf(approval)).toBe('support');
  expect(amountsOf(approval)).toEqual(['amount 101', 'fee 0.5']);
  expect([agentOf({} as Approval), amountsOf({} as Approval)]).toEqual(['', []]);
});
