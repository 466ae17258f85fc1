import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

import type { Session } from '../data/types';

/** Who is signed in, and how far the daemon's clock is ahead of this machine's, in seconds. */
export interface Signed {
  session: Session;
  skew: number;
  setSession: (session: Session) => void;
}

export const SignedContext = createContext<Signed | undefined>(undefined);

export function useSigned(): Signed {
  const signed = useContext(SignedContext);
  if (signed === undefined) throw new Error('no session around this page');
  return signed;
}
