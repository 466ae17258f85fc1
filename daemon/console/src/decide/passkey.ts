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

/** Asks the authenticator; the challenge is the page's, and only the list of keys is taken from `options`. */
export async function assert(options: RequestOptions, challenge: Uint8Array<ArrayBuffer>): Promise<Answer> {
  const credential = await navigator.credentials
    .get({
      publicKey: {
        challenge,
        rpId: options.rpId,
        userVerification: 'required',
        timeout: options.timeout ?? 120_000,
        allowCredentials: options.allowCredentials.map(({ id }) => ({ type: 'public-key', id: fromBase64url(id) })),
      },
    })
    .catch((error: unknown) => {
      throw new Refused(
        error instanceof DOMException && error.name === 'NotAllowedError'
          ? 'The passkey was not used: it was cancelled, or took too long. Nothing was sent.'
          : `The passkey could not be used: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
  if (!(credential instanceof PublicKeyCredential)) throw new Refused('The browser gave no passkey. Nothing was sent.');
  const response = credential.response as AuthenticatorAssertionResponse;
  const assertion = {
    authenticatorData: octetsOf(response.authenticatorData),
    clientDataJSON: octetsOf(response.clientDataJSON),
    signature: octetsOf(response.signature),
  };
  return { credentialId: toBase64url(new Uint8Array(credential.rawId)), assertion };
}

export async function signInWithPasskey(): Promise<Session> {
  const { id, options } = await session.challenge();
  const { credentialId, assertion } = await assert(options, fromBase64url(options.challenge));
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

/** Throws unless `input` says what was shown and decided, and nothing else. */
export function checkInput(input: string, shown: Shown): void {
  const parts = input.split('.');
  const header = readPart(parts[0]);
  const claims = readPart(parts[1]);
  const issuedAt = claims.iat;
  const wanted: Record<string, unknown> = {
    iat: issuedAt,
    iss: shown.approver,
    request: shown.request,
    request_sha256: shown.sha256,
    verdict: shown.verdict,
    ...(shown.reason === '' ? {} : { reason: shown.reason }),
  };
  const head = { alg: 'chancery-webauthn-es256', kid: shown.key, typ: 'chancery-decision+jwt' };
  // Compared as octets: so a member beside, or another form of the same, is found as well.
  const same =
    parts.length === 2 &&
    typeof issuedAt === 'number' &&
    Math.abs(issuedAt - Date.now() / 1000) < 600 &&
    parts[0] === toBase64url(utf8(canonical(head))) &&
    parts[1] === toBase64url(utf8(canonical(wanted)));
  if (!same || header.typ !== head.typ) {
    throw new Refused('What the daemon wants signed is not what this page shows. Nothing was signed: report this as an incident.');
  }
}

/** A JWS whose signature is a passkey's. */
async function signed(input: string, options: RequestOptions): Promise<string> {
  const { assertion } = await assert(options, await sha256(utf8(input)));
  return `${input}.${toBase64url(utf8(canonical(assertion)))}`;
}

export async function decide(shown: Shown): Promise<{ state: string; enforcement: string }> {
  const { input, options } = await approvals.input(shown.request, shown.verdict, shown.reason);
  checkInput(input, shown);
  return approvals.decide(shown.request, await signed(input, options));
}

/** Sends a request that changes something, with a passkey's word that exactly this one is meant. */
export async function confirmed<T>(method: string, path: string, body: string): Promise<T> {
  const { id, options } = await confirmations.ask(method, path, body);
  const meant = canonical({
    typ: 'chancery-console-confirmation',
    id,
    method,
    path,
    body_sha256: hex(await sha256(utf8(body))),
  });
  const { assertion } = await assert(options, await sha256(utf8(meant)));
  const header = toBase64url(utf8(JSON.stringify({ id, assertion })));
  return confirmations.send<T>(method, path, body, header);
}

export interface MadePasskey {
  enrolment: string;
  sha256: string;
  jkt: string;
  first: boolean;
}

/** Has the browser make a passkey; nothing is enrolled yet. */
export async function makePasskey(principal: string, groups: string[]): Promise<MadePasskey> {
  const { id, options } = await passkeys.options(principal, groups);
  const credential = await navigator.credentials
    .create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    .catch((error: unknown) => {
      throw new Refused(`The passkey was not made: ${error instanceof Error ? error.message : String(error)}`);
    });
  if (!(credential instanceof PublicKeyCredential)) throw new Refused('The browser made no passkey.');
  const response = credential.response as AuthenticatorAttestationResponse;
  return passkeys.made(id, {
    id: toBase64url(new Uint8Array(credential.rawId)),
    authenticatorData: octetsOf(response.getAuthenticatorData()),
    clientDataJSON: octetsOf(response.clientDataJSON),
  });
}

/** Enrols it: the first needs nobody's word, a later one that of the passkey which is signed in. */
export async function enrolPasskey(made: MadePasskey): Promise<void> {
  if (made.first) {
    await passkeys.enrol(made.enrolment);
    return;
  }
  const { input, options } = await passkeys.authorization(made.enrolment);
  await passkeys.enrol(made.enrolment, await signed(input, options));
}
