// Prints vectors.txt: PDUs as the npm package smpp 0.5.1 writes them, each with what it must decode to. Run it where that package is
// installed: node vectors.js > vectors.txt
//
// A vector is a block of lines, ended by an empty one:
//
//	pdu NAME            command_id as a name
//	octets HEX          the whole PDU
//	sequence N
//	status NAME         only where it is not ESME_ROK
//	field NAME VALUE    in the order of the PDU; texts and octets as JSON strings of Latin 1, numbers in decimal
//	tlv NAME HEX        the value, in the order of the PDU
//
// Re-encoding what was decoded must give the same octets.
'use strict';

const smpp = require('smpp');

// Texts go through unchanged: what we compare is the framing, not the peer's alphabets.
const octets = (s) => Buffer.from(s, 'latin1');

// What the package calls otherwise than SMPP 3.4 does.
const specification = { dest_port: 'destination_port' };

let sequence = 0;

function vector(command, options, tlvs = {}) {
	sequence += 1;
	const given = { ...options, sequence_number: sequence };
	for (const [name, value] of Object.entries(tlvs)) {
		given[name] = value;
	}
	if ('short_message' in given) {
		given.short_message = octets(given.short_message);
	}
	const pdu = new smpp.PDU(command, given);
	const wire = pdu.toBuffer();
	console.log('pdu ' + command);
	console.log('octets ' + wire.toString('hex'));
	console.log('sequence ' + sequence);
	if (options.command_status) {
		const names = Object.entries(smpp.errors).filter(([, v]) => v === options.command_status);
		console.log('status ' + names[0][0]);
	}
	const params = options.command_status ? {} : smpp.commands[command].params || {};
	for (const name of Object.keys(params)) {
		const fallback = params[name].default;
		let value = name in options ? options[name] : fallback === undefined || fallback === null ? '' : fallback;
		if (value === '' && params[name].type === smpp.types.int8) {
			value = 0;
		}
		console.log('field ' + name + ' ' + JSON.stringify(value));
	}
	for (const name of Object.keys(tlvs)) {
		const tag = smpp.tlvs[name].id;
		for (let at = wire.length - tail(wire, params, options); at < wire.length;) {
			const length = wire.readUInt16BE(at + 2);
			if (wire.readUInt16BE(at) === tag) {
				console.log('tlv ' + (specification[name] || name) + ' ' + wire.subarray(at + 4, at + 4 + length).toString('hex'));
			}
			at += 4 + length;
		}
	}
	console.log('');
}

// tail is how many octets follow the fields of the body.
function tail(wire, params, options) {
	let at = 16;
	for (const name of Object.keys(params)) {
		const type = params[name].type;
		at += type.size(type.read(wire, at));
	}
	return wire.length - at;
}

const address = (prefix, ton, npi, addr, name) => ({
	[prefix + '_ton']: ton, [prefix + '_npi']: npi, [name || prefix]: addr,
});

const bind = {
	system_id: 'user', password: 'secret08', system_type: 'VMA', interface_version: 0x34,
	...address('addr', 1, 1, '^1415', 'address_range'),
};
const from = address('source_addr', 1, 1, '14155550100');
const to = address('dest_addr', 1, 1, '14152223333', 'destination_addr');
const message = {
	service_type: 'CMT', ...from, ...to, esm_class: 3, protocol_id: 1, priority_flag: 2, registered_delivery: 0x11,
	replace_if_present_flag: 1, data_coding: 0, sm_default_msg_id: 7, short_message: 'Hello',
};

for (const mode of ['receiver', 'transmitter', 'transceiver']) {
	vector('bind_' + mode, bind);
	vector('bind_' + mode + '_resp', { system_id: 'smsc' }, { sc_interface_version: 0x34 });
	vector('bind_' + mode + '_resp', { command_status: smpp.errors.ESME_RINVPASWD });
}
vector('outbind', { system_id: 'smsc', password: 'secret08' });
vector('unbind', {});
vector('unbind_resp', {});
vector('enquire_link', {});
vector('enquire_link_resp', {});
vector('generic_nack', { command_status: smpp.errors.ESME_RINVCMDLEN });
vector('generic_nack', { command_status: smpp.errors.ESME_RINVCMDID });

for (const command of ['submit_sm', 'deliver_sm']) {
	vector(command, { short_message: '' });
	vector(command, message);
	vector(command, { ...message, short_message: 'x'.repeat(254) });
	vector(command, { ...message, ...address('source_addr', 5, 0, 'Heliograph'), data_coding: 8, short_message: '\u0000H\u0000i\u00d8=\u00de\u0000' });
	vector(command, { ...message, esm_class: 0x40, data_coding: 4, short_message: '\u0005\u0000\u0003\u0007\u0002\u0001\u00ff\u0000\u0080' });
	vector(command, { ...message, schedule_delivery_time: '261124120000000+', validity_period: '000002000000000R' });
	vector(command, { ...message, short_message: '' }, { message_payload: octets('p'.repeat(1000)) });
	vector(command, message, {
		user_message_reference: 4711, source_port: 9200, dest_port: 9201, sar_msg_ref_num: 258, sar_total_segments: 3,
		sar_segment_seqnum: 2, language_indicator: 1, payload_type: 0, privacy_indicator: 2, number_of_messages: 3, ussd_service_op: 2,
		dest_addr_subunit: 1, source_subaddress: octets('\u00a01234'), dest_subaddress: octets('\u00885678'), more_messages_to_send: 1,
		display_time: 1, sms_signal: 513, ms_validity: octets('\u0001'), its_reply_type: 4, its_session_info: octets('\u0012\u0034'),
		qos_time_to_live: 86400, user_response_code: 9, callback_num: [{ digit_mode: 1, ton: 1, npi: 1, number: '14155550199' }],
		alert_on_message_delivery: 0,
	});
}
vector('deliver_sm', {
	...to, ...address('source_addr', 1, 1, '14152223333'), ...address('dest_addr', 1, 1, '14155550100', 'destination_addr'), esm_class: 4,
	short_message: 'id:0123456789 sub:001 dlvrd:001 submit date:2611241200 done date:2611241201 stat:DELIVRD err:000 text:Hello',
}, { receipted_message_id: '0123456789', message_state: 2, network_error_code: octets('\u0003\u0000\u0000') });

for (const command of ['submit_sm_resp', 'deliver_sm_resp', 'data_sm_resp']) {
	vector(command, { message_id: '' });
	vector(command, { message_id: '4D2A00FF' });
	vector(command, { command_status: smpp.errors.ESME_RTHROTTLED });
}
vector('data_sm_resp', { message_id: '9' }, {
	delivery_failure_reason: 1, network_error_code: octets('\u0003\u0000\u0021'), additional_status_info_text: 'absent', dpf_result: 1,
});
vector('data_sm', { ...from, ...to, service_type: 'WAP', esm_class: 1, registered_delivery: 1, data_coding: 8 }, {
	message_payload: octets('\u0000d\u0000a'), set_dpf: 1, source_network_type: 1, dest_network_type: 2, source_bearer_type: 1,
	dest_bearer_type: 2, dest_telematics_id: 513, ms_msg_wait_facilities: 0x81,
});
vector('query_sm', { message_id: '4D2A00FF', ...from });
vector('query_sm_resp', { message_id: '4D2A00FF', final_date: '', message_state: 1, error_code: 0 });
vector('query_sm_resp', { message_id: '4D2A00FF', final_date: '261124120000000+', message_state: 5, error_code: 33 });
vector('cancel_sm', { service_type: 'CMT', message_id: '4D2A00FF', ...from, ...to });
vector('cancel_sm_resp', {});
vector('cancel_sm_resp', { command_status: smpp.errors.ESME_RCANCELFAIL });
vector('replace_sm', {
	message_id: '4D2A00FF', ...from, schedule_delivery_time: '', validity_period: '000000010000000R', registered_delivery: 1,
	sm_default_msg_id: 0, short_message: 'Instead',
});
vector('replace_sm_resp', {});
vector('alert_notification', { ...from, ...address('esme_addr', 1, 1, '14155550199') }, { ms_availability_status: 0 });
