import { expect, test } from 'vitest';
import { EndRequest } from '../../../src/feeder/end-request.ts';

test('a stronger request to end replaces a weaker one, and is announced once', () => {
  const endRequest = new EndRequest();
  const announced: unknown[] = [];
  endRequest.subscribe(() => announced.push([endRequest.kind, endRequest.requestedBy]));
  endRequest.request('shutdown', 'SIGTERM');
  endRequest.request('restart', 'SIGHUP');
  endRequest.request('shutdown', 'SIGINT');
  endRequest.request('stop', 'Ctrl-C');
  expect(announced).toEqual([
    ['shutdown', 'SIGTERM'],
    ['stop', 'Ctrl-C'],
  ]);
});

test('a request from before the subscription is announced', () => {
  const endRequest = new EndRequest();
  endRequest.request('shutdown', 'SIGTERM');
  let count = 0;
  endRequest.subscribe(() => count++);
  expect([endRequest.kind, count]).toEqual(['shutdown', 1]);
});
