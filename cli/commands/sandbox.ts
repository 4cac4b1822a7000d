import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import { printable } from '../../lib/runtime/printable.ts';
import { startSandbox } from '../../local/sandbox/sandbox.ts';
import { type SandboxFlags, sandboxOptions } from '../input/sandbox-options.ts';
import { print } from '../terminal/print.ts';

/** Serves the sandbox until the process is told to end. */
export const sandboxCommand = async (flags: SandboxFlags & { port: number }): Promise<ExitCode> => {
  const sandbox = await startSandbox({
    port: flags.port,
    ...(await sandboxOptions(flags)),
    onRequest: (line) => print(`${new Date().toISOString()} ${printable(line)}\n`, process.stderr),
  });
  print(
    [
      `The sandbox serves OKKI, 轻易云 and a CRM at ${sandbox.url}. Stop it with Ctrl-C.`,
      '',
      'In another terminal 在另一个终端:',
      `  export OKKI_BASE_URL=${sandbox.url} OKKI_CLIENT_ID=sandbox OKKI_CLIENT_SECRET=sandbox`,
      `  export QINGYIYUN_BASE_URL=${sandbox.url} CRM_BASE_URL=${sandbox.url}`,
      '  npm start',
      '',
      `What the targets hold: ${sandbox.url}/sandbox/records?target=qingyiyun (or crm)`,
      '',
    ].join('\n'),
  );
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await sandbox.close();
  return exitCodes.ok;
};
