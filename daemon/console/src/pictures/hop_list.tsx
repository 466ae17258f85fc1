import type { Hop, HopCustody } from '../data/types';
import { Badge, Facts, Identifier, StateBadge, When } from '../frame/parts';
import { VisibleText } from '../text/visible_text';
import { narrowingOf, type Narrowing } from './narrowing';

function Texts({ texts, mark, fresh = [] }: { texts: readonly string[]; mark: string; fresh?: readonly string[] }) {
  if (texts.length === 0) return null;
  return (
    <ul class="plain">
      {texts.map((text) => (
        <li key={text}>
          <span class="hop-mark" aria-hidden="true">
            {mark}
          </span>
          <code>
            <VisibleText text={text} />
          </code>{' '}
          {fresh.includes(text) && <span class="tag">new here</span>}
        </li>
      ))}
    </ul>
  );
}

function Custody({ hop, custody, now }: { hop: Hop; custody: HopCustody | undefined; now: number }) {
  if (custody === undefined) return hop.custody === undefined ? null : <VisibleText text={hop.custody} />;
  return (
    <>
      <Badge tone={custody.level.startsWith('tpm-') && !custody.level.endsWith('emulated') ? 'good' : 'quiet'}>{custody.level}</Badge>{' '}
      {custody.says}{' '}
      {custody.evidence_at !== undefined && (
        <span class="quiet">
          evidence <When at={custody.evidence_at} now={now} />
        </span>
      )}
    </>
  );
}

function time(text: string | undefined) {
  return text === undefined ? undefined : <time dateTime={text}>{text}</time>;
}

function HopCard({ hop, at, narrowing, custody, now }: { hop: Hop; at: number; narrowing: Narrowing; custody: HopCustody | undefined; now: number }) {
  if (hop.state === 'unreadable') {
    return (
      <li class="hop">
        <h3>
          Token {at} <StateBadge state={hop.state} />
        </h3>
        <p>It cannot be read.</p>
      </li>
    );
  }
  return (
    <li class="hop">
      <h3>
        Token {at} <StateBadge state={hop.state} />
      </h3>
      <p>
        <VisibleText text={hop.giver ?? ''} /> gave to <VisibleText text={hop.receiver ?? ''} />
        {at > 0 && <span class="quiet"> (as the giver calls it)</span>}
      </p>
      <Facts
        facts={[
          ['For', hop.principal === undefined ? undefined : <VisibleText text={hop.principal} />],
          ['Scopes', <Texts texts={narrowing.scopes} mark="" />],
          ['Not handed on', narrowing.lostScopes.length > 0 ? <Texts texts={narrowing.lostScopes} mark="−" /> : undefined],
          ['Bounds', narrowing.constraints.length > 0 ? <Texts texts={narrowing.constraints} mark="" fresh={narrowing.newConstraints} /> : 'none'],
          ['In place of', narrowing.formerConstraints.length > 0 ? <Texts texts={narrowing.formerConstraints} mark="−" /> : undefined],
          ['Audience', hop.audience === undefined ? undefined : <VisibleText text={hop.audience} />],
          ['Valid from', time(hop.valid_from)],
          ['Valid until', time(hop.valid_until)],
          ['Signed with', hop.signed_with === undefined ? undefined : <VisibleText text={hop.signed_with} />],
          ['Held by key', hop.holder === undefined ? undefined : <Identifier text={hop.holder} follow />],
          ['Custody', hop.custody === undefined && custody === undefined ? undefined : <Custody hop={hop} custody={custody} now={now} />],
        ]}
      />
    </li>
  );
}

/** Each token of a chain in full: what the picture abridges. */
export function HopList({ hops, custody, now }: { hops: readonly Hop[]; custody?: readonly HopCustody[] | undefined; now: number }) {
  const narrowings = narrowingOf(hops);
  return (
    <ol class="hops" start={0}>
      {hops.map((hop, at) => (
        <HopCard hop={hop} at={at} narrowing={narrowings[at]!} custody={custody?.[at]} now={now} key={at} />
      ))}
    </ol>
  );
}
