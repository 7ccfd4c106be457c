// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { Server, ServerCredentials, type ServerUnaryCall, type ServerWritableStream, type sendUnaryData } from '@grpc/grpc-js';
import { put, type Register, take } from '../../../agent/daemon/rollout/register.ts';
import { Failure } from '../../../agent/shared/failure.ts';
import { lamadist } from '../../../agent/shared/gen/messages.js';
import * as services from '../../../agent/shared/gen/services.ts';
import { toStatus } from '../../../agent/shared/status.ts';
import { requireTls13 } from '../../../agent/shared/tls.ts';

/*
 * A process that plays some of the nodes of a fleet: each on a port of its own, with TLS 1.3 in which both ends show certificates,
 * and the real protocol. A node knows what it runs and what a rollout's runner wrote; an update takes as long as asking for it.
 * Started by test/bench/fleet.ts with its part of the fleet as a line of JSON.
 */

export interface SimPart {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  readonly host: string;
  readonly ports: readonly number[];
  /** Ports of nodes that roll every update back. */
  readonly failing: readonly number[];
}

type Wire = typeof lamadist.agent.v1;
const { GateVerdict, Reachability, BootStatus, UpdatePhase } = lamadist.agent.v1 as Wire;

const BUNDLE = { compatible: 'lamadist-virtual', version: '2', format: 'verity', manifestHash: 'ab12' };

class SimNode {
  version = '1';
  update: lamadist.agent.v1.Update.$Properties | undefined;
  readonly registers = new Map<string, Register>();

  constructor(
    readonly name: string,
    readonly isFailing: boolean,
  ) {}

  device(): lamadist.agent.v1.Device.$Properties {
    const booted = this.version === '1' ? 0 : 1;
    const slots = ['A', 'B'].map((bootname, index) => ({
      name: `rootfs.${index}`,
      bootname,
      device: `/dev/vda${index + 3}`,
      booted: index === booted,
      primary: index === booted,
      bootStatus: BootStatus.BOOT_STATUS_GOOD,
      version: index === booted ? this.version : '',
      status: 'ok',
    }));
    return {
      hostname: this.name,
      machineId: '0123456789abcdef0123456789abcdef',
      bootId: `${this.name}-${this.version}`,
      imageId: 'lamadist',
      imageVersion: this.version,
      kernelRelease: '6.12.0',
      architecture: 'x86_64',
      agentVersion: '0.1.0',
      compatible: 'lamadist-virtual',
      slots,
      rauc: Reachability.REACHABILITY_REACHABLE,
      bus: Reachability.REACHABILITY_REACHABLE,
    };
  }

  install({ operationId, source }: lamadist.agent.v1.InstallBundleRequest.$Properties): string {
    const phase = this.isFailing ? UpdatePhase.UPDATE_PHASE_ROLLED_BACK : UpdatePhase.UPDATE_PHASE_COMMITTED;
    if (!this.isFailing) this.version = '2';
    const reason = this.isFailing ? { reason: { code: 'CHECK_FAILED', message: 'web-server failed' } } : {};
    this.update = {
      operationId: operationId ?? '',
      phase,
      ...(source && { source }),
      bundle: BUNDLE,
      sourceSlot: 'rootfs.0',
      targetSlot: 'rootfs.1',
      ...reason,
    };
    return operationId ?? '';
  }

  register(id: string, change: (register: Register | undefined) => Register): Register {
    const register = change(this.registers.get(id));
    this.registers.set(id, register);
    return register;
  }
}

/** By their addresses, host and port. */
const nodes = new Map<string, SimNode>();

/** The one that the client called. */
function nodeOf(call: { getHost(): string }): SimNode {
  const node = nodes.get(call.getHost());
  if (!node) throw new Failure('INTERNAL', `Cannot answer: there is no node "${call.getHost()}"`);
  return node;
}

function unary<Request, Response>(answer: (node: SimNode, request: Request) => Response) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    try {
      callback(null, answer(nodeOf(call), call.request));
    } catch (error) {
      callback(toStatus(Failure.from(error)));
    }
  };
}

function stream<Request, Response>(answer: (node: SimNode, request: Request) => Response) {
  return (call: ServerWritableStream<Request, Response>): void => {
    call.write(answer(nodeOf(call), call.request));
    call.end();
  };
}

const header = (id: string, { promised, record }: Register) => ({
  id,
  ...promised,
  ...(record && {
    sequence: record.sequence,
    writtenEpoch: record.epoch,
    witnesses: [...record.witnesses],
    summary: record.summary,
    ended: record.ended,
  }),
});
const whole = (id: string, register: Register) => ({
  rollout: header(id, register),
  ...(register.record && { plan: register.record.plan, progress: register.record.progress }),
});

function grpcServer(): Server {
  const server = new Server({ 'grpc.max_receive_message_length': 2 << 20, 'grpc.enable_channelz': 0 });
  const add = (definition: object, handlers: object): void => server.addService(definition as never, handlers as never);
  const checks = [{ name: 'k3s', severity: 1, outcome: 2, detail: 'k3s.service is active', attempts: 1 }];
  add({ getDevice: services.DeviceServiceDefinition.getDevice }, { getDevice: unary((node) => ({ device: node.device() })) });
  const health = { verdict: GateVerdict.GATE_VERDICT_PASSED, checks, brokenChecks: [] };
  add({ getHealth: services.HealthServiceDefinition.getHealth }, { getHealth: unary(() => health) });
  add(services.StatusServiceDefinition, {
    getStatus: unary((node) => ({ device: node.device(), health, ...(node.update && { update: node.update }) })),
  });
  const { installBundle, inspectBundle, getUpdate, watchUpdate } = services.UpdateServiceDefinition;
  add(
    { installBundle, inspectBundle, getUpdate, watchUpdate },
    {
      installBundle: unary((node, request: lamadist.agent.v1.InstallBundleRequest) => ({ operationId: node.install(request) })),
      inspectBundle: unary(() => ({ bundle: BUNDLE, compatibleWithNode: true })),
      getUpdate: unary((node, { operationId }: lamadist.agent.v1.GetUpdateRequest) => {
        if (operationId && node.update?.operationId !== operationId) throw new Failure('UPDATE_NOT_FOUND', 'Cannot find the update');
        return node.update ? { update: node.update } : {};
      }),
      watchUpdate: stream((node) => ({ cursor: '1', result: node.update ?? {} })),
    },
  );
  add(services.RolloutServiceDefinition, {
    takeRollout: unary(
      (node, { rolloutId, epoch, holder }: lamadist.agent.v1.TakeRolloutRequest & { rolloutId: string; epoch: number; holder: string }) =>
        whole(
          rolloutId,
          node.register(rolloutId, (register) => take(register, { epoch, holder })),
        ),
    ),
    putRollout: unary((node, { rollout, plan, progress }: lamadist.agent.v1.PutRolloutRequest) => {
      const {
        id = '',
        epoch = 0,
        holder = '',
        sequence = 0,
        witnesses,
        summary,
        ended,
      } = rollout as Required<lamadist.agent.v1.Rollout.$Properties> & { id: string };
      const record = {
        epoch: epoch ?? 0,
        sequence: sequence ?? 0,
        witnesses: witnesses ?? [],
        summary: summary ?? '',
        ended: ended === true,
      };
      const bytes = { plan: Buffer.from(plan ?? []), progress: Buffer.from(progress ?? []) };
      node.register(id, (register) => put(register, holder ?? '', { ...record, ...bytes }));
      return {};
    }),
    getRollout: unary((node, { rolloutId }: { rolloutId: string }) => {
      const register = node.registers.get(rolloutId);
      if (!register) throw new Failure('ROLLOUT_NOT_FOUND', 'Cannot find the rollout');
      return whole(rolloutId, register);
    }),
    listRollouts: unary((node) => ({ rollouts: [...node.registers].map(([id, register]) => header(id, register)) })),
  });
  return server;
}

async function play({ ca, certificate, key, host, ports, failing }: SimPart): Promise<void> {
  requireTls13();
  const inside = grpcServer().createConnectionInjector(ServerCredentials.createInsecure());
  const door = tls.createServer({
    ca,
    cert: certificate,
    key,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['h2'],
  });
  door.on('secureConnection', (socket) => {
    socket.on('error', () => {});
    // A bare handshake asks for no protocol; it gets none.
    if (socket.alpnProtocol === 'h2') inside.injectConnection(socket);
  });
  let bytes = 0;
  let connections = 0;
  for (const port of ports) {
    nodes.set(`${host}:${port}`, new SimNode(`node-${port}`, failing.includes(port)));
    const server = net.createServer((socket) => {
      connections += 1;
      socket.on('error', () => {});
      socket.on('close', () => {
        bytes += socket.bytesRead + socket.bytesWritten;
      });
      door.emit('connection', socket);
    });
    server.listen({ port, host, backlog: 64 });
    await once(server, 'listening');
  }
  process.on('message', () => {
    process.send?.({ bytes, connections });
    [bytes, connections] = [0, 0];
  });
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}

process.once('message', (part: SimPart) => void play(part));
