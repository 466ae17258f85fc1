import type { Hop } from '../data/types';
import { useIsNarrow } from '../frame/narrow';
import { duration, moment } from '../text/times';
import { visibleLabel } from '../text/visible_text';

const kWide = 640;
const kNarrow = 380;
const kLeft = 64;
const kRight = 16;
const kRow = 30;
const kTop = 26;

interface Span {
  hop: Hop;
  at: number;
  from: number;
  until: number;
}

function spansOf(hops: readonly Hop[]): Span[] {
  return hops.flatMap((hop, at) => {
    const from = Date.parse(hop.valid_from ?? '') / 1000;
    const until = Date.parse(hop.valid_until ?? '') / 1000;
    return Number.isFinite(from) && Number.isFinite(until) ? [{ hop, at, from, until }] : [];
  });
}

function inWords(spans: readonly Span[], now: number): string {
  return spans
    .map(({ at, hop, from, until }) => {
      const state = now < from ? 'not valid yet' : now > until ? `over since ${duration(now - until)}` : `valid for another ${duration(until - now)}`;
      return `Token ${at}, ${visibleLabel(hop.receiver ?? '')}: from ${moment(from)} to ${moment(until)}, ${state}.`;
    })
    .join(' ');
}

/** When each token of a chain is valid, and where now is. */
export function TimeLine({ hops, now }: { hops: readonly Hop[]; now: number }) {
  const width = useIsNarrow() ? kNarrow : kWide;
  const spans = spansOf(hops);
  if (spans.length === 0) return null;
  const first = Math.min(now, ...spans.map(({ from }) => from));
  const last = Math.max(now, ...spans.map(({ until }) => until));
  const margin = Math.max(1, (last - first) * 0.04);
  const scale = (width - kLeft - kRight) / (last - first + 2 * margin);
  const x = (time: number) => kLeft + (time - first + margin) * scale;
  const bottom = kTop + spans.length * kRow;
  const nowAnchor = x(now) > width - 60 ? 'end' : x(now) < kLeft + 40 ? 'start' : 'middle';
  return (
    <svg class="time-line" viewBox={`0 0 ${width} ${bottom + 26}`} role="img" aria-label={inWords(spans, now)}>
      {spans.map(({ at, from, until }, row) => {
        const isValid = from <= now && now <= until;
        return (
          <g class={isValid ? 'time-valid' : 'time-over'} key={at}>
            <text x={kLeft - 8} y={kTop + row * kRow + 19} text-anchor="end" class="time-name">
              token {at}
            </text>
            <rect x={x(from)} y={kTop + row * kRow + 6} width={Math.max(3, (until - from) * scale)} height={kRow - 12} rx="4" />
          </g>
        );
      })}
      <line x1={x(now)} x2={x(now)} y1={kTop - 6} y2={bottom + 2} class="time-now" />
      <text x={x(now)} y={kTop - 10} text-anchor={nowAnchor} class="time-label">
        now
      </text>
      <text x={0} y={bottom + 18} class="time-label">
        {moment(first)}
      </text>
      <text x={width} y={bottom + 18} text-anchor="end" class="time-label">
        {moment(last)}
      </text>
    </svg>
  );
}
