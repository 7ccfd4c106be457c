// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { NO_SALVAGE, type Salvage } from '../../../../../agent/daemon/update/records/salvage.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { FakeNode, OPERATION } from '../node.ts';
import { ARMED_BOOT, LATER_BOOT, OPERATION_ID, STATES, TRIAL_BOOT } from '../states.ts';

const failure = new Failure('JOURNAL_UNREADABLE', 'Cannot use the journal: it is torn');
const FAILED = { version: '2', operationId: 'x', code: 'CHECK_FAILED', atMs: 5 };
const trial = { operationId: OPERATION_ID, bootId: TRIAL_BOOT, what: 'trial', detail: '' } as const;

function nodeWith(salvage: Partial<Salvage> = {}): FakeNode {
  const node = new FakeNode();
  node.damage = { failure, salvage: { ...NO_SALVAGE, ...salvage } };
  return node;
}

const JOURNAL_LOST = { phase: 'failed', operation: { id: OPERATION_ID }, reason: { code: 'JOURNAL_UNREADABLE' } };

describe('a node whose journal can not be used', () => {
  it('tells that the update which was under way failed with it, also at the next start', async () => {
    const node = nodeWith({ operationId: OPERATION_ID, operation: OPERATION });
    const agent = await node.start(ARMED_BOOT, 'A');
    expect(agent.state).toMatchObject({ ...JOURNAL_LOST, operation: OPERATION });
    expect(node.history.get(OPERATION_ID)).toEqual(agent.state);
    expect((await node.start(LATER_BOOT, 'A')).state).toEqual(agent.state);
  });

  it('still tells how an update ended that was over, and takes the next one', async () => {
    const node = nodeWith({ operationId: OPERATION_ID });
    node.history.set(OPERATION_ID, STATES.committed);
    const agent = await node.start(LATER_BOOT, 'B');
    expect(agent.state).toEqual(STATES.committed);
    await agent.submit({ type: 'install-requested', operation: { ...OPERATION, id: 'next' } });
    expect(agent.state).toMatchObject({ operation: { id: 'next' } });
  });

  it('learns from the records of the trial boots which update it lost, even when no journal is there at all', async () => {
    for (const node of [nodeWith(), new FakeNode()]) {
      const agent = await node.start(TRIAL_BOOT, 'B', [trial]);
      expect(agent.state).toMatchObject(JOURNAL_LOST);
    }
  });

  it('tells that an update may have failed with it when not even its id is left, and takes the next one', async () => {
    const agent = await nodeWith().start(ARMED_BOOT, 'A');
    expect(agent.state).toMatchObject({ ...JOURNAL_LOST, operation: { id: '00000000-0000-0000-0000-000000000000' } });
    await agent.submit({ type: 'install-requested', operation: OPERATION });
    expect(agent.state).toMatchObject({ operation: OPERATION });
  });

  it('remembers which versions failed here, from the journal and from the history', async () => {
    const node = nodeWith({ failedVersions: [{ ...FAILED, code: 'CHECK_BROKEN' }] });
    node.failedVersions = [FAILED, { ...FAILED, version: '3' }];
    const agent = await node.start(ARMED_BOOT, 'A');
    expect(agent.failedHere('2')?.code).toBe('CHECK_BROKEN');
    expect(agent.failedHere('3')).toBeDefined();
    expect(agent.failedHere('4')).toBeUndefined();
  });

  it('starts although it can not write a new one', async () => {
    const node = nodeWith({ operationId: OPERATION_ID });
    node.writeFailures.push(new Failure('JOURNAL_UNWRITABLE', 'Cannot write the journal: the disk is full'));
    expect((await node.start(ARMED_BOOT, 'A')).state).toMatchObject(JOURNAL_LOST);
  });
});
