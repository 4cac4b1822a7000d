// What `npm start` begins with: plain JavaScript of any age, which can say what is missing before TypeScript is read.
let isInstalled = true;
try {
  require.resolve('commander');
} catch (_) {
  isInstalled = false;
}

/** Ends with the exit code of bad usage. */
const refuse = (words) => {
  process.stderr.write(`${words}\n`);
  process.exitCode = 2;
};

if (!isInstalled) {
  refuse(
    'The packages are not installed yet. Type: npm ci   (then npm start again). 请先运行 npm ci,再运行 npm start。',
  );
} else if (!process.features.typescript) {
  refuse(
    `Node ${process.versions.node} is too old. Type: npm ci && npm start   (on Linux and Windows npm ci brings a Node that fits), or use Node 22.18 or newer. Node 版本过低:请运行 npm ci 后用 npm start 启动,或使用 Node 22.18 以上。`,
  );
} else {
  import('./main.ts');
}
