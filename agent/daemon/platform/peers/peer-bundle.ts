// SPDX-License-Identifier: Apache-2.0
import { ChannelCredentials, Client, Metadata } from '@grpc/grpc-js';
import { Failure } from '../../../shared/failure.ts';
import { UpdateServiceDefinition } from '../../../shared/gen/services.ts';
import { channelOptions, clientContext, type Identity } from '../../../shared/tls.ts';
import type { Peer, ReadFromPeer } from '../../delivery/peers.ts';
import type { Clock } from '../../timing/clock.ts';
import { within } from '../../timing/within.ts';

/** A node that says nothing for this long is taken for gone. */
const SILENCE_MS = 20_000;

/** Reads from other nodes with the node's own certificate; what they are called, theirs has to say. */
export function readFromPeers(identity: () => Promise<Identity>, clock: Clock): ReadFromPeer {
  return async function* (peer, sha256, offset, length, signal) {
    const { path, requestSerialize, responseDeserialize } = UpdateServiceDefinition.readBundle;
    const client = new Client(
      peer.address,
      ChannelCredentials.createFromSecureContext(clientContext(await identity())),
      channelOptions(peer.name),
    );
    const request = { sha256, offset, length };
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, new Metadata());
    // Once nobody iterates, its cancellation would be an error without a listener.
    call.on('error', () => undefined);
    const messages = call[Symbol.asyncIterator]() as AsyncIterator<{ readonly data?: Uint8Array | null }>;
    const silent = () => {
      throw new Error(`it was silent for ${SILENCE_MS / 1000} s`);
    };
    try {
      for (;;) {
        const { done, value } = await within(clock, SILENCE_MS, signal, () => messages.next(), silent);
        if (done) return;
        if (value.data && value.data.length > 0) yield Buffer.from(value.data);
      }
    } catch (error) {
      signal.throwIfAborted();
      throw failed(peer, error as Error);
    } finally {
      call.cancel();
      client.close();
    }
  };
}

function failed({ name, address }: Peer, error: Error): Failure {
  const facts = { peer: name, address };
  return new Failure('DOWNLOAD_FAILED', `Cannot fetch the bundle: the node ${name} did not give it: ${error.message}`, facts, {
    cause: error,
  });
}
