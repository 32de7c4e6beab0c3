import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 3,
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000 } },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/support/build-program.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          globalSetup: ['test/support/build-program.ts', 'test/cluster/support/summary.ts'],
          testTimeout: 900_000,
          hookTimeout: 300_000,
          // Labs are independent and mostly wait for NFS. The full set also measures, so it runs one lab at a time.
          maxWorkers: process.env['RQ_CLUSTER'] === 'full' ? 1 : 2,
        },
      },
    ],
  },
});
