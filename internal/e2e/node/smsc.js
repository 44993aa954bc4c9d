// An SMSC made of the npm package smpp: an SMPP implementation that is not ours. It takes every submit_sm, reports it delivered and prints a
// JSON line for all that happens. A receipt that was not taken is delivered again after the next bind. Each line on its standard input is a JSON object
// with the fields of a deliver_sm, which goes over the newest bind that takes messages; the answer is told. It ends with its standard input.
//
// A submit_sm is told with the time at which it was read (`at`) and one before which it cannot have arrived (`notBefore`): the event loop has
// looked at its sockets since then. The two lie far apart only while this process got no turn. Milliseconds since 1970.
'use strict';
const smpp = require('smpp');

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const now = () => performance.timeOrigin + performance.now();
let lastID = 0;
let receiver = null; // the newest bind that takes messages
const receipts = new Map(); // those that were not taken, by the message's id

const report = (session, id) =>
  session.deliver_sm(receipts.get(id), (answer) => {
    say({ receiptAnswered: answer.command_status });
    if (answer.command_status === 0) {
      receipts.delete(id);
    }
  });

// Between two turns of the timer the loop looks at every socket at least once.
const turns = [now(), now()];
setInterval(() => {
  turns.shift();
  turns.push(now());
}, 2);

const server = smpp.createServer((session) => {
  session.on('error', () => {});
  const bind = (pdu) => {
    say({ bind: pdu.command, systemID: pdu.system_id });
    if (pdu.password !== 'secret') {
      session.send(pdu.response({ command_status: smpp.ESME_RBINDFAIL }));
      session.close();
      return;
    }
    session.send(pdu.response({ system_id: 'foreign' }));
    if (pdu.command !== 'bind_transmitter') {
      receiver = session;
      for (const id of receipts.keys()) {
        report(session, id);
      }
    }
  };
  session.on('bind_transceiver', bind);
  session.on('bind_transmitter', bind);
  session.on('bind_receiver', bind);
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    say({ unbind: true });
    session.send(pdu.response());
    session.close();
  });
  session.on('submit_sm', (pdu) => {
    const id = String(++lastID);
    const message = pdu.short_message || {};
    say({
      submit: {
        id,
        at: now(),
        notBefore: turns[0],
        from: pdu.source_addr,
        fromTON: pdu.source_addr_ton,
        fromNPI: pdu.source_addr_npi,
        to: pdu.destination_addr,
        toTON: pdu.dest_addr_ton,
        toNPI: pdu.dest_addr_npi,
        text: String(message.message),
        udh: (message.udh || []).map((element) => Buffer.from(element).toString('hex')),
        dataCoding: pdu.data_coding,
        registeredDelivery: pdu.registered_delivery,
      },
    });
    session.send(pdu.response({ message_id: id }));
    receipts.set(id, {
      source_addr: pdu.destination_addr,
      destination_addr: pdu.source_addr,
      esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT || 4,
      short_message:
        `id:${id} sub:001 dlvrd:001 submit date:2401010000 done date:2401010001 stat:DELIVRD err:000 text:`,
    });
    report(session, id);
  });
});

server.listen(0, '127.0.0.1', () => say({ listening: server.address().port }));
const commands = require('readline').createInterface({ input: process.stdin });
commands.on('line', (line) => {
  const fields = JSON.parse(line);
  if (fields.udh) {
    fields.short_message = { udh: Buffer.from(fields.udh, 'hex'), message: fields.short_message };
    delete fields.udh;
  }
  receiver.deliver_sm(fields, (answer) => say({ delivered: answer.command_status }));
});
commands.on('close', () => process.exit(0));
