import { describe, expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';

async function queueWithTags(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', '--tag=a', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', '--tag=7', '--priority=5', 'echo big.txt']);
  await bench.must(['QUEUE', 'submit', '-q', 'exit 2']);
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=1']);
  return bench;
}

describe('query', () => {
  test('accepts terms and SQL, as arguments or on stdin', async () => {
    const bench = await queueWithTags();
    const found = async (words: string[], input?: string): Promise<unknown[]> => {
      const call = input === undefined ? {} : { input };
      const text = await bench.must(['QUEUE', 'query', '--json', ...words], call);
      return (JSON.parse(text) as { jid: number }[]).map(({ jid }) => jid);
    };
    expect(await found(['tag=a'])).toEqual([1]);
    expect(await found(['tag=7'])).toEqual([2]);
    expect(await found(['tag=null'])).toEqual([3]);
    expect(await found(['tag!=null', 'and', 'priority>=5'])).toEqual([2]);
    expect(await found(['command=~%big%', 'state=finished'])).toEqual([2]);
    expect(await found(['exit_status != 0'])).toEqual([3]);
    expect(await found(['exit_status', '!=', '0', 'or', "tag = 'a'"])).toEqual([1, 3]);
    expect(await found(['-'], "tag in ('a', '7') -- a comment")).toEqual([1, 2]);
    expect(await found(['restartable=false'])).toEqual([1, 2, 3]);
    expect(await found(['--snapshot', 'tag=a'])).toEqual([1]);
  });

  test.each([
    ['tga = 1', 2, 'did you mean tag?'],
    ['tag = "a"', 2, 'single quotes'],
    ['tag =', 2, 'syntax error'],
    ['started > -2h or tag = 7', 2, "a duration needs single quotes: '-2h'"],
    ['tag a', 2, "write SQL such as exit_status!=0 and tag='night'"],
    ['1); delete from jobs; select (1', 2, 'more than one statement'],
    ['jid > 0) or (jid > 0', 2, 'near ")": syntax error'],
    ['jid > 0) union select * from jobs where (1', 2, 'cannot query'],
    ['jid > 0 /* no end', 2, 'cannot query'],
    ['jid > 0 order by jid', 2, 'cannot query'],
    ["tag = 'nobody'", 3, 'no job in'],
    ['load_extension(1)', 2, 'cannot query'],
  ])('reports an error for %j', async (expression, status, message) => {
    const bench = await queueWithTags();
    const ended = await bench.run(['QUEUE', 'query', expression]);
    expect([ended.status, ended.stderr]).toEqual([status, expect.stringContaining(message)]);
    expect(ended.stderr.split('\n')).toHaveLength(2);
    expect(await bench.jobs()).toHaveLength(3);
  });
});

test('a query for a time in the future prints no job, and nothing is deleted', async () => {
  const bench = await queueWithTags();
  const environment = { TZ: 'Asia/Kolkata' };
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
  for (const condition of [`started >= '${tomorrow.slice(0, 10)} 23:59:00'`, `started>=${tomorrow}`]) {
    const query = await bench.run(['QUEUE', 'query', condition], { environment });
    expect([query.status, query.stderr]).toEqual([3, expect.stringContaining('no job in')]);
    await bench.run(['QUEUE', 'delete', '-'], { environment, input: query.stdout });
  }
  expect(await bench.jobs()).toHaveLength(3);
  const late = await bench.must(['QUEUE', 'query', '--json', 'started>-1h', 'and', 'finished>-1h'], {
    environment,
  });
  expect(JSON.parse(late)).toHaveLength(3);
  const wrong = await bench.run(['QUEUE', 'query', "started > 'noon'"]);
  expect([wrong.status, wrong.stdout, wrong.stderr]).toEqual([
    2,
    '',
    expect.stringContaining("'noon' is not a time; give"),
  ]);
});

describe('execute', () => {
  test('runs a statement in a transaction and prints its rows or the number of changes', async () => {
    const bench = await queueWithTags();
    const run = async (sql: string): Promise<string> => await bench.must(['QUEUE', 'execute', sql]);
    expect(await run('select tag, count(*) as jobs from jobs group by tag order by tag')).toBe(
      '---\n-\n  tag: null\n  jobs: 1\n-\n  tag: "7"\n  jobs: 1\n-\n  tag: a\n  jobs: 1\n',
    );
    expect(await run("update jobs set priority = 2 where tag = 'a'")).toBe('---\nchanges: 1\n');
    expect(await run('create table mine (x)')).toContain('changes');
    expect(await run("insert into mine values (x'00ff') returning x")).toContain("x'00ff'");
    expect(await run('drop table mine')).toContain('changes');
    const chosen = await bench.run(['QUEUE', 'execute', '--fields=jid', "update jobs set tag = 'x'"]);
    expect([chosen.status, chosen.stderr]).toEqual([2, expect.stringContaining('remove --fields')]);
    expect(await run("select count(*) as jobs from jobs where tag = 'x'")).toBe('---\n-\n  jobs: 0\n');
    expect(await run('pragma integrity_check')).toContain('ok');
  });

  test.each([
    ['drop table jobs', 'which rq needs'],
    ['drop index jobs_ready', 'which rq needs'],
    ['drop trigger jobs_added', 'which rq needs'],
    ['delete from operations', 'the fence'],
    ["update sqlite_sequence set seq = 0 where name = 'jobs'", 'the last jid'],
    ['commit', 'in its own transaction'],
    ['/* x */ rollback', 'in its own transaction'],
    [';COMMIT', 'in its own transaction'],
    ['; END', 'in its own transaction'],
    [';-- x\n;SAVEPOINT x', 'in its own transaction'],
    [' ;; PRAGMA schema_version=99', 'in its own transaction'],
    ["attach '/tmp/x' as x", 'in its own transaction'],
    ['pragma journal_mode = wal', 'in its own transaction'],
    ['select 1; select 2', 'more than one statement'],
    ["update jobs set state = 'pending'", 'CHECK constraint'],
    ['selec', 'syntax error; write SQL such as select state'],
    ['', 'cannot execute'],
  ])('refuses %j and changes nothing', async (sql, message) => {
    const bench = await queueWithTags();
    const before = await bench.must(['QUEUE', 'list']);
    const { status, stderr } = await bench.run(['QUEUE', 'execute', sql]);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr.split('\n')).toHaveLength(2);
    expect(await bench.must(['QUEUE', 'list'])).toBe(before);
    await bench.must(['QUEUE', 'submit', 'true']);
  });
});
