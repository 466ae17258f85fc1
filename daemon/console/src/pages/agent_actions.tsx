import { useState } from 'preact/hooks';

import { agents } from '../data/api';
import type { Impact } from '../data/types';
import { ActionDialog } from '../decide/action_dialog';
import { useLoad, useNow } from '../frame/load';
import { Facts, Notice, Shown, When } from '../frame/parts';
import { useSigned } from '../frame/session_context';
import { count } from '../text/times';
import { VisibleText } from '../text/visible_text';

interface Props {
  name: string;
  onClose: () => void;
  onDone: () => void;
}

const pathOf = (name: string, action: string): string => `/ui/api/agents/${encodeURIComponent(name)}/${action}`;

function Reason({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  return (
    <div class="field">
      <label htmlFor="action-reason">Reason, for the audit log</label>
      <input
        id="action-reason"
        type="text"
        maxLength={200}
        required
        autoComplete="off"
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </div>
  );
}

export function RotateAgent(props: Props) {
  const [overlap, setOverlap] = useState('');
  return (
    <ActionDialog
      {...props}
      title={`Rotate the key of ${props.name}`}
      button="Rotate"
      said="The key was rotated"
      request={() => ({ path: pathOf(props.name, 'rotate'), body: overlap === '' ? '{}' : JSON.stringify({ overlap_s: Number(overlap) }) })}
    >
      <p>A new key is made in the device. The former one serves what it holds until the overlap ends.</p>
      <div class="field">
        <label htmlFor="overlap">Overlap in seconds</label>
        <input
          id="overlap"
          type="number"
          min={0}
          max={31622400}
          value={overlap}
          placeholder="as configured"
          onInput={(event) => setOverlap(event.currentTarget.value)}
        />
      </div>
    </ActionDialog>
  );
}

export function FreezeAgent(props: Props) {
  const [reason, setReason] = useState('');
  return (
    <ActionDialog
      {...props}
      title={`Freeze ${props.name}`}
      button="Freeze"
      isDangerous
      said="The agent is frozen"
      isReady={reason.trim() !== ''}
      request={() => ({ path: pathOf(props.name, 'freeze'), body: JSON.stringify({ reason: reason.trim() }) })}
    >
      <p>Its keys sign nothing from now on. In a TPM the device itself refuses; unfreezing takes the operator’s key on the command line.</p>
      <Reason value={reason} onChange={setReason} />
    </ActionDialog>
  );
}

/** The kill switch for all agents at once. */
export function FreezeAll({ onClose, onDone }: Omit<Props, 'name'>) {
  const [reason, setReason] = useState('');
  return (
    <ActionDialog
      onClose={onClose}
      onDone={onDone}
      title="Freeze all agents"
      button="Freeze all"
      isDangerous
      said="All agents are frozen"
      isReady={reason.trim() !== ''}
      request={() => ({ path: '/ui/api/freeze', body: JSON.stringify({ reason: reason.trim() }) })}
    >
      <p>No key of any agent signs from now on. What they hold stays as it is, and can be used again once the freeze is lifted on the command line.</p>
      <Reason value={reason} onChange={setReason} />
    </ActionDialog>
  );
}

function ImpactView({ impact }: { impact: Impact }) {
  const { skew } = useSigned();
  const now = useNow(skew);
  return (
    <>
      <Facts
        facts={[
          ['Tokens that end', count(impact.tokens)],
          ['Delegated from those', count(impact.descendants)],
          ['Open reservations', count(impact.open_reservations)],
          ['Last used', <When at={impact.last_used_at} now={now} />],
          ['They would last until', impact.until === undefined ? undefined : <When at={impact.until} now={now} full />],
        ]}
      />
      {impact.agents.length > 0 && (
        <>
          <h3>Agents that lose authority</h3>
          <ul class="plain">
            {impact.agents.slice(0, 50).map((agent) => (
              <li key={agent.name}>
                <VisibleText text={agent.name} /> <span class="quiet">{count(agent.tokens)} tokens</span>
              </li>
            ))}
          </ul>
          {impact.agents.length > 50 && <p class="quiet">and {count(impact.agents.length - 50)} more</p>}
        </>
      )}
      {impact.tokens === 0 && <Notice tone="info" title="Nothing would end">It holds no token that has not expired.</Notice>}
    </>
  );
}

/** Ends what the agent holds, for good; what that means is shown first. */
export function RevokeAgent(props: Props) {
  const [reason, setReason] = useState('');
  const impact = useLoad(() => agents.impact(props.name), [props.name]);
  return (
    <ActionDialog
      {...props}
      title={`Revoke what ${props.name} holds`}
      button="Revoke for good"
      isDangerous
      said="Revoked"
      isReady={reason.trim() !== '' && impact.data !== undefined}
      request={() => ({ path: '/ui/api/revocations', body: JSON.stringify({ agent: props.name, reason: reason.trim() }) })}
    >
      <p>Every token that it holds ends at once, with all that was delegated from them. It cannot be undone.</p>
      <Shown loaded={impact} what="what this would end">
        {(found) => <ImpactView impact={found} />}
      </Shown>
      <Reason value={reason} onChange={setReason} />
    </ActionDialog>
  );
}
