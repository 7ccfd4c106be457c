// SPDX-License-Identifier: Apache-2.0
import type { lamadist } from '../../../shared/gen/messages.js';
import type { Trust } from '../../access/authorities.ts';

export function trustFromWire(trust: lamadist.agent.v1.Trust.$Properties | null | undefined): Trust {
  return { authorities: trust?.authorities ?? '', revocationLists: trust?.revocationLists ?? '' };
}
