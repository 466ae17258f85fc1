import { useLayoutEffect, useState } from 'preact/hooks';

import { agents } from '../data/api';
import type { AgentView, Budget, FreezeState, Key } from '../data/types';
import { useLoad, useNow } from '../frame/load';
import { Empty, EnforcementBadge, Facts, Identifier, Notice, Section, Shown, StateBadge, Table, Title, When } from '../frame/parts';
import { linkTo } from '../frame/router';
import { useSigned } from '../frame/session_context';
import { Bar } from '../pictures/bar';
import { duration, plural } from '../text/times';
import { VisibleText } from '../text/visible_text';
import { FreezeAgent, RevokeAgent, RotateAgent } from './agent_actions';
import { Custody, isFrozen, stateOf } from './agents';

const kKinds: Record<Budget['kind'], string> = { lifetime: 'in its life', subtree: 'with all below it', rate: 'in a window' };

function BudgetRow({ budget, now }: { budget: Budget; now: number }) {
  const words = `${budget.spent} of ${budget.limit} spent ${kKinds[budget.kind]}`;
  return (
    <li class="budget">
      <div class="budget-head">
        <code>
          <VisibleText text={budget.constraint} />
        </code>
        <span>{words}</span>
      </div>
      <Bar spent={Number(budget.spent)} limit={Number(budget.limit)} label={words} />
      <p class="quiet">
        for another {duration(budget.ends_at - now)}, of token <Identifier text={budget.token} follow />
      </p>
    </li>
  );
}

function Budgets({ view, now }: { view: AgentView; now: number }) {
  return (
    <Section title="Budgets" id="budgets" aside={<span class="quiet">{plural(view.tokens, 'token')} held</span>}>
      {view.budgets.length === 0 ? (
        <p class="quiet">None of its tokens bounds a total.</p>
      ) : (
        <ul class="plain budgets">
          {view.budgets.map((budget) => (
            <BudgetRow budget={budget} now={now} key={`${budget.token} ${budget.constraint} ${budget.kind}`} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function KeyRow({ one, now }: { one: Key; now: number }) {
  return (
    <tr>
      <th scope="row">
        <Identifier text={one.jkt} follow />
      </th>
      <td>
        <StateBadge state={one.state} />
      </td>
      <td>
        {one.backend} <span class="quiet">{one.algorithm}</span>
      </td>
      <td>
        <When at={one.created_at} now={now} />
      </td>
      <td>
        {one.ended_at !== undefined ? (
          <When at={one.ended_at} now={now} />
        ) : one.overlap_until !== undefined ? (
          <>serves another {duration(one.overlap_until - now)}</>
        ) : (
          <span class="quiet">serves</span>
        )}
      </td>
    </tr>
  );
}

function Keys({ name, now, turn }: { name: string; now: number; turn: number }) {
  const loaded = useLoad(() => agents.keys(name), [name, turn]);
  return (
    <Section title="Keys" id="keys">
      <Shown loaded={loaded} what="its keys">
        {({ keys }) => (
          <Table label="Keys of the agent" columns={['Thumbprint', 'State', 'Backend', 'Made', 'Ended']}>
            {keys.map((one) => (
              <KeyRow one={one} now={now} key={one.jkt} />
            ))}
          </Table>
        )}
      </Shown>
    </Section>
  );
}

type Open = 'rotate' | 'freeze' | 'revoke' | undefined;

function Actions({ view, freezes, onDone }: { view: AgentView; freezes: FreezeState | undefined; onDone: () => void }) {
  const { session } = useSigned();
  const [open, setOpen] = useState<Open>();
  const name = view.agent.name;
  const frozen = isFrozen(view.agent, freezes);
  const close = () => setOpen(undefined);
  if (session.passkey === undefined) {
    return (
      <Notice tone="info" title="Sign in with a passkey to change anything">
        <a href={linkTo('account')}>Your account</a> tells how. The command line can do all of it.
      </Notice>
    );
  }
  return (
    <>
      <p class="buttons">
        <button type="button" class="button" onClick={() => setOpen('rotate')}>
          Rotate the key
        </button>
        <button type="button" class="button" disabled={frozen} onClick={() => setOpen('freeze')}>
          Freeze
        </button>
        <button type="button" class="button button-danger" onClick={() => setOpen('revoke')}>
          Revoke what it holds
        </button>
      </p>
      {frozen && (
        <p>
          {freezes?.frozen ? 'All agents are frozen' : 'It is frozen'}, <EnforcementBadge enforcement={freezes?.enforcement} /> Unfreezing is done on
          the command line: <code>{freezes?.frozen ? 'chancery freeze lift' : `chancery agent unfreeze ${name}`}</code>
        </p>
      )}
      {open === 'rotate' && <RotateAgent name={name} onClose={close} onDone={onDone} />}
      {open === 'freeze' && <FreezeAgent name={name} onClose={close} onDone={onDone} />}
      {open === 'revoke' && <RevokeAgent name={name} onClose={close} onDone={onDone} />}
    </>
  );
}

function Agent({ view, freezes, onDone, turn }: { view: AgentView; freezes: FreezeState | undefined; onDone: () => void; turn: number }) {
  const { skew } = useSigned();
  const now = useNow(skew);
  const { agent } = view;
  return (
    <>
      <div class="page-head">
        <div>
          <p class="crumb">
            <a href={linkTo('agents')}>Agents</a>
          </p>
          <Title text={agent.name}>
            <VisibleText text={agent.name} />
          </Title>
        </div>
        <div class="page-state">
          <StateBadge state={stateOf(agent, freezes)} />
        </div>
      </div>
      {agent.reason !== undefined && agent.reason !== '' && (
        <Notice tone="bad" title={`Its key is ${agent.state}`}>
          <VisibleText text={agent.reason} />
        </Notice>
      )}
      <Section title="What it is" id="facts">
        <Facts
          facts={[
            ['SPIFFE ID', <Identifier text={agent.id} follow />],
            ['Key', <Identifier text={agent.jkt} follow />],
            ['Backend', `${agent.backend} (${agent.type})`],
            ['Custody', <Custody custody={agent.custody} />],
            ['Key made', <When at={agent.key_created_at} now={now} />],
            ['Last used', <When at={agent.last_used_at} now={now} />],
            ['Registered', <When at={agent.created_at} now={now} full />],
          ]}
        />
        <Actions view={view} freezes={freezes} onDone={onDone} />
      </Section>
      <Budgets view={view} now={now} />
      <Keys name={agent.name} now={now} turn={turn} />
      <p>
        <a href={linkTo('audit', '', { ref: agent.name })}>What the audit log says of it</a>
      </p>
    </>
  );
}

export function AgentPage({ name }: { name: string }) {
  const [turn, setTurn] = useState(0);
  const loaded = useLoad(() => agents.view(name), [name]);
  const freezes = useLoad(agents.freezes, []);
  const onDone = () => {
    loaded.reload(); // what stands there stays meanwhile, and the focus with it
    freezes.reload();
    setTurn(turn + 1);
  };
  // The button that was pressed may be of no use by then: whoever uses the keyboard begins at the page, and not before all that leads to it.
  useLayoutEffect(() => {
    const at = document.activeElement;
    if (turn > 0 && (at === document.body || at?.matches(':disabled'))) document.getElementById('page')?.focus();
  }, [turn, loaded.data, freezes.data]);
  if (name.length > 63) return <Empty title="No agent has so long a name" />;
  return (
    <Shown loaded={loaded} what="the agent">
      {(view) => <Agent view={view} freezes={freezes.data} turn={turn} onDone={onDone} />}
    </Shown>
  );
}
