// @vitest-environment happy-dom

import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { readMark, shareMark } from '../src/data/mark';
import { App } from '../src/frame/app';
import { useAction } from '../src/frame/parts';
import { takeLink } from '../src/frame/router';
import { ChainPicture } from '../src/pictures/chain_picture';
import { JsonText } from '../src/text/json_text';
import { VisibleText } from '../src/text/visible_text';

const kHostile = '<img src=x onerror=alert(1)><script>alert(2)</script>"\'&\u202ex';

afterEach(() => {
  vi.unstubAllGlobals();
  document.body.textContent = '';
});

function drawn(view: preact.ComponentChild): HTMLElement {
  const place = document.body.appendChild(document.createElement('div'));
  void act(() => render(view, place));
  return place;
}

test.each([
  ['a text', <VisibleText text={kHostile} />],
  ['JSON', <JsonText value={{ [kHostile]: [kHostile, { a: kHostile }] }} />],
  ['a picture', <ChainPicture hops={[{ state: 'passed', giver: kHostile, receiver: kHostile, principal: kHostile, scopes: kHostile, constraints: [kHostile] }]} />],
])('what an agent wrote stays text in %s', (_, view) => {
  const place = drawn(view);
  expect(place.querySelector('img, script')).toBeNull();
  expect(place.innerHTML).not.toContain('\u202e');
  expect(place.innerHTML).toContain('202E');
});

test('JSON shows a text apart from a number, and everything in it', () => {
  const place = drawn(<JsonText value={{ a: 75, b: '75', c: null, d: [], e: {}, f: 'q"\\' }} />);
  expect(place.textContent).toBe('{"a": 75,"b": "75","c": null,"d": [],"e": {},"f": "q\\"\\\\"}');
});

test('a link is taken out of the address at once', () => {
  history.replaceState(null, '', '/ui#link=AAAA_-bb');
  expect(takeLink()).toBe('AAAA_-bb');
  expect(location.hash).toBe('#/approvals');
  expect(takeLink()).toBeUndefined();
  history.replaceState(null, '', '/ui#link=<b>');
  expect(takeLink()).toBeUndefined();
  expect(location.hash).toBe('#/approvals');
});

// As a page that signed in before; without one nobody is asked.
beforeEach(() => sessionStorage.setItem('chancery-console', 'MARK'));

test('whoever has no mark asks the daemon nothing', async () => {
  sessionStorage.clear();
  const { place, asked } = await appAfter(() => json(kSession));
  expect(place.textContent).toContain('chancery console');
  expect(asked).toEqual([]);
});

test('the mark that opened a session is shown with each request', async () => {
  sessionStorage.clear();
  const answer = (path: string) => (path === '/ui/session' ? json({ ...kSession, mark: 'NEW' }, 201) : json({ approvals: [] }));
  const { asked } = await appAfter(answer, 'LINK');
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(1));
  const marks = asked.map(([, { headers }]) => (headers as Record<string, string>)['X-Chancery-Console']?.replace('; background', ''));
  expect(marks[0]).toBe('1');
  expect(new Set(marks.slice(1))).toEqual(new Set(['NEW']));
});

async function appAfter(answer: (path: string, init: RequestInit) => Response | Promise<Response>, link?: string) {
  const asked: [string, RequestInit][] = [];
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    asked.push([path, init]);
    return answer(path, init);
  });
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }));
  const place = drawn(<App link={link} />);
  await vi.waitFor(() => expect(place.querySelector('h1')).not.toBeNull(), 5_000);
  return { place, asked };
}

const json = (value: unknown, status = 200) => new Response(JSON.stringify(value), { status });
const kSession = {
  role: 'approver', uid: 7, principal: 'user:bob@example.org', needs_passkey: false, passkeys: 0, began_at: 1, ends_at: 2, idle_s: 900, now: 1,
  version: '1', issuer: 'https://localhost', rp_id: 'localhost', may: [],
}; // prettier-ignore

test('whoever is not signed in is told how', async () => {
  const { place } = await appAfter(() => json({ detail: 'no' }, 401));
  expect(place.textContent).toContain('chancery console');
  // Whoever has no browser there needs the address, and not the name of the file that holds it.
  expect(place.textContent).toContain('$(chancery console --no-browser');
  expect(place.textContent).not.toContain('This link is not good');
});

test('a link is exchanged by POST and not said again', async () => {
  const { place, asked } = await appAfter((path) => (path === '/ui/session' ? json({ ...kSession, mark: 'NEW' }, 201) : json({ approvals: [] })), 'LINK');
  expect(asked[0]).toMatchObject(['/ui/session', { method: 'POST', body: '{"link":"LINK"}', headers: { 'X-Chancery-Console': '1' } }]);
  expect(asked.slice(1).some(([path]) => path.includes('LINK'))).toBe(false);
  expect(place.textContent).toContain('user:bob@example.org');
  await vi.waitFor(() => expect(place.textContent).toContain('Nothing waits for a person'));
});

test('a link that is not good says so', async () => {
  const { place } = await appAfter(() => json({ detail: 'no' }, 401), 'USED');
  expect(place.textContent).toContain('This link is not good');
});

test('a daemon that does not answer is told from a session that is none', async () => {
  const { place } = await appAfter(() => Promise.reject(new TypeError('failed')));
  expect(place.textContent).toContain('does not answer');
});

test('an approver sees no page of the operator', async () => {
  const { place } = await appAfter((path) => (path === '/ui/session' ? json(kSession) : json({ approvals: [] })));
  const pages = [...place.querySelectorAll('nav.places a')].map((link) => link.textContent);
  expect(pages).toEqual(['Approvals', 'Chains']);
});

test('a session that ended asks to sign in again', async () => {
  let isOver = false;
  const answer = (path: string) => (isOver ? json({ detail: 'no' }, 401) : path === '/ui/session' ? json(kSession) : json({ approvals: [] }));
  const { place } = await appAfter(answer);
  expect(place.querySelector('.frame')).not.toBeNull();
  isOver = true;
  location.hash = '#/approvals?view=history';
  dispatchEvent(new HashChangeEvent('hashchange'));
  await vi.waitFor(() => expect(place.textContent).toContain('You are signed out'));
  expect(sessionStorage.length).toBe(0);
});

test('whoever leaves has the signal given before anything else happens', () => {
  let given: AbortSignal | undefined;
  let press = () => {};
  const Acting = () => {
    press = useAction((signal) => {
      given = signal;
      return new Promise(() => undefined);
    }).run;
    return null;
  };
  const place = drawn(<Acting />);
  void act(() => press());
  expect(given?.aborted).toBe(false);
  render(null, place); // not by act(), which would do what comes a frame later too
  expect(given?.aborted).toBe(true);
});

test('a tab that was signed out goes on when another tells it of the next session', async () => {
  type Listener = (event: { data: unknown }) => void;
  const listeners: Listener[] = [];
  const tell: Listener = (event) => listeners.forEach((listener) => listener(event));
  vi.stubGlobal('BroadcastChannel', class {
    addEventListener = (_: string, listener: Listener) => listeners.push(listener);
    postMessage = () => undefined;
  }); // prettier-ignore
  shareMark();
  const answer = (path: string, { headers }: RequestInit) => {
    if (!(headers as Record<string, string>)['X-Chancery-Console']?.startsWith('NEXT')) return json({ detail: 'no' }, 401);
    return json(path === '/ui/session' ? kSession : { approvals: [] });
  };
  const { place } = await appAfter(answer);
  expect(place.querySelector('.frame')).toBeNull();
  tell({ data: { mark: 'NEXT', isNew: true } });
  await vi.waitFor(() => expect(place.querySelector('.frame')).not.toBeNull());
});

test('an answer to another tab replaces no mark, and a new one does', () => {
  const listeners: ((event: { data: unknown }) => void)[] = [];
  vi.stubGlobal('BroadcastChannel', class {
    addEventListener = (_: string, listener: (event: { data: unknown }) => void) => listeners.push(listener);
    postMessage = () => undefined;
  }); // prettier-ignore
  shareMark();
  const told = (data: unknown) => {
    listeners.forEach((listener) => listener({ data }));
    return readMark();
  };
  expect(told({ mark: 'FORMER' })).toBe('MARK');
  expect(told({ mark: 'NEXT', isNew: true })).toBe('NEXT');
  sessionStorage.clear();
  expect(told({ mark: 'FOUND' })).toBe('FOUND');
});
