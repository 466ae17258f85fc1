// The document that a decision is about: whether it is what its hash says, and whether this page knows all that is in it.

import { fromBase64url, hex, sha256, utf8 } from '../data/base64url';
import { canonical } from '../data/jcs';

export type Document = Record<string, unknown>;

// What docs/protocol/approvals.md describes. Whoever meets another member does not know the document, and approves nothing of it.
const kMembers = new Set([
  'typ', 'v', 'id', 'kind', 'tool', 'scope', 'method', 'uri', 'audience', 'arguments', 'arguments_sha256', 'risk', 'description',
  'credential', 'principal', 'agent', 'client_id', 'key', 'session_key', 'token', 'runtime', 'asked_by', 'debits', 'gates', 'signing_input',
  'asked_at', 'expires_at',
]); // prettier-ignore

export interface Judged {
  /** The octets that were hashed. */
  octets: string;
  sha256: string;
  /** Why nothing may be approved of it; absent when it may. */
  problem?: string;
}

async function problemOf(document: Document, id: string, digest: string, wanted: string): Promise<string | undefined> {
  if (digest !== wanted) return 'Its SHA-256 is another than the daemon says: what is shown is not what would be approved.';
  if (document.typ !== 'chancery-approval-request' || document.v !== 1) return 'It is of a version that this page does not know.';
  if (document.id !== id) return 'It is the document of another request.';
  const unknown = Object.keys(document).filter((name) => !kMembers.has(name));
  if (unknown.length > 0) return `It says something that this page does not know: ${unknown.join(', ')}.`;
  if (typeof document.arguments_sha256 === 'string' && document.arguments !== undefined) {
    const of = hex(await sha256(utf8(canonical(document.arguments))));
    if (of !== document.arguments_sha256) return 'Its arguments are not those whose SHA-256 it names.';
  }
  return undefined;
}

/** Makes the document's octets again and holds them against the hash that the list of requests shows. */
export async function judge(document: Document, id: string, wanted: string): Promise<Judged> {
  const octets = canonical(document);
  const digest = hex(await sha256(utf8(octets)));
  const problem = await problemOf(document, id, digest, wanted);
  return problem === undefined ? { octets, sha256: digest } : { octets, sha256: digest, problem };
}

/** What a call, an action or a grant is made with: what people decide about. */
export function subjectArguments(document: Document): unknown {
  return document.arguments ?? grantClaims(document);
}

/** The claims of the token that a grant would sign, read from the very octets that would be signed. */
export function grantClaims(document: Document): unknown {
  if (typeof document.signing_input !== 'string') return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(fromBase64url(document.signing_input.split('.')[1] ?? '')));
  } catch {
    return undefined;
  }
}
