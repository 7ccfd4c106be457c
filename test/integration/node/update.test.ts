// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { agentAnswers, COMMITTED, journaled, json, ROLLED_BACK, reaches, report } from './ask-node.ts';
import { BOOT, IN_VM, QUICK, SCENARIO_MS } from './kind-of-node.ts';
import { check, FAILING_CHECK, onNode, type Scenario } from './scenario.ts';

describe('an update on a whole node', { timeout: SCENARIO_MS }, () => {
  it('is committed when the new slot is booted and healthy', () =>
    onNode({}, async ({ homelab, node, bundle }) => {
      const { exitCode, all } = await homelab.lamactl(['install', '--on-node', bundle]);
      expect({ exitCode, all }).toMatchObject({ exitCode: 0, all: expect.stringContaining('committed') });
      expect(await report(homelab)).toMatchObject(COMMITTED);
      // Nothing that was armed is left, and a further boot is no trial.
      expect((await node.shell('ls /var/lib/lamadist-agent', QUICK)).stdout.split('\n')).not.toContain('armed');
      const boot = await node.waitForBoot(BOOT);
      await node.cutPower();
      await node.start();
      await node.waitForBoot({ ...BOOT, after: boot });
      await agentAnswers(homelab);
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));

  it('waits for the administrator to reboot when told to', () =>
    onNode({}, async ({ homelab, bundle }) => {
      expect((await homelab.lamactl(['install', '--on-node', bundle, '--reboot', 'manual'])).exitCode).toBe(12);
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A', slots: { B: expect.stringContaining('primary') } });
      expect((await homelab.lamactl(['reboot', '--wait'])).exitCode).toBe(0);
      expect((await homelab.lamactl(['watch'])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));

  it('is rolled back, with the check and the log of the failed boot, when a required check fails', () =>
    onNode({ files: [FAILING_CHECK] }, async ({ homelab, bundle }) => {
      const { exitCode, all } = await homelab.lamactl(['install', '--on-node', bundle]);
      expect({ exitCode, all }).toMatchObject({ exitCode: 9, all: expect.stringContaining('check "web-server" failed after 2 attempts') });
      expect(await report(homelab)).toMatchObject(ROLLED_BACK);
      const { nodes } = await json<{ nodes: { updates: object[] }[] }>(homelab, 'history');
      expect(nodes[0]?.updates[0]).toMatchObject({
        phase: 'rolled-back',
        reason: { code: 'CHECK_FAILED', failedChecks: ['web-server'] },
        failedBootLog: expect.stringContaining('web-server'),
      });
    }));

  it('is rolled back when a required check hangs', () => {
    const hanging = check(
      'hanging',
      'timeout: 1s',
      'interval: 1s',
      'retries: 0',
      'condition: { type: command, argv: [/bin/sleep, infinity] }',
    );
    return onNode({ files: [hanging] }, async ({ homelab, bundle }) => {
      const { exitCode, all } = await homelab.lamactl(['install', '--on-node', bundle]);
      expect({ exitCode, all }).toMatchObject({
        exitCode: 9,
        all: expect.stringMatching(/check "hanging" failed after 1 attempt.*within 1s/),
      });
      expect(await report(homelab)).toMatchObject(ROLLED_BACK);
    });
  });

  it('is rolled back when the checks do not all pass before the deadline of the gate', () => {
    const patient = check('patient', 'interval: 1s', 'retries: 1000', 'condition: { type: tcp, host: 127.0.0.1, port: 1 }');
    // Long enough for all the others.
    const config = { health: { 'gate-deadline': IN_VM ? '3m' : '3s' } };
    return onNode({ files: [patient], node: { config } }, async ({ homelab, bundle }) => {
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(9);
      expect(await report(homelab)).toMatchObject(ROLLED_BACK);
      expect(await journaled(homelab.nodes[0]!)).toMatchObject({ reason: { code: 'GATE_TIMED_OUT', failedChecks: ['patient'] } });
    });
  });

  it('is rolled back when a check file of the new image is broken, and says which file, line and field', () => {
    const broken = check('broken', 'condition:', '  type: tcp', '  host: 127.0.0.1', '  port: eighty');
    return onNode({ files: [broken] }, async ({ homelab, bundle }) => {
      const { exitCode, all } = await homelab.lamactl(['install', '--on-node', bundle]);
      const where = '/usr/lib/lamadist-agent/health.d/broken.yaml:6: condition.port:';
      expect({ exitCode, all }).toMatchObject({ exitCode: 9, all: expect.stringContaining(where) });
      expect(await report(homelab)).toMatchObject(ROLLED_BACK);
    });
  });

  it('is committed when the administrator masked the check that would fail', () => {
    const mask = { path: '/etc/lamadist-agent/health.d/web-server.yaml', content: '' };
    return onNode({ files: [FAILING_CHECK], node: { files: [mask] } }, async ({ homelab, bundle }) => {
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
    });
  });

  it('is refused when its version was rolled back here before, unless it is forced', () =>
    onNode({ files: [FAILING_CHECK] }, async ({ homelab, bundle }) => {
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(9);
      const again = await homelab.lamactl(['install', homelab.bundlePath('2')]);
      expect(again).toMatchObject({ exitCode: 8, all: expect.stringContaining('VERSION_FAILED_HERE') });
      const forced = await homelab.lamactl(['install', homelab.bundlePath('2'), '--force']);
      expect(forced.exitCode).toBe(9);
      expect(await report(homelab)).toMatchObject(ROLLED_BACK);
    }));

  it('can be taken back after its commit', () =>
    onNode({}, async ({ homelab, bundle }) => {
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(0);
      expect((await homelab.lamactl(['rollback', '--message', 'it hums'])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A', slots: { A: 'good primary' } });
      expect((await homelab.lamactl(['history'])).all).toContain('it hums');
    }));

  it('can be taken back before the reboot, and then never boots', () =>
    onNode({}, async ({ homelab, node, bundle }) => {
      await homelab.lamactl(['install', '--on-node', bundle, '--reboot', 'manual']);
      expect((await homelab.lamactl(['rollback'])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A', slots: { A: 'good primary' } });
      expect(node.bootCount).toBe(1);
    }));

  it('goes on without lamactl, and can be watched again', () =>
    onNode({}, async ({ homelab, node, bundle }) => {
      await node.hold('set-primary.B');
      const first = homelab.lamactl(['install', '--on-node', bundle]);
      await node.waitUntilHeld('set-primary.B', BOOT);
      first.kill('SIGINT');
      expect(await first).toMatchObject({ exitCode: 12, all: expect.stringContaining('lamactl watch') });
      await node.release('set-primary.B');
      expect((await homelab.lamactl(['watch'])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));
});

describe('a trial that is cut off', { timeout: SCENARIO_MS }, () => {
  const slow = check('slow', 'timeout: 60s', 'retries: 0', 'condition: { type: command, argv: [/bin/sleep, "5"] }');

  it('is rolled back when the power is cut and the boot loader gives one try', () =>
    onNode({ files: [slow] }, async ({ homelab, node, bundle }) => {
      const install = homelab.lamactl(['install', '--on-node', bundle]);
      await reaches(node, 'checking');
      await node.cutPower();
      await node.start();
      expect((await install).exitCode).toBe(9);
      expect(await report(homelab)).toMatchObject(ROLLED_BACK);
      expect(await journaled(node)).toMatchObject({ reason: { code: 'TRIAL_INTERRUPTED' } });
    }));

  it('is tried again when the power is cut and the boot loader gives more tries, and then committed', () =>
    onNode({ files: [slow], node: { maxTries: 3 } }, async ({ homelab, node, bundle }) => {
      const install = homelab.lamactl(['install', '--on-node', bundle]);
      await reaches(node, 'checking');
      await node.cutPower();
      await node.start();
      expect((await install).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
      const state = await journaled(node);
      expect('trialBootIds' in state && state.trialBootIds.length).toBe(2);
    }));

  it('is rolled back when the new agent crashes at every start', () => {
    const crashing = { path: '/usr/lib/lamadist-agent/lamadist-agent.js', content: 'throw new Error("this agent is broken");\n' };
    return onNode({ files: [crashing] }, async ({ homelab, node, bundle }) => {
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(9);
      expect(await report(homelab)).toMatchObject(ROLLED_BACK);
      const state = await journaled(node);
      expect(state).toMatchObject({ reason: { code: 'AGENT_CRASHED', message: expect.stringContaining('exit-code') } });
      expect('failedBootLog' in state && state.failedBootLog).toContain('this agent is broken');
    });
  });

  it('is rolled back when the agent crashes again and again in the middle of its checks', () => {
    const killer = check('killer', 'retries: 0', 'condition: { type: command, argv: [/bin/sh, -c, "kill -9 $PPID"] }');
    return onNode({ files: [killer] }, async ({ homelab, node, bundle }) => {
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(9);
      expect(await report(homelab)).toMatchObject(ROLLED_BACK);
      expect(await journaled(node)).toMatchObject({ reason: { code: 'AGENT_CRASHED' } });
    });
  });

  const soon = {
    path: '/usr/lib/systemd/system/lamadist-commit-deadline.timer.d/soon.conf',
    content: '[Timer]\nOnBootSec=\nOnBootSec=8s\n',
  };
  const expired = async ({ homelab, node, bundle }: Scenario) => {
    expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(9);
    expect(await report(homelab)).toMatchObject(ROLLED_BACK);
    expect(await journaled(node)).toMatchObject({ reason: { code: 'DEADLINE_EXPIRED' } });
  };

  it('is rolled back at the commit deadline when its agent decides nothing', () => {
    const idle = {
      path: '/usr/lib/systemd/system/lamadist-agent.service.d/idle.conf',
      content: '[Service]\nType=simple\nExecStart=\nExecStart=/bin/sleep infinity\nWatchdogSec=0\n',
    };
    return onNode({ files: [idle, soon] }, expired);
  });

  it('is rolled back at the commit deadline when the image has no agent', () =>
    onNode(
      { files: [soon], without: ['/usr/lib/lamadist-agent/lamadist-agent.js', '/usr/lib/systemd/system/lamadist-agent.service'] },
      expired,
    ));

  it('is rolled back when the new slot never reaches userspace', () =>
    onNode({ without: ['/usr/lib/systemd/systemd'] }, async ({ homelab, node, bundle }) => {
      const install = homelab.lamactl(['install', '--on-node', bundle]);
      // A kernel without an init panics. In namespaces that is the end of it; a machine restarts by itself.
      if (!IN_VM) {
        await node.waitForPowerOff({ timeoutMs: 60_000 });
        await node.start();
      }
      expect((await install).exitCode).toBe(9);
      expect(await report(homelab)).toMatchObject(ROLLED_BACK);
      expect(await journaled(node)).toMatchObject({ reason: { code: 'NEVER_REACHED_USERSPACE' } });
    }));
});
