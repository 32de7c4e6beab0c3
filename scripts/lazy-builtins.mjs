// A plugin for esbuild: of Node's own modules those that take time to load are loaded when something of them is used, and
// not where they are imported. Of the processor time of `submit` that is a tenth: `isatty` alone brings streams and the network in.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const LAZY =
  /^(node:)?(assert|child_process|crypto|fs\/promises|net|os|readline|stream|stream\/promises|tty|url|v8|zlib)$/;
const NAMESPACE = 'lazy-builtin';

export const lazyBuiltins = {
  name: NAMESPACE,
  setup(build) {
    build.onResolve({ filter: LAZY }, ({ path, namespace }) =>
      namespace === NAMESPACE ? { path, external: true } : { path, namespace: NAMESPACE },
    );
    build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => {
      const loaded = require(path);
      // A module that is a function itself, such as assert, cannot stand for later.
      if (typeof loaded !== 'object') return { contents: `module.exports = require(${JSON.stringify(path)})` };
      const getters = Object.keys(loaded).map(
        (key) => `get ${JSON.stringify(key)}() { return require(${JSON.stringify(path)})[${JSON.stringify(key)}] }`,
      );
      return { contents: `module.exports = { ${getters.join(', ')} }` };
    });
  },
};
