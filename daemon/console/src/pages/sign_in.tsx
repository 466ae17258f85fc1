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

/** The command writes a file for a browser beside it; who has none there reads the address out of it. */
const kReadsAddress = `grep -o 'https://[^"]*' "$(chancery console --no-browser | tail -n 1 | cut -c 3-)" | head -n 1`;

function HowTo() {
  const port = location.port === '' ? '443' : location.port;
  const bringsPort = location.hostname === 'localhost' ? `${port}:localhost:${port}` : undefined;
  return (
    <>
      <p>On the machine where the daemon runs, ask for a link. It opens this page and signs you in.</p>
      <pre class="command">chancery console</pre>
      <p class="quiet">
        From elsewhere, in a shell on that machine{bringsPort && <> (<code>ssh -L {bringsPort}</code> brings you this page’s port)</>}: this prints the
        address to open here, once and within a minute.
      </p>
      <pre class="command">{kReadsAddress}</pre>
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
