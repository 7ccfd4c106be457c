// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { callFailure } from '../../../../../agent/lamactl/node/call-failure.ts';
import { getStatus } from '../../../../../agent/lamactl/node/calls/status.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';

const UNIMPLEMENTED = 12;

/** A node that answers these calls, by the last part of their paths, and knows no others. */
function nodeWith(answers: Readonly<Record<string, object>>) {
  const asked: string[] = [];
  const call = async ({ path }: { readonly path: string }): Promise<never> => {
    const name = path.split('/').at(-1) ?? '';
    asked.push(name);
    const answer = answers[name];
    if (answer instanceof Failure) throw answer;
    if (!answer) throw callFailure({ code: UNIMPLEMENTED, details: 'The server does not implement this method' }, 'attic', () => undefined);
    return answer as never;
  };
  return { asked, channel: { call } };
}

describe('the status of a node', () => {
  it('is asked for with one question', async () => {
    const { asked, channel } = nodeWith({ GetStatus: { device: { hostname: 'attic' }, health: { verdict: 2 } } });
    expect(await getStatus(channel)).toMatchObject({ device: { hostname: 'attic' }, health: { verdict: 'passed' } });
    expect(asked).toEqual(['GetStatus']);
  });

  it('is asked for with three of an agent that is older than that question', async () => {
    const { asked, channel } = nodeWith({ GetDevice: { device: { hostname: 'attic' } }, GetHealth: { verdict: 2 }, GetUpdate: {} });
    expect(await getStatus(channel)).toMatchObject({ device: { hostname: 'attic' }, health: { verdict: 'passed' } });
    expect(asked).toEqual(['GetStatus', 'GetDevice', 'GetHealth', 'GetUpdate']);
  });

  it('is not asked for again when the node refuses', async () => {
    const { asked, channel } = nodeWith({ GetStatus: new Failure('PERMISSION_DENIED', 'Cannot call it') });
    await expect(getStatus(channel)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(asked).toEqual(['GetStatus']);
  });
});
