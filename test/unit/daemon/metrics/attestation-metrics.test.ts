// SPDX-License-Identifier: Apache-2.0
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { Answered } from '../../../../agent/daemon/attestation/attester.ts';
import { attestationMetrics } from '../../../../agent/daemon/metrics/attestation-metrics.ts';
import { Failure, type FailureCode } from '../../../../agent/shared/failure.ts';
import { scrape } from '../../fakes/metrics.ts';

function tpm() {
  const registry = new Registry();
  let tell: (answered: Answered) => void = () => {};
  attestationMetrics(registry, {
    listen: (listener) => {
      tell = listener;
    },
  });
  return { registry, tell: (answered: Answered) => tell(answered) };
}

const failed = (code: FailureCode): Answered => ({ question: 'quote', durationMs: 20, failure: new Failure(code, 'Cannot') });

describe('the metrics of the TPM', () => {
  it('know nothing before it was asked', async () => {
    const { of } = await scrape(tpm().registry);
    expect(of('lamadist_tpm_state')).toMatchObject({
      'lamadist_tpm_state{state="unknown"}': '1',
      'lamadist_tpm_state{state="ready"}': '0',
    });
  });

  it.each([
    ['ready', { question: 'quote', durationMs: 20 } as const],
    ['ready', failed('CREDENTIAL_REFUSED')],
    ['missing', failed('TPM_MISSING')],
    ['locked', failed('TPM_LOCKED')],
    ['unavailable', failed('TPM_UNAVAILABLE')],
    ['unavailable', failed('DEADLINE_EXCEEDED')],
  ])('are %s after it was asked', async (state, answered) => {
    const { registry, tell } = tpm();
    tell(answered);
    expect((await scrape(registry)).of(`lamadist_tpm_state{state="${state}"`)).toEqual({ [`lamadist_tpm_state{state="${state}"}`]: '1' });
  });

  it('tell how long a quote takes', async () => {
    const { registry, tell } = tpm();
    tell({ question: 'quote', durationMs: 20 });
    const { of, types } = await scrape(registry);
    expect(types.get('lamadist_tpm_answer_duration_seconds')).toBe('histogram');
    expect(of('lamadist_tpm_answer_duration_seconds_sum')).toEqual({
      'lamadist_tpm_answer_duration_seconds_sum{question="quote",result="answered"}': '0.02',
    });
  });
});
