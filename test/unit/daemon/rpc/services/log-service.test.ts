// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { LogEntry, LogQuery } from '../../../../../agent/daemon/node/node-log.ts';
import { logService } from '../../../../../agent/daemon/rpc/services/log-service.ts';
import { lamadist } from '../../../../../agent/shared/gen/messages.js';
import { callStream } from '../../../fakes/call.ts';

const { LogPriority } = lamadist.agent.v1;
const ENTRY: LogEntry = {
  cursor: 's=a;i=1',
  at: new Date(1_500),
  priority: 3,
  unit: 'k3s.service',
  identifier: 'k3s',
  pid: 1,
  bootId: 'b',
  message: 'm',
  messageLeftOut: false,
};
const NOTHING = { units: [], priority: 0, since: null, boot: '', afterCursor: '', lines: 0, follow: false };

function service(entries: readonly LogEntry[] = [ENTRY]) {
  const queries: LogQuery[] = [];
  const { readLog } = logService(async function* (query) {
    queries.push(query);
    yield* entries;
  });
  return { queries, read: (request: object) => callStream(readLog, { ...NOTHING, ...request }) };
}

describe('the log', () => {
  it('is told entry by entry', async () => {
    const { read } = service([ENTRY, { ...ENTRY, priority: undefined }]);
    const [first, second] = await read({});
    expect(first?.entry).toMatchObject({ priority: LogPriority.LOG_PRIORITY_ERROR, at: { seconds: 1, nanos: 500_000_000 }, message: 'm' });
    expect(second?.entry?.priority).toBe(LogPriority.LOG_PRIORITY_UNSPECIFIED);
  });

  it('is asked for as the request says', async () => {
    const { read, queries } = service();
    const boot = '0C6C2F6E-8f7a-4d7c-9d3a-1b2c3d4e5f60';
    const priority = LogPriority.LOG_PRIORITY_EMERGENCY;
    await read({
      units: ['a.service'],
      priority,
      since: { seconds: 2, nanos: 5e8 },
      boot,
      afterCursor: 's=a;i=1f',
      lines: 9,
      follow: true,
    });
    expect(queries).toEqual([
      {
        units: ['a.service'],
        priority: 0,
        since: new Date(2_500),
        boot: '0c6c2f6e8f7a4d7c9d3a1b2c3d4e5f60',
        afterCursor: 's=a;i=1f',
        lines: 9,
        follow: true,
      },
    ]);
  });

  it.each([
    [{ units: ['a b'] }, 'units'],
    [{ units: Array.from({ length: 33 }, () => 'a.service') }, 'units'],
    [{ priority: 9 }, 'priority'],
    [{ since: { seconds: -1 } }, 'since'],
    [{ since: { seconds: Number.MAX_SAFE_INTEGER } }, 'since'],
    [{ boot: '--help' }, 'boot'],
    [{ boot: '1' }, 'boot'],
    [{ afterCursor: 's=a i=1' }, 'after_cursor'],
    [{ afterCursor: 'x'.repeat(10_000) }, 'after_cursor'],
    [{ lines: -1 }, 'lines'],
  ])('is not read for %j', async (request, field) => {
    const { read, queries } = service();
    await expect(read(request)).rejects.toMatchObject({ code: 'INVALID_REQUEST', facts: { field } });
    expect(queries).toEqual([]);
  });
});
