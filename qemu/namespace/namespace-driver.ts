// SPDX-License-Identifier: Apache-2.0
import { buildBundle } from '../bundle/build-bundle.ts';
import type { Driver } from '../driver.ts';
import { buildImage } from '../image/build-image.ts';
import { NamespaceMachine } from './namespace-machine.ts';

/** Nodes in namespaces of the host's kernel: they boot in a second, and have no boot chain of their own. */
export const namespaceDriver: Driver = { buildImage, buildBundle, createNode: (request) => NamespaceMachine.create(request) };
