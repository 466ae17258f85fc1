import { describe, expect, test } from 'vitest';

import { hex, sha256, toBase64url, utf8 } from '../src/data/base64url';
import { canonical } from '../src/data/jcs';
import { checkAuthorization, checkInput, enrolmentOf, type Shown } from '../src/decide/passkey';
import { judge } from '../src/pages/request_document';

const kShown: Shown = {
  request: 'a1'.repeat(16),
  sha256: 'ef'.repeat(32),
  verdict: 'approve',
  reason: '',
  approver: 'user:bob@example.org',
  key: 'a-thumbprint',
};
const kHeader = { alg: 'chancery-webauthn-es256', kid: kShown.key, typ: 'chancery-decision+jwt' };
const now = () => Math.floor(Date.now() / 1000);
const claims = (changes: Record<string, unknown> = {}) => ({
  iat: now(),
  iss: kShown.approver,
  request: kShown.request,
  request_sha256: kShown.sha256,
  verdict: 'approve',
  ...changes,
});
const part = (value: unknown) => toBase64url(utf8(canonical(value)));
const input = (payload: unknown, header: unknown = kHeader) => `${part(header)}.${part(payload)}`;

test('what was shown and decided is signed', () => {
  expect(() => checkInput(input(claims()), kShown)).not.toThrow();
  expect(() => checkInput(input(claims({ reason: 'ok' })), { ...kShown, reason: 'ok' })).not.toThrow();
});

describe('anything else is not signed', () => {
  test.each([
    ['another document', input(claims({ request_sha256: '00'.repeat(32) }))],
    ['another request', input(claims({ request: 'b2'.repeat(16) }))],
    ['the other verdict', input(claims({ verdict: 'deny' }))],
    ['somebody else', input(claims({ iss: 'user:eve@example.org' }))],
    ['a reason that nobody gave', input(claims({ reason: 'because' }))],
    ['a member beside', input(claims({ policy: 'x' }))],
    ['a time to come', input(claims({ iat: now() + 3600 }))],
    ['a time that is no number', input(claims({ iat: String(now()) }))],
    ['another key', input(claims(), { ...kHeader, kid: 'b' })],
    ['another type', input(claims(), { ...kHeader, typ: 'JWT' })],
    ['another algorithm', input(claims(), { ...kHeader, alg: 'none' })],
    ['a third part', `${input(claims())}.x`],
    ['a form that is not canonical', `${part(kHeader)}.${toBase64url(utf8(JSON.stringify(claims({ a: 1 })).replace(',"a":1', ' ')))}`],
    ['no object', `${part(kHeader)}.${part([])}`],
    ['no base64url', `${part(kHeader)}.!`],
    ['nothing', ''],
  ])('%s', (_, text) => {
    expect(() => checkInput(text, kShown)).toThrow();
  });
});

describe('an authorization', () => {
  const kVoucher = { approver: 'user:bob@example.org', key: 'a-thumbprint', issuer: 'https://localhost:8443' };
  const kTyp = { ...kHeader, typ: 'chancery-enrolment+jwt' };
  const said = async (changes: Record<string, unknown> = {}, header: unknown = kTyp) =>
    input({ aud: kVoucher.issuer, document_sha256: hex(await sha256(utf8('{}'))), iat: now(), iss: kVoucher.approver, ...changes }, header);

  test('is signed where it says what is enrolled', async () => {
    await expect(checkAuthorization(await said(), '{}', kVoucher)).resolves.toBeUndefined();
  });
  test('is not signed for another document, daemon or person, nor where it is a decision', async () => {
    const others = [
      await said({ document_sha256: '00'.repeat(32) }),
      await said({ aud: 'https://other.example' }),
      await said({ iss: 'user:eve@example.org' }),
      await said({ also: 1 }),
      await said({}, kHeader),
      input(claims()),
    ];
    for (const other of others) await expect(checkAuthorization(other, '{}', kVoucher)).rejects.toThrow(/Nothing was signed/);
  });

  test('is about the key that the browser made', async () => {
    const { publicKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const { x, y } = await crypto.subtle.exportKey('jwk', publicKey);
    const spki = await crypto.subtle.exportKey('spki', publicKey);
    expect(await enrolmentOf({ principal: 'user:bob@example.org', groups: ['b', 'a'] }, spki, 'AQ')).toBe(
      `{"credential_id":"AQ","groups":["a","b"],"jwk":{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"},"kind":"passkey","principal":"user:bob@example.org","typ":"chancery-approver-enrolment","v":1}`,
    );
  });
});

const digest = async (value: unknown) => hex(await sha256(utf8(canonical(value))));
const kDocument = {
  typ: 'chancery-approval-request', v: 1, id: kShown.request, kind: 'call', tool: 'x', arguments: { amount: 1 },
  arguments_sha256: await digest({ amount: 1 }),
}; // prettier-ignore
const kClaims = { client_id: 'c', cnf: { jkt: 'k' }, sub: 'user:a' };
const kGrant = {
  typ: 'chancery-approval-request', v: 1, id: kShown.request, kind: 'grant', principal: 'user:a', client_id: 'c', key: 'k',
  unsigned_token: `${part({ alg: 'ES256' })}.${part(kClaims)}`,
}; // prettier-ignore
const token = (text: string) => ({ ...kGrant, unsigned_token: `${part({ alg: 'ES256' })}.${toBase64url(utf8(text))}` });

describe('a document', () => {
  test('that is what its hash says is known', async () => {
    const document = kDocument;
    const judged = await judge(document, kShown.request, await digest(document));
    expect(judged.problem).toBeUndefined();
    expect(judged.octets).toBe(canonical(document));
  });

  test('of a grant whose token is what it says is known', async () => {
    expect((await judge(kGrant, kShown.request, await digest(kGrant))).problem).toBeUndefined();
  });

  test.each<[string, Record<string, unknown>]>([
    ['of another version', { ...kDocument, v: 2 }],
    ['of another type', { ...kDocument, typ: 'chancery-decision' }],
    ['of another request', { ...kDocument, id: 'b2'.repeat(16) }],
    ['of another kind', { ...kDocument, kind: 'transfer' }],
    ['of a kind that is a name of JavaScript', { ...kDocument, kind: 'constructor' }],
    ['of a call with what only a grant has', { ...kDocument, unsigned_token: 'x' }],
    ['without arguments', { ...kDocument, arguments: undefined }],
    ['of a grant whose token is for another principal', { ...kGrant, principal: 'user:b' }],
    ['of a grant whose token is for another agent', { ...kGrant, client_id: 'd' }],
    ['of a grant whose token is for another key', { ...kGrant, key: 'l' }],
    ['of a grant whose token is not canonical', token(JSON.stringify({ sub: 'user:a', cnf: { jkt: 'k' }, client_id: 'c' }))],
    ['of a grant whose token says a member twice', token('{"client_id":"c","cnf":{"jkt":"k"},"sub":"user:b","sub":"user:a"}')],
    ['of a grant without token', { ...kGrant, unsigned_token: 'x' }],
    ['with a member that this page does not know', { ...kDocument, also: 'x' }],
    ['with other arguments than it names', { ...kDocument, arguments_sha256: '00'.repeat(32) }],
  ])('%s is approved by nobody', async (_, document) => {
    const octets = JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
    expect((await judge(octets, kShown.request, await digest(octets))).problem).toBeDefined();
  });

  test('that is not what its hash says is approved by nobody', async () => {
    expect((await judge(kDocument, kShown.request, await digest({ ...kDocument, tool: 'y' }))).problem).toContain('SHA-256');
  });

  test('with an integer beyond what numbers hold is found out by its hash', async () => {
    const text = canonical(kDocument).replace('"amount":1', '"amount":9007199254740993');
    const wanted = hex(await sha256(utf8(text)));
    expect((await judge(JSON.parse(text) as Record<string, unknown>, kShown.request, wanted)).problem).toBeDefined();
  });
});
