// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { BOOT, SCENARIO_MS } from './kind-of-node.ts';
import { onNode } from './scenario.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
/** Debian's, which has python3-grpcio and python3-grpc-tools. */
const PYTHON = '/usr/bin/python3';

interface Line {
  readonly kind: string;
  readonly value: unknown;
}

describe('a client in another language, without any of our protos', { timeout: SCENARIO_MS }, () => {
  it('lists the services by reflection, reads the status, and installs and watches a bundle', () =>
    onNode({}, async ({ homelab, node, bundle }) => {
      const client = path.join(import.meta.dirname, 'foreign_client.py');
      const protos = path.join(ROOT, 'node_modules/@grpc/reflection/build/proto');
      const address = `${node.host}:${node.port}`;
      const options = [homelab.folder, protos, bundle, String(BOOT.timeoutMs / 1_000)];
      const { stdout } = await execa(PYTHON, [client, address, 'attic', ...options], { timeout: 2 * BOOT.timeoutMs });
      const lines = stdout.split('\n').map((line) => JSON.parse(line) as Line);
      const values = (kind: string) => lines.filter((line) => line.kind === kind).map(({ value }) => value);

      expect(values('services')).toEqual([
        [
          'grpc.health.v1.Health',
          'grpc.reflection.v1.ServerReflection',
          'lamadist.agent.v1.AccessService',
          'lamadist.agent.v1.AttestationService',
          'lamadist.agent.v1.AuditService',
          'lamadist.agent.v1.DeviceService',
          'lamadist.agent.v1.EnrolmentService',
          'lamadist.agent.v1.EventService',
          'lamadist.agent.v1.HealthService',
          'lamadist.agent.v1.LogService',
          'lamadist.agent.v1.RolloutService',
          'lamadist.agent.v1.StatusService',
          'lamadist.agent.v1.UnitService',
          'lamadist.agent.v1.UpdateService',
        ],
      ]);
      expect(values('device')[0]).toMatchObject({ hostname: 'attic', imageVersion: '1', rauc: 'REACHABILITY_REACHABLE' });
      expect(values('refused')).toEqual([
        { code: 'INVALID_ARGUMENT', details: 'Cannot install: "relative.raucb" is not an absolute path on the node' },
      ]);
      const phases = new Set((values('event') as { phase: string }[]).map(({ phase }) => phase));
      expect([...phases]).toEqual(expect.arrayContaining(['UPDATE_PHASE_INSTALLING', 'UPDATE_PHASE_PENDING_REBOOT']));
    }));
});
