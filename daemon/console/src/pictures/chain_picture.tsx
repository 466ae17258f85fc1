import type { Hop } from '../data/types';
import { useIsNarrow } from '../frame/narrow';
import { plural } from '../text/times';
import { shortLabel, visibleLabel } from '../text/visible_text';
import { narrowingOf, type Narrowing } from './narrowing';

const kNodeHeight = 46;
const kGap = 70;
const kNarrowest = 24;

/** In units of the picture, which is scaled to the page. */
interface Layout {
  width: number;
  band: number; // where the middle of the band is
  widest: number;
  words: number; // where what stands beside it begins
  letters: number; // that fit into a node
}

const kWide: Layout = { width: 640, band: 150, widest: 240, words: 300, letters: 68 };
const kNarrow: Layout = { width: 380, band: 75, widest: 110, words: 146, letters: 38 };

const top = (node: number): number => 8 + node * (kNodeHeight + kGap);

/** How wide the band of authority is: by the share of the first token's scopes that is left, and by how often it was bounded. */
function bandWidths(narrowings: readonly Narrowing[], widest: number): number[] {
  const first = Math.max(1, narrowings[0]?.scopes.length ?? 1);
  let bounds = 0;
  return narrowings.map((narrowing, at) => {
    if (at > 0 && (narrowing.newConstraints.length > 0 || narrowing.newScopes.length > 0)) ++bounds;
    const share = Math.min(1, narrowing.scopes.length / first) * 0.8 ** bounds;
    return kNarrowest + (widest - kNarrowest) * share;
  });
}

function whatIsGiven(narrowing: Narrowing): string {
  const scopes = narrowing.scopes.length === 1 ? visibleLabel(narrowing.scopes[0]!) : plural(narrowing.scopes.length, 'scope');
  return `${scopes}, ${narrowing.constraints.length === 0 ? 'no bound' : plural(narrowing.constraints.length, 'bound')}`;
}

function whatIsLess(narrowing: Narrowing): string {
  const parts = [];
  if (narrowing.lostScopes.length > 0) parts.push(`−${plural(narrowing.lostScopes.length, 'scope')}`);
  if (narrowing.newConstraints.length > 0) parts.push(`+${plural(narrowing.newConstraints.length, 'bound')}`);
  if (narrowing.endsSooner > 0) parts.push('ends sooner');
  return parts.join(', ');
}

function Node({ at, name, role, state, layout }: { at: number; name: string; role: string; state: string; layout: Layout }) {
  const y = top(at);
  return (
    <g class={`chain-node chain-${state}`}>
      <rect x={2} y={y} width={layout.width - 4} height={kNodeHeight} rx="10" />
      <text x={16} y={y + 20} class="chain-name">
        {shortLabel(name, layout.letters)}
      </text>
      <text x={16} y={y + 37} class="chain-role">
        {role}
      </text>
    </g>
  );
}

interface BandProps {
  at: number;
  from: number;
  to: number;
  narrowing: Narrowing;
  hop: Hop;
  layout: Layout;
}

function Band({ at, from, to, narrowing, hop, layout }: BandProps) {
  const start = top(at) + kNodeHeight;
  const end = top(at + 1);
  const { band, words } = layout;
  const less = whatIsLess(narrowing);
  const mark = hop.state === 'failed' ? '✕ ' : hop.state === 'passed' ? '✓ ' : '';
  return (
    <g class={`chain-band chain-${hop.state}`}>
      <path d={`M${band - from / 2} ${start} L${band + from / 2} ${start} L${band + to / 2} ${end} L${band - to / 2} ${end} Z`} />
      <text x={words} y={start + kGap / 2 - 3} class="chain-given">
        {mark + shortLabel(whatIsGiven(narrowing), Math.floor((layout.width - words) / 8))}
      </text>
      <text x={words} y={start + kGap / 2 + 15} class="chain-less">
        {at === 0 ? 'the root' : less === '' ? 'handed on whole' : less}
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
  const layout = useIsNarrow() ? kNarrow : kWide;
  const readable = hops.filter((hop) => hop.state !== 'unreadable');
  if (readable.length === 0) return <p class="quiet">No token of it can be read.</p>;
  const narrowings = narrowingOf(readable);
  const widths = bandWidths(narrowings, layout.widest);
  const root = readable[0]!;
  const height = top(readable.length) + kNodeHeight + 8;
  return (
    <svg class="chain-picture" viewBox={`0 0 ${layout.width} ${height}`} role="img" aria-label={inWords(readable, narrowings)}>
      {readable.map((hop, at) => (
        <Band at={at} from={widths[Math.max(0, at - 1)]!} to={widths[at]!} narrowing={narrowings[at]!} hop={hop} layout={layout} key={at} />
      ))}
      <Node at={0} name={root.giver ?? ''} role={`issuer, for ${shortLabel(root.principal ?? '', 36)}`} state="issuer" layout={layout} />
      {readable.map((hop, at) => (
        <Node
          at={at + 1}
          name={hop.receiver ?? ''}
          role={at + 1 === readable.length ? 'holds it now' : `token ${at}`}
          state={hop.state}
          layout={layout}
          key={at}
        />
      ))}
    </svg>
  );
}
