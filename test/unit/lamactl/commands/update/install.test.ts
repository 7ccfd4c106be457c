// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { ROLLED_BACK, updateIn } from '../../answers.ts';
import { deadNode, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

const world = (nodes: Record<string, FakeNode>) => new FakeWorld(nodes, certificates);
const gone = new Failure('NODE_UNREACHABLE', 'Cannot reach 10.0.0.5:7443: the connection broke');

function installing(percent: number) {
  return updateIn('installing', { progress: { percent, message: 'Copying image to rootfs.1' } });
}

/** A node that goes through an update, with a reboot in the middle. */
function rebootingNode(): FakeNode {
  const attic = new FakeNode();
  attic.last = installing(0);
  attic.watches = [
    [installing(10), installing(60), updateIn('pending-reboot'), gone],
    [updateIn('trial'), updateIn('committed')],
  ];
  return attic;
}

describe('lamactl install', () => {
  it('watches through the reboot and is done only at the commit', async () => {
    const attic = rebootingNode();
    const one = world({ attic });
    expect(await one.run('install --on-node /data/two.raucb')).toBe(0);
    expect(attic.installs).toEqual([
      {
        source: { path: '/data/two.raucb' },
        rebootPolicy: 'automatic',
        force: false,
        allowDowngrade: false,
        bytesPerSecond: 0,
        window: '',
      },
    ]);
    expect(attic.cursors).toEqual(['', '1.2']);
    expect(attic.open).toBe(0);
    expect(one.stdout.text.split('\n')).toEqual([
      'attic: started after 0:00: update op-1',
      'attic: installing after 0:00: Copying image to rootfs.1',
      'attic: pending-reboot after 0:00',
      'attic: rebooting after 0:00: waiting for it to answer again',
      'attic: trial after 0:00',
      'attic: committed after 0:00: 2.0.0 in rootfs.1',
      'attic: committed 2.0.0 in rootfs.1',
      '',
    ]);
  });

  it('passes --force and --reboot on, and takes an https URL', async () => {
    const attic = rebootingNode();
    await world({ attic }).run('install --force --reboot manual https://images.lan/two.raucb');
    expect(attic.installs).toEqual([
      {
        source: { url: 'https://images.lan/two.raucb' },
        rebootPolicy: 'manual',
        force: true,
        allowDowngrade: false,
        bytesPerSecond: 0,
        window: '',
      },
    ]);
  });

  it('gives a file of this machine to each node, until its update is over', async () => {
    const file = join(certificates.folder, 'two.raucb');
    await writeFile(file, 'a bundle');
    const [attic, cellar] = [rebootingNode(), rebootingNode()];
    const served: string[] = [];
    for (const node of [attic, cellar]) {
      node.answers.serveBundle = async (operationId, bundle) => void served.push(`${operationId} ${await bundle.read(2, 6)}`);
    }
    expect(await world({ attic, cellar }).run(`install --all --limit-rate 2MiB --allow-downgrade ${file}`)).toBe(0);
    const sha256 = createHash('sha256').update('a bundle').digest('hex');
    const client = { name: 'two.raucb', sizeBytes: 8, sha256 };
    const request = {
      source: { client },
      rebootPolicy: 'automatic',
      force: false,
      allowDowngrade: true,
      bytesPerSecond: 2 << 20,
      window: '',
    };
    expect([...attic.installs, ...cellar.installs]).toEqual([request, request]);
    expect(new Set(served)).toEqual(new Set(['op-1 bundle']));
    expect([attic.open, cellar.open]).toEqual([0, 0]);
  });

  it('asks no node when the file cannot be read', async () => {
    const attic = rebootingNode();
    const one = world({ attic });
    expect(await one.run('install /nowhere.raucb')).not.toBe(0);
    expect(one.stderr.text).toContain('BUNDLE_NOT_FOUND');
    expect(attic.connections).toBe(0);
  });

  it('tells why an update was rolled back: reason, checks, and the end of the failed boot’s log', async () => {
    const attic = new FakeNode();
    attic.last = installing(0);
    attic.watches = [[ROLLED_BACK]];
    const one = world({ attic });
    expect(await one.run('install --on-node /data/two.raucb')).toBe(9);
    expect(one.stdout.text).toContain(
      [
        'attic: rolled-back 2.0.0 in rootfs.1',
        '  Cannot commit 2.0.0: a required check did not pass (CHECK_FAILED)',
        '  check k3s: no answer within 10 s',
        '  mend what the check found',
        "  the failed boot's log ends:",
        '  | first line',
        '  | k3s: cannot start',
        '',
      ].join('\n'),
    );
  });

  it('ends with 8 when the update failed', async () => {
    const attic = new FakeNode();
    attic.last = installing(0);
    attic.watches = [[updateIn('failed', { reason: { code: 'BUNDLE_INVALID', message: 'Cannot install', failedChecks: [], remedy: '' } })]];
    expect(await world({ attic }).run('install --on-node /data/two.raucb')).toBe(8);
  });

  it('leaves the update running on Ctrl-C and says how to watch it', async () => {
    const attic = new FakeNode();
    attic.last = installing(0);
    const one = world({ attic, cellar: new FakeNode() });
    attic.watches = [[installing(30), () => one.interrupt(), installing(40)]];
    expect(await one.run('install --context home -n attic --on-node /data/two.raucb')).toBe(12);
    expect(one.stderr.text).toBe('The update goes on without lamactl. To watch it: lamactl watch --context home -n attic\n');
    expect(attic.rollBackMessages).toEqual([]);
    expect(attic.open).toBe(0);
  });

  it('stops watching when --wait is over, and says so with 13', async () => {
    const attic = new FakeNode();
    attic.last = installing(0);
    attic.watches = [[installing(30), gone], [gone]];
    const one = world({ attic });
    expect(await one.run('install --wait 5m --on-node /data/two.raucb')).toBe(13);
    expect(one.stderr.text).toContain('To watch it: lamactl watch -n attic');
  });

  it('stops before a reboot by hand and says how to go on', async () => {
    const attic = new FakeNode();
    attic.last = installing(0);
    attic.watches = [[installing(30), updateIn('pending-reboot', { rebootPolicy: 'manual' })]];
    const one = world({ attic });
    expect(await one.run('install --reboot manual --on-node /data/two.raucb')).toBe(12);
    expect(one.stderr.text).toBe('Installed. To boot it: lamactl reboot -n attic\n');
  });

  it('returns at once with --no-wait', async () => {
    const attic = rebootingNode();
    const one = world({ attic });
    expect(await one.run('install --no-wait --on-node /data/two.raucb')).toBe(0);
    expect(one.stdout.text).toBe('attic: started update op-1; to watch it: lamactl watch -n attic\n');
    expect(attic.cursors).toEqual([]);
  });

  it('prints one JSON document for each event and the result', async () => {
    const one = world({ attic: rebootingNode() });
    expect(await one.run('install -o json --on-node /data/two.raucb')).toBe(0);
    expect(one.events().map(({ node, type }) => `${node} ${type}`)).toEqual([
      'attic started',
      'attic progress',
      'attic progress',
      'attic progress',
      'attic unreachable',
      'attic progress',
      'attic result',
    ]);
    expect(one.events().at(-1)).toMatchObject({ update: { phase: 'committed' } });
  });

  it('installs on the other nodes when one is dead, and reports the worst', async () => {
    const two = world({ attic: deadNode(), cellar: rebootingNode() });
    expect(await two.run('install --all --on-node /data/two.raucb')).toBe(4);
    expect(two.stdout.text).toContain('cellar: committed 2.0.0 in rootfs.1');
    expect(two.stderr.text).toContain('attic: Cannot reach 10.0.0.9:7443: nothing listens there');
  });

  it('follows the other nodes while one has not answered yet', async () => {
    const attic = deadNode();
    const two = world({ attic, cellar: rebootingNode() });
    let release = (): void => undefined;
    attic.answers.install = () => new Promise((_, reject) => (release = () => reject(gone)));
    const write = two.stdout.write.bind(two.stdout);
    two.stdout.write = (text) => {
      write(text);
      if (text.includes('cellar: committed')) release();
    };
    expect(await two.run('install --all --on-node /data/two.raucb')).toBe(4);
    expect(two.stdout.text).toContain('cellar: committed after');
  });

  it('ends with 7 and the remedy when the node refuses', async () => {
    const one = world({ attic: deadNode(new Failure('VERSION_FAILED_HERE', 'Cannot install 2.0.0: it was rolled back here')) });
    expect(await one.run('install --on-node /data/two.raucb')).toBe(7);
    expect(one.stderr.text).toBe(
      'attic: Cannot install 2.0.0: it was rolled back here\n       install another version, or repeat with --force (VERSION_FAILED_HERE)\n',
    );
  });

  it('draws one line for each node on a terminal and stops its clock at the end', async () => {
    const one = world({ attic: rebootingNode() });
    one.stdout.isTerminal = true;
    one.env.NO_COLOR = '1';
    expect(await one.run('install --on-node /data/two.raucb')).toBe(0);
    expect(one.stdout.text).toContain('attic  installing      ████████████░░░░░░░░  60%   0:00  Copying image to rootfs.1');
    expect(one.stdout.text).toContain('attic  rebooting');
    expect(one.clock.ticks.size).toBe(0);
  });

  it.each([
    'install --on-node two.raucb',
    'install --limit-rate fast two.raucb',
    'install --no-wait two.raucb',
    'install http://images.lan/two.raucb',
    'install',
    'install --reboot never /two.raucb',
    'install --wait soon /two',
  ])('refuses "%s" as wrong usage', async (line) => {
    const attic = new FakeNode();
    const one = world({ attic });
    expect(await one.run(line)).toBe(2);
    expect(one.stderr.text).not.toBe('');
    expect(attic.connections).toBe(0);
  });

  it('assigns a bundle to a window, and does not wait for it', async () => {
    const attic = new FakeNode();
    const one = world({ attic });
    expect(await one.run(['install', '--window', 'Sat 02:00-05:00', 'https://images.lan/two.raucb'])).toBe(0);
    expect(attic.installs).toMatchObject([{ window: 'Sat 02:00-05:00' }]);
    expect(one.stdout.text).toContain('started update op-1');
    expect(attic.cursors).toEqual([]);
  });

  it.each(['Caturday 02:00-05:00', '2am', 'Sat 02:00'])('refuses the window "%s"', async (window) => {
    expect(await world({ attic: new FakeNode() }).run(['install', '--window', window, 'https://images.lan/two.raucb'])).toBe(2);
  });

  it('refuses a file of this machine in a window', async () => {
    const one = world({ attic: new FakeNode() });
    expect(await one.run(['install', '--window', '02:00-03:00', './two.raucb'])).not.toBe(0);
    expect(one.stderr.text).toContain('Cannot give a file in a window');
  });

  it("gives the URL's server what it wants to see, from a file where it is a secret", async () => {
    const attic = rebootingNode();
    const token = join(certificates.folder, 'token.txt');
    await writeFile(token, 'Authorization: Bearer abc:def\n\nX-Two: 2\n');
    await world({ attic }).run(['install', '--header', 'X-One:1', '--header', `@${token}`, 'https://images.lan/two.raucb']);
    expect(attic.installs).toMatchObject([
      {
        urlAccess: {
          headers: [
            { name: 'X-One', value: '1' },
            { name: 'Authorization', value: 'Bearer abc:def' },
            { name: 'X-Two', value: '2' },
          ],
          clientCertificate: '',
          clientKey: '',
        },
      },
    ]);
  });

  it('refuses a certificate without its key, and what is no header, and does not quote that', async () => {
    const one = world({ attic: new FakeNode() });
    expect(await one.run(['install', '--client-key', 'x.key', 'https://images.lan/two.raucb'])).not.toBe(0);
    expect(one.stderr.text).toContain('one of them is missing');
    expect(await one.run(['install', '--header', 'secret', 'https://images.lan/two.raucb'])).not.toBe(0);
    expect(one.stderr.text).not.toContain('secret');
  });
});
