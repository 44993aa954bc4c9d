// An SMSC made of the npm package smpp: an SMPP implementation that is not ours. It takes every submit_sm, reports it delivered and prints a
// JSON line for all that happens. It ends with its standard input.
'use strict';
const smpp = require('smpp');

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
let lastID = 0;

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
    session.deliver_sm({
      source_addr: pdu.destination_addr,
      destination_addr: pdu.source_addr,
      esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT || 4,
      short_message:
        `id:${id} sub:001 dlvrd:001 submit date:2401010000 done date:2401010001 stat:DELIVRD err:000 text:`,
    }, (answer) => say({ receiptAnswered: answer.command_status }));
  });
});

server.listen(0, '127.0.0.1', () => say({ listening: server.address().port }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
