// What somebody pastes, as the daemon takes it.

/** Whether it is the id of a token and no chain. */
export function isTokenId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/**
 * A chain as text (tokens joined by `~`, or in lines), as a JSON array, or a bundle with attestation results. Throws with what to do
 * on anything else; whether a token is one is the daemon's to say.
 */
export function readChainInput(text: string): Record<string, unknown> {
  if (!/^[[{"]/.test(text)) return { chain: text.split(/[\s~]+/).filter((part) => part !== '').join('~') };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('This begins as JSON does, and is none: paste the whole of it.');
  }
  if (typeof value === 'string') return { chain: value };
  if (Array.isArray(value)) return { chain: value };
  const bundle = value as Record<string, unknown>;
  if (bundle.chain === undefined) throw new Error('This JSON has no member "chain": paste a bundle, an array of tokens, or the tokens.');
  return {
    chain: bundle.chain,
    ...(bundle.attestation_results === undefined ? {} : { attestation_results: bundle.attestation_results }),
  };
}

/** The parameters of an action; empty is none. */
export function readParameters(text: string): Record<string, unknown> {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('The parameters must be a JSON object, such as {"amount": 75}.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('The parameters must be a JSON object, such as {"amount": 75}.');
  }
  return value as Record<string, unknown>;
}
