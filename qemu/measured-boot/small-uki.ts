// SPDX-License-Identifier: Apache-2.0

const HEADERS_BYTES = 0x400;
const OPTIONAL_BYTES = 240;
const ALIGNMENT = 512;

/** The least that is a PE32+ file with these sections. */
function smallPe(sections: readonly (readonly [string, Buffer])[]): Buffer {
  const headers = Buffer.alloc(HEADERS_BYTES);
  headers.write('MZ', 0, 'latin1');
  headers.writeUInt32LE(64, 0x3c);
  headers.write('PE\0\0', 64, 'latin1');
  headers.writeUInt16LE(sections.length, 70);
  headers.writeUInt16LE(OPTIONAL_BYTES, 84);
  headers.writeUInt16LE(0x20b, 88);
  headers.writeUInt32LE(HEADERS_BYTES, 88 + 60);
  const bodies = sections.map(([, content]) => Buffer.concat([content, Buffer.alloc(-content.length & (ALIGNMENT - 1))]));
  let offset = HEADERS_BYTES;
  for (const [index, [name, content]] of sections.entries()) {
    const at = 88 + OPTIONAL_BYTES + index * 40;
    const sizeBytes = bodies[index]?.length ?? 0;
    headers.write(name, at, 'latin1');
    headers.writeUInt32LE(content.length, at + 8);
    headers.writeUInt32LE(sizeBytes, at + 16);
    headers.writeUInt32LE(offset, at + 20);
    offset += sizeBytes;
  }
  return Buffer.concat([headers, ...bodies]);
}

/** An addon as ukify builds it, with these words. */
export function smallAddon(commandLine: string, ...more: (readonly [string, string])[]): Buffer {
  return smallPe([['.sbat', 'sbat,1'], ['.cmdline', commandLine], ...more].map(([name, content]) => [name!, Buffer.from(content!)]));
}

/** An image as ukify builds it, but tiny and without a kernel that runs. */
export function smallUki(version: number, ...more: (readonly [string, string])[]): Buffer {
  const sections: (readonly [string, string | Buffer])[] = [
    ['.sdmagic', `#### LoaderInfo: systemd-stub ${version}.1 ####`],
    ['.sbat', 'sbat,1'],
    ['.osrel', 'ID=lamadist'],
    ['.cmdline', 'quiet'],
    ['.linux', smallPe([['.text', Buffer.from('the kernel')]])],
    ...more,
  ];
  return smallPe(sections.map(([name, content]) => [name, Buffer.from(content)]));
}
