import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

import { approvals } from '../data/api';
import type { Approval } from '../data/types';
import { announce } from '../frame/announce';
import { useLoad, useNow } from '../frame/load';
import { Empty, EnforcementBadge, RiskBadge, Shown, StateBadge, Table, Title, When } from '../frame/parts';
import { linkTo } from '../frame/router';
import { useSigned } from '../frame/session_context';
import { countdown, plural } from '../text/times';
import { VisibleText } from '../text/visible_text';
import { agentOf, amountsOf, gateNames, progressOf, subjectOf } from './approval_words';

const kPollMs = 3000;
const kPart = 50; // a thousand requests take a browser half a second to draw
const kEnded = ['approved', 'used', 'denied', 'cancelled', 'expired', 'lapsed'] as const;

/** The numbers that tell one request from another, in full. */
function Amounts({ approval }: { approval: Approval }) {
  return (
    <>
      {amountsOf(approval).map((amount) => (
        <strong class="amount" key={amount}>
          <VisibleText text={amount} />
        </strong>
      ))}
    </>
  );
}

function Waiting({ approval, now }: { approval: Approval; now: number }) {
  const left = approval.expires_at - now;
  return (
    <li class="inbox-item">
      <a class="inbox-link" href={linkTo('approvals', approval.id)}>
        <span class="inbox-what">
          <VisibleText text={subjectOf(approval)} />
        </span>
        <span class="inbox-who">
          for <VisibleText text={approval.principal} />
          {approval.agent !== undefined && (
            <>
              , by <VisibleText text={agentOf(approval)} />
            </>
          )}
        </span>
      </a>
      <span class="inbox-facts">
        <RiskBadge risk={approval.risk} />
        <Amounts approval={approval} />
        {gateNames(approval).map((name) => (
          <span class="tag" key={name}>
            {name}
          </span>
        ))}
        <EnforcementBadge enforcement={approval.enforcement} />
        <span class="quiet">{progressOf(approval)}</span>
      </span>
      <span class={`inbox-time${left < 120 ? ' inbox-soon' : ''}`}>
        <span class="inbox-left">{countdown(approval.expires_at, now)}</span> left
        <span class="quiet inbox-asked">
          asked <When at={approval.asked_at} now={now} />
        </span>
      </span>
    </li>
  );
}

/** Says how many came since the last answer, once, for who does not see the list grow. */
function useNews(waiting: Approval[] | undefined): void {
  const known = useRef<Set<string> | undefined>(undefined);
  useEffect(() => {
    if (waiting === undefined) return;
    const before = known.current;
    known.current = new Set(waiting.map(({ id }) => id));
    if (before === undefined) return;
    const fresh = waiting.filter(({ id }) => !before.has(id)).length;
    const gone = [...before].filter((id) => !known.current!.has(id)).length;
    const parts = [];
    if (fresh > 0) parts.push(`${plural(fresh, 'new request')}`);
    if (gone > 0) parts.push(`${plural(gone, 'request')} no longer waiting`);
    if (parts.length > 0) announce(parts.join(', '));
  }, [waiting]);
}

/** The requests, what ends soonest first, and as many of them as were asked for. */
function WaitingList({ waiting, now }: { waiting: readonly Approval[]; now: number }) {
  const [parts, setParts] = useState(1);
  const list = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => {
    if (parts === 1) return;
    const shown = list.current?.children;
    const first = shown?.[(parts - 1) * kPart];
    first?.querySelector('a')?.focus(); // the button may be gone, and the focus with it
    announce(`${plural((shown?.length ?? 0) - (parts - 1) * kPart, 'more request')} shown`);
  }, [parts]);
  const sorted = useMemo(() => [...waiting].sort((one, other) => one.expires_at - other.expires_at), [waiting]);
  const hidden = waiting.length - parts * kPart;
  return (
    <>
      <ul class="inbox" ref={list}>
        {sorted.slice(0, parts * kPart).map((approval) => (
          <Waiting approval={approval} now={now} key={approval.id} />
        ))}
      </ul>
      {hidden > 0 && (
        <p class="buttons">
          <button type="button" class="button" onClick={() => setParts(parts + 1)}>
            Show {Math.min(hidden, kPart)} more
          </button>
          <span class="quiet">{plural(hidden, 'request')} with more time left</span>
        </p>
      )}
    </>
  );
}

function Inbox({ now }: { now: number }) {
  const loaded = useLoad((isBackground) => approvals.list('pending', isBackground, 1000), ['pending'], { every: kPollMs });
  useNews(loaded.data?.approvals);
  return (
    <Shown loaded={loaded} what="requests">
      {({ approvals: waiting, next }) =>
        waiting.length === 0 ? (
          <Empty title="Nothing waits for a person">
            <p>Requests appear here by themselves, as soon as an agent asks for something behind a gate.</p>
          </Empty>
        ) : (
          <>
            <p class="quiet">{plural(waiting.length, 'request')} waiting{next === undefined ? '' : ' and more'}. This list updates by itself.</p>
            <WaitingList waiting={waiting} now={now} />
          </>
        )
      }
    </Shown>
  );
}

function Settled({ found, now }: { found: readonly Approval[]; now: number }) {
  return (
    <Table label="Requests that wait no more" columns={['What', 'For whom', 'By', 'State', 'Asked', 'Ended']}>
      {found.map((approval) => (
        <tr key={approval.id}>
          <th scope="row">
            <a href={linkTo('approvals', approval.id)}>
              <VisibleText text={subjectOf(approval)} />
            </a>{' '}
            <Amounts approval={approval} />
          </th>
          <td>
            <VisibleText text={approval.principal} />
          </td>
          <td>
            <VisibleText text={agentOf(approval)} />
          </td>
          <td>
            <StateBadge state={approval.state} />
          </td>
          <td>
            <When at={approval.asked_at} now={now} />
          </td>
          <td>
            <When at={approval.ended_at} now={now} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

/** Newest first, a page at a time. */
function Pages({ state, now }: { state: string; now: number }) {
  const [afters, setAfters] = useState<string[]>([]);
  useEffect(() => setAfters([]), [state]);
  const after = afters.at(-1);
  const loaded = useLoad(() => approvals.history(state, after), [state, after]);
  return (
    <Shown loaded={loaded} what="the history">
      {({ approvals: found, next }) => (
        <>
          {found.length > 0 ? (
            <Settled found={found} now={now} />
          ) : (
            <Empty title={after === undefined ? 'Nothing here' : 'Nothing before that'}>
              <p>
                Requests are listed for a while after they ended: <code>[approvals] keep</code>, a week by default. The audit log
                keeps what was decided for good.
              </p>
            </Empty>
          )}
          <nav class="pager" aria-label="Pages of requests">
            <button type="button" class="button" disabled={afters.length === 0} onClick={() => setAfters(afters.slice(0, -1))}>
              Newer
            </button>
            <button type="button" class="button" disabled={next === undefined} onClick={() => next !== undefined && setAfters([...afters, next])}>
              Older
            </button>
          </nav>
        </>
      )}
    </Shown>
  );
}

function History({ state, now }: { state: string; now: number }) {
  return (
    <>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          What became of it
          <select
            value={state}
            onChange={(event) => {
              location.hash = linkTo('approvals', '', { view: 'history', state: event.currentTarget.value });
            }}
          >
            <option value="">Anything</option>
            {kEnded.map((name) => (
              <option value={name} key={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </form>
      <Pages state={state} now={now} />
    </>
  );
}

export function Approvals({ query }: { query: URLSearchParams }) {
  const { skew } = useSigned();
  const now = useNow(skew);
  const isHistory = query.get('view') === 'history';
  return (
    <>
      <div class="page-head">
        <Title text="Approvals" />
        <nav class="tabs" aria-label="Approvals">
          <a href={linkTo('approvals')} aria-current={isHistory ? undefined : 'true'}>
            Waiting
          </a>
          <a href={linkTo('approvals', '', { view: 'history' })} aria-current={isHistory ? 'true' : undefined}>
            History
          </a>
        </nav>
      </div>
      {isHistory ? <History state={query.get('state') ?? ''} now={now} /> : <Inbox now={now} />}
    </>
  );
}
