import { audit } from '../data/api';
import { fromBase64, isIncluded, leafHash, toBase64, verifiedHead } from '../data/tree';
import { canonical } from '../data/jcs';
import type { AuditKeys, ProvedEntry } from '../data/types';
import { useLoad, useNow } from '../frame/load';
import { Badge, Empty, Facts, Identifier, Notice, Section, Shown, StateBadge, Title, When } from '../frame/parts';
import { linkTo } from '../frame/router';
import { useSigned } from '../frame/session_context';
import { JsonText } from '../text/json_text';
import { count } from '../text/times';
import { VisibleText, visibleLabel } from '../text/visible_text';

interface Judgement {
  leaf: string;
  isLeaf: boolean;
  isSigned: boolean;
  isIncluded: boolean;
}

interface Read {
  proved: ProvedEntry;
  keys: AuditKeys;
  judgement: Judgement;
}

/** Everything that is shown of the proof is computed here, from the entry as it is shown. */
async function judge(proved: ProvedEntry, keys: AuditKeys): Promise<Judgement> {
  const leaf = await leafHash(proved.entry);
  const head = proved.checkpoint && (await verifiedHead(proved.checkpoint.note, keys));
  const path = proved.inclusion?.hashes.map(fromBase64);
  return {
    leaf: toBase64(leaf),
    isLeaf: toBase64(leaf) === proved.leaf_hash,
    isSigned: head !== undefined,
    isIncluded: head !== undefined && path !== undefined && (await isIncluded(leaf, proved.number - 1, head, path)),
  };
}

async function read(number: number): Promise<Read> {
  const [proved, keys] = await Promise.all([audit.entry(number), audit.keys()]);
  return { proved, keys, judgement: await judge(proved, keys) };
}

function Step({ holds, yes, no }: { holds: boolean; yes: string; no: string }) {
  return (
    <li>
      <Badge tone={holds ? 'good' : 'bad'}>{holds ? 'holds' : 'fails'}</Badge> {holds ? yes : no}
    </li>
  );
}

function Proof({ proved, judgement }: { proved: ProvedEntry; judgement: Judgement }) {
  if (proved.inclusion === undefined || proved.checkpoint === undefined) {
    return (
      <Notice tone="info" title="No checkpoint comprises this entry yet">
        The next one will. <code>chancery audit prove {proved.number}</code> writes the proof then.
      </Notice>
    );
  }
  return (
    <>
      <p>Verified in this browser, from the entry as it is shown here and the log’s public keys.</p>
      <ol class="plain proof">
        <Step holds={judgement.isLeaf} yes="The entry hashes to its leaf." no="The entry is not what its leaf says." />
        <Step holds={judgement.isSigned} yes="The checkpoint is signed by a key of the log." no="No key of the log signed this checkpoint." />
        <Step
          holds={judgement.isIncluded}
          yes={`The leaf is part of the tree of ${count(proved.checkpoint.size)} entries.`}
          no="The proof does not lead from the leaf to the signed root."
        />
      </ol>
      <Facts facts={[['Leaf hash', <Identifier text={judgement.leaf} />]]} />
      <details>
        <summary>Path and checkpoint</summary>
        <ol class="hashes" tabIndex={0} aria-label="Hashes from the leaf to the root">
          {proved.inclusion.hashes.map((hash) => (
            <li key={hash}>
              <code>{hash}</code>
            </li>
          ))}
        </ol>
        <pre class="hex" tabIndex={0} role="region" aria-label="Checkpoint">
          <VisibleText text={proved.checkpoint.note} />
        </pre>
      </details>
    </>
  );
}

function Entry({ proved, judgement }: Read) {
  const { skew } = useSigned();
  const now = useNow(skew);
  const { entry, number } = proved;
  const token = entry.ids?.token;
  return (
    <>
      <div class="page-head">
        <div>
          <p class="crumb">
            <a href={linkTo('audit')}>Audit</a>
          </p>
          <Title text={`Entry ${count(number)}`} />
          <p class="page-sub">
            <code>{entry.action}</code> <When at={entry.at} now={now} full />
          </p>
        </div>
        <div class="page-state">{entry.outcome !== undefined && <StateBadge state={entry.outcome} />}</div>
      </div>
      <Section title="What it says" id="entry">
        <JsonText value={entry} />
        <p class="links">
          {Object.entries(entry.ids ?? {}).map(([name, value]) => (
            <a href={linkTo('audit', '', { ref: value })} key={name}>
              Follow {visibleLabel(name.replaceAll('_', ' '))}
            </a>
          ))}
          {entry.agent !== undefined && <a href={linkTo('audit', '', { ref: entry.agent })}>Follow the agent</a>}
          {entry.principal !== undefined && <a href={linkTo('audit', '', { ref: entry.principal })}>Follow the principal</a>}
          {token !== undefined && /^[0-9a-f]{64}$/.test(token) && <a href={linkTo('chains', '', { token })}>Its chain</a>}
        </p>
      </Section>
      <Section title="Proof" id="proof">
        <Proof proved={proved} judgement={judgement} />
        <details>
          <summary>The entry’s octets</summary>
          <div class="canonical" tabIndex={0} role="region" aria-label="The entry’s octets">
            <VisibleText text={canonical(entry)} />
          </div>
        </details>
      </Section>
      <nav class="pager" aria-label="Neighbours">
        <a class="button" href={linkTo('audit', String(Math.max(1, number - 1)))}>
          The entry before
        </a>
        <a class="button" href={linkTo('audit', String(number + 1))}>
          The entry after
        </a>
      </nav>
    </>
  );
}

export function AuditEntryPage({ number }: { number: number }) {
  const isNumber = Number.isSafeInteger(number) && number > 0;
  const loaded = useLoad(() => (isNumber ? read(number) : Promise.reject(new Error('An entry has a number, from 1 on.'))), [number]);
  if (!isNumber) {
    return (
      <Empty title="There is no such entry">
        <a href={linkTo('audit')}>Go to the log</a>
      </Empty>
    );
  }
  return (
    <Shown loaded={loaded} what="the entry">
      {(found) => <Entry {...found} />}
    </Shown>
  );
}
