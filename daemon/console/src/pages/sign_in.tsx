import { signInWithPasskey } from '../decide/passkey';
import type { Session } from '../data/types';
import { ErrorNotice, Notice, Title, useAction } from '../frame/parts';

interface Props {
  why?: 'ended' | 'link' | 'unreachable' | undefined;
  session?: Session;
  onSession?: (session: Session) => void;
  onSignOut?: () => Promise<void>;
}

function Why({ why }: { why: Props['why'] }) {
  switch (why) {
    case 'ended':
      return <Notice tone="info" title="You are signed out">The session ended. What was decided before stands.</Notice>;
    case 'link':
      return <Notice tone="bad" title="This link is not good">A link works once, and for 60 seconds. Ask for another one.</Notice>;
    case 'unreachable':
      return <Notice tone="bad" title="The daemon does not answer">See whether it runs: <code>systemctl status chanceryd</code></Notice>;
    case undefined:
      return null;
  }
}

function HowTo() {
  return (
    <>
      <p>On the machine where the daemon runs, ask for a link. It opens this page and signs you in.</p>
      <pre class="command">chancery console</pre>
      <p class="quiet">
        From elsewhere: <code>chancery console --no-browser</code> prints where the link is.
      </p>
    </>
  );
}

function PasskeyStep({ onSession, onSignOut }: { onSession: (session: Session) => void; onSignOut: () => Promise<void> }) {
  const signIn = useAction(async (signal) => onSession(await signInWithPasskey(signal)));
  const signOut = useAction(onSignOut);
  return (
    <>
      <p>One step is left: your passkey says that it is you.</p>
      {signIn.error && <ErrorNotice error={signIn.error} />}
      {signOut.error && !signOut.isBusy && <ErrorNotice title="You are still signed in" error={signOut.error} />}
      <p class="buttons">
        <button type="button" class="button button-main" onClick={signIn.run} disabled={signIn.isBusy}>
          {signIn.isBusy ? 'Waiting for the passkey…' : 'Use the passkey'}
        </button>
        <button type="button" class="button" onClick={signOut.run}>
          Sign out
        </button>
      </p>
    </>
  );
}

/** What is shown to whoever is not signed in, or not yet with a passkey. */
export function SignIn({ why, session, onSession, onSignOut }: Props) {
  return (
    <main class="sign-in">
      <div class="sign-in-card">
        <Title text="Sign in">Chancery</Title>
        <p class="sign-in-lead">What agents may do, and who says so.</p>
        <Why why={why} />
        {session && onSession && onSignOut ? <PasskeyStep onSession={onSession} onSignOut={onSignOut} /> : <HowTo />}
      </div>
    </main>
  );
}
