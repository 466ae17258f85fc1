import { useCallback, useEffect, useLayoutEffect, useState } from 'preact/hooks';

import { onSignedOut, Refusal, session as sessionApi } from '../data/api';
import { findMark, forgetMark, onMarkGiven, readMark } from '../data/mark';
import type { Session } from '../data/types';
import { SignIn } from '../pages/sign_in';
import { announce, Announcer } from './announce';
import { Frame } from './frame';
import { Loading } from './parts';
import { takeLink } from './router';

type State =
  | { kind: 'starting' }
  | { kind: 'signed_out'; why?: 'ended' | 'link' | 'unreachable' }
  | { kind: 'signed_in'; session: Session };

/** A mark may be of a session that is over, by another tab's doing or since this tab was brought back: then a newer one is looked for, once. */
async function begin(link: string | undefined, mayLookAgain = true): Promise<State> {
  if (link === undefined && !(await findMark())) return { kind: 'signed_out' };
  const used = readMark();
  try {
    const session = link === undefined ? await sessionApi.show() : await sessionApi.exchange(link);
    return { kind: 'signed_in', session };
  } catch (error) {
    if (error instanceof Refusal && error.status === 0) return { kind: 'signed_out', why: 'unreachable' };
    const isOver = link === undefined && error instanceof Refusal && error.status === 401;
    if (isOver && mayLookAgain && readMark() !== used) return begin(undefined, false);
    return link === undefined ? { kind: 'signed_out' } : { kind: 'signed_out', why: 'link' };
  }
}

/** Who is signed in, and the pages if anybody is. */
export function App({ link }: { link: string | undefined }) {
  const [state, setState] = useState<State>({ kind: 'starting' });
  useEffect(() => {
    onSignedOut(() => setState((before) => (before.kind === 'signed_in' ? { kind: 'signed_out', why: 'ended' } : before)));
    void begin(link).then(setState);
  }, []);
  // A link can also be opened in a tab that has this page already.
  useEffect(() => {
    const follow = () => {
      if (!location.hash.startsWith('#link=')) return;
      const link = takeLink() ?? 'none';
      dispatchEvent(new HashChangeEvent('hashchange')); // the address is another page's now
      void begin(link).then((found) =>
        setState((before) => {
          if (found.kind === 'signed_in' || before.kind !== 'signed_in') return found;
          announce('That link opens nothing: it was used, or is too old. You are still signed in.');
          return before;
        }),
      );
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  // Whoever signs in by a link does so in another tab: this one finds the session when it is looked at again. One that is seen beside it may
  // have been refused a moment before the other told it of the new session, and nobody looks at it again.
  const isOut = state.kind === 'signed_out';
  // Before anything that another tab says can come: by useEffect it would be a frame later.
  useLayoutEffect(() => {
    if (!isOut) return undefined;
    const retry = () => {
      if (document.hidden) return;
      void begin(undefined).then((found) => found.kind === 'signed_in' && setState(found));
    };
    document.addEventListener('visibilitychange', retry);
    onMarkGiven(retry);
    return () => {
      document.removeEventListener('visibilitychange', retry);
      onMarkGiven(() => undefined);
    };
  }, [isOut]);
  const setSession = useCallback((session: Session) => setState({ kind: 'signed_in', session }), []);
  const signOut = useCallback(async () => {
    await sessionApi.end().catch((error: unknown) => {
      // Whoever is told to be signed out must be: a session that is not known to have ended may go on.
      if (!(error instanceof Refusal && error.status === 401)) throw error;
    });
    forgetMark(readMark());
    setState({ kind: 'signed_out' });
  }, []);

  return (
    <>
      <Announcer />
      {state.kind === 'starting' && <Loading what="the console" />}
      {state.kind === 'signed_out' && <SignIn why={state.why} />}
      {state.kind === 'signed_in' && state.session.needs_passkey && (
        <SignIn session={state.session} onSession={setSession} onSignOut={signOut} />
      )}
      {state.kind === 'signed_in' && !state.session.needs_passkey && (
        <Frame session={state.session} onSession={setSession} onSignOut={signOut} />
      )}
    </>
  );
}
