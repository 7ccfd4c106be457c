// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';
import { COMMITTED, json, report, shellOk } from '../integration/node/ask-node.ts';
import { SCENARIO_MS } from '../integration/node/kind-of-node.ts';
import { onNode } from '../integration/node/scenario.ts';
import { expectFewBytes, installFrom, SECRET, serveToMachines, TRUSTING } from './streamed.ts';

/** Without Node, whose compiler an unconfined shell may not run. */
const GET_METRICS = 'exec 3<>/dev/tcp/127.0.0.1/9477; printf "GET /metrics HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3';
/** A word of the same kind, that is put where the search has to find it. */
const PLANTED = 'of-this-test-0e94d8';

/** The word for a shell, in no command line whole. */
const inHalves = (word: string): string => `word=${word.slice(0, 5)} && word="$word"${word.slice(5)}`;
const plant = (word: string): string => `${inHalves(word)}; printf "%s" "$word" >/var/lib/planted; printf "%s\n" "$word" | logger`;
/** Prints the files and processes that have it, and "journal" when that does; at last "searched". */
const search = (word: string): string =>
  [
    'journalctl --sync && journal=$(journalctl --no-pager) || exit',
    inHalves(word),
    'printf "%s\n" "$word" | grep -rlsf - --devices=skip --exclude-dir=media /var/lib /var/log /etc /tmp /run',
    'printf "%s\n" "$word" | grep -lsf - /proc/[0-9]*/cmdline /proc/[0-9]*/environ',
    'case $journal in *"$word"*) echo journal ;; esac',
    'echo searched',
  ].join('; ');
/** lamactl leaves an update that waits for somebody to reboot. */
const LEFT = 12;

describe('a bundle that RAUC streams through the network block device', { timeout: SCENARIO_MS }, () => {
  it('from a server that wants a token is fetched only where it differs from the slots, and progress, history and metrics tell how much', () =>
    onNode({ node: TRUSTING }, async ({ homelab, node }) => {
      const server = await serveToMachines(homelab, homelab.bundlePath('2'));
      expect((await homelab.lamactl(['install', server.url])).all).toContain('DOWNLOAD_REFUSED');
      const { exitCode, all } = await installFrom(homelab, server).finally(() => server.close());
      expect(all).not.toContain(SECRET);
      expect({ exitCode, all }).toMatchObject({ exitCode: LEFT, all: expect.stringMatching(/fetched [\d.]+(B|KiB|MiB) of [\d.]+MiB/) });
      const metrics = await shellOk(node, `bash -c '${GET_METRICS}'`);
      expect((await homelab.lamactl(['rollback', '--message', 'the other way, too'])).exitCode).toBe(0);
      const { fetchedBytes, bundleBytes } = await expectFewBytes(homelab, homelab.bundlePath('2'));
      expect(Number(/^lamadist_bundle_fetched_bytes_total (\d+)/m.exec(metrics)?.[1])).toBe(fetchedBytes);
      expect(Number(/^lamadist_bundle_reused_bytes_total (\d+)/m.exec(metrics)?.[1])).toBe(bundleBytes - fetchedBytes);
      // It is found nowhere, neither in a file nor in the journal.
      expect(await shellOk(node, search(SECRET))).toBe('searched\n');
      await shellOk(node, plant(PLANTED));
      const found = (await shellOk(node, search(PLANTED))).split('\n');
      expect(found).toEqual(expect.arrayContaining(['/var/lib/planted', 'journal', 'searched']));
    }));

  it("from the administrator's own disk is fetched only where it differs, too, and committed", () =>
    onNode({}, async ({ homelab }) => {
      expect((await homelab.lamactl(['install', homelab.bundlePath('2')])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
      await expectFewBytes(homelab, homelab.bundlePath('2'));
    }));
});

describe('a stick with a bundle', { timeout: SCENARIO_MS }, () => {
  it('that is plugged in is shown, waits for a word, and is installed from', () =>
    onNode({}, async ({ homelab, node }) => {
      await (node as VirtualMachine).plugInStickWith(homelab.bundlePath('2'));
      await shellOk(node, 'timeout 100 sh -c "until systemctl is-active --quiet lamadist-media@sda.service; do sleep 2; done"');
      const { nodes } = await json<{ nodes: { bundles: { path: string }[] }[] }>(homelab, 'bundles');
      const path = '/run/lamadist-media/sda/v2.raucb';
      expect(nodes[0]?.bundles).toMatchObject([{ path }]);
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A' });
      expect((await homelab.lamactl(['install', '--on-node', path, '--reboot', 'manual'])).exitCode).toBe(LEFT);
    }));
});
