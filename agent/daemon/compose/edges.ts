// SPDX-License-Identifier: Apache-2.0
import type { AccessFiles } from '../access/access-files.ts';
import { NodeServerCredentials } from '../access/server-credentials.ts';
import { hideFingerprint, openEnrolment } from './enrolment.ts';
import { type MetricsParts, metricsOf } from './metrics.ts';
import type { Neighbours } from './neighbours.ts';
import { type RpcParts, rpcOf } from './rpc.ts';
import type { Updates } from './updates.ts';

export interface EdgeParts extends Omit<RpcParts, 'credentials'>, Pick<MetricsParts, 'stopping'> {
  readonly files: AccessFiles;
  /** Called when the edges cannot be opened once the node was claimed. */
  readonly giveUp: (error: unknown) => void;
}

/** What the node shows to the network: enrolment until it has an administrator, and everything else from then on. */
export class Edges {
  #close: () => Promise<void> = async () => {};

  constructor(
    private readonly parts: EdgeParts,
    private readonly outside: Neighbours,
    private readonly updates: Updates,
  ) {}

  /** Resolves when the node listens. Fails with CONFIG_INVALID. */
  async listen(): Promise<void> {
    if (await this.parts.files.isClaimed()) return this.#openAll();
    const enrolment = await openEnrolment(this.parts, this.outside);
    this.#close = enrolment.close;
    enrolment.claimed.addEventListener('abort', () => void this.#becomeClaimed().catch(this.parts.giveUp));
  }

  close(): Promise<void> {
    return this.#close();
  }

  async #becomeClaimed(): Promise<void> {
    this.parts.log.info('The node was claimed');
    await this.#close();
    if (!this.parts.stopping.aborted) await this.#openAll();
  }

  async #openAll(): Promise<void> {
    const { config, folders, events, log } = this.parts;
    await hideFingerprint(folders);
    const credentials = await NodeServerCredentials.read(config.tls.folder, log, (change) => {
      rpc.renew(change);
      metrics.renew();
      void events.record({ type: 'certificates-reloaded', notAfterMs: credentials.notAfter.getTime() });
    });
    const rpc = rpcOf({ ...this.parts, credentials }, this.outside, this.updates);
    const metrics = metricsOf({ ...this.parts, config: config.metrics, credentials }, this.outside, this.updates);
    this.#close = () => {
      metrics.close();
      credentials.close();
      return rpc.close();
    };
    await rpc.listen(config.listen);
    await metrics.listen();
  }
}
