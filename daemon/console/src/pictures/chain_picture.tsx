import type { Hop } from '../data/types';
import { plural } from '../text/times';
import { shortLabel, visibleLabel } from '../text/visible_text';
import { narrowingOf, type Narrowing } from './narrowing';

// In units of the picture, which is scaled to the page.
const kWidth = 640;
const kNodeHeight = 46;
const kGap = 76;
const kNodeWidth = 420;
const kWidest = 220;
const kNarrowest = 28;
const kLabel = 50; // characters

const middle = kWidth / 2;
const top = (node: number): number => 8 + node * (kNodeHeight + kGap);

/** How wide the band of authority is: by the share of the first token's scopes that is left, and by how often it was bounded. */
function bandWidths(narrowings: readonly Narrowing[]): number[] {
  const first = Math.max(1, narrowings[0]?.scopes.length ?? 1);
  let bounds = 0;
  return narrowings.map((narrowing, at) => {
    if (at > 0 && (narrowing.newConstraints.length > 0 || narrowing.newScopes.length > 0)) ++bounds;
    const share = Math.min(1, narrowing.scopes.length / first) * 0.8 ** bounds;
    return kNarrowest + (kWidest - kNarrowest) * share;
  });
}

function whatIsGiven(narrowing: Narrowing): string {
  const parts = [plural(narrowing.scopes.length, 'scope'), plural(narrowing.constraints.length, 'bound')];
  return parts.join(', ');
}

function whatIsLess(narrowing: Narrowing): string {
  const parts = [];
  if (narrowing.lostScopes.length > 0) parts.push(`−${plural(narrowing.lostScopes.length, 'scope')}`);
  if (narrowing.newConstraints.length > 0) parts.push(`+${plural(narrowing.newConstraints.length, 'bound')}`);
  if (narrowing.endsSooner > 0) parts.push('ends sooner');
  return parts.join(', ');
}

function Node({ at, name, role, state }: { at: number; name: string; role: string; state: string }) {
  const y = top(at);
  return (
    <g class={`chain-node chain-${state}`}>
      <rect x={middle - kNodeWidth / 2} y={y} width={kNodeWidth} height={kNodeHeight} rx="10" />
      <text x={middle} y={y + 20} class="chain-name" text-anchor="middle">
        {shortLabel(name, kLabel)}
      </text>
      <text x={middle} y={y + 36} class="chain-role" text-anchor="middle">
        {role}
      </text>
    </g>
  );
}

function Band({ at, from, to, narrowing, hop }: { at: number; from: number; to: number; narrowing: Narrowing; hop: Hop }) {
  const start = top(at) + kNodeHeight;
  const end = top(at + 1);
  const less = whatIsLess(narrowing);
  const mark = hop.state === 'failed' ? '✕ ' : hop.state === 'passed' ? '✓ ' : '';
  return (
    <g class={`chain-band chain-${hop.state}`}>
      <path d={`M${middle - from / 2} ${start} L${middle + from / 2} ${start} L${middle + to / 2} ${end} L${middle - to / 2} ${end} Z`} />
      <text x={middle + kWidest / 2 + 12} y={start + kGap / 2 - 2} class="chain-given">
        {mark + whatIsGiven(narrowing)}
      </text>
      <text x={middle + kWidest / 2 + 12} y={start + kGap / 2 + 16} class="chain-less">
        {at === 0 ? 'the root' : less === '' ? 'handed on whole' : less}
      </text>
      <text x={middle} y={start + kGap / 2 + 4} class="chain-scope" text-anchor="middle">
        {shortLabel(narrowing.scopes[0] ?? '', Math.max(4, Math.floor(Math.min(from, to) / 7)))}
      </text>
    </g>
  );
}

/** One sentence a token, for who does not see the picture. */
function inWords(hops: readonly Hop[], narrowings: readonly Narrowing[]): string {
  return hops
    .map((hop, at) => {
      const less = at === 0 ? '' : whatIsLess(narrowings[at]!);
      return `${visibleLabel(hop.giver ?? 'somebody')} gave to ${visibleLabel(hop.receiver ?? 'somebody')}: ${whatIsGiven(narrowings[at]!)}${
        less === '' ? '' : ` (${less})`
      }, ${hop.state.replaceAll('_', ' ')}.`;
    })
    .join(' ');
}

/** Who gave what to whom: from the root down, with a band between them that narrows as the authority does. */
export function ChainPicture({ hops }: { hops: readonly Hop[] }) {
  const readable = hops.filter((hop) => hop.state !== 'unreadable');
  if (readable.length === 0) return <p class="quiet">No token of it can be read.</p>;
  const narrowings = narrowingOf(readable);
  const widths = bandWidths(narrowings);
  const root = readable[0]!;
  const height = top(readable.length) + kNodeHeight + 8;
  return (
    <svg class="chain-picture" viewBox={`0 0 ${kWidth} ${height}`} role="img" aria-label={inWords(readable, narrowings)}>
      {readable.map((hop, at) => (
        <Band at={at} from={widths[Math.max(0, at - 1)]!} to={widths[at]!} narrowing={narrowings[at]!} hop={hop} key={at} />
      ))}
      <Node at={0} name={root.giver ?? ''} role={`issuer, for ${shortLabel(root.principal ?? '', 36)}`} state="issuer" />
      {readable.map((hop, at) => (
        <Node
          at={at + 1}
          name={hop.receiver ?? ''}
          role={at + 1 === readable.length ? 'holds it now' : `token ${at}`}
          state={hop.state}
          key={at}
        />
      ))}
    </svg>
  );
}
