// SPDX-License-Identifier: Apache-2.0
import { Metadata } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { firstBrokenLine } from '../../../unit/fakes/audit.ts';
import { type AgentClient, ask, connect, soon } from '../../fakes/agent-client.ts';
import { type AgentServer, startAgentServer } from '../../fakes/agent-server.ts';

let server: AgentServer;
let operator: AgentClient;
beforeEach(async () => {
  server = await startAgentServer();
  operator = await connect(server, 'operator');
});
afterEach(async () => {
  operator.close();
  await server.stop();
});

const SOURCE = { path: '/var/v2.raucb' };

async function entries(): Promise<Record<string, unknown>[]> {
  const log = await server.auditLog();
  expect(await firstBrokenLine(log)).toBeUndefined();
  return log.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

describe('the guard', () => {
  it('writes down the call of a client that hung up before its answer', async () => {
    let asked = false;
    server.node.installer.inspect = () => {
      asked = true;
      return new Promise(() => {});
    };
    const call = operator.updates.inspectBundle({ source: SOURCE }, new Metadata(), soon(), () => {});
    await vi.waitUntil(() => asked);
    call.cancel();
    await vi.waitFor(async () =>
      expect(await entries()).toMatchObject([{ caller: 'operator', result: 'CANCELLED', request: { source: SOURCE } }]),
    );
    // And each other only once.
    await ask(operator.updates, 'installBundle', { source: SOURCE });
    expect((await entries()).map(({ result }) => result)).toEqual(['CANCELLED', 'OK']);
  });

  it('names the caller that it refuses, to the log and to the audit log', async () => {
    const reader = await connect(server, 'reader');
    const message = 'Cannot call /lamadist.agent.v1.DeviceService/Reboot: "reader" is reader, and the least role for it is operator';
    await expect(ask(reader.device, 'reboot', {})).rejects.toMatchObject({ code: 'PERMISSION_DENIED', message });
    reader.close();
    expect(await entries()).toMatchObject([{ caller: 'reader', role: 'reader', result: 'PERMISSION_DENIED', request: null }]);
    expect(server.lines).toContainEqual(
      expect.objectContaining({ msg: 'A call was refused', caller: 'reader', code: 'PERMISSION_DENIED' }),
    );
    expect(server.node.reboots).toBe(0);
  });

  it('tells the caller when the call could not be written down', async () => {
    await server.audit.close();
    await expect(ask(operator.device, 'reboot', {})).rejects.toMatchObject({ code: 'JOURNAL_UNWRITABLE' });
  });

  it('writes down nothing of a call that changes nothing', async () => {
    await ask(operator.device, 'getDevice', {});
    expect(await entries()).toEqual([]);
  });
});
