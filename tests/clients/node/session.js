// The scripted session of node-redis; see README.md beside this folder.
'use strict';
const assert = require('node:assert');
const { createClient, RESP_TYPES } = require('redis');
const { version } = require('@redis/client/package.json');

const key = process.env.KEY;
const protocol = Number(process.env.RESP);

async function expectError(promise, start) {
  await assert.rejects(promise, (error) => error.message.startsWith(start));
}

async function main() {
  const client = createClient({
    socket: { host: '127.0.0.1', port: Number(process.env.PORT), reconnectStrategy: false },
    password: process.env.PASSWORD || undefined,
    RESP: protocol,
    name: 'node-session',
  });
  client.on('error', (error) => { throw error; });
  await client.connect();
  assert.strictEqual(await client.ping(), 'PONG');
  const value = Buffer.from([0, 255, 13, 10, 65]);
  const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  assert.strictEqual(String(await client.set(`${key}:text`, value, { EX: 100 })), 'OK');
  assert.deepStrictEqual(await binary.get(`${key}:text`), value);
  assert.strictEqual(await client.get('missing'), null);
  assert.strictEqual(await client.clientGetName(), 'node-session');

  const shop = `${key}:shop`;
  await client.sendCommand(['RECO.CREATE', shop, 'DIM', '8']);
  const adds = [];
  for (let n = 0; n < 40; n++) {
    adds.push(client.sendCommand(['RECO.ADD', shop, `u${n % 8}`, `i${(n * 3) % 10}`]));
  }
  const numbers = await Promise.all(adds);
  assert.ok(numbers.every((number, n) => n === 0 || number > numbers[n - 1]), String(numbers));
  await client.sendCommand(['RECO.RETRAIN', shop, 'SYNC']);
  const answer = await client.sendCommand(['RECO.TOPK', shop, 'u1', 'COUNT', '3', 'WITHSCORES']);
  const best = protocol === 3 ? answer
    : [0, 2, 4].map((at) => [answer[at], Number(answer[at + 1])]);
  const seen = await client.sendCommand(['RECO.HISTORY', shop, 'u1', 'COUNT', '100']);
  assert.strictEqual(best.length, 3);
  assert.ok(best.every(([item, score]) => !seen.includes(item) && typeof score === 'number'));
  assert.ok(best[0][1] >= best[1][1] && best[1][1] >= best[2][1], JSON.stringify(best));

  await expectError(client.sendCommand(['GET']), "ERR wrong number of arguments for 'get' command");
  await expectError(client.sendCommand(['RECO.ADD', `${key}:text`, 'u', 'i']), 'WRONGTYPE ');
  await expectError(client.sendCommand(['RECO.ADD', shop, 'u', 'i', 'nan']), 'ERR ');
  assert.strictEqual(await client.sendCommand(['RECO.ADD', shop, 'u1', 'i1']), numbers[39] + 1);

  // multi() is a transaction: none of it is carried out, so that a second attempt counts nothing
  // twice.
  const multi = client.multi().set(`${key}:within`, 'x')
    .addCommand(['RECO.ADD', shop, 'u1', 'i1']);
  await assert.rejects(multi.exec(), (error) => /transactions are not supported/.test(error.message));
  assert.strictEqual(await client.exists(`${key}:within`), 0);
  assert.strictEqual(await client.sendCommand(['RECO.ADD', shop, 'u1', 'i1']), numbers[39] + 2);
  await client.close();
  console.log(`node-redis ${version}, RESP${protocol}: passed`);
}

main().catch((error) => { console.error(error); process.exit(1); });
