import { useState } from 'preact/hooks';

import { agents, health } from '../data/api';
import type { Anomaly, Backend, BudgetState, FreezeState, Overview } from '../data/types';
import { useLoad, useNow } from '../frame/load';
import { Badge, Empty, EnforcementBadge, Facts, Identifier, Notice, Section, Shown, StateBadge, Table, Title, When } from '../frame/parts';
import { linkTo } from '../frame/router';
import { useSigned } from '../frame/session_context';
import { count, duration, plural } from '../text/times';
import { VisibleText } from '../text/visible_text';
import { FreezeAll } from './agent_actions';
import { Custody } from './agents';

const kPollMs = 5000;
const kFreezePollMs = 15_000;

interface Alarm {
  title: string;
  text: string;
  isBad: boolean;
}

/** What somebody should do something about, the worst first. */
export function alarmsOf(overview: Overview, budget: BudgetState | undefined, freezes?: FreezeState): Alarm[] {
  const alarms: Alarm[] = overview.missing.map((what) => ({ title: 'Not ready', text: what, isBad: true }));
  if (freezes?.frozen) alarms.push({ title: 'All agents are frozen', text: `${freezes.reason ?? 'No key of an agent signs.'} Lift it on the command line: chancery freeze lift.`, isBad: true });
  for (const backend of overview.backends) {
    if (!backend.up) alarms.push({ title: `The backend ${backend.name} does not answer`, text: 'Its keys sign nothing until it does.', isBad: true });
  }
  if (overview.audit.failures > 0) {
    const failed = plural(overview.audit.failures, 'entry', 'entries');
    alarms.push({ title: `${failed} could not be recorded`, text: 'What they were about did not happen. See the disk, and the daemon’s log.', isBad: true });
  }
  if (overview.audit.behind) alarms.push({ title: 'The audit log is not signed', text: 'The checkpoint that was due could not be made.', isBad: true });
  if (overview.budgets !== 'open') {
    alarms.push({ title: `Budgets are ${overview.budgets}`, text: budget?.reason ?? 'Nothing is spent until they are open.', isBad: overview.budgets === 'halted' });
  }
  const lost = overview.counts?.lost_agents ?? 0;
  if (lost > 0) alarms.push({ title: `${plural(lost, 'agent')} lost their key`, text: 'Enrol them again: chancery agent reenroll.', isBad: false });
  return alarms;
}

function Alarms({ alarms }: { alarms: Alarm[] }) {
  if (alarms.length === 0) return <Notice tone="good" title="Everything is as it should be" />;
  return (
    <>
      {alarms.map(({ title, text, isBad }) => (
        <Notice tone={isBad ? 'bad' : 'warn'} title={title} key={title + text}>
          <VisibleText text={text} />
        </Notice>
      ))}
    </>
  );
}

function Figures({ overview, now }: { overview: Overview; now: number }) {
  const counts = overview.counts ?? {};
  const figures: [string, string][] = [
    ['active agents', count(counts.active_agents ?? 0)],
    ['tokens', count(counts.tokens ?? 0)],
    ['suspended', count(counts.suspended_tokens ?? 0)],
    ['revoked', count(counts.revoked_tokens ?? 0)],
    ['open reservations', count(overview.reservations)],
    ['audit entries', count(overview.audit.entries)],
    ['anomalies since the start', count(overview.anomalies)],
    ['running for', duration(now - overview.started_at)],
  ];
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div class="figure" key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Backends({ overview, backends }: { overview: Overview; backends: Backend[] | undefined }) {
  return (
    <Section title="Backends and queues" id="backends">
      <Table
        label="Backends"
        columns={['Backend', 'State', 'Device', { number: 'Waiting' }, { number: 'Signatures' }, { number: 'Mean' }, { number: 'Agents’ keys' }]}
      >
        {overview.backends.map((backend) => {
          const more = backends?.find(({ name }) => name === backend.name);
          return (
            <tr key={backend.name}>
              <th scope="row">
                {backend.name} <span class="quiet">{backend.type}</span>
              </th>
              <td>
                {backend.up ? <Badge tone="good">answers</Badge> : <Badge tone="bad">{more?.state ?? 'down'}</Badge>}{' '}
                {backend.simulator && <Badge tone="warn">simulator</Badge>}
                {more?.advice !== undefined && <p class="quiet">{more.advice}</p>}
              </td>
              <td>{more && <VisibleText text={`${more.manufacturer} ${more.firmware}`} />}</td>
              <td class="number">{count(backend.queued)}</td>
              <td class="number">{count(backend.signatures)}</td>
              <td class="number">{backend.signatures > 0 ? `${backend.mean_ms.toFixed(1)} ms` : '–'}</td>
              <td class="number">{more ? count(more.agent_keys) : '–'}</td>
            </tr>
          );
        })}
      </Table>
    </Section>
  );
}

function OwnKeys({ overview, now }: { overview: Overview; now: number }) {
  return (
    <Section title="The daemon’s own keys" id="own-keys">
      <Table label="Keys by purpose" columns={['Purpose', 'Key', 'State', 'Custody', 'Made']}>
        {overview.keys.map((key) => (
          <tr key={key.jkt}>
            <th scope="row">{key.purpose}</th>
            <td>
              <Identifier text={key.jkt} follow />
            </td>
            <td>
              <StateBadge state={key.state} />
            </td>
            <td>
              <Custody custody={key.custody} />
            </td>
            <td>
              <When at={key.created_at} now={now} />
            </td>
          </tr>
        ))}
      </Table>
    </Section>
  );
}

const kKinds: Record<string, string> = {
  call_rate: 'calls more often',
  denial_rate: 'is denied more often',
  latency: 'takes longer',
  new_scope: 'uses a scope for the first time',
  new_resource: 'reaches a resource for the first time',
  new_host: 'works on a host for the first time',
  time_of_day: 'works at an unusual hour',
};

function AnomalyRow({ anomaly, now }: { anomaly: Anomaly; now: number }) {
  return (
    <li class="anomaly">
      <p>
        <a href={linkTo('agents', anomaly.agent)}>
          <VisibleText text={anomaly.agent} />
        </a>{' '}
        {kKinds[anomaly.kind] ?? anomaly.kind}
        {anomaly.what !== undefined && (
          <>
            : <VisibleText text={anomaly.what} />
          </>
        )}
      </p>
      <p class="quiet">
        <When at={anomaly.at} now={now} />
        {anomaly.measured > 0 && `, ${anomaly.measured.toPrecision(3)} where ${anomaly.usual.toPrecision(3)} is usual`}
        {anomaly.suspension !== undefined && ', suspended for it'}
      </p>
    </li>
  );
}

function KillSwitch({ freezes, now, onDone }: { freezes: FreezeState; now: number; onDone: () => void }) {
  const { session } = useSigned();
  const [isOpen, setOpen] = useState(false);
  return (
    <Section title="Kill switch" id="freeze" aside={freezes.frozen ? <Badge tone="bad">all frozen</Badge> : <Badge tone="good">agents may sign</Badge>}>
      <Facts
        facts={[
          ['Enforced by', <EnforcementBadge enforcement={freezes.enforcement} />],
          ['Since', freezes.since === undefined ? undefined : <When at={freezes.since} now={now} />],
          ['Reason', freezes.reason === undefined ? undefined : <VisibleText text={freezes.reason} />],
          ['Keys on the switch', count(freezes.switched_keys)],
          ['Other keys', freezes.other_keys > 0 ? `${count(freezes.other_keys)}: rotate them, and the TPM refuses for them too` : undefined],
          ['Ready', freezes.armed ? 'yes' : <>no: <code>chancery freeze arm</code></>],
          ['Frozen agents', freezes.agents.length > 0 ? <AgentLinks names={freezes.agents} /> : undefined],
        ]}
      />
      {session.passkey !== undefined && (
        <p class="buttons">
          <button type="button" class="button button-danger" disabled={freezes.frozen} onClick={() => setOpen(true)}>
            Freeze all agents
          </button>
        </p>
      )}
      {isOpen && <FreezeAll onClose={() => setOpen(false)} onDone={onDone} />}
    </Section>
  );
}

function AgentLinks({ names }: { names: readonly string[] }) {
  return (
    <ul class="plain">
      {names.slice(0, 100).map((name) => (
        <li key={name}>
          <a href={linkTo('agents', name)}>
            <VisibleText text={name} />
          </a>
        </li>
      ))}
      {names.length > 100 && <li>and {count(names.length - 100)} more</li>}
    </ul>
  );
}

function Anomalies({ now }: { now: number }) {
  const loaded = useLoad(health.anomalies, [], { every: 30_000 });
  return (
    <Section title="Anomalies" id="anomalies">
      <Shown loaded={loaded} what="anomalies">
        {({ anomalies }) =>
          anomalies.length === 0 ? (
            <Empty title="Agents do what they used to do" />
          ) : (
            <ul class="plain">
              {anomalies.map((anomaly) => (
                <AnomalyRow anomaly={anomaly} now={now} key={anomaly.id} />
              ))}
            </ul>
          )
        }
      </Shown>
    </Section>
  );
}

/** How the daemon is: what is wrong first, then its devices, keys and what is unusual. */
export function Health() {
  const { skew } = useSigned();
  const now = useNow(skew);
  const overview = useLoad(health.overview, [], { every: kPollMs });
  const backends = useLoad(health.backends, []);
  const budget = useLoad(health.budget, []);
  const freezes = useLoad(agents.freezes, [], { every: kFreezePollMs });
  return (
    <>
      <div class="page-head">
        <Title text="Health" />
        <div class="page-state">
          {overview.data && (overview.data.ready ? <Badge tone="good">ready</Badge> : <Badge tone="bad">not ready</Badge>)}
        </div>
      </div>
      <Shown loaded={overview} what="the daemon’s health">
        {(found) => (
          <>
            <Alarms alarms={alarmsOf(found, budget.data, freezes.data)} />
            <Figures overview={found} now={now} />
            <Backends overview={found} backends={backends.data?.backends} />
            {freezes.data && <KillSwitch freezes={freezes.data} now={now} onDone={freezes.reload} />}
            <Anomalies now={now} />
            <OwnKeys overview={found} now={now} />
            <Section title="This daemon" id="daemon">
              <Facts
                facts={[
                  ['Version', found.version],
                  ['Issuer', <VisibleText text={found.issuer} />],
                  ['Status lists signed', <When at={found.status_list_signed_at} now={now} />],
                  ['Budgets', <StateBadge state={found.budgets} />],
                  ['Last checkpoint', <When at={found.audit.checkpoint?.signed_at} now={now} />],
                ]}
              />
            </Section>
          </>
        )}
      </Shown>
    </>
  );
}
