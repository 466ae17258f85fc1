import { describe, expect, test } from 'vitest';

import { countSuspicious, countSuspiciousIn, readGlyphs } from '../src/text/glyphs';
import { shortLabel, visibleLabel } from '../src/text/visible_text';

const named = (text: string) =>
  readGlyphs(text)
    .filter((piece) => piece.code !== undefined)
    .map((piece) => `${piece.kind} ${piece.code!.toString(16)}${piece.looksLike === undefined ? '' : ` ${piece.looksLike}`}`);

describe('what is named', () => {
  test.each([
    ['plain text', 'Refund 75 EUR to ch_1QxR, now!', []],
    ['accents in their usual form', 'Zoë paid at the café', []],
    ['a whole sentence of another script', 'Привет, дружище', []],
    ['East Asian writing that mixes its scripts', '東京タワーへ', []],
    ['a control character', 'a\u0007b', ['control 7']],
    ['a line feed', 'a\nb', ['control a']],
    ['a carriage return, which overwrites a line on a terminal', 'a\rb', ['control d']],
    ['a character of C1', 'a\u009bb', ['control 9b']],
    ['an override of direction', 'safe\u202egpj.exe', ['direction 202e']],
    ['an isolate and its end', '\u2066x\u2069', ['direction 2066', 'direction 2069']],
    ['a mark of direction', 'x\u200ey', ['direction 200e']],
    ['a zero-width space inside of a word', 'pay\u200bpal', ['invisible 200b']],
    ['a zero-width joiner at the end', 'admin\u200d', ['invisible 200d']],
    ['a byte order mark', '\ufeffx', ['invisible feff']],
    ['hidden tags', 'x\u{e0041}', ['invisible e0041']],
    ['a variation selector', 'x\ufe0f', ['invisible fe0f']],
    ['a filler that counts as a letter', 'a\u3164b', ['invisible 3164']],
    ['a line separator', 'a\u2028b', ['control 2028']],
    ['a no-break space', 'a\u00a0b', ['space a0']],
    ['a space at an end', 'a ', ['space 20']],
    ['two spaces', 'a  b', ['space 20', 'space 20']],
    ['a Cyrillic letter in a Latin word', 'p\u0430ypal', ['confusable 430 a']],
    ['a Greek letter in a Latin word', 'c\u03bfm', ['confusable 3bf o']],
    ['a letter in a mixed word that looks like none', 'abж', ['confusable 436']],
    ['a word wholly of letters that look Latin', '\u0440\u0430\u0443', ['confusable 440 p', 'confusable 430 a', 'confusable 443 y']],
    ['full-width letters', 'ａ', ['confusable ff41 a']],
    ['mathematical letters', '\u{1d4ea}', ['confusable 1d4ea a']],
    ['a dash that is no hyphen', 'a\u2013b', ['confusable 2013 -']],
    ['a slash that is none', 'example.org\u2044x', ['confusable 2044 /']],
    ['a digit of another script', '\u0661', ['confusable 661']],
    ['an accent of its own on a letter', 'e\u0301', ['mark 301']],
    ['a word in Lisu, which looks Latin', '\ua4d0\ua4f3', ['confusable a4d0', 'confusable a4f3']],
    ['small capitals of phonetics', 'p\u1d0fw', ['confusable 1d0f']],
    ['a small capital that is in no table', '\u1d1c\u1d21', ['confusable 1d1c', 'confusable 1d21']],
    ['a dotless i', 'adm\u0131n', ['confusable 131 i']],
    ['a barred letter', 'c\u0142ose', ['confusable 142']],
    ['Coptic', '\u2c9f\u2c9f', ['confusable 2c9f', 'confusable 2c9f']],
    ['Cherokee beside nothing else', '\u13a0\u13a1', ['confusable 13a0 D', 'confusable 13a1 R']],
    ['Canadian syllabics', '\u15af', ['confusable 15af b']],
    ['Deseret', '\u{1042c}', ['confusable 1042c']],
    ['Tifinagh', '\u2d54', ['confusable 2d54']],
    ['a digit that is struck through', '1\u0335', ['mark 335']],
    ['a digit in a circle', '5\u20dd', ['mark 20dd']],
    ['a mark on a sign', '-\u0338', ['mark 338']],
    ['a vowel on its letter', '\u0915\u093f', []],
    ['private use', '\ue000', ['unassigned e000']],
    ['half of a character', '\ud800', ['unassigned d800']],
  ])('%s', (_, text, want) => {
    expect(named(text)).toEqual(want);
  });
});

test('nothing is lost: the pieces make the text again', () => {
  let text = '';
  for (let code = 0; code < 0x3000; code += 7) text += `${String.fromCodePoint(code)}a b`;
  text += '\u{1f600}\u{e0001}\ud800';
  expect(readGlyphs(text).map((piece) => piece.text).join('')).toBe(text);
});

test('every character of ASCII that is not drawn is named, and none that is', () => {
  for (let code = 0; code < 0x80; ++code) {
    const isDrawn = code >= 0x20 && code < 0x7f;
    expect([code, named(`a${String.fromCharCode(code)}a`).length]).toEqual([code, isDrawn ? 0 : 1]);
  }
});

test('what turns or hides stays out of labels', () => {
  expect(visibleLabel('safe\u202egpj.exe')).toBe('safe[U+202E]gpj.exe');
  expect(visibleLabel('p\u0430y')).toBe('p\u0430[U+0430]y');
  expect(visibleLabel('a\u00a0b ')).toBe('a[U+00A0]b[U+0020]');
  expect(visibleLabel('a \u05d0\u05d1 12')).toBe('a \u2067\u05d0\u05d1\u2069 12');
  expect(shortLabel('\u05d0'.repeat(9), 5)).toBe('\u2067\u05d0\u05d0\u2069…\u2067\u05d0\u05d0\u2069');
  expect(shortLabel('abcdefghij', 5)).toBe('ab…ij');
  expect(shortLabel('abc', 5)).toBe('abc');
  expect([...shortLabel('x'.repeat(100), 30)]).toHaveLength(30);
});

test('right-to-left letters are set apart from what stands beside them', () => {
  expect(readGlyphs('a \u05d0\u05d1 12').map(({ kind, text }) => [kind, text])).toEqual([
    ['plain', 'a '],
    ['right_to_left', '\u05d0\u05d1'],
    ['plain', ' 12'],
  ]);
});

test('line feeds and spaces are shown and not counted; names of members are counted', () => {
  expect(countSuspicious('two  spaces\nand lines')).toBe(0);
  expect(countSuspiciousIn({ 'a\u202e': ['x\u200b', 1, null, { b: 'p\u0430y' }] })).toBe(3);
});
