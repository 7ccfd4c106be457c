// SPDX-License-Identifier: Apache-2.0
import { Metadata } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureIn } from '../../../../agent/shared/status.ts';
import { firstBrokenLine } from '../../../unit/fakes/audit.ts';
import { ask, connect, soon } from '../../fakes/agent-client.ts';
import { type AgentServer, startAgentServer } from '../../fakes/agent-server.ts';

let server: AgentServer;
beforeEach(async () => {
  server = await startAgentServer();
});
afterEach(() => server.stop());

async function readLog(role: 'admin' | 'operator'): Promise<string> {
  const client = await connect(server, role);
  let log = '';
  try {
    for await (const { data } of client.audit.readAuditLog({}, new Metadata(), soon())) log += Buffer.from(data).toString();
    return log;
  } finally {
    client.close();
  }
}

describe('the audit log over gRPC', () => {
  it('is read whole by an admin, and that is written down as well', async () => {
    const operator = await connect(server, 'operator');
    for (const path of ['/var/a.raucb', 'b', 'c'])
      await ask(operator.updates, 'installBundle', { source: { path } }).catch(() => undefined);
    operator.close();
    const first = await readLog('admin');
    expect(await firstBrokenLine(first)).toBeUndefined();
    expect(first.trim().split('\n')).toHaveLength(3);
    const second = await readLog('admin');
    expect(second.startsWith(first)).toBe(true);
    expect(second).toContain('/lamadist.agent.v1.AuditService/ReadAuditLog');
  });

  it('is nothing for an operator', async () => {
    const error = await readLog('operator').catch((thrown) => thrown);
    expect(failureIn(error)?.code).toBe('PERMISSION_DENIED');
  });
});
