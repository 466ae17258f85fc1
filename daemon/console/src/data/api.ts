// Asking the daemon. One function sends; the others say what there is to ask, as docs/protocol/console.md has it.

import { forgetMark, keepMark, readMark } from './mark';
import type {
  AgentPage,
  AgentView,
  Anomaly,
  ApprovalPage,
  ApprovalView,
  AuditKeys,
  AuditPage,
  Backend,
  BudgetState,
  Checkpoint,
  Explanation,
  FreezeState,
  Impact,
  Key,
  Overview,
  Problem,
  ProvedEntry,
  RequestOptions,
  Session,
} from './types';

/** A refusal of the daemon's, or that it did not answer; `message` says what to do. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

interface Asking {
  method?: string;
  /** The octets to send, exactly. */
  body?: string;
  headers?: Record<string, string>;
  /** Of whom it is; without one, this page's session. */
  mark?: string;
  signal?: AbortSignal;
  /** Asked by the page and not by its reader: keeps no session awake. */
  background?: boolean;
}

/** Told of every 401, so that the page can ask its reader to sign in again. */
let whenSignedOut: () => void = () => undefined;

export function onSignedOut(listener: () => void): void {
  whenSignedOut = listener;
}

async function refusalOf(response: Response): Promise<Refusal> {
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  const detail = problem.detail || problem.title || `the daemon answered ${response.status}`;
  return new Refusal(response.status, problem.code ?? '', detail);
}

export async function ask<T>(path: string, asking: Asking = {}): Promise<T> {
  const mark = asking.mark ?? readMark();
  const headers: Record<string, string> = { 'X-Chancery-Console': asking.background ? `${mark}; background` : mark, ...asking.headers };
  if (asking.body !== undefined) headers['Content-Type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(path, {
      method: asking.method ?? 'GET',
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      ...(asking.body === undefined ? {} : { body: asking.body }),
      ...(asking.signal ? { signal: asking.signal } : {}),
    });
  } catch (error) {
    if (asking.signal?.aborted) throw error;
    throw new Refusal(0, 'unreachable', 'The daemon does not answer. See whether it runs: systemctl status chanceryd');
  }
  if (!response.ok) {
    const refusal = await refusalOf(response);
    // Another tab may have signed in meanwhile, which ends the session that this request was of and no more.
    if (response.status === 401 && mark === readMark()) {
      forgetMark(mark);
      if (path !== '/ui/session') whenSignedOut();
    }
    throw refusal;
  }
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

function query(parts: Record<string, string | number | undefined>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(parts)) {
    if (value !== undefined && value !== '') search.set(key, String(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

const part = encodeURIComponent;
const post = <T>(path: string, body: unknown): Promise<T> => ask<T>(path, { method: 'POST', body: JSON.stringify(body) });

async function opened(path: string, body: unknown, asking: Asking = {}): Promise<Session> {
  const { mark, ...session } = await ask<Session & { mark: string }>(path, { method: 'POST', body: JSON.stringify(body), ...asking });
  keepMark(mark);
  return session;
}

export const session = {
  show: () => ask<Session>('/ui/session'),
  exchange: (link: string) => opened('/ui/session', { link }, { mark: '1' }),
  challenge: () => post<{ id: string; options: RequestOptions }>('/ui/session/challenge', {}),
  passkey: (body: Record<string, unknown>) => opened('/ui/session/passkey', body),
  end: () => ask<undefined>('/ui/session', { method: 'DELETE' }),
};

export const approvals = {
  list: (state: string, background = false, limit = 100) =>
    ask<ApprovalPage>(`/ui/api/approvals${query({ state, limit })}`, { background }),
  /** Newest first; without a state all that are not pending. */
  history: (state: string, after?: string, limit = 50) =>
    ask<ApprovalPage>(`/ui/api/approvals${query({ state: state === '' ? 'settled' : state, order: 'newest', limit, after })}`),
  view: (id: string, background = false) => ask<ApprovalView>(`/ui/api/console/approvals/${part(id)}`, { background }),
  input: (request: string, verdict: string, reason: string) =>
    post<{ input: string; request_sha256: string; options: RequestOptions }>('/ui/decisions', {
      request,
      verdict,
      ...(reason === '' ? {} : { reason }),
    }),
  decide: (id: string, decision: string) =>
    post<{ id: string; state: string; enforcement: string }>(`/ui/api/approvals/${part(id)}/decision`, { decision }),
};

export const chains = {
  explain: (body: Record<string, unknown>) => post<Explanation>('/ui/api/chains/explain', body),
  lookUp: (token: string) => ask<{ chain: string[] }>(`/ui/api/console/chains/${part(token)}`),
};

export const agents = {
  list: (search: string, after?: string, limit = 50) =>
    ask<AgentPage>(`/ui/api/console/agents${query({ search, after, limit })}`),
  view: (name: string) => ask<AgentView>(`/ui/api/console/agents/${part(name)}`),
  keys: (name: string) => ask<{ keys: Key[] }>(`/ui/api/agents/${part(name)}/keys`),
  freezes: (background = false) => ask<FreezeState>('/ui/api/freeze', { background }),
  impact: (name: string) => post<Impact>('/ui/api/impact', { agent: name }),
};

export const audit = {
  search: (ref: string, action: string, before?: number) =>
    ask<AuditPage>(`/ui/api/console/audit${query({ ref, action, before, limit: 50 })}`),
  entry: (number: number) => ask<ProvedEntry>(`/ui/api/audit/entries/${number}`),
  /** Those of trees larger than `after`, the oldest first. */
  checkpoints: (after: number) => ask<{ checkpoints: Checkpoint[] }>(`/ui/api/audit/checkpoints${query({ after, limit: 20 })}`),
  keys: () => ask<AuditKeys>('/ui/api/audit/keys'),
  consistency: (from: number, to: number) =>
    ask<{ from: number; to: number; hashes: string[] }>(`/ui/api/audit/consistency${query({ from, to })}`),
};

export const health = {
  overview: (background: boolean) => ask<Overview>('/ui/api/overview', { background }),
  backends: () => ask<{ backends: Backend[] }>('/ui/api/backends'),
  anomalies: () => ask<{ anomalies: Anomaly[] }>('/ui/api/anomalies?limit=50'),
  budget: () => ask<BudgetState>('/ui/api/budget'),
};

export const passkeys = {
  /** A person's groups stay as they are, whatever is enrolled. */
  groupsOf: async (principal: string) => (await ask<{ groups: string[] }>(`/ui/api/approvers/${part(principal)}`)).groups,
  options: (principal: string, groups: string[], replaces: string) =>
    post<{ id: string; options: PublicKeyCredentialCreationOptionsJSON }>('/ui/passkeys/options', {
      principal,
      ...(groups.length > 0 ? { groups } : {}),
      ...(replaces === '' ? {} : { replaces }),
    }),
  made: (id: string, registration: Record<string, string>) =>
    post<{ enrolment: string; sha256: string; jkt: string; first: boolean }>('/ui/passkeys', { id, registration }),
  authorization: (enrolment: string) => post<{ input: string; options: RequestOptions }>('/ui/authorizations', { enrolment }),
  // The interface takes the document as an object; it is read in JCS again, which is the form that was signed.
  enrol: (enrolment: string, authorization?: string) =>
    post<unknown>('/ui/api/approvers', {
      enrolment: JSON.parse(enrolment) as unknown,
      ...(authorization === undefined ? {} : { authorization }),
    }),
};

export interface Confirmation {
  id: string;
  options: RequestOptions;
}

export const confirmations = {
  ask: (method: string, path: string, body: string) => post<Confirmation>('/ui/confirmations', { method, path, body }),
  send: <T>(method: string, path: string, body: string, confirmation: string) =>
    ask<T>(path, { method, headers: { 'Chancery-Confirmation': confirmation }, ...(body === '' ? {} : { body }) }),
};
