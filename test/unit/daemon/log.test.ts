// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { journalLogger } from '../../../agent/daemon/log.ts';
import { Failure } from '../../../agent/shared/failure.ts';

function logging(level = 'trace') {
  const written: string[] = [];
  const log = journalLogger(level, { write: (text: string | Uint8Array) => Boolean(written.push(String(text))) });
  const lines = () => written.map((line) => ({ priority: line.slice(0, 3), ...JSON.parse(line.slice(3)) }));
  return { log, written, lines };
}

describe('the log', () => {
  // syslog(3)
  it.each([
    ['trace', '<7>'],
    ['debug', '<7>'],
    ['info', '<6>'],
    ['warn', '<4>'],
    ['error', '<3>'],
    ['fatal', '<2>'],
  ] as const)('puts the priority of %s before its line', (level, priority) => {
    const { log, lines } = logging();
    log.info('something before');
    log[level]({ slot: 'rootfs.1' }, 'A fixed sentence');
    log.info('something after');
    expect(lines()).toMatchObject([{}, { priority, level, slot: 'rootfs.1', msg: 'A fixed sentence' }, { priority: '<6>' }]);
  });

  it('says nothing below its level', () => {
    const { log, lines } = logging('warn');
    log.info('no');
    log.warn('yes');
    expect(lines().map(({ msg }) => msg)).toEqual(['yes']);
  });

  it('is one line whatever was said, without what the journal knows itself', () => {
    const { log, written, lines } = logging();
    log.error({ err: new Failure('NO_SPACE', 'Cannot write:\nfull'), detail: 'a\nb' }, 'Two\nlines');
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/^<3>[^\n]+\n$/);
    const [line] = lines();
    expect(line).toMatchObject({ err: { code: 'NO_SPACE', message: 'Cannot write:\nfull' } });
    expect(Object.keys(line ?? {})).not.toEqual(expect.arrayContaining(['time', 'pid', 'hostname']));
  });

  it.each([
    [{ key: 'SECRET' }],
    [{ identity: { key: 'SECRET' } }],
    [{ headers: { authorization: 'SECRET' } }],
    [{ request: { headers: { cookie: 'SECRET' } } }],
    [{ authorization: 'SECRET' }],
    [{ err: Object.assign(new Error('x'), { key: 'SECRET' }) }],
  ])('leaves secrets out of %o', (fields) => {
    const { log, written } = logging();
    log.info(fields, 'A sentence');
    expect(written.join()).not.toContain('SECRET');
    expect(written.join()).toContain('[left out]');
  });
});
