// Which methods the official client's resources for messaging have, and which of them were called since the start. It must be loaded before the
// client is made.
'use strict';
const path = require('path');

const files = [
  'accounts', 'applications', 'brand', 'campaign', 'lookup', 'media', 'messages', 'numbers', 'powerpacks', 'pricings', 'profile', 'tollfree_verification',
];
const folder = path.join(path.dirname(require.resolve('plivo')), '..', 'resources');
const all = new Set();
const called = new Set();

for (const file of files) {
  const exported = require(path.join(folder, file));
  for (const [kind, value] of Object.entries(exported)) {
    if (typeof value !== 'function') {
      continue;
    }
    for (const name of Object.getOwnPropertyNames(value.prototype)) {
      const method = value.prototype[name];
      if (name === 'constructor' || typeof method !== 'function') {
        continue;
      }
      const full = `${file}.${kind}.${name}`;
      all.add(full);
      value.prototype[name] = function (...args) {
        called.add(full);
        return method.apply(this, args);
      };
    }
  }
}

// uncalled lists the methods that nobody has called yet.
exports.uncalled = () => [...all].filter((name) => !called.has(name)).sort();
exports.count = () => all.size;
