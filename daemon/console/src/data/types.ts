// What the daemon answers, as docs/protocol/console.md and openapi.yaml describe it. Times are seconds since 1970.

export interface Session {
  role: 'operator' | 'approver';
  uid: number;
  principal?: string;
  passkey?: { jkt: string; credential_id: string };
  needs_passkey: boolean;
  passkeys: number;
  began_at: number;
  ends_at: number;
  idle_s: number;
  now: number;
  version: string;
  issuer: string;
  rp_id: string;
  may: string[];
}

export interface Problem {
  title: string;
  status: number;
  detail: string;
  code: string;
}

export type Enforcement = 'tpm-enforced' | 'software-enforced';

/** What a person decided. */
export interface Vote {
  approver: string;
  key: string;
  verdict: 'approve' | 'deny';
  at: number;
  enforcement: Enforcement;
  reason?: string;
  voided_at?: number;
}

/** A gate that a request is put to. */
export interface RequestGate {
  name: string;
  quorum: number;
  approvals: number;
  separation: string;
  enforcement: Enforcement;
}

export interface Approval {
  id: string;
  kind?: string;
  state: string;
  tool?: string;
  principal: string;
  key: string;
  sha256: string;
  enforcement?: Enforcement;
  gates?: (string | RequestGate)[];
  asked_at: number;
  expires_at: number;
  approved_at?: number;
  approved_until?: number;
  ended_at?: number;
  /** How many have decided, in lists; who, of one request. */
  decisions?: number | Vote[];
  needed?: number;
  document?: Record<string, unknown>;
  agent?: string;
  risk?: string;
  /** Of the arguments those that are numbers, else what would be spent: for lists. */
  amounts?: Record<string, string>;
  previous?: PreviousRequest;
}

/** The last request of the same kind that was decided, for the same tool and principal, and by the same key. */
export interface PreviousRequest {
  id: string;
  state: 'approved' | 'denied';
  decided_at: number;
  sha256: string;
  document: Record<string, unknown>;
}

export interface ApprovalPage {
  approvals: Approval[];
  next?: string;
}

export interface ApprovalView {
  approval: Approval;
  chain?: string[];
}

export interface AgentRow {
  name: string;
  id: string;
  state: string;
  reason?: string;
  backend: string;
  type: string;
  custody?: string;
  jkt: string;
  created_at: number;
  key_created_at: number;
  last_used_at?: number;
}

/** What the kill switch holds. */
export interface FreezeState {
  frozen: boolean;
  enforcement: 'tpm' | 'software';
  since?: number;
  reason?: string;
  /** Those that are frozen by themselves. */
  agents: string[];
  switched_keys: number;
  other_keys: number;
  armed: boolean;
}

export interface AgentPage {
  agents: AgentRow[];
  next?: string;
  active: number;
  retired: number;
  lost: number;
}

export interface Budget {
  token: string;
  constraint: string;
  kind: 'lifetime' | 'subtree' | 'rate';
  limit: string;
  spent: string;
  ends_at: number;
}

export interface AgentView {
  agent: AgentRow;
  budgets: Budget[];
  tokens: number;
}

export interface Key {
  jkt: string;
  owner: string;
  backend: string;
  algorithm: string;
  state: string;
  reason?: string;
  created_at: number;
  overlap_until?: number;
  ended_at?: number;
}

export interface Impact {
  tokens: number;
  descendants: number;
  until?: number;
  last_used_at?: number;
  agents: { name: string; tokens: number; last_used_at?: number }[];
  open_reservations: number;
  standing: { id?: number; kind: string; reason?: string; at: number; tokens: number }[];
}

export interface Hop {
  state: 'passed' | 'failed' | 'not_reached' | 'read' | 'unreadable';
  giver?: string;
  receiver?: string;
  principal?: string;
  signed_with?: string;
  holder?: string;
  audience?: string;
  scopes?: string;
  constraints?: string[];
  valid_from?: string;
  valid_until?: string;
  custody?: string;
}

export interface HopCustody {
  how: string;
  level: string;
  says: string;
  verifier?: string;
  evidence_at?: number;
  expires_at?: number;
}

export interface Explanation {
  outcome: string;
  step: string | number | null;
  hop: number | null;
  reason?: string;
  expected?: string;
  found?: string;
  remedy?: string;
  not_performed: string[];
  tokens: number;
  hops: Hop[];
  custody?: HopCustody[];
  ignored_results?: { index: number; reason: string }[];
}

export interface AuditEntry {
  v: number;
  at: number;
  action: string;
  outcome?: string;
  caller?: Record<string, unknown> | null;
  principal?: string;
  agent?: string;
  session?: string;
  task?: string;
  request_id?: string;
  trace_id?: string;
  hop?: number;
  policy?: string;
  ids?: Record<string, string>;
  details?: Record<string, unknown>;
}

export interface NumberedEntry {
  number: number;
  entry: AuditEntry;
}

export interface AuditPage {
  entries: NumberedEntry[];
  size: number;
  next?: number;
}

export interface Inclusion {
  number: number;
  size: number;
  leaf_hash: string;
  hashes: string[];
}

export interface Checkpoint {
  size: number;
  at: number;
  note: string;
}

export interface ProvedEntry extends NumberedEntry {
  leaf_hash: string;
  inclusion?: Inclusion;
  checkpoint?: Checkpoint;
  salt?: string;
}

export interface AuditKeys {
  origin: string;
  keys: { vkey: string; jkt: string; backend: string; state: string; created_at: number; jwk: Record<string, string> }[];
}

export interface Overview {
  version: string;
  started_at: number;
  now: number;
  ready: boolean;
  missing: string[];
  issuer: string;
  keys: { purpose: string; jkt: string; backend: string; state: string; custody?: string; created_at: number }[];
  backends: { name: string; type: string; up: boolean; simulator: boolean; queued: number; signatures: number; mean_ms: number }[];
  counts?: Record<string, number>;
  budgets: string;
  reservations: number;
  audit: { entries: number; failures: number; behind: boolean; checkpoint?: { size: number; signed_at: number } };
  status_list_signed_at?: number;
  anomalies: number;
}

export interface Backend {
  name: string;
  type: string;
  manufacturer: string;
  firmware: string;
  emulated: boolean;
  state: string;
  advice?: string;
  native?: string;
  load: Record<string, number>;
  default: boolean;
  issuer: boolean;
  agent_keys: number;
}

export interface Anomaly {
  id: number;
  at: number;
  agent: string;
  kind: string;
  measured: number;
  usual: number;
  what?: string;
  suspension?: number;
}

export interface BudgetState {
  state: string;
  reason?: string;
  checkpoint: string;
  totals: number;
  reservations: number;
}

export interface RequestOptions {
  challenge: string;
  rpId: string;
  userVerification: string;
  timeout?: number;
  allowCredentials: { type: string; id: string }[];
}
