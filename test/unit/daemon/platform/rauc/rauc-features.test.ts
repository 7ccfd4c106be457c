// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { hasMethod, RaucFeatures } from '../../../../../agent/daemon/platform/rauc/rauc-features.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';

const RAUC = '<interface name="de.pengutronix.rauc.Installer"><method name="InspectBundle"><arg/></method></interface>';
const OTHER = '<interface name="org.x"><method name="InspectBundle"/></interface>';
const OLD = '<interface name="de.pengutronix.rauc.Installer"><method name="Info"/></interface>';

describe('introspection', () => {
  it.each([
    [RAUC, true],
    [OTHER + RAUC, true],
    [OLD, false],
    [OLD + OTHER, false],
    [OTHER + OLD, false],
    ['', false],
  ])('tells whether RAUC has a method: %s', (xml, expected) => {
    expect(hasMethod(`<node>${xml}</node>`, 'InspectBundle')).toBe(expected);
  });
});

describe('the arguments of an install', () => {
  const request = { location: '/x', transactionId: 'id', manifestHash: 'hash' };
  const keys = (features: RaucFeatures) => Object.keys(features.installArguments(request));
  const unsupported = (key: string) => new Failure('RAUC_REFUSED', `Cannot install "/x": Unsupported key: ${key}`);

  it('are those that RAUC has not refused yet', () => {
    const features = new RaucFeatures();
    expect(keys(features)).toEqual(['transaction-id', 'require-manifest-hash']);
    expect(features.learnFrom(unsupported('require-manifest-hash'))).toBe('require-manifest-hash');
    expect(keys(features)).toEqual(['transaction-id']);
    expect(features.learnFrom(unsupported('require-manifest-hash'))).toBeUndefined();
    features.forget();
    expect(keys(features)).toEqual(['transaction-id', 'require-manifest-hash']);
  });

  it('stay what they are after any other failure', () => {
    const features = new RaucFeatures();
    expect(features.learnFrom(new Failure('BUNDLE_INVALID', 'no'))).toBeUndefined();
    expect(features.learnFrom(new Error('Unsupported key: transaction-id'))).toBeUndefined();
    expect(keys(features)).toHaveLength(2);
  });

  it('do not hold an install to a manifest that was not inspected', () => {
    expect(Object.keys(new RaucFeatures().installArguments({ location: '/x', transactionId: 'id' }))).toEqual(['transaction-id']);
  });
});
