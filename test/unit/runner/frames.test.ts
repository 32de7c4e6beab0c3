import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameReader, FrameWriter, InvalidFrame, MAX_FRAME_BYTES } from '../../../src/runner/start/frames.ts';

function decode(chunks: Iterable<Buffer>): string[][] {
  const frames: string[][] = [];
  const reader = new FrameReader((fields) => frames.push(fields));
  for (const chunk of chunks) reader.read(chunk);
  return frames;
}

/** Encodes one field of a frame. */
function field(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
}

test('a frame is its length and its fields, each with its length', () => {
  const writer = new FrameWriter();
  writer.add(['ack', '', 'ä']);
  const expected = '00000011' + '00000003' + '61636b' + '00000000' + '00000002' + 'c3a4';
  expect(writer.take().toString('hex')).toBe(expected);
  expect(writer.isEmpty).toBe(true);
});

test('frames that are split at any byte are decoded', () => {
  const ascii = fc.string({ unit: 'binary-ascii' });
  const frame = fc.array(ascii, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 5 }), fc.integer({ min: 1, max: 20 }), (frames, size) => {
      const writer = new FrameWriter();
      for (const fields of frames) expect(writer.add(fields)).toBe(true);
      const bytes = writer.take();
      const starts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => index * size);
      expect(decode(starts.map((start) => bytes.subarray(start, start + size)))).toEqual(frames);
    }),
  );
});

test('a frame of the maximum length is encoded, and a longer one is refused without a trace', () => {
  const writer = new FrameWriter();
  expect(writer.add(['x'.repeat(MAX_FRAME_BYTES - 3)])).toBe(false);
  expect(writer.isEmpty).toBe(true);
  writer.add(['before']);
  expect(writer.add(['ä'.repeat(MAX_FRAME_BYTES / 2)])).toBe(false);
  const longest = 'x'.repeat(MAX_FRAME_BYTES - 4);
  expect(writer.add([longest])).toBe(true);
  expect(decode([writer.take()])).toEqual([['before'], [longest]]);
  writer.add(['after']);
  expect(decode([writer.take()])).toEqual([['after']]);
});

test('frames that were taken are not changed by later ones', () => {
  const writer = new FrameWriter();
  const taken = ['first', 'second', 'x'.repeat(100_000), 'fourth'].map((text) => {
    writer.add([text]);
    return [text, writer.take()] as const;
  });
  for (const [text, bytes] of taken) expect(decode([bytes])).toEqual([[text]]);
});

test.each([
  ['a frame that is longer than the limit', Buffer.from('00400001', 'hex')],
  [
    'a field that extends beyond its frame',
    Buffer.concat([Buffer.from('00000005', 'hex'), field('ab').subarray(0, 5)]),
  ],
  ['a field with an incomplete length', Buffer.from('000000020000', 'hex')],
])('%s is refused', (_, bytes) => {
  expect(() => decode([bytes])).toThrow(InvalidFrame);
});
