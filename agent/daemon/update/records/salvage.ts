// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import { parsedJson } from '../../../shared/json.ts';
import { type Operation, OperationSchema } from '../life/state.ts';
import { type FailedVersion, FailedVersionSchema } from './failed-version.ts';

/** What could still be read of a journal that can't be used. */
export interface Salvage {
  /** The operation that it was about; empty when even that is lost. */
  readonly operationId: string;
  readonly operation: Operation | undefined;
  readonly failedVersions: readonly FailedVersion[];
}

export const NO_SALVAGE: Salvage = { operationId: '', operation: undefined, failedVersions: [] };

/** The first id of a torn journal is the operation's: it stands before everything else of the state. */
const FIRST_ID = /"id":\s*"([0-9a-f-]{36})"/;

/** Looks into a journal that is torn, or whose format is a newer agent's, for what does not depend on the rest. */
export function salvage(text: string): Salvage {
  const raw = parsedJson(text);
  const operation = v.safeParse(v.object({ state: v.object({ operation: OperationSchema }) }), raw);
  const failed = v.safeParse(v.object({ failedVersions: v.array(v.unknown()) }), raw);
  const versions = failed.success ? failed.output.failedVersions.map((one) => v.safeParse(FailedVersionSchema, one)) : [];
  return {
    operationId: operation.success ? operation.output.state.operation.id : (FIRST_ID.exec(text)?.[1] ?? ''),
    operation: operation.success ? operation.output.state.operation : undefined,
    failedVersions: versions.flatMap((one) => (one.success ? [one.output] : [])),
  };
}
