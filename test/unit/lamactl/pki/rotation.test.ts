// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { advance } from '../../../../agent/lamactl/pki/rotation.ts';

const CONFIRMED = { unconfirmed: [], toHandOver: [], strays: [] };

describe('a rotation of authorities', () => {
  it('goes through its stages in their order, and ends', () => {
    expect(advance('trusting', CONFIRMED)).toEqual({ type: 'next', stage: 'reissuing' });
    expect(advance('reissuing', CONFIRMED)).toEqual({ type: 'next', stage: 'handing-over' });
    expect(advance('handing-over', CONFIRMED)).toEqual({ type: 'next', stage: 'dropping' });
    expect(advance('dropping', CONFIRMED)).toEqual({ type: 'finished' });
  });

  it.each(['trusting', 'reissuing', 'dropping'] as const)('stays at %s while one node did not confirm it', (stage) => {
    expect(advance(stage, { ...CONFIRMED, unconfirmed: ['shed'] })).toEqual({ type: 'waiting' });
  });

  it('stays where it is while a node that is not in the context would be locked out', () => {
    expect(advance('trusting', { ...CONFIRMED, strays: ['shed'] })).toEqual({ type: 'waiting' });
  });

  it('drops nothing while somebody waits for a certificate', () => {
    expect(advance('handing-over', { ...CONFIRMED, toHandOver: ['carol.pem'] })).toEqual({ type: 'waiting' });
  });
});
