// SPDX-License-Identifier: Apache-2.0
import { ChannelCredentials, Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import { Failure } from '../../../shared/failure.ts';
import { UpdateServiceDefinition } from '../../../shared/gen/services.ts';
import { oneLine } from '../../../shared/printable.ts';
import { type ClientIdentity, channelOptions, clientContext } from '../../../shared/tls.ts';
import type { Peer, ReadFromPeer } from '../../delivery/peers.ts';
import type { Clock } from '../../timing/clock.ts';
import { type Flow, requireFlow } from '../../timing/require-flow.ts';
import { within } from '../../timing/within.ts';

/** A node that says nothing for this long is taken for gone. */
const SILENCE_MS = 20_000;
/** So much has to come within so much time that it was waited for: one that drips is as good as gone. */
const ENOUGH_BYTES = 1 << 20;
const ENOUGH_WITHIN_MS = 60_000;
/** Above what an honest node sends at a time, and little beside what the agent may take of memory. */
const MESSAGE_LIMIT_BYTES = 1 << 20;

const FLOW: Flow = {
  enoughBytes: ENOUGH_BYTES,
  withinMs: ENOUGH_WITHIN_MS,
  tooLittle: (bytes) => new Error(`it gave ${bytes} bytes in ${ENOUGH_WITHIN_MS / 1000} s`),
};

/** Reads from other nodes with the node's own certificate; what they are called, theirs has to say. */
export function readFromPeers(identity: () => Promise<ClientIdentity>, clock: Clock): ReadFromPeer {
  return async function* (peer, sha256, offset, length, signal) {
    const { path, requestSerialize, responseDeserialize } = UpdateServiceDefinition.readBundle;
    // Without the scheme a host of the name "unix" would be one.
    const client = new Client(`dns:${peer.address}`, ChannelCredentials.createFromSecureContext(clientContext(await identity())), {
      ...channelOptions(peer.name),
      'grpc.max_receive_message_length': MESSAGE_LIMIT_BYTES,
    });
    const request = { sha256, offset, length };
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, new Metadata());
    // Once nobody iterates, its cancellation would be an error without a listener.
    call.on('error', () => undefined);
    try {
      yield* requireFlow(pieces(call as AsyncIterable<Message>, clock, signal), FLOW, clock);
    } catch (error) {
      signal.throwIfAborted();
      throw failed(peer, error as Error);
    } finally {
      call.cancel();
      client.close();
    }
  };
}

interface Message {
  readonly data?: Uint8Array | null;
}

async function* pieces(call: AsyncIterable<Message>, clock: Clock, signal: AbortSignal): AsyncGenerator<Buffer> {
  const messages = call[Symbol.asyncIterator]();
  const silent = () => {
    throw new Error(`it was silent for ${SILENCE_MS / 1000} s`);
  };
  for (;;) {
    const { done, value } = await within(clock, SILENCE_MS, signal, () => messages.next(), silent);
    if (done) return;
    const data = Buffer.from(value.data ?? []);
    if (data.length === 0) throw new Error('it sent nothing');
    yield data;
  }
}

/** They are the other node's. */
const MOST_WORDS = 300;

function failed({ name, address }: Peer, error: Error & Partial<ServiceError>): Failure {
  const facts = { peer: name, address };
  const found = error.details || error.message;
  return new Failure(
    'DOWNLOAD_FAILED',
    `Cannot fetch the bundle: the node ${name} did not give it: ${oneLine(found).slice(0, MOST_WORDS)}`,
    facts,
    { cause: error },
  );
}
