// SPDX-License-Identifier: Apache-2.0
import type { ServerUnaryCall } from '@grpc/grpc-js';
import { Failure } from '../../shared/failure.ts';
import type { Caller } from '../access/caller.ts';
import { leastRole, mayCall } from '../access/roles.ts';
import type { Callers } from './callers.ts';

type AuthContext = ReturnType<ServerUnaryCall<unknown, unknown>['getAuthContext']>;

interface Admission {
  /** Who calls, as far as is known. */
  readonly caller?: Caller;
  readonly refusal?: Failure;
}

/** Whether a call may go on; `peer` is the address and port that it comes from. */
export type Admit = (path: string, context: AuthContext, peer: string) => Admission;

/** By the role in the certificate of the connection. */
export function admitByRole(callers: Pick<Callers, 'of'>): Admit {
  return (path, context) => {
    try {
      const caller = callers.of(context);
      if (mayCall(caller.role, path)) return { caller };
      const message = `Cannot call ${path}: "${caller.name}" is ${caller.role}, and the least role for it is ${leastRole(path)}`;
      return { caller, refusal: new Failure('PERMISSION_DENIED', message) };
    } catch (error) {
      return { refusal: Failure.from(error) };
    }
  };
}

/** Calls a minute: of one address more than an enrolment needs, and of all together no load, though one of them took its whole share. */
const CALLS_A_MINUTE = { ofAddress: 30, ofAll: 300 };
const MINUTE_MS = 60_000;

/** Whoever comes, for a node that knows nobody yet; no address may use up what the others need. `nowMs` only ever grows. */
export function admitStrangers(nowMs: () => number): Admit {
  let calls: { readonly address: string; readonly atMs: number }[] = [];
  return (path, _context, peer) => {
    const [address, now] = [addressOf(peer), nowMs()];
    calls = calls.filter(({ atMs }) => now - atMs < MINUTE_MS);
    const { ofAddress, ofAll } = CALLS_A_MINUTE;
    if (calls.length >= ofAll || calls.filter((call) => call.address === address).length >= ofAddress) {
      const limits = `${ofAddress} calls a minute from one address, and ${ofAll} from all`;
      return { refusal: new Failure('TOO_MANY_CALLS', `Cannot call ${path}: until this node is claimed, it answers ${limits}`) };
    }
    calls.push({ address, atMs: now });
    return {};
  };
}

/** Of a peer in whatever notation; the port is another with each connection. */
export function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, '');
}
