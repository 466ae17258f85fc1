import { useEffect, useState } from 'preact/hooks';

import { audit, health } from '../data/api';
import { fromBase64, isConsistent, verifiedHead } from '../data/tree';
import type { AuditKeys, AuditPage, Checkpoint, NumberedEntry, Overview } from '../data/types';
import { announce } from '../frame/announce';
import { useLoad, useNow } from '../frame/load';
import { Badge, Empty, Facts, Notice, Section, Shown, StateBadge, Table, Title, When } from '../frame/parts';
import { linkTo } from '../frame/router';
import { useSigned } from '../frame/session_context';
import { count, plural } from '../text/times';
import { VisibleText } from '../text/visible_text';

const kActions = [
  'action.authorize', 'agent.', 'approval.', 'approver.', 'audit.', 'backend.', 'budget.', 'config.change', 'console.', 'credential.',
  'daemon.', 'freeze.', 'incident.', 'join_token.', 'key.', 'operator.create', 'proof.create', 'reservation.', 'token.', 'tool.', 'vault.',
]; // prettier-ignore
const kLastCheckpoints = 5000; // entries behind which the newest checkpoints surely lie
const kMostCheckpointPages = 12;

// A hash is told by its beginning, and stands in full in the entry itself; what somebody could have worded is shown whole.
const isHash = (text: string): boolean => /^[0-9a-f]{32,64}$/.test(text) || /^[A-Za-z0-9_-]{43}$/.test(text);

function follow(ref: string) {
  return (
    <a href={linkTo('audit', '', { ref })}>{isHash(ref) ? `${ref.slice(0, 12)}…` : <VisibleText text={ref} />}</a>
  );
}

function About({ entry }: { entry: NumberedEntry['entry'] }) {
  const ids = Object.entries(entry.ids ?? {});
  return (
    <ul class="plain about">
      {entry.principal !== undefined && <li>for {follow(entry.principal)}</li>}
      {entry.agent !== undefined && <li>agent {follow(entry.agent)}</li>}
      {ids.map(([name, value]) => (
        <li key={name}>
          {name.replaceAll('_', ' ')} <code>{follow(value)}</code>
        </li>
      ))}
    </ul>
  );
}

function Entries({ page, now }: { page: AuditPage; now: number }) {
  return (
    <Table label="Entries" look="entries" columns={['Entry', 'When', 'Action', 'Outcome', 'About']}>
      {page.entries.map(({ number, entry }) => (
        <tr key={number}>
          <th scope="row">
            <a href={linkTo('audit', String(number))}>{count(number)}</a>
          </th>
          <td>
            <When at={entry.at} now={now} />
          </td>
          <td>
            <code>{entry.action}</code>
          </td>
          <td>{entry.outcome !== undefined && <StateBadge state={entry.outcome} />}</td>
          <td>
            <About entry={entry} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Results({ reference, action }: { reference: string; action: string }) {
  const { skew } = useSigned();
  const now = useNow(skew);
  const [befores, setBefores] = useState<number[]>([]);
  useEffect(() => setBefores([]), [reference, action]);
  const before = befores.at(-1);
  const loaded = useLoad(() => audit.search(reference, action, before), [reference, action, before]);
  useEffect(() => {
    if (loaded.data && (reference !== '' || action !== '')) announce(`${plural(loaded.data.entries.length, 'entry', 'entries')} on this page`);
  }, [loaded.data]);
  return (
    <Shown loaded={loaded} what="entries">
      {(page) => (
        <>
          {page.entries.length > 0 ? (
            <Entries page={page} now={now} />
          ) : (
            <Empty title={page.next === undefined ? 'No entry is about this' : 'None among these entries'}>
              {page.next === undefined ? <p>An identifier must be given whole.</p> : <p>Look further back.</p>}
            </Empty>
          )}
          <nav class="pager" aria-label="Pages of entries">
            <button type="button" class="button" disabled={befores.length === 0} onClick={() => setBefores(befores.slice(0, -1))}>
              Newer
            </button>
            <button
              type="button"
              class="button"
              disabled={page.next === undefined}
              onClick={() => page.next !== undefined && setBefores([...befores, page.next])}
            >
              Older
            </button>
          </nav>
        </>
      )}
    </Shown>
  );
}

interface LogState {
  overview: Overview;
  keys: AuditKeys;
  /** The newest first. */
  checkpoints: (Checkpoint & { isSigned: boolean })[];
  /** Whether the last but one is the beginning of the last; absent where there is none. */
  isContinued?: boolean;
}

async function newestCheckpoints(size: number): Promise<Checkpoint[]> {
  const found: Checkpoint[] = [];
  let after = Math.max(0, size - kLastCheckpoints);
  for (let page = 0; page < kMostCheckpointPages; ++page) {
    const { checkpoints } = await audit.checkpoints(after);
    found.push(...checkpoints);
    const last = checkpoints.at(-1);
    if (last === undefined || last.size >= size) break;
    after = last.size;
  }
  return found.slice(-5).reverse();
}

async function readLog(): Promise<LogState> {
  const [overview, keys] = await Promise.all([health.overview(false), audit.keys()]);
  const newest = await newestCheckpoints(overview.audit.checkpoint?.size ?? 0);
  const heads = await Promise.all(newest.map(({ note }) => verifiedHead(note, keys)));
  const checkpoints = newest.map((checkpoint, at) => ({ ...checkpoint, isSigned: heads[at] !== undefined }));
  const [last, before] = heads;
  if (last === undefined || before === undefined) return { overview, keys, checkpoints };
  const { hashes } = await audit.consistency(before.size, last.size);
  return { overview, keys, checkpoints, isContinued: await isConsistent(before, last, hashes.map(fromBase64)) };
}

function Continued({ isContinued }: { isContinued: boolean | undefined }) {
  if (isContinued === undefined) return <span class="quiet">no two heads to compare</span>;
  return isContinued ? <Badge tone="good">the newest continues the one before</Badge> : <Badge tone="bad">contradicts the one before</Badge>;
}

function Checkpoints() {
  const { skew } = useSigned();
  const now = useNow(skew);
  const loaded = useLoad(readLog, []);
  return (
    <Section title="Checkpoints" id="checkpoints">
      <Shown loaded={loaded} what="the checkpoints">
        {({ overview, keys, checkpoints, isContinued }) => (
          <>
            {overview.audit.behind && (
              <Notice tone="bad" title="The checkpoint that was due could not be made">
                The log goes on, but nobody signs it: see the health page.
              </Notice>
            )}
            <Facts
              facts={[
                ['Log', <code><VisibleText text={keys.origin} /></code>],
                ['Entries', count(overview.audit.entries)],
                ['Signed by nobody yet', count(overview.audit.entries - (overview.audit.checkpoint?.size ?? 0))],
                ['Verified here', <Continued isContinued={isContinued} />],
              ]}
            />
            <ul class="plain checkpoints">
              {checkpoints.map((checkpoint) => (
                <li key={checkpoint.size}>
                  <Badge tone={checkpoint.isSigned ? 'good' : 'bad'}>{checkpoint.isSigned ? 'signed by the log’s key' : 'not signed by the log’s key'}</Badge>{' '}
                  {plural(checkpoint.size, 'entry', 'entries')}, <When at={checkpoint.at} now={now} />
                </li>
              ))}
            </ul>
          </>
        )}
      </Shown>
    </Section>
  );
}

function Search({ reference, action }: { reference: string; action: string }) {
  const [typed, setTyped] = useState(reference);
  useEffect(() => setTyped(reference), [reference]);
  return (
    <form
      class="filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const wanted = typed.trim();
        location.hash = /^[0-9]{1,15}$/.test(wanted) ? linkTo('audit', wanted) : linkTo('audit', '', { ref: wanted, action });
      }}
    >
      <label class="filter-wide">
        Identifier
        <input
          type="search"
          value={typed}
          autoComplete="off"
          spellcheck={false}
          placeholder="Token, request, approval, principal, agent… or an entry’s number"
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
      <label>
        Action
        <select
          value={action}
          onChange={(event) => {
            location.hash = linkTo('audit', '', { ref: typed.trim(), action: event.currentTarget.value });
          }}
        >
          <option value="">Any</option>
          {kActions.map((name) => (
            <option value={name} key={name}>
              {name.endsWith('.') ? `${name}…` : name}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="button button-main">
        Search
      </button>
    </form>
  );
}

/** The log, newest first; by identifier it is followed from entry to entry. */
export function Audit({ query }: { query: URLSearchParams }) {
  const reference = query.get('ref') ?? '';
  const action = query.get('action') ?? '';
  return (
    <>
      <div class="page-head">
        <Title text="Audit" />
      </div>
      <Search reference={reference} action={action} />
      {reference !== '' && (
        <p class="following">
          Following <code><VisibleText text={reference} /></code> <a href={linkTo('audit', '', { action })}>Show everything</a>
        </p>
      )}
      <Results reference={reference} action={action} />
      {reference === '' && action === '' && <Checkpoints />}
    </>
  );
}
