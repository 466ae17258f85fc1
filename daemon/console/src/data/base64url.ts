// Octets as WebAuthn, JWS and the daemon write them: base64url without padding.

export type Octets = Uint8Array<ArrayBuffer>;

export function toBase64url(octets: Uint8Array): string {
  let binary = '';
  for (const octet of octets) binary += String.fromCharCode(octet);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** Throws on anything that is not base64url. */
export function fromBase64url(text: string): Octets {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new Error('not base64url');
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

export function utf8(text: string): Octets {
  return new TextEncoder().encode(text);
}

export function hex(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
}

export async function sha256(octets: Octets): Promise<Octets> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', octets));
}
