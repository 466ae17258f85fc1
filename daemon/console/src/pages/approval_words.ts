// What a request is about, in words.

import type { Approval, RequestGate, Vote } from '../data/types';
import { plural } from '../text/times';

const kVerbs: Record<string, string> = { call: 'Call', action: 'Do', grant: 'Grant' };

/** `Call payments.refund`: from what lists show, without the document. */
export function subjectOf(approval: Approval): string {
  const kind = approval.kind ?? 'call';
  return `${kVerbs[kind] ?? kind} ${approval.tool ?? ''}`.trim();
}

/** The name of the agent whose key asks, as the daemon gave it; empty for a key of others. */
export function agentOf(approval: Approval): string {
  return approval.agent?.split('/').at(-1) ?? '';
}

/** `amount 101`: what tells one request from another in a list. */
export function amountsOf(approval: Approval): string[] {
  return Object.entries(approval.amounts ?? {}).map(([name, amount]) => `${name} ${amount}`);
}

export function gatesOf(approval: Approval): RequestGate[] {
  return (approval.gates ?? []).filter((gate): gate is RequestGate => typeof gate !== 'string');
}

export function gateNames(approval: Approval): string[] {
  return (approval.gates ?? []).map((gate) => (typeof gate === 'string' ? gate : gate.name));
}

/** The gates that a TPM opens, which no passkey can. */
export function tpmGates(approval: Approval): RequestGate[] {
  return gatesOf(approval).filter((gate) => gate.enforcement === 'tpm-enforced');
}

export function votesOf(approval: Approval): Vote[] {
  return Array.isArray(approval.decisions) ? approval.decisions : [];
}

/** `1 of 2 approvals`; empty where one is enough. */
export function progressOf(approval: Approval): string {
  const gates = gatesOf(approval);
  const needed = approval.needed ?? Math.max(0, ...gates.map((gate) => gate.quorum));
  const given = typeof approval.decisions === 'number' ? approval.decisions : Math.min(...gates.map((gate) => gate.approvals));
  if (needed < 2 || !Number.isFinite(given)) return '';
  return `${given} of ${plural(needed, 'approval')}`;
}
