// The document that a decision is about: whether it is what its hash says, and whether this page knows all that is in it.

import { fromBase64url, hex, sha256, utf8 } from '../data/base64url';
import { canonical } from '../data/jcs';
import members from './document_members.json';

export type Document = Record<string, unknown>;

// What docs/protocol/approvals.md describes, by kind. Whoever meets another member does not know the document, and approves nothing
// of it. A test of the command line holds this list against what that knows.
const kMembers: Readonly<Record<string, readonly string[]>> = members;

export interface Judged {
  /** The octets that were hashed. */
  octets: string;
  sha256: string;
  /** Why nothing may be approved of it; absent when it may. */
  problem?: string;
}

const isObject = (value: unknown): value is Document => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Why the token that a grant would sign is not what the document says of it. */
function tokenProblem(document: Document): string | undefined {
  const claims = grantClaims(document);
  if (!isObject(claims)) return 'The token that would be signed cannot be read.';
  const holder = isObject(claims.cnf) ? claims.cnf.jkt : undefined;
  if (claims.sub === document.principal && claims.client_id === document.client_id && holder === document.key) return undefined;
  return 'The token that would be signed is for somebody else than the document says.';
}

async function problemOf(document: Document, id: string, digest: string, wanted: string): Promise<string | undefined> {
  if (digest !== wanted) return 'Its SHA-256 is another than the daemon says: what is shown is not what would be approved.';
  if (document.typ !== 'chancery-approval-request' || document.v !== 1) return 'It is of a version that this page does not know.';
  if (document.id !== id) return 'It is the document of another request.';
  const members = typeof document.kind === 'string' && Object.hasOwn(kMembers, document.kind) ? kMembers[document.kind] : undefined;
  if (members === undefined) return 'It is of a kind that this page does not know.';
  const unknown = Object.keys(document).filter((name) => !members.includes(name));
  if (unknown.length > 0) return `It says something that this page does not know: ${unknown.join(', ')}.`;
  if (document.kind === 'grant') return tokenProblem(document);
  const of = hex(await sha256(utf8(canonical(document.arguments ?? null))));
  return of === document.arguments_sha256 ? undefined : 'Its arguments are not those whose SHA-256 it names.';
}

/** Makes the document's octets again and holds them against the hash that the list of requests shows. */
export async function judge(document: Document, id: string, wanted: string): Promise<Judged> {
  const octets = canonical(document);
  const digest = hex(await sha256(utf8(octets)));
  const problem = await problemOf(document, id, digest, wanted);
  return problem === undefined ? { octets, sha256: digest } : { octets, sha256: digest, problem };
}

// What is another in any two requests, and in any two tokens.
const kOfOneRequest = ['id', 'asked_at', 'expires_at', 'arguments_sha256', 'token', 'unsigned_token'];
const kOfOneToken = ['jti', 'iat', 'nbf', 'exp', 'status'];

const without = (object: Document, names: readonly string[]): Document =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

/** What two requests that are alike can be compared by. */
export function comparable(document: Document): Document {
  const rest = without(document, kOfOneRequest);
  const claims = grantClaims(document);
  return isObject(claims) ? { ...rest, granted: without(claims, kOfOneToken) } : rest;
}

/** What a call, an action or a grant is made with: what people decide about. */
export function subjectArguments(document: Document): unknown {
  return document.arguments ?? grantClaims(document);
}

/**
 * The claims of the token that a grant would sign, read from the very octets that would be signed; undefined where these are not in
 * canonical form, in which one text could be read in two ways.
 */
export function grantClaims(document: Document): unknown {
  const parts = typeof document.unsigned_token === 'string' ? document.unsigned_token.split('.') : [];
  if (parts.length !== 2) return undefined;
  try {
    const texts = parts.map((part) => new TextDecoder('utf-8', { fatal: true }).decode(fromBase64url(part)));
    const [header, claims] = texts.map((text) => JSON.parse(text) as unknown);
    return canonical(header) === texts[0] && canonical(claims) === texts[1] ? claims : undefined;
  } catch {
    return undefined;
  }
}
