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

/** Whether a call may go on. */
export type Admit = (path: string, context: AuthContext) => Admission;

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

/** So many calls a minute of all strangers together: enough for whoever enrols, and no load. */
const CALLS_A_MINUTE = 30;
const MINUTE_MS = 60_000;

/** Whoever comes, for a node that knows nobody yet; not more often than a node that enrols needs. `nowMs` only ever grows. */
export function admitStrangers(nowMs: () => number): Admit {
  let begins: number[] = [];
  return (path) => {
    const now = nowMs();
    begins = begins.filter((begin) => now - begin < MINUTE_MS);
    if (begins.length >= CALLS_A_MINUTE) {
      return {
        refusal: new Failure(
          'TOO_MANY_CALLS',
          `Cannot call ${path}: this node answers ${CALLS_A_MINUTE} calls a minute until it is claimed`,
        ),
      };
    }
    begins.push(now);
    return {};
  };
}
