// The official client, driven by JSON lines: {"steps": [["messages", "create", [...]], ...]} calls a method of a resource of the client and
// then, for each further step ["method", [...]], one of what came back; a step ["property"] takes a property of it. The resource "methods" tells
// what the client can do. It prints {"result": …} or {"error": …} for each line.
'use strict';
const readline = require('readline');
const methods = require('./methods.js');
const plivo = require('plivo');

const url = process.env.SERVER_URL;
const id = process.env.AUTH_ID;
const client = new plivo.Client(id, process.env.AUTH_TOKEN, { url: `${url}/v1/Account/${id}` });

// plain leaves out what the client keeps for itself.
const plain = (value) =>
  JSON.parse(
    JSON.stringify(value, (key, v) => (key === 'client' || typeof v === 'function' || key.startsWith('_') ? undefined : v)) || 'null',
  );

const perform = async ({ steps }) => {
  const [resource, method, args] = steps[0];
  const resources = resource === 'methods' ? { methods } : client;
  let value = await resources[resource][method](...args);
  for (const [name, rest] of steps.slice(1)) {
    value = rest ? await value[name](...rest) : value[name];
  }
  // Lists are arrays with properties of their own: JSON would drop those.
  if (Array.isArray(value)) {
    return { objects: plain([...value]), meta: plain(value.meta || null) };
  }
  return plain(value);
};

const lines = readline.createInterface({ input: process.stdin });
let turn = Promise.resolve();
lines.on('line', (line) => {
  turn = turn
    .then(() => perform(JSON.parse(line)))
    .then(
      (result) => ({ result }),
      (err) => ({ error: { name: err.name || '', kind: err.constructor.name, message: String(err.message), status: err.status || 0 } }),
    )
    .then((answer) => process.stdout.write(JSON.stringify(answer) + '\n'));
});
