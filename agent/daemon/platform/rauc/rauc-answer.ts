// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import { Failure } from '../../../shared/failure.ts';

/** What RAUC answered, checked against a schema: a RAUC other than the known ones must not crash the agent. Throws RAUC_UNREADABLE. */
export function readAnswer<const S extends v.GenericSchema>(schema: S, answer: unknown, what: string): v.InferOutput<S> {
  const result = v.safeParse(schema, answer);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue);
  throw new Failure('RAUC_UNREADABLE', `Cannot read ${what} from RAUC's answer: ${where ? `"${where}": ` : ''}${issue.message}`);
}
