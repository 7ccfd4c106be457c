// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { readIdentity } from '../access/server-credentials.ts';
import type { Config } from '../config.ts';
import { BundleAccessStore } from '../delivery/bundle-access.ts';
import { BundleDelivery } from '../delivery/bundle-delivery.ts';
import { ClientOffers } from '../delivery/client-offers.ts';
import { mediaBundles } from '../delivery/media-bundles.ts';
import { Spool } from '../delivery/spool.ts';
import { Reserve } from '../files/reserve.ts';
import { openHttpsBundle } from '../platform/https/https-bundle.ts';
import { deviceSizeBytes } from '../platform/linux/device-size.ts';
import { hasNetworkBlockDevice } from '../platform/linux/network-block-device.ts';
import { trialMarks } from '../platform/linux/trial-files.ts';
import { LoopbackRangeServer } from '../platform/loopback/range-server.ts';
import { readFromPeers } from '../platform/peers/peer-bundle.ts';
import { readBootLog } from '../platform/systemd/boot-log.ts';
import { clockSynchronised } from '../platform/systemd/time-synchronisation.ts';
import { systemClock as clock } from '../timing/clock.ts';
import { effectRunner } from '../update/effects/effects.ts';
import { Feed } from '../update/feed.ts';
import type { UpdateState } from '../update/life/state.ts';
import type { Gate } from '../update/ports.ts';
import { History } from '../update/records/history.ts';
import { Journal } from '../update/records/journal.ts';
import { Updater } from '../update/updater.ts';
import type { Folders } from './folders.ts';
import type { Neighbours } from './neighbours.ts';

/** What a bundle on the disk leaves for logs and the journal. */
const SPOOL_RESERVE_BYTES = 32 << 20;
/** What an update writes down from its beginning to its end, many times over. */
const JOURNAL_RESERVE_BYTES = 1 << 20;

/** The life of updates: the one door in, and all that its effects reach. */
export async function updatesOf(
  {
    folders,
    config: {
      download,
      updates,
      tls: { folder: tlsFolder },
    },
    gate,
    log,
  }: { folders: Folders; config: Config; gate: Gate; log: Logger },
  { installer, reboot, boot, host, bus }: Neighbours,
) {
  const marks = trialMarks(folders);
  const history = new History(folders.state);
  const feed = new Feed<UpdateState>(randomUUID(), { phase: 'idle' });
  const caFile = download['ca-file'];
  const proxy = download.proxy && { url: download.proxy, except: download['no-proxy'] };
  const canStream = await hasNetworkBlockDevice();
  const offers = new ClientOffers(clock);
  const access = new BundleAccessStore(join(folders.state, 'access'));
  const delivery = new BundleDelivery({
    openUrl: (url, operationId) => async (signal) => {
      const trust = { ...(caFile && { ca: await readFile(caFile) }), ...(proxy && { proxy }) };
      const { query, ...identity } = await access.of(operationId);
      return openHttpsBundle(new URL(`${url}${query}`), { ...identity, ...trust }, signal);
    },
    offers,
    access,
    spool: new Spool({
      folder: join(folders.state, 'download'),
      maximumBytes: download['maximum-size'],
      reserveBytes: SPOOL_RESERVE_BYTES,
    }),
    ...(canStream && { rangeServer: new LoopbackRangeServer(log) }),
    clock,
    random: Math.random,
    onPause: (operationId, why, pauseMs) => {
      log.warn({ err: why, operationId, pauseMs: Math.round(pauseMs) }, 'The source of the bundle has to be waited for');
      void updater.submit({ type: 'fetch-held-up', operationId, message: why.message });
    },
    readFromPeer: readFromPeers(() => readIdentity(tlsFolder), clock),
    onPeerLeft: (operationId, { name, address }, why) =>
      log.warn({ err: why, operationId, peer: name, address }, 'Another node did not give the bundle that it was said to keep'),
    onPeersGave: (operationId, peers) =>
      log.info({ operationId, peers: peers.map(({ name }) => name) }, 'The bundle came from other nodes'),
    onFetched: (operationId, bytes, sizeBytes) => void updater.submit({ type: 'bundle-fetched', operationId, bytes, sizeBytes }),
  });
  const updater: Updater = new Updater({
    journal: new Journal(folders.state),
    reserve: new Reserve(join(folders.state, 'reserve'), JOURNAL_RESERVE_BYTES),
    history,
    feed,
    clock,
    log,
    runEffect: effectRunner({
      installer,
      delivery,
      reboot,
      marks,
      gate,
      bootLog: readBootLog,
      boot,
      clock,
      clockSynchronised: clockSynchronised(bus),
      clockPatienceMs: updates['clock-patience'],
      runningVersion: host.imageVersion,
      deviceSizeBytes,
      failedHere: (version) => updater.failedHere(version) !== undefined,
    }),
  });
  return { updater, history, feed, offers, access, delivery, marks, canStream, mediaBundles: () => mediaBundles(folders.media) };
}

export type Updates = Awaited<ReturnType<typeof updatesOf>>;
