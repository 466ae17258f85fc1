import { useEffect, useState } from 'preact/hooks';

import { agents } from '../data/api';
import type { AgentRow, FreezeState } from '../data/types';
import { announce } from '../frame/announce';
import { useLoad, useNow } from '../frame/load';
import { Badge, Empty, Shown, StateBadge, Table, Title, When } from '../frame/parts';
import { linkTo } from '../frame/router';
import { useSigned } from '../frame/session_context';
import { count, plural } from '../text/times';
import { VisibleText } from '../text/visible_text';

const kPage = 50;
const kPauseMs = 250; // after the last key, before the daemon is asked

export function Custody({ custody }: { custody: string | undefined }) {
  if (custody === undefined) return <span class="quiet">nothing proved</span>;
  const isHardware = custody !== 'software' && !custody.endsWith('emulated');
  return <Badge tone={isHardware ? 'good' : 'warn'}>{custody}</Badge>;
}

export function isFrozen(agent: AgentRow, freezes: FreezeState | undefined): boolean {
  return freezes !== undefined && (freezes.frozen || freezes.agents.includes(agent.name));
}

export function stateOf(agent: AgentRow, freezes: FreezeState | undefined): string {
  return isFrozen(agent, freezes) ? 'frozen' : agent.state;
}

function Row({ agent, freezes, now }: { agent: AgentRow; freezes: FreezeState | undefined; now: number }) {
  return (
    <tr>
      <th scope="row">
        <a href={linkTo('agents', agent.name)}>
          <VisibleText text={agent.name} />
        </a>
      </th>
      <td>
        <StateBadge state={stateOf(agent, freezes)} />
      </td>
      <td>
        {agent.backend} <span class="quiet">{agent.type}</span>
      </td>
      <td>
        <Custody custody={agent.custody} />
      </td>
      <td class="number">
        <When at={agent.key_created_at} now={now} />
      </td>
      <td class="number">
        <When at={agent.last_used_at} now={now} />
      </td>
    </tr>
  );
}

/** Where a page begins: the `after` of each page up to this one. */
function usePages(search: string) {
  const [starts, setStarts] = useState<{ search: string; afters: string[] }>({ search, afters: [] });
  const afters = starts.search === search ? starts.afters : [];
  return {
    number: afters.length,
    after: afters.at(-1),
    next: (after: string) => setStarts({ search, afters: [...afters, after] }),
    before: () => setStarts({ search, afters: afters.slice(0, -1) }),
  };
}

function Found({ search }: { search: string }) {
  const { skew } = useSigned();
  const now = useNow(skew);
  const pages = usePages(search);
  const loaded = useLoad(() => agents.list(search, pages.after, kPage), [search, pages.after]);
  const freezes = useLoad(agents.freezes, []).data;
  const found = loaded.data?.agents.length;
  useEffect(() => {
    if (found !== undefined && (search !== '' || pages.number > 0)) announce(`${plural(found, 'agent')} on this page`);
  }, [loaded.data]);
  return (
    <Shown loaded={loaded} what="agents">
      {({ agents: rows, next, active, retired, lost }) => (
        <>
          <p class="quiet">
            {plural(active, 'active agent')}, {count(lost)} lost, {count(retired)} retired.
          </p>
          {rows.length === 0 ? (
            <Empty title={search === '' ? 'No agents yet' : 'No agent is called so'}>
              {search === '' ? (
                <p>
                  Register the first: <code>chancery agent create NAME</code>
                </p>
              ) : (
                <p>Search by the beginning of a name, a whole SPIFFE ID, or the thumbprint of a key.</p>
              )}
            </Empty>
          ) : (
            <Table label="Agents" columns={['Agent', 'State', 'Backend', 'Custody', { number: 'Key made' }, { number: 'Last used' }]}>
              {rows.map((agent) => (
                <Row agent={agent} freezes={freezes} now={now} key={agent.name} />
              ))}
            </Table>
          )}
          <nav class="pager" aria-label="Pages of agents">
            <button type="button" class="button" disabled={pages.number === 0} onClick={pages.before}>
              Before
            </button>
            <span>Page {count(pages.number + 1)}</span>
            <button type="button" class="button" disabled={next === undefined} onClick={() => next !== undefined && pages.next(next)}>
              Next
            </button>
          </nav>
        </>
      )}
    </Shown>
  );
}

/** Every agent, page by page: ten thousand of them are a search away. */
export function Agents({ query }: { query: URLSearchParams }) {
  const given = query.get('search') ?? '';
  const [typed, setTyped] = useState(given);
  const [search, setSearch] = useState(given);
  useEffect(() => {
    const timer = setTimeout(() => setSearch(typed.trim()), kPauseMs);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <>
      <div class="page-head">
        <Title text="Agents" />
      </div>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          Search
          <input
            type="search"
            value={typed}
            autoComplete="off"
            spellcheck={false}
            placeholder="Name, SPIFFE ID or thumbprint"
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
      </form>
      <Found search={search} />
    </>
  );
}
