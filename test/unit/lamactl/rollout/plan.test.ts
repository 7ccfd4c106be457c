// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NodeFacts, type PlanRequest, planRollout } from '../../../../agent/lamactl/rollout/plan.ts';
import { parseWaves, type WaveSize } from '../../../../agent/lamactl/rollout/waves.ts';

const there = (name: string, labels: Record<string, string> = {}, version = '1', busyWith = ''): NodeFacts => ({
  name,
  labels,
  state: { answers: true, version, compatible: 'virtual', runsFile: false, busyWith },
});
const away = (name: string): NodeFacts => ({ name, labels: {}, state: { answers: false, why: 'nothing listens there' } });
const request = (waves: string, changes: Partial<PlanRequest> = {}): PlanRequest => ({
  waves: parseWaves(waves)!,
  maxUnavailable: { percent: 10 },
  version: '2',
  compatible: 'virtual',
  ...changes,
});
const wavesOf = ({ nodes, waves }: ReturnType<typeof planRollout>) =>
  Array.from({ length: waves }, (_, number) => nodes.filter(({ wave }) => wave === number).map(({ name }) => name));

describe('the plan of a rollout', () => {
  it('makes a wave of one, of a tenth, and of the rest', () => {
    const names = Array.from({ length: 12 }, (_, index) => `node-${String(index).padStart(2, '0')}`);
    expect(
      wavesOf(
        planRollout(
          names.map((name) => there(name)),
          request('1,10%,rest'),
        ),
      ).map((wave) => wave.length),
    ).toEqual([1, 2, 9]);
  });

  it('begins with what no cluster needs, ends with who does not answer, and has k3s servers after their agents', () => {
    const facts = [there('b', { k3s: 'server' }), away('a'), there('c', { role: 'nas.k3s' }), there('d')];
    const { nodes } = planRollout(facts, request('1,1,rest'));
    expect(nodes.map(({ name, serves }) => [name, serves])).toEqual([
      ['d', ''],
      ['c', ''],
      ['b', 'default'],
      ['a', ''],
    ]);
    expect(nodes.map(({ why }) => why)).toEqual([
      'among the first, for no cluster needs it (wave 1 takes 1 of 4)',
      'before the k3s servers, for it is a k3s agent (wave 2 takes 1 of 4)',
      'after the others, for it is a k3s server; never two at once (wave 3 takes the rest of 4)',
      'last, for it does not answer: nothing listens there (wave 3 takes the rest of 4)',
    ]);
  });

  it('leaves out who runs the version already, who is of another kind, and who is busy', () => {
    const facts = [
      there('a', {}, '2'),
      { ...there('b'), state: { answers: true, version: '1', compatible: 'arm', runsFile: false, busyWith: '' } } as const,
      there('c', {}, '1', 'installing'),
      there('d'),
    ];
    expect(planRollout(facts, request('rest'))).toMatchObject({
      nodes: [{ name: 'd' }],
      leftOut: [
        { name: 'a', why: 'it runs 2 already', runsIt: true },
        { name: 'b', why: 'it is arm, and the bundle is for virtual', runsIt: false },
        { name: 'c', why: 'it has an update under way: installing', runsIt: false },
      ],
    });
  });

  it('leaves out who runs the file already, although nobody knows its version', () => {
    const facts = [{ ...there('a'), state: { ...there('a').state, version: '2', runsFile: true } } as NodeFacts, there('b')];
    expect(planRollout(facts, request('rest', { version: '', compatible: '' }))).toMatchObject({
      nodes: [{ name: 'b' }],
      leftOut: [{ name: 'a', why: 'it runs 2 already', runsIt: true }],
    });
  });

  it('has an odd number of witnesses, five at most, among those that answer and come last', () => {
    const nodes = ['a', 'b', 'c', 'd'].map((name) => there(name));
    expect(planRollout(nodes, request('rest')).witnesses).toEqual(['d', 'c', 'b']);
    expect(planRollout([...nodes, away('e')], request('rest')).witnesses).toEqual(['d', 'c', 'b']);
    expect(planRollout([away('e')], request('rest')).witnesses).toEqual([]);
    expect(planRollout([there('a'), there('b')], request('rest')).witnesses).toEqual(['b']);
  });

  it.each(['', '0', '1,,rest', 'rest,1', '101%', '0%', '-1', '1;2', 'all'])('does not take "%s" for waves', (text) => {
    expect(parseWaves(text)).toBeUndefined();
  });
});

const labels = fc.constantFrom({}, { role: 'k3s' }, { k3s: 'agent' }, { k3s: 'server' }, { k3s: 'server', 'k3s-cluster': 'b' });
const state = fc.oneof(
  fc.record({
    answers: fc.constant(true as const),
    version: fc.constantFrom('1', '2'),
    compatible: fc.constantFrom('', 'virtual', 'arm'),
    runsFile: fc.boolean(),
    busyWith: fc.constantFrom('', 'installing'),
  }),
  fc.record({ answers: fc.constant(false as const), why: fc.constant('nothing listens there') }),
);
const fleet = fc
  .uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,3}$/), labels, state), { selector: ([name]) => name, maxLength: 40 })
  .map((nodes) =>
    nodes.map(([name, nodeLabels, nodeState]): NodeFacts => ({ name, labels: nodeLabels as Record<string, string>, state: nodeState })),
  );
const share = fc.oneof(fc.record({ count: fc.integer({ min: 1, max: 50 }) }), fc.record({ percent: fc.integer({ min: 1, max: 100 }) }));
const waves = fc.array(share, { maxLength: 4 }).map((sizes): WaveSize[] => [...sizes, 'rest']);
const requests = fc.record({ waves, maxUnavailable: share, version: fc.constantFrom('', '2'), compatible: fc.constantFrom('', 'virtual') });

describe('any plan', () => {
  it('lets no more nodes be down than were allowed, of those that it updates, but one', () => {
    fc.assert(
      fc.property(fleet, fc.integer({ min: 1, max: 100 }), (facts, percent) => {
        const { maxUnavailable, nodes } = planRollout(facts, {
          waves: ['rest'],
          maxUnavailable: { percent },
          version: '2',
          compatible: '',
        });
        expect(maxUnavailable).toBeLessThanOrEqual(Math.max(1, (percent * nodes.length) / 100));
        expect(maxUnavailable).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it('has every node exactly once, in a wave or left out', () => {
    fc.assert(
      fc.property(fleet, requests, (facts, asked) => {
        const { nodes, leftOut } = planRollout(facts, asked);
        const names = [...nodes, ...leftOut].map(({ name }) => name).sort();
        expect(names).toEqual(facts.map(({ name }) => name).sort());
      }),
    );
  });

  it('is the same for the same facts in another order', () => {
    fc.assert(
      fc.property(
        fleet.chain((facts) => fc.tuple(fc.constant(facts), fc.shuffledSubarray(facts, { minLength: facts.length }))),
        requests,
        ([facts, shuffled], asked) => {
          expect(planRollout(shuffled, asked)).toEqual(planRollout(facts, asked));
        },
      ),
    );
  });

  it('has no empty wave, and waves in their order', () => {
    fc.assert(
      fc.property(fleet, requests, (facts, asked) => {
        const plan = planRollout(facts, asked);
        const numbers = plan.nodes.map(({ wave }) => wave);
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
        expect(new Set(numbers).size).toBe(plan.waves);
      }),
    );
  });
});
