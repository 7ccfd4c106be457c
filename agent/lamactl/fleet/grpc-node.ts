// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { type CallOptions, type ChannelCredentials, Client, type ClientDuplexStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import { Failure } from '../../shared/failure.ts';
import type { lamadist } from '../../shared/gen/messages.js';
import {
  AttestationServiceDefinition,
  AuditServiceDefinition,
  DeviceServiceDefinition,
  EventServiceDefinition,
  HealthServiceDefinition,
  LogServiceDefinition,
  UnitServiceDefinition,
  UpdateServiceDefinition,
} from '../../shared/gen/services.ts';
import { channelCredentials, channelOptions, type Identity, requireTls13 } from '../../shared/tls.ts';
import type { ClaimedIdentity } from '../attest/enrolment.ts';
import { BANKS, type Bank } from '../attest/tpm/algorithms.ts';
import type { Credential } from '../attest/tpm/make-credential.ts';
import type { BundleFile } from './bundle-file.ts';
import { callFailure } from './call-failure.ts';
import { diskUsageFromWire, inventoryFromWire, protectionFromWire, unitFromWire } from './details-from-wire.ts';
import { bytes, collectQuote } from './evidence-stream.ts';
import {
  checksFromWire,
  deviceFromWire,
  healthFromWire,
  inspectionFromWire,
  mediaBundleFromWire,
  updateEventFromWire,
  updateFromWire,
} from './from-wire.ts';
import { linesOf } from './lines.ts';
import type {
  BundleSource,
  Checks,
  Connect,
  ConnectOptions,
  Device,
  Health,
  Inspection,
  InstallRequest,
  MediaBundle,
  NodeConnection,
  NodeQuote,
  Target,
  Update,
  UpdateEvent,
} from './node.ts';
import type { DiskUsage, Inventory, Protection, Unit, UnitFilter } from './node-details.ts';
import { type EventQuery, type NodeEvent, nodeEventFromWire } from './node-event.ts';
import { LOG_PRIORITIES, type LogEntry, type LogQuery, logEntryFromWire } from './node-log.ts';
import { REBOOT_POLICIES } from './wire-names.ts';
import { text } from './wire-values.ts';

/** The largest page that ListUpdates gives. */
const PAGE_SIZE = 100;

/** Opens a node over gRPC with mutual TLS 1.3; the first call connects. */
export const connectGrpc: Connect = async (target, options) => {
  requireTls13();
  return new GrpcNode(target, options);
};

/** What a generated service definition says of a method. */
interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

class GrpcNode implements NodeConnection {
  readonly #address: string;
  readonly #options: ConnectOptions;
  readonly #client: Client;
  readonly #certificate: Buffer;

  constructor({ address, tlsName, identity }: Target, options: ConnectOptions) {
    this.#address = address;
    this.#options = options;
    this.#certificate = identity.certificate;
    this.#client = new Client(address, credentialsOf(identity), channelOptions(tlsName));
  }

  async device(): Promise<Device> {
    const { device } = await this.#call(DeviceServiceDefinition.getDevice, {});
    return deviceFromWire(device ?? {});
  }

  async reboot(): Promise<string> {
    const { bootId } = await this.#call(DeviceServiceDefinition.reboot, {});
    return text(bootId);
  }

  async health(): Promise<Health> {
    return healthFromWire(await this.#call(HealthServiceDefinition.getHealth, {}));
  }

  async runChecks(): Promise<Checks> {
    return checksFromWire(await this.#call(HealthServiceDefinition.runChecks, {}));
  }

  async inventory(refresh: boolean): Promise<Inventory> {
    const { inventory } = await this.#call(DeviceServiceDefinition.getInventory, { refresh });
    return inventoryFromWire(inventory ?? {});
  }

  async protections(): Promise<readonly Protection[]> {
    const { protections } = await this.#call(DeviceServiceDefinition.getSecurityPosture, {});
    return protections.map(protectionFromWire);
  }

  async diskUsage(): Promise<DiskUsage> {
    return diskUsageFromWire(await this.#call(DeviceServiceDefinition.getDiskUsage, {}));
  }

  async units({ states, patterns }: UnitFilter): Promise<readonly Unit[]> {
    const { units } = await this.#call(UnitServiceDefinition.listUnits, { states: [...states], patterns: [...patterns] });
    return units.map(unitFromWire);
  }

  async restartUnit(name: string): Promise<Unit> {
    const { unit } = await this.#call(UnitServiceDefinition.restartUnit, { name });
    return unitFromWire(unit ?? {});
  }

  async install({ rebootPolicy, urlAccess, ...rest }: InstallRequest): Promise<string> {
    const access = urlAccess && { urlAccess: { ...urlAccess, headers: [...urlAccess.headers] } };
    const request = { ...rest, ...access, rebootPolicy: REBOOT_POLICIES.indexOf(rebootPolicy) };
    const { operationId } = await this.#call(UpdateServiceDefinition.installBundle, request);
    return text(operationId);
  }

  async serveBundle(operationId: string, file: BundleFile): Promise<void> {
    const { path, requestSerialize, responseDeserialize } = UpdateServiceDefinition.serveBundle;
    const stream = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata(), {});
    const cancel = () => stream.cancel();
    const { signal } = this.#options;
    signal?.addEventListener('abort', cancel);
    if (signal?.aborted) cancel();
    const over = new AbortController();
    stream.on('status', () => over.abort());
    stream.on('error', () => undefined);
    try {
      stream.write({ operationId });
      for await (const wanted of stream) await giveRange(stream, file, wanted, over.signal);
    } catch (error) {
      throw error instanceof Failure ? error : callFailure(error as ServiceError, this.#address);
    } finally {
      signal?.removeEventListener('abort', cancel);
      cancel();
    }
  }

  async rollBack(message: string): Promise<string> {
    const { operationId } = await this.#call(UpdateServiceDefinition.rollBack, { message });
    return text(operationId);
  }

  async pause(): Promise<string> {
    return text((await this.#call(UpdateServiceDefinition.pauseUpdate, {})).operationId);
  }

  async resume(): Promise<string> {
    return text((await this.#call(UpdateServiceDefinition.resumeUpdate, {})).operationId);
  }

  async cancel(message: string): Promise<string> {
    return text((await this.#call(UpdateServiceDefinition.cancelUpdate, { message })).operationId);
  }

  async mediaBundles(): Promise<readonly MediaBundle[]> {
    const { bundles } = await this.#call(UpdateServiceDefinition.listMediaBundles, {});
    return bundles.map(mediaBundleFromWire);
  }

  async inspect(source: BundleSource): Promise<Inspection> {
    return inspectionFromWire(await this.#call(UpdateServiceDefinition.inspectBundle, { source }));
  }

  async update(operationId: string): Promise<Update | undefined> {
    const { update } = await this.#call(UpdateServiceDefinition.getUpdate, { operationId });
    return update ? updateFromWire(update) : undefined;
  }

  async updates(limit: number): Promise<readonly Update[]> {
    const updates: Update[] = [];
    let pageToken = '';
    do {
      const request = { pageSize: Math.min(PAGE_SIZE, limit - updates.length), pageToken };
      const page = await this.#call(UpdateServiceDefinition.listUpdates, request);
      updates.push(...page.updates.map(updateFromWire));
      pageToken = page.updates.length > 0 ? page.nextPageToken : '';
    } while (pageToken !== '' && updates.length < limit);
    return updates.slice(0, limit);
  }

  async *watch(operationId: string, afterCursor: string): AsyncIterable<UpdateEvent> {
    for await (const response of this.#stream(UpdateServiceDefinition.watchUpdate, { operationId, afterCursor })) {
      const event = updateEventFromWire(response);
      if (event) yield event;
    }
  }

  async *readLog({ since, priority, ...query }: LogQuery): AsyncIterable<LogEntry> {
    const request = {
      ...query,
      units: [...query.units],
      priority: LOG_PRIORITIES.indexOf(priority),
      ...(since && { since: { seconds: Math.floor(since.getTime() / 1000), nanos: (since.getTime() % 1000) * 1e6 } }),
    };
    for await (const { entry } of this.#stream(LogServiceDefinition.readLog, request, this.#deadlineOf(query))) {
      if (entry) yield logEntryFromWire(entry);
    }
  }

  async *events(query: EventQuery): AsyncIterable<NodeEvent> {
    const stream = this.#stream(EventServiceDefinition.watchEvents, query, this.#deadlineOf(query));
    for await (const response of stream) yield nodeEventFromWire(response);
  }

  #deadlineOf({ follow }: { readonly follow: boolean }): CallOptions {
    return follow ? {} : { deadline: Date.now() + this.#options.timeoutMs };
  }

  async *auditLog(): AsyncIterable<string> {
    const deadline = { deadline: Date.now() + this.#options.timeoutMs };
    yield* linesOf(this.#stream(AuditServiceDefinition.readAuditLog, {}, deadline));
  }

  close(): void {
    this.#client.close();
  }

  async *#stream<Request, Response>(
    { path, requestSerialize, responseDeserialize }: Method<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): AsyncGenerator<Response, void> {
    const stream = this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), options);
    const cancel = () => stream.cancel();
    this.#options.signal?.addEventListener('abort', cancel);
    // Once nobody iterates, an error (the cancellation itself is one) would have no listener and end lamactl.
    stream.on('error', () => undefined);
    try {
      yield* stream as AsyncIterable<Response>;
    } catch (error) {
      throw callFailure(error as ServiceError, this.#address);
    } finally {
      this.#options.signal?.removeEventListener('abort', cancel);
      cancel();
    }
  }

  async tpmKeys(): Promise<ClaimedIdentity> {
    const { ekCertificate, ekPublic, akPublic } = await this.#call(AttestationServiceDefinition.getIdentity, {});
    return { ekCertificate: bytes(ekCertificate), ekPublic: bytes(ekPublic), akPublic: bytes(akPublic) };
  }

  async activate(credential: Credential): Promise<Buffer> {
    return bytes((await this.#call(AttestationServiceDefinition.activateCredential, credential)).secret);
  }

  async quote(nonce: Buffer, bank: Bank): Promise<NodeQuote> {
    const { path, requestSerialize, responseDeserialize } = AttestationServiceDefinition.getEvidence;
    const options = { deadline: Date.now() + this.#options.timeoutMs };
    const request = { nonce, bank: BANKS.indexOf(bank) + 1 };
    const stream = this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), options);
    const cancel = () => stream.cancel();
    this.#options.signal?.addEventListener('abort', cancel);
    stream.on('error', () => undefined);
    try {
      return await collectQuote(stream, this.#certificate);
    } catch (error) {
      throw error instanceof Failure ? error : callFailure(error as ServiceError, this.#address);
    } finally {
      this.#options.signal?.removeEventListener('abort', cancel);
      cancel();
    }
  }

  #call<Request, Response>(method: Method<Request, Response>, request: Request): Promise<Response> {
    const { signal, timeoutMs } = this.#options;
    const { path, requestSerialize, responseDeserialize } = method;
    const deadline = Date.now() + timeoutMs;
    return new Promise((resolve, reject) => {
      const cancel = () => call.cancel();
      const done = (error: ServiceError | null, response?: Response) => {
        signal?.removeEventListener('abort', cancel);
        if (error) reject(callFailure(error, this.#address));
        else resolve(response as Response);
      };
      const call = this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), { deadline }, done);
      signal?.addEventListener('abort', cancel);
      if (signal?.aborted) cancel();
    });
  }
}

/** Small enough that several calls share a slow connection; the node takes four times as much. */
const PART_BYTES = 256 << 10;

type ServeStream = ClientDuplexStream<lamadist.agent.v1.ServeBundleRequest.$Properties, lamadist.agent.v1.ServeBundleResponse.$Properties>;

/** Writes the parts of a range, as far as the call lasts. */
async function giveRange(
  stream: ServeStream,
  file: BundleFile,
  wanted: lamadist.agent.v1.ServeBundleResponse.$Properties,
  over: AbortSignal,
): Promise<void> {
  const start = wanted.offset ?? 0;
  const end = Math.min(start + (wanted.length ?? 0), file.info.sizeBytes);
  for (let offset = start; offset < end && !over.aborted; offset += PART_BYTES) {
    const data = await file.read(offset, Math.min(PART_BYTES, end - offset));
    // A call that ends never drains; how it ended is told to whoever reads the stream.
    if (!stream.write({ part: { offset, data } })) await once(stream, 'drain', { signal: over }).catch(() => undefined);
  }
}

const credentials = new WeakMap<Identity, ChannelCredentials>();

/** One TLS context for all nodes of a context: making one for each would double the cost of a fan-out. */
function credentialsOf(identity: Identity): ChannelCredentials {
  const known = credentials.get(identity) ?? channelCredentials(identity);
  credentials.set(identity, known);
  return known;
}
