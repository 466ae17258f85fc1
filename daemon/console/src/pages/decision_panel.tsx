import { useState } from 'preact/hooks';

import { decide, type Shown } from '../decide/passkey';
import type { Approval } from '../data/types';
import { announce } from '../frame/announce';
import { ErrorNotice, Notice, Section, useAction } from '../frame/parts';
import { linkTo } from '../frame/router';
import { useSigned } from '../frame/session_context';
import { utf8 } from '../data/base64url';
import { tpmGates } from './approval_words';
import type { Judged } from './request_document';

const kLongestReason = 512; // octets, as decisions take it

interface Props {
  approval: Approval;
  judged: Judged;
  isOver: boolean;
  onDecided: () => void;
}

function TpmHint({ approval }: { approval: Approval }) {
  const gates = tpmGates(approval);
  if (gates.length === 0) return null;
  return (
    <Notice tone="info" title="A TPM enforces this gate">
      It opens for signatures by the approvers’ own keys, which a passkey cannot make. Approve on the command line:
      <pre class="command">chancery approve {approval.id}</pre>
      You can deny here.
    </Notice>
  );
}

function Without() {
  return (
    <Notice tone="info" title="Sign in with a passkey to decide here">
      <a href={linkTo('account')}>Your account</a> tells how. The command line decides with a key in a TPM, an HSM or a file: <code>chancery approve</code>.
    </Notice>
  );
}

/** Approve or deny, with the passkey. What is signed is computed from what the page shows. */
export function DecisionPanel({ approval, judged, isOver, onDecided }: Props) {
  const { session } = useSigned();
  const [reason, setReason] = useState('');
  const [verdict, setVerdict] = useState<'approve' | 'deny'>('deny');
  const isTooLong = utf8(reason.trim()).length > kLongestReason;

  const send = async (chosen: 'approve' | 'deny', signal: AbortSignal) => {
    const shown: Shown = {
      request: approval.id,
      // A request whose document is not what it should be can still be denied.
      sha256: chosen === 'approve' ? judged.sha256 : approval.sha256,
      verdict: chosen,
      reason: reason.trim(),
      approver: session.principal ?? '',
      key: session.passkey?.jkt ?? '',
    };
    const { state, enforcement } = await decide(shown, signal);
    announce(`${chosen === 'approve' ? 'Approved' : 'Denied'}, ${enforcement}. The request is ${state}.`);
    onDecided();
  };
  const approve = useAction((signal) => send('approve', signal));
  const deny = useAction((signal) => send('deny', signal));
  const isBusy = approve.isBusy || deny.isBusy;
  const error = verdict === 'approve' ? approve.error : deny.error;
  const mayNot = isBusy || isOver || isTooLong;

  if (session.passkey === undefined) return <Section title="Your decision" id="decide"><Without /></Section>;
  return (
    <Section title="Your decision" id="decide">
      <TpmHint approval={approval} />
      <div class="field">
        <label htmlFor="reason">Reason, for the record</label>
        <input
          id="reason"
          type="text"
          autoComplete="off"
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
          aria-describedby="reason-hint"
          aria-invalid={isTooLong}
        />
        <p id="reason-hint" class="quiet">
          {isTooLong ? `Too long: at most ${kLongestReason} octets.` : 'May stay empty. It is signed with the decision.'}
        </p>
      </div>
      <p class="buttons">
        <button
          type="button"
          class="button button-approve"
          disabled={mayNot || judged.problem !== undefined || tpmGates(approval).length > 0}
          onClick={() => {
            setVerdict('approve');
            approve.run();
          }}
        >
          Approve
        </button>
        <button
          type="button"
          class="button button-deny"
          disabled={mayNot}
          onClick={() => {
            setVerdict('deny');
            deny.run();
          }}
        >
          Deny
        </button>
      </p>
      {isBusy && <p role="status">Waiting for the passkey…</p>}
      {isOver && <p>Its time is over.</p>}
      {!isBusy && error && <ErrorNotice error={error} />}
      <p class="quiet">A decision with a passkey is enforced by software: by this daemon. One use, and only of exactly this.</p>
    </Section>
  );
}
