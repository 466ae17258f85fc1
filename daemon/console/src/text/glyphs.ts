// What a text is made of, character by character, so that nothing in it is invisible or passes for something else.
//
// Everything that an agent says may have been written to deceive whoever reads it: a character that turns the direction of what
// follows, one that is not drawn at all, a Cyrillic letter that looks like a Latin one. They are found here and named; how they are
// drawn is the matter of visible_text.tsx. Pure.

import { kLookAlikes, kNames } from './glyph_tables';

export type GlyphKind = 'control' | 'direction' | 'invisible' | 'space' | 'unassigned' | 'confusable' | 'mark';

/** A part of a text: what may be drawn as it is, a line's end, or one character that is named. */
export interface Piece {
  kind: 'plain' | 'right_to_left' | GlyphKind;
  text: string;
  /** The code point of a character that is named. */
  code?: number;
  /** What the character is, for people. */
  name?: string;
  /** What it passes for. */
  looksLike?: string;
}

const kControl = /^\p{Cc}$/u;
const kDirection = /^[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]$/u;
const kInvisible = /^[\p{Default_Ignorable_Code_Point}\p{Cf}\u2800\u{1D159}]$/u;
const kLineEnd = /^[\p{Zl}\p{Zp}]$/u;
const kSpace = /^\p{Zs}$/u;
const kUnassigned = /^[\p{Cn}\p{Co}\p{Cs}]$/u;
const kForeignDigit = /^\p{Nd}$/u;
const kMark = /^\p{M}$/u;
const kLetter = /^\p{L}$/u;
const kPartOfWord = /^[\p{L}\p{M}\p{Nd}_]$/u;
const kAsciiText = /^[\x20-\x7e]+$/;
// The blocks whose characters run from right to left.
const kRightToLeft = '[\\u0590-\\u08FF\\uFB1D-\\uFDFF\\uFE70-\\uFEFC\\u{10800}-\\u{10FFF}\\u{1E800}-\\u{1EFFF}]';
const kIsRightToLeft = new RegExp(`^${kRightToLeft}$`, 'u');
const kRightToLeftRun = new RegExp(`${kRightToLeft}+`, 'gu');

const kScripts: readonly (readonly [string, RegExp])[] = [
  ['Latin', /\p{Script=Latin}/u],
  ['Cyrillic', /\p{Script=Cyrillic}/u],
  ['Greek', /\p{Script=Greek}/u],
  ['Armenian', /\p{Script=Armenian}/u],
  ['Georgian', /\p{Script=Georgian}/u],
  ['Cherokee', /\p{Script=Cherokee}/u],
  ['Coptic', /\p{Script=Coptic}/u],
  ['Hebrew', /\p{Script=Hebrew}/u],
  ['Arabic', /\p{Script=Arabic}/u],
  ['Devanagari', /\p{Script=Devanagari}/u],
  ['Thai', /\p{Script=Thai}/u],
  // Written together in one word as a matter of course.
  ['East Asian', /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}]/u],
];

const kOther = 'another script';

function scriptOf(character: string): string {
  if (/[\p{Script=Common}\p{Script=Inherited}]/u.test(character)) return '';
  return kScripts.find(([, pattern]) => pattern.test(character))?.[0] ?? kOther;
}

/**
 * Letters that are named wherever they stand: of scripts that few read and of which some look Latin to the last letter (Lisu, Coptic,
 * Deseret), and Latin ones that are no letter of ASCII with accents (small capitals, turned, barred and dotless ones).
 */
function isStrange(character: string): boolean {
  if (!kLetter.test(character)) return false;
  const script = scriptOf(character);
  if (script === 'Latin') return !/^[A-Za-z]/.test(character.normalize('NFD'));
  return script === kOther || script === 'Coptic' || script === 'Cherokee';
}

/** `U+202E`, as people write code points. */
export function codeName(code: number): string {
  return 'U+' + code.toString(16).toUpperCase().padStart(4, '0');
}

function tagName(code: number): string | undefined {
  // A second alphabet that is never drawn, made for tags of languages, and used since to hide instructions in texts.
  if (code < 0xe0020 || code > 0xe007e) return undefined;
  return `tag character, hides "${String.fromCodePoint(code - 0xe0000)}"`;
}

function invisible(character: string, code: number): Piece | undefined {
  const named = (kind: GlyphKind, fallback: string): Piece => ({
    kind,
    text: character,
    code,
    name: kNames.get(code) ?? tagName(code) ?? fallback,
  });
  if (kControl.test(character)) return named('control', 'control character');
  if (kDirection.test(character)) return named('direction', 'turns the direction of text');
  if (kLineEnd.test(character)) return named('control', 'line separator');
  if (kUnassigned.test(character)) return named('unassigned', 'no assigned character');
  if (kInvisible.test(character)) return named('invisible', 'character that is not drawn');
  if (kSpace.test(character) && character !== ' ') return named('space', 'a space of another kind');
  return undefined;
}

/** What a character passes for whatever stands around it: full-width and mathematical letters, dashes, other digits. */
function alwaysConfusable(character: string, code: number): Piece | undefined {
  if (code < 0x80) return undefined;
  const plain = character.normalize('NFKC');
  if (plain !== character && kAsciiText.test(plain)) {
    return { kind: 'confusable', text: character, code, name: 'another form', looksLike: plain };
  }
  if (isStrange(character)) return letterPiece(character, code);
  if (kForeignDigit.test(character)) return { kind: 'confusable', text: character, code, name: 'digit, but none of 0 to 9' };
  const likeness = kLookAlikes.get(character);
  if (likeness === undefined) return undefined;
  const script = scriptOf(character);
  if (script !== '' && script !== 'Latin') return undefined; // a letter of another script: the word tells
  return { kind: 'confusable', text: character, code, name: 'another character', looksLike: likeness };
}

/** The letters of one word that pass for others: all that are not of the word's script, or the whole of a word made of such. */
function confusableLetters(word: readonly string[]): Set<number> {
  const found = new Set<number>();
  const letters = word.flatMap((character, at) => (kLetter.test(character) ? [at] : []));
  const scripts = new Set(letters.map((at) => scriptOf(word[at]!)).filter((script) => script !== ''));
  const isMixed = scripts.size > 1;
  const isWholly = letters.length > 0 && letters.every((at) => kLookAlikes.has(word[at]!));
  for (const at of letters) {
    const script = scriptOf(word[at]!);
    if (script === '' || script === 'Latin') continue;
    if ((isMixed && scripts.has('Latin')) || isWholly || (isMixed && kLookAlikes.has(word[at]!))) found.add(at);
  }
  return found;
}

function letterPiece(character: string, code: number): Piece {
  const likeness = kLookAlikes.get(character);
  const script = scriptOf(character);
  const piece: Piece = { kind: 'confusable', text: character, code, name: `${script} letter` };
  if (likeness !== undefined) piece.looksLike = likeness;
  return piece;
}

function readWord(word: readonly string[], take: (piece: Piece) => void): void {
  const confusable = confusableLetters(word);
  word.forEach((character, at) => {
    const code = character.codePointAt(0)!;
    const always = invisible(character, code) ?? alwaysConfusable(character, code);
    if (always) return take(always);
    if (confusable.has(at)) return take(letterPiece(character, code));
    // An accent that is a character of its own, on a letter that has a form with it, on no letter (`1` struck through), or on top of
    // another accent.
    const before = word[at - 1] ?? '';
    if (kMark.test(character) && (!kLetter.test(before) || /^\p{Script=Latin}$/u.test(before))) {
      return take({ kind: 'mark', text: character, code, name: 'combining mark' });
    }
    take({ kind: kIsRightToLeft.test(character) ? 'right_to_left' : 'plain', text: character });
  });
}

/** Whether a space is one that a reader would not see: at an end of the text or of a line, or beside another. */
function isHiddenSpace(characters: readonly string[], at: number): boolean {
  const edge = (other: string | undefined) => other === undefined || other === ' ' || other === '\n';
  return characters[at] === ' ' && (edge(characters[at - 1]) || edge(characters[at + 1]));
}

/** Divides a text into what may be drawn as it is and the characters that must be named. Their `text`s make the text again. */
export function readGlyphs(text: string): Piece[] {
  const pieces: Piece[] = [];
  const take = (piece: Piece) => {
    const last = pieces.at(-1);
    if (piece.code === undefined && last?.code === undefined && last?.kind === piece.kind) last.text += piece.text;
    else pieces.push(piece);
  };
  const characters = [...text];
  let word: string[] = [];
  const endWord = () => {
    if (word.length > 0) readWord(word, take);
    word = [];
  };
  characters.forEach((character, at) => {
    if (kPartOfWord.test(character)) {
      word.push(character);
      return;
    }
    // What is not drawn does not end a word: `pay` + U+200B + `pal` is read as one.
    if (kInvisible.test(character) && word.length > 0) {
      word.push(character);
      return;
    }
    endWord();
    const code = character.codePointAt(0)!;
    if (isHiddenSpace(characters, at)) take({ kind: 'space', text: character, code, name: 'space' });
    else take(invisible(character, code) ?? alwaysConfusable(character, code) ?? { kind: 'plain', text: character });
  });
  endWord();
  return pieces;
}

/** The same text with what runs from right to left set apart, so that it moves nothing that stands beside it. */
export function isolated(text: string): string {
  return text.replace(kRightToLeftRun, '\u2067$&\u2069');
}

/** How many characters of a text a reader should know about; line feeds and spaces are named where they stand, and not counted. */
export function countSuspicious(text: string): number {
  return readGlyphs(text).filter((piece) => piece.code !== undefined && piece.code !== 0x0a && piece.code !== 0x20).length;
}

/** Of a document: of all texts in it, members' names included. */
export function countSuspiciousIn(value: unknown): number {
  if (typeof value === 'string') return countSuspicious(value);
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + countSuspiciousIn(item), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce((sum, [key, item]) => sum + countSuspicious(key) + countSuspiciousIn(item), 0);
}
