// SPDX-License-Identifier: Apache-2.0
import { Gauge, Histogram, type Registry } from 'prom-client';
import type { Answered, Attester } from '../attestation/attester.ts';

const STATES = ['unknown', 'ready', 'missing', 'locked', 'unavailable'] as const;
type State = (typeof STATES)[number];

/** How the TPM is, and how long it takes to answer. */
export function attestationMetrics(registry: Registry, attester: Pick<Attester, 'listen'>): void {
  const registers = [registry];
  const duration = new Histogram({
    name: 'lamadist_tpm_answer_duration_seconds',
    help: 'How long the TPM took to answer, without the time in the queue, by question.',
    labelNames: ['question', 'result'] as const,
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers,
  });
  const state = new Gauge({
    name: 'lamadist_tpm_state',
    help: 'Whether the TPM was in this state when it was last asked (1) or not (0).',
    labelNames: ['state'] as const,
    registers,
  });
  const set = (now: State) => {
    for (const each of STATES) state.set({ state: each }, each === now ? 1 : 0);
  };
  set('unknown');
  attester.listen((answered) => {
    duration.observe({ question: answered.question, result: answered.failure ? 'failed' : 'answered' }, answered.durationMs / 1000);
    set(stateAfter(answered));
  });
}

function stateAfter({ failure }: Answered): State {
  // To refuse a credential is an answer too.
  if (!failure || failure.code === 'CREDENTIAL_REFUSED') return 'ready';
  if (failure.code === 'TPM_LOCKED') return 'locked';
  return failure.code === 'TPM_MISSING' ? 'missing' : 'unavailable';
}
