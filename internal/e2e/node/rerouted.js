// client.js for applications too: the official client sends what it counts as voice to one host, whatever it was told. Here requests to that
// host go to the server under test instead, as they would with a resolver or a proxy of one's own.
'use strict';
const axios = require(require.resolve('axios', { paths: [require.resolve('plivo')] }));

const fixed = 'https://api.plivo.com';
const send = axios.getAdapter('http');
axios.defaults.adapter = (config) => {
  if (config.url.startsWith(fixed)) {
    config.url = process.env.SERVER_URL + config.url.slice(fixed.length);
  }
  return send(config);
};
console.log = console.error; // the client prints what it sends: standard output is for answers

require('./client.js');
