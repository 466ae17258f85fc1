import { Fragment } from 'preact';
import { useMemo } from 'preact/hooks';

import { codeName, isolated, readGlyphs, type Piece } from './glyphs';

function describe(piece: Piece): string {
  const likeness = piece.looksLike === undefined ? '' : `, looks like ${piece.looksLike}`;
  return `${codeName(piece.code!)} ${piece.name}${likeness}`;
}

function Glyph({ piece }: { piece: Piece }) {
  // Drawn beside its name where it can be: what passes for a letter is recognized by seeing it. Never what would not be seen.
  const isDrawn = piece.kind === 'confusable';
  return (
    <mark class={`glyph glyph-${piece.kind}`}>
      {isDrawn && <bdi class="glyph-drawn">{piece.text}</bdi>}
      <span class="glyph-name">{describe(piece)}</span>
    </mark>
  );
}

function PieceView({ piece }: { piece: Piece }) {
  if (piece.kind === 'plain') return <>{piece.text}</>;
  if (piece.kind === 'right_to_left') return <bdi class="run-rtl">{piece.text}</bdi>;
  if (piece.code === 0x0a) {
    return (
      <>
        <mark class="glyph glyph-line">
          <span class="glyph-name">line feed</span>
        </mark>
        {'\n'}
      </>
    );
  }
  return <Glyph piece={piece} />;
}

/**
 * A text of somebody else's, in full and as it is: in the order of its characters, with each that is not drawn, turns the
 * direction or passes for another one named where it stands.
 */
export function VisibleText({ text }: { text: string }) {
  const pieces = useMemo(() => readGlyphs(text), [text]); // pages are drawn anew each second
  return (
    <bdi class="octets" dir="ltr" translate={false}>
      {pieces.map((piece, at) => (
        <Fragment key={at}>
          <PieceView piece={piece} />
        </Fragment>
      ))}
    </bdi>
  );
}

function namedLabel(text: string): string {
  return readGlyphs(text)
    .map((piece) => {
      if (piece.code === undefined) return piece.text;
      return piece.kind === 'confusable' ? `${piece.text}[${codeName(piece.code)}]` : `[${codeName(piece.code)}]`;
    })
    .join('');
}

/** The same as a plain text, for labels and titles: what must be named stands in brackets. */
export function visibleLabel(text: string): string {
  return isolated(namedLabel(text));
}

/** At most `most` characters of it, for pictures; whoever draws one shows the whole text elsewhere. */
export function shortLabel(text: string, most: number): string {
  const characters = [...namedLabel(text)];
  if (characters.length <= most) return isolated(characters.join(''));
  const end = Math.floor((most - 1) / 2);
  return isolated(`${characters.slice(0, most - 1 - end).join('')}…${end > 0 ? characters.slice(-end).join('') : ''}`);
}
