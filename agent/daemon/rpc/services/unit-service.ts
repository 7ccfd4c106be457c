// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { UnitServiceHandlers } from '../../../shared/gen/services.ts';
import { nearestName } from '../../../shared/nearest-name.ts';
import { UNIT_STATES } from '../../node/unit-states.ts';
import type { Unit, Units } from '../../node/units.ts';
import { unary } from '../handlers.ts';

/** What systemd allows in a name, and the wildcards beside. */
const PATTERN = /^[\w:.\\@*?-]{1,255}$/;
const MAX_WORDS = 64;
/** More than any node has; with descriptions of this length they fit into one message. */
const MAX_UNITS = 5_000;
const MAX_DESCRIPTION_LENGTH = 200;

/** `restartable` are the whole names of the units that the configuration allows to be restarted. */
export function unitService(units: Units, restartable: readonly string[]): UnitServiceHandlers {
  const message = ({ description, ...unit }: Unit) => {
    return { ...unit, description: description.slice(0, MAX_DESCRIPTION_LENGTH), restartable: restartable.includes(unit.name) };
  };
  return {
    listUnits: unary(async ({ states, patterns }, { signal }) => {
      requireWords('states', states, (word) => UNIT_STATES.includes(word));
      requireWords('patterns', patterns, (word) => PATTERN.test(word));
      return { units: (await units.list({ states, patterns }, signal)).slice(0, MAX_UNITS).map(message) };
    }),

    restartUnit: unary(async ({ name }, { signal }) => {
      if (!restartable.includes(name)) {
        throw new Failure(
          'RESTART_NOT_ALLOWED',
          `Cannot restart "${name.slice(0, 255)}": the configuration of this node does not allow it${didYouMean(name, restartable)}`,
        );
      }
      return { unit: message(await units.restart(name, signal)) };
    }),
  };
}

/** Somebody who leaves ".service" away is used to systemctl, which adds it. */
function didYouMean(name: string, known: readonly string[]): string {
  const meant = known.find((each) => each === `${name}.service`) ?? nearestName(name, known);
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

function requireWords(field: 'states' | 'patterns', words: readonly string[], isAllowed: (word: string) => boolean): void {
  const stranger = words.find((word) => !isAllowed(word));
  if (stranger === undefined && words.length <= MAX_WORDS) return;
  const found =
    stranger === undefined
      ? `more than ${MAX_WORDS} ${field}`
      : `"${stranger.slice(0, 255)}" is none of the ${field} that there can be${didYouMean(stranger, field === 'states' ? UNIT_STATES : [])}`;
  throw new Failure('INVALID_REQUEST', `Cannot list units: ${found}`, { field });
}
