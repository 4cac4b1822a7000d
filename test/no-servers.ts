import { Server } from 'node:net';

// The fast tests stay fast: what needs a server says so in its name (vitest.config.ts).
Server.prototype.listen = () => {
  throw new Error('a test that starts a server is named *.server.test.ts, or stands in test/journey');
};
