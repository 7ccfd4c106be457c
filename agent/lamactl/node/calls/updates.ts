// SPDX-License-Identifier: Apache-2.0
import { UpdateServiceDefinition as update } from '../../../shared/gen/services.ts';
import type { Channel } from '../channel.ts';
import type { UpdateCalls } from '../node.ts';
import type { BundleSource, InstallRequest, Update } from '../node-update.ts';
import { inspectionFromWire, mediaBundleFromWire, updateEventFromWire, updateFromWire } from '../wire/from-wire.ts';
import { REBOOT_POLICIES } from '../wire/wire-names.ts';
import { text } from '../wire/wire-values.ts';

/** The largest page that ListUpdates gives. */
const PAGE_SIZE = 100;

/** What a node is asked about updates, and told to do. */
export function updateCalls(channel: Channel): UpdateCalls {
  return {
    install: async (request) => text((await channel.call(update.installBundle, installRequest(request))).operationId),
    rollBack: async (message, only) => text((await channel.call(update.rollBack, { message, ...only })).operationId),
    pause: async () => text((await channel.call(update.pauseUpdate, {})).operationId),
    resume: async () => text((await channel.call(update.resumeUpdate, {})).operationId),
    cancel: async (message, only) => text((await channel.call(update.cancelUpdate, { message, ...only })).operationId),
    inspect: async (source) => inspectionFromWire(await channel.call(update.inspectBundle, { source: sourceToWire(source) })),
    mediaBundles: async () => (await channel.call(update.listMediaBundles, {})).bundles.map(mediaBundleFromWire),
    update: (operationId) => getUpdate(channel, operationId),
    updates: (limit) => listUpdates(channel, limit),
    async *watch(operationId, afterCursor) {
      for await (const response of channel.stream(update.watchUpdate, { operationId, afterCursor })) {
        const event = updateEventFromWire(response);
        if (event) yield event;
      }
    },
  };
}

/** An update by its id, or the last one; undefined when there was none. */
export async function getUpdate(channel: Pick<Channel, 'call'>, operationId: string): Promise<Update | undefined> {
  const answer = await channel.call(update.getUpdate, { operationId });
  return answer.update ? updateFromWire(answer.update) : undefined;
}

function installRequest({ rebootPolicy, urlAccess, source, ...rest }: InstallRequest) {
  const access = urlAccess && { urlAccess: { ...urlAccess, headers: [...urlAccess.headers] } };
  return { ...rest, ...access, source: sourceToWire(source), rebootPolicy: REBOOT_POLICIES.indexOf(rebootPolicy) };
}

function sourceToWire(source: BundleSource) {
  return 'client' in source ? { client: { ...source.client, peers: [...(source.client.peers ?? [])] } } : source;
}

async function listUpdates(channel: Channel, limit: number): Promise<readonly Update[]> {
  const updates: Update[] = [];
  let pageToken = '';
  do {
    const page = await channel.call(update.listUpdates, { pageSize: Math.min(PAGE_SIZE, limit - updates.length), pageToken });
    updates.push(...page.updates.map(updateFromWire));
    pageToken = page.updates.length > 0 ? page.nextPageToken : '';
  } while (pageToken !== '' && updates.length < limit);
  return updates.slice(0, limit);
}
