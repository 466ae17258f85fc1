// What a passkey is asked to sign, and what is made of its answer. The daemon says what is to be signed; this page never signs it
// without having computed the same from what it shows.

import { approvals, confirmations, passkeys, session } from '../data/api';
import { fromBase64url, hex, sha256, toBase64url, utf8 } from '../data/base64url';
import { canonical } from '../data/jcs';
import type { RequestOptions, Session } from '../data/types';

/** As the daemon reads it. */
export interface Assertion {
  authenticatorData: string;
  clientDataJSON: string;
  signature: string;
}

interface Answer {
  credentialId: string;
  assertion: Assertion;
}

/** That a person is told in these words. */
export class Refused extends Error {}

const octetsOf = (buffer: ArrayBuffer): string => toBase64url(new Uint8Array(buffer));

/**
 * Asks the authenticator; the challenge is the page's, and only the list of keys is taken from `options`. Throws once `signal` is given,
 * whatever was answered: who left means nothing any more.
 */
export async function assert(options: RequestOptions, challenge: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted();
  const credential = await navigator.credentials
    .get({
      signal,
      publicKey: {
        challenge,
        rpId: options.rpId,
        userVerification: 'required',
        timeout: options.timeout ?? 120_000,
        allowCredentials: options.allowCredentials.map(({ id }) => ({ type: 'public-key', id: fromBase64url(id) })),
      },
    })
    .catch((error: unknown) => {
      signal.throwIfAborted();
      throw new Refused(
        error instanceof DOMException && error.name === 'NotAllowedError'
          ? 'The passkey was not used: it was cancelled, or took too long. Nothing was sent.'
          : `The passkey could not be used: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
  signal.throwIfAborted();
  if (!(credential instanceof PublicKeyCredential)) throw new Refused('The browser gave no passkey. Nothing was sent.');
  const response = credential.response as AuthenticatorAssertionResponse;
  const assertion = {
    authenticatorData: octetsOf(response.authenticatorData),
    clientDataJSON: octetsOf(response.clientDataJSON),
    signature: octetsOf(response.signature),
  };
  return { credentialId: toBase64url(new Uint8Array(credential.rawId)), assertion };
}

export async function signInWithPasskey(signal: AbortSignal): Promise<Session> {
  const { id, options } = await session.challenge();
  const { credentialId, assertion } = await assert(options, fromBase64url(options.challenge), signal);
  return session.passkey({ id, credential_id: credentialId, assertion });
}

function readPart(part: string | undefined): Record<string, unknown> {
  const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(fromBase64url(part ?? '')));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refused('What is to be signed is no object.');
  return value as Record<string, unknown>;
}

export interface Shown {
  request: string;
  /** SHA-256 of the document as this page has it, in hexadecimal. */
  sha256: string;
  verdict: 'approve' | 'deny';
  reason: string;
  approver: string;
  key: string;
}

// A clock may differ, and a person takes a while.
const kLongestDifference = 600;

/**
 * Throws unless a signing input is the canonical form of exactly these: compared as octets, so a member beside or another form of
 * the same is found as well. Its `iat` alone is the daemon's, and must be about now.
 */
function requireExactly(input: string, typ: string, key: string, wanted: Record<string, unknown>): void {
  const parts = input.split('.');
  const issuedAt = readPart(parts[1]).iat;
  const part = (value: unknown) => toBase64url(utf8(canonical(value)));
  const isSame =
    parts.length === 2 &&
    typeof issuedAt === 'number' &&
    Math.abs(issuedAt - Date.now() / 1000) < kLongestDifference &&
    parts[0] === part({ alg: 'chancery-webauthn-es256', kid: key, typ }) &&
    parts[1] === part({ ...wanted, iat: issuedAt });
  if (!isSame) {
    throw new Refused('What the daemon wants signed is not what this page shows. Nothing was signed: report this as an incident.');
  }
}

/** Throws unless `input` says what was shown and decided, and nothing else. */
export function checkInput(input: string, shown: Shown): void {
  requireExactly(input, 'chancery-decision+jwt', shown.key, {
    iss: shown.approver,
    request: shown.request,
    request_sha256: shown.sha256,
    verdict: shown.verdict,
    ...(shown.reason === '' ? {} : { reason: shown.reason }),
  });
}

export interface Voucher {
  approver: string;
  key: string;
  /** This daemon's issuer, so that the word is good for no other. */
  issuer: string;
}

/** Throws unless `input` says that this enrolment shall be, and nothing else. */
export async function checkAuthorization(input: string, enrolment: string, voucher: Voucher): Promise<void> {
  requireExactly(input, 'chancery-enrolment+jwt', voucher.key, {
    aud: voucher.issuer,
    document_sha256: hex(await sha256(utf8(enrolment))),
    iss: voucher.approver,
  });
}

/** A JWS whose signature is a passkey's. */
async function signed(input: string, options: RequestOptions, signal: AbortSignal): Promise<string> {
  const { assertion } = await assert(options, await sha256(utf8(input)), signal);
  return `${input}.${toBase64url(utf8(canonical(assertion)))}`;
}

export async function decide(shown: Shown, signal: AbortSignal): Promise<{ state: string; enforcement: string }> {
  const { input, options } = await approvals.input(shown.request, shown.verdict, shown.reason);
  checkInput(input, shown);
  return approvals.decide(shown.request, await signed(input, options, signal));
}

/** Sends a request that changes something, with a passkey's word that exactly this one is meant. */
export async function confirmed<T>(method: string, path: string, body: string, signal: AbortSignal): Promise<T> {
  const { id, options } = await confirmations.ask(method, path, body);
  const meant = canonical({
    typ: 'chancery-console-confirmation',
    id,
    method,
    path,
    body_sha256: hex(await sha256(utf8(body))),
  });
  const { assertion } = await assert(options, await sha256(utf8(meant)), signal);
  const header = toBase64url(utf8(JSON.stringify({ id, assertion })));
  return confirmations.send<T>(method, path, body, header);
}

/** Whose passkey is to be made. */
export interface NewPasskey {
  principal: string;
  groups: string[];
  /** Thumbprint of the key that ends by it; absent: none does. */
  replaces?: string;
}

export interface MadePasskey {
  enrolment: string;
  sha256: string;
  jkt: string;
  first: boolean;
}

/** The enrolment document of a passkey, from the key as the browser tells it. */
export async function enrolmentOf({ principal, groups, replaces = '' }: NewPasskey, spki: ArrayBuffer, credentialId: string): Promise<string> {
  const key = await crypto.subtle.importKey('spki', spki, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']);
  const { crv, kty, x, y } = await crypto.subtle.exportKey('jwk', key);
  return canonical({
    typ: 'chancery-approver-enrolment',
    v: 1,
    principal,
    groups: [...groups].sort(),
    jwk: { crv, kty, x, y },
    kind: 'passkey',
    credential_id: credentialId,
    ...(replaces === '' ? {} : { replaces }),
  });
}

/** Has the browser make a passkey; nothing is enrolled yet. */
export async function makePasskey(wanted: NewPasskey, signal: AbortSignal): Promise<MadePasskey> {
  const { id, options } = await passkeys.options(wanted.principal, wanted.groups, wanted.replaces ?? '');
  signal.throwIfAborted();
  const credential = await navigator.credentials
    .create({ signal, publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    .catch((error: unknown) => {
      signal.throwIfAborted();
      throw new Refused(`The passkey was not made: ${error instanceof Error ? error.message : String(error)}`);
    });
  if (!(credential instanceof PublicKeyCredential)) throw new Refused('The browser made no passkey.');
  const response = credential.response as AuthenticatorAttestationResponse;
  const credentialId = toBase64url(new Uint8Array(credential.rawId));
  const made = await passkeys.made(id, {
    id: credentialId,
    authenticatorData: octetsOf(response.getAuthenticatorData()),
    clientDataJSON: octetsOf(response.clientDataJSON),
  });
  const publicKey = response.getPublicKey();
  if (publicKey === null) throw new Refused('The browser does not tell the key of the passkey that it made.');
  if (made.enrolment !== (await enrolmentOf(wanted, publicKey, credentialId))) {
    throw new Refused('The daemon would enrol another key, or for somebody else. Nothing was enrolled: report this as an incident.');
  }
  return made;
}

/** Enrols it: the first needs nobody's word, a later one that of the passkey which is signed in. */
export async function enrolPasskey(made: MadePasskey, voucher: Voucher, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (made.first) {
    await passkeys.enrol(made.enrolment);
    return;
  }
  const { input, options } = await passkeys.authorization(made.enrolment);
  await checkAuthorization(input, made.enrolment, voucher);
  await passkeys.enrol(made.enrolment, await signed(input, options, signal));
}
