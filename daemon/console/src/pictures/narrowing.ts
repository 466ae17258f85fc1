// What each token of a chain takes away from the one before it, from what `explain` says of them.

import type { Hop } from '../data/types';

export interface Narrowing {
  scopes: string[];
  /** Scopes of the token before that this one does not name in the same words. */
  lostScopes: string[];
  newScopes: string[];
  constraints: string[];
  newConstraints: string[];
  /** Constraints of the token before that stand here no more in the same words: others are in their place. */
  formerConstraints: string[];
  /** How many seconds sooner it ends than the token before; 0 for the first. */
  endsSooner: number;
}

const words = (text: string | undefined): string[] => (text ?? '').split(/,?\s+/).filter((word) => word !== '');
const seconds = (text: string | undefined): number => (text === undefined ? NaN : Date.parse(text) / 1000);

export function narrowingOf(hops: readonly Hop[]): Narrowing[] {
  return hops.map((hop, at) => {
    const before = hops[at - 1];
    const scopes = words(hop.scopes);
    const former = words(before?.scopes);
    const constraints = hop.constraints ?? [];
    const sooner = seconds(before?.valid_until) - seconds(hop.valid_until);
    return {
      scopes,
      lostScopes: former.filter((scope) => !scopes.includes(scope)),
      newScopes: before === undefined ? [] : scopes.filter((scope) => !former.includes(scope)),
      constraints,
      newConstraints: before === undefined ? [] : constraints.filter((text) => !(before.constraints ?? []).includes(text)),
      formerConstraints: (before?.constraints ?? []).filter((text) => !constraints.includes(text)),
      endsSooner: Number.isFinite(sooner) ? Math.max(0, sooner) : 0,
    };
  });
}
