// Small things that every page is made of.

import type { ComponentChildren } from 'preact';
import { useContext, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { VisibleText, visibleLabel } from '../text/visible_text';
import { ago, iso, moment } from '../text/times';
import { announce } from './announce';
import type { Loaded } from './load';
import { linkTo } from './router';
import { SignedContext } from './session_context';

export type Tone = 'good' | 'bad' | 'warn' | 'info' | 'quiet';

const kMarks: Record<Tone, string> = { good: '✓', bad: '✕', warn: '!', info: '•', quiet: '–' };

/** A state in a word, with a mark beside its colour. */
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`badge badge-${tone}`}>
      <span class="badge-mark" aria-hidden="true">
        {kMarks[tone]}
      </span>
      {children}
    </span>
  );
}

const kTones: Record<string, Tone> = {
  pending: 'warn',
  approved: 'good',
  used: 'good',
  denied: 'bad',
  active: 'good',
  rotating: 'info',
  lost: 'bad',
  revoked: 'bad',
  frozen: 'bad',
  valid: 'good',
  permit: 'good',
  done: 'good',
  deny: 'bad',
  refused: 'bad',
  failed: 'bad',
  passed: 'good',
  open: 'good',
  halted: 'bad',
  waiting: 'warn',
  ok: 'good',
};

export function StateBadge({ state }: { state: string }) {
  return <Badge tone={kTones[state] ?? 'quiet'}>{visibleLabel(state.replaceAll('_', ' '))}</Badge>;
}

const kRisks: Record<string, Tone> = { low: 'quiet', medium: 'warn', high: 'bad' };

/** Of a call, by the runtime's word; nothing of what has none. */
export function RiskBadge({ risk }: { risk: string | undefined }) {
  return risk === undefined ? null : <Badge tone={kRisks[risk] ?? 'warn'}>{`${visibleLabel(risk)} risk`}</Badge>;
}

export function EnforcementBadge({ enforcement }: { enforcement: string | undefined }) {
  if (enforcement === undefined) return null;
  return enforcement.startsWith('tpm') ? <Badge tone="good">tpm-enforced</Badge> : <Badge tone="info">software-enforced</Badge>;
}

/** A time as how long ago it was, with the time itself beside it for whoever looks closer. */
export function When({ at, now, full = false }: { at: number | undefined; now: number; full?: boolean }) {
  if (at === undefined) return <span class="quiet">never</span>;
  return (
    <time dateTime={iso(at)} title={moment(at)}>
      {full ? moment(at) : ago(at, now)}
    </time>
  );
}

/** An identifier in full, with a button that copies it and, for who may read the audit log, a link that follows it there. */
export function Identifier({ text, follow = false }: { text: string; follow?: boolean }) {
  const isReader = useContext(SignedContext)?.session.role === 'operator';
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      announce('Copied');
    } catch {
      announce('The browser does not allow copying here');
    }
  };
  return (
    <span class="identifier">
      <code>{follow && isReader ? <a href={linkTo('audit', '', { ref: text })}><VisibleText text={text} /></a> : <VisibleText text={text} />}</code>
      <button type="button" class="button-bare" onClick={copy}>
        Copy<span class="sr-only"> {text.slice(0, 24)}</span>
      </button>
    </span>
  );
}

/** The heading of a page, after which the window is named too. */
export function Title({ text, children }: { text: string; children?: ComponentChildren }) {
  useEffect(() => {
    document.title = `${visibleLabel(text)} – Chancery`;
  }, [text]);
  return <h1>{children ?? text}</h1>;
}

export type Fact = readonly [string, ComponentChildren, string?];

/** Names and what they are; a third text says whose word it is. What is absent is left out. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  const shown = facts.filter(([, value]) => value !== undefined && value !== null && value !== '');
  return (
    <dl class="facts">
      {shown.map(([name, value, word]) => (
        <div class="fact" key={name}>
          <dt>
            {name}
            {word !== undefined && <span class="fact-word">{word}</span>}
          </dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Section({ title, id, children, aside }: { title: string; id: string; children: ComponentChildren; aside?: ComponentChildren }) {
  return (
    <section class="card" aria-labelledby={`${id}-title`}>
      <div class="card-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** What a column is called; numbers stand under one another, to the right. */
export type Column = string | { number: string };

/** A table in a frame of its own, in which it is moved sideways where the window is too narrow for it. Its children are the rows. */
export function Table({ label, look, columns, children }: { label: string; look?: string; columns: readonly Column[]; children: ComponentChildren }) {
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={label}>
      <table class={look}>
        <thead>
          <tr>
            {columns.map((column) =>
              typeof column === 'string' ? (
                <th scope="col" key={column}>
                  {column}
                </th>
              ) : (
                <th scope="col" class="number" key={column.number}>
                  {column.number}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function Notice({ tone, title, children }: { tone: Tone; title: string; children?: ComponentChildren }) {
  return (
    <div class={`notice notice-${tone}`} role={tone === 'bad' ? 'alert' : undefined}>
      <span class="notice-mark" aria-hidden="true">
        {kMarks[tone]}
      </span>
      <div>
        <strong>{title}</strong>
        {children !== undefined && <div class="notice-text">{children}</div>}
      </div>
    </div>
  );
}

export function ErrorNotice({ error, retry, title = 'That did not work' }: { error: Error; retry?: () => void; title?: string }) {
  return (
    <Notice tone="bad" title={title}>
      <VisibleText text={error.message} />
      {retry !== undefined && (
        <p>
          <button type="button" class="button" onClick={retry}>
            Try again
          </button>
        </p>
      )}
    </Notice>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <div class="loading" role="status">
      <span class="loading-bar" aria-hidden="true" />
      <span class="sr-only">Loading {what}</span>
    </div>
  );
}

/** What was asked for, once it is there: until then that it loads, or why it does not. */
export function Shown<T>({ loaded, what, children }: { loaded: Loaded<T>; what: string; children: (data: T) => ComponentChildren }) {
  if (loaded.data === undefined) {
    return loaded.error ? <ErrorNotice error={loaded.error} retry={loaded.reload} /> : <Loading what={what} />;
  }
  return (
    <>
      {loaded.error && <ErrorNotice error={loaded.error} retry={loaded.reload} />}
      {children(loaded.data)}
    </>
  );
}

/**
 * A button whose doing takes a while: it cannot be pressed twice, and says why it failed. Its signal is given when whoever pressed it
 * leaves, by another page or by closing the window: what was not sent by then is not sent any more.
 */
export function useAction(action: (signal: AbortSignal) => Promise<void>): { run: () => void; isBusy: boolean; error?: Error } {
  const [state, setState] = useState<{ isBusy: boolean; error?: Error }>({ isBusy: false });
  const running = useRef<AbortController | undefined>(undefined);
  // As the window goes, and not a frame later as by useEffect: what a key answers in between would be sent.
  useLayoutEffect(() => () => running.current?.abort(), []);
  const run = () => {
    if (running.current !== undefined) return; // two presses may come before the page is drawn again
    const controller = new AbortController();
    const end = (error?: Error) => {
      if (controller.signal.aborted) return;
      running.current = undefined;
      setState({ isBusy: false, ...(error && { error }) });
    };
    running.current = controller;
    setState({ isBusy: true });
    action(controller.signal).then(
      () => end(),
      (thrown: unknown) => end(thrown instanceof Error ? thrown : new Error(String(thrown))),
    );
  };
  return { run, ...state };
}
