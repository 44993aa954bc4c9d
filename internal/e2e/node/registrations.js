// rerouted.js for lookups too, which the official client sends to a third host.
'use strict';
require('./rerouted.js');
const axios = require(require.resolve('axios', { paths: [require.resolve('plivo')] }));

const fixed = 'https://lookup.plivo.com';
const send = axios.defaults.adapter;
axios.defaults.adapter = (config) => {
  if (config.url.startsWith(fixed)) {
    config.url = process.env.SERVER_URL + config.url.slice(fixed.length);
  }
  return send(config);
};
