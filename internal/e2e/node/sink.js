// A sink for status callbacks that verifies every signature with the official client's own validators, and prints a JSON line for each
// request. It answers with the XML in ANSWER, if there is any. It ends with its standard input.
'use strict';
const http = require('http');
const plivo = require('plivo');

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const token = process.env.AUTH_TOKEN;

const server = http.createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    const uri = `http://${request.headers.host}${request.url}`;
    const form = Object.fromEntries(new URLSearchParams(body));
    const header = (name) => request.headers[`x-plivo-signature-${name}`] || '';
    const verify = (check) => {
      try {
        return check() === true;
      } catch (err) {
        return false;
      }
    };
    say({
      callback: {
        method: request.method,
        path: request.url,
        contentType: request.headers['content-type'] || '',
        form,
        query: Object.fromEntries(new URL(uri).searchParams),
        v2: verify(() => plivo.validateSignature(uri, header('v2-nonce'), header('v2'), token)),
        maV2: verify(() => plivo.validateSignature(uri, header('v2-nonce'), header('ma-v2'), token)),
        v3: verify(() => plivo.validateV3Signature(request.method, uri, header('v3-nonce'), token, header('v3'), form)),
        maV3: verify(() => plivo.validateV3Signature(request.method, uri, header('v3-nonce'), token, header('ma-v3'), form)),
        forged: verify(() => plivo.validateV3Signature(request.method, uri, header('v3-nonce'), token + 'x', header('v3'), form)),
      },
    });
    response.statusCode = 200;
    if (process.env.ANSWER) {
      response.setHeader('Content-Type', 'application/xml');
    }
    response.end(process.env.ANSWER || '');
  });
});

server.listen(0, '127.0.0.1', () => say({ listening: server.address().port }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
