// Prints inbound.txt: messages from handsets as the npm package smpp 0.5.1 writes them, with its own alphabets. Run it where that package is installed:
// node inbound.js > inbound.txt
//
// A message is a block of lines, ended by an empty one:
//
//	text JSON           what must come out
//	octets HEX          a whole PDU; one line for each segment, in the order in which they are brought
'use strict';

const smpp = require('smpp');

const addresses = {
	source_addr_ton: 1, source_addr_npi: 1, source_addr: '14155550123', dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '14155550100',
};

let sequence = 0;

function write(command, fields) {
	sequence += 1;
	const pdu = new smpp.PDU(command, { ...addresses, ...fields, sequence_number: sequence });
	console.log('octets ' + pdu.toBuffer().toString('hex'));
}

function message(text, ...segments) {
	console.log('text ' + JSON.stringify(text));
	for (const [command, fields] of segments) {
		write(command, fields);
	}
	console.log('');
}

const deliver = (fields) => ['deliver_sm', fields];
const udh = (...octets) => Buffer.from([octets.length, ...octets]);

message('Hello, Ωmega {€}', deliver({ data_coding: 0, short_message: 'Hello, Ωmega {€}' }));
message('plain', deliver({ data_coding: 1, short_message: Buffer.from('plain') }));
message('Ça va, señor ÿ', deliver({ data_coding: 3, short_message: 'Ça va, señor ÿ' }));
message('привет 😀', deliver({ data_coding: 8, short_message: 'привет 😀' }));
message('in the payload', deliver({ data_coding: 0, short_message: '', message_payload: { message: 'in the payload' } }));
message('as data', ['data_sm', { data_coding: 0, message_payload: { message: 'as data' } }]);
message('one two three',
	deliver({ short_message: { udh: udh(0, 3, 7, 3, 3), message: ' three' } }),
	deliver({ short_message: { udh: udh(0, 3, 7, 3, 1), message: 'one' } }),
	deliver({ short_message: { udh: udh(0, 3, 7, 3, 2), message: ' two' } }));
message('wide reference',
	deliver({ short_message: { udh: udh(8, 4, 1, 2, 2, 1), message: 'wide ' } }),
	deliver({ short_message: { udh: udh(8, 4, 1, 2, 2, 2), message: 'reference' } }));
message('half a 😀 each', // the surrogates in two segments
	deliver({ data_coding: 8, short_message: { udh: udh(0, 3, 8, 2, 1), message: Buffer.from('00680061006c00660020006100' + '20d83d', 'hex') } }),
	deliver({ data_coding: 8, short_message: { udh: udh(0, 3, 8, 2, 2), message: Buffer.from('de0000200065006100630068', 'hex') } }));
message('sar one, sar two',
	deliver({ short_message: 'sar two', sar_msg_ref_num: 513, sar_total_segments: 2, sar_segment_seqnum: 2 }),
	deliver({ short_message: 'sar one, ', sar_msg_ref_num: 513, sar_total_segments: 2, sar_segment_seqnum: 1 }));
message('Işık Ğğ €', deliver({ short_message: { udh: udh(0x25, 1, 1), message: 'Işık Ğğ €' } }));
message('coração [∞]', deliver({ short_message: { udh: udh(0x25, 1, 3, 0x24, 1, 3), message: 'coração [∞]' } }));
message('Á la ración', deliver({ short_message: { udh: udh(0x24, 1, 2), message: 'Á la ración' } }));
