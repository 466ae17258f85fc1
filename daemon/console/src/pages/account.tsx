import { useState } from 'preact/hooks';

import { passkeys } from '../data/api';
import type { Session } from '../data/types';
import { enrolPasskey, makePasskey, signInWithPasskey, type MadePasskey, type Voucher } from '../decide/passkey';
import { announce } from '../frame/announce';
import { useNow } from '../frame/load';
import { ErrorNotice, Facts, Identifier, Notice, Section, Title, useAction, When } from '../frame/parts';
import { useSigned } from '../frame/session_context';
import { duration } from '../text/times';
import { VisibleText } from '../text/visible_text';

function SignInWithPasskey() {
  const { setSession } = useSigned();
  const signIn = useAction(async (signal) => {
    setSession(await signInWithPasskey(signal));
    announce('Signed in with the passkey');
  });
  return (
    <>
      <p>A decision takes a passkey, and so does whatever changes something.</p>
      {signIn.error && !signIn.isBusy && <ErrorNotice error={signIn.error} />}
      <p class="buttons">
        <button type="button" class="button button-main" onClick={signIn.run} disabled={signIn.isBusy}>
          {signIn.isBusy ? 'Waiting for the passkey…' : 'Sign in with a passkey'}
        </button>
      </p>
    </>
  );
}

/** What somebody else must sign where no passkey that is signed in can. */
function Document({ made }: { made: MadePasskey }) {
  const [address] = useState(() => URL.createObjectURL(new Blob([made.enrolment], { type: 'application/json' })));
  return (
    <Notice tone="info" title="Somebody who is enrolled must vouch for it">
      <p>
        <a class="button" href={address} download="enrolment.json">
          Save the enrolment
        </a>
      </p>
      They sign it on their machine:
      <pre class="command">chancery approver enroll --document enrolment.json</pre>
      <Facts facts={[['Key', <Identifier text={made.jkt} />], ['SHA-256', <Identifier text={made.sha256} />]]} />
    </Notice>
  );
}

const voucherOf = (session: Session): Voucher => ({
  approver: session.principal ?? '',
  key: session.passkey?.jkt ?? '',
  issuer: session.issuer,
});

/** Another passkey in the place of the one that is signed in, which vouches for it and ends by it. */
function Replace() {
  const { session } = useSigned();
  const [isDone, setDone] = useState(false);
  const replace = useAction(async (signal) => {
    const principal = session.principal ?? '';
    const wanted = { principal, groups: await passkeys.groupsOf(principal), replaces: session.passkey?.jkt ?? '' };
    await enrolPasskey(await makePasskey(wanted, signal), voucherOf(session), signal);
    setDone(true);
    announce('The passkey is replaced');
  });
  if (isDone) {
    return (
      <Notice tone="good" title="The passkey is replaced">
        What the former one decided stands. <SignInWithPasskey />
      </Notice>
    );
  }
  return (
    <>
      <p>Another device makes the new one: the present passkey is asked once more, to vouch for it, and decides nothing from then on.</p>
      {replace.error && !replace.isBusy && <ErrorNotice error={replace.error} />}
      <p class="buttons">
        <button type="button" class="button" onClick={replace.run} disabled={replace.isBusy}>
          {replace.isBusy ? 'Waiting for the passkeys…' : 'Replace this passkey'}
        </button>
      </p>
    </>
  );
}

function EnrolForm() {
  const { session } = useSigned();
  const isOperator = session.role === 'operator';
  const [principal, setPrincipal] = useState(session.principal ?? '');
  const [groups, setGroups] = useState('');
  const [made, setMade] = useState<MadePasskey>();
  const [isDone, setDone] = useState(false);
  const enrol = useAction(async (signal) => {
    const names = groups.split(/[\s,]+/).filter((name) => name !== '');
    const passkey = await makePasskey({ principal: principal.trim(), groups: names }, signal);
    setMade(passkey);
    if (!passkey.first && session.passkey === undefined) return; // to be signed elsewhere
    await enrolPasskey(passkey, voucherOf(session), signal);
    setDone(true);
    announce('The passkey is enrolled');
  });
  if (isDone) return <Notice tone="good" title="The passkey is enrolled">Sign in with it to decide.</Notice>;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        enrol.run();
      }}
    >
      <p>The passkey is made by this browser or a device of yours. The first is enrolled by the operator; each later one takes the word of somebody who is.</p>
      <div class="grid-fields">
        <div class="field">
          <label htmlFor="principal">Whose it is</label>
          <input
            id="principal"
            required
            readOnly={!isOperator}
            value={principal}
            placeholder="user:bob@example.org"
            onInput={(event) => setPrincipal(event.currentTarget.value)}
          />
        </div>
        <div class="field">
          <label htmlFor="groups">Groups</label>
          <input id="groups" value={groups} placeholder="finance" onInput={(event) => setGroups(event.currentTarget.value)} />
        </div>
      </div>
      {enrol.error && !enrol.isBusy && <ErrorNotice error={enrol.error} />}
      {made !== undefined && !made.first && session.passkey === undefined ? (
        <Document made={made} />
      ) : (
        <p class="buttons">
          <button type="submit" class="button" disabled={enrol.isBusy || principal.trim() === ''}>
            {enrol.isBusy ? 'Waiting for the passkey…' : 'Make a passkey'}
          </button>
        </p>
      )}
    </form>
  );
}

/** Who is signed in, for how long, and with which passkey. */
export function Account() {
  const { session, skew } = useSigned();
  const now = useNow(skew);
  return (
    <>
      <div class="page-head">
        <Title text="Your account" />
      </div>
      <Section title="This session" id="session">
        <Facts
          facts={[
            ['Who', session.principal === undefined ? 'nobody in particular yet' : <VisibleText text={session.principal} />],
            ['As', `${session.role}, uid ${session.uid}`],
            ['Passkey', session.passkey === undefined ? 'none was shown' : <Identifier text={session.passkey.jkt} follow />],
            ['Signed in', <When at={session.began_at} now={now} />],
            ['Ends', `in ${duration(session.ends_at - now)}, or after ${duration(session.idle_s)} without anything asked`],
            ['Daemon', `${session.issuer}, version ${session.version}`],
          ]}
        />
      </Section>
      <Section title="Passkey" id="passkey">
        {session.passkey === undefined && session.passkeys > 0 && <SignInWithPasskey />}
        {session.passkey !== undefined && <p>You are signed in with a passkey, and can decide.</p>}
        {session.passkeys === 0 && <p>No passkey is enrolled here yet. Decisions can be made on the command line meanwhile.</p>}
      </Section>
      {session.passkey !== undefined && (
        <Section title="Replace your passkey" id="replace">
          <Replace key={session.passkey.jkt} />
        </Section>
      )}
      <Section title="Enrol a passkey" id="enrol">
        <EnrolForm />
      </Section>
    </>
  );
}
