package docstest

import (
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// contract is what clients of Plivo's API expect of answers: each field with its type, as the official clients read it. s is a string, i a whole
// number, b a truth value, a an array, o an object; ? follows those that may be null. What stands behind "ours" is an addition, which clients
// do not know and pass over.
var contract = map[string]string{
	"Error":    "api_id:s error:s",
	"Meta":     "limit:i offset:i next:s? previous:s? total_count:i",
	"PoolMeta": "limit:i offset:i next:s previous:s total_count:i", // number pools say "" instead of null
	"Accepted": "api_id:s message:s message_uuid:a invalid_number:a",
	"Removed":  "api_id:s response:s",
	"Changed":  "api_id:s message:s",

	"Message": "message_uuid:s message_time:s message_direction:s message_state:s message_type:s from_number:s to_number:s units:i total_rate:s " +
		"total_amount:s carrier_fees_rate:s carrier_fees:s error_code:s? error_message:s resource_uri:s powerpack_id:s requester_ip:s is_domestic:b? " +
		"replaced_sender:s tendlc_campaign_id:s tendlc_registration_status:s destination_country_iso2:s destination_network:s conversation_id:s " +
		"conversation_origin:s conversation_expiration_timestamp:s dlt_entity_id:s dlt_template_id:s dlt_template_category:s log:s message_expiry:i " +
		"message_sent_time:s? message_updated_time:s? ours estimated_send_time:s?",
	"MessageList":       "api_id:s meta:o objects:a",
	"MessageMedium":     "content_type:s media_id:s message_uuid:s media_url:s size:i",
	"MessageMediumList": "api_id:s meta:o objects:a",

	"OptOut":         "ours number:s source:s opted_out_at:s origin:s keyword:s",
	"OptOutList":     "api_id:s meta:o objects:a",
	"ChangedOptOuts": "ours api_id:s message:s changed:i",
	"Conversation":   "api_id:s meta:o objects:a",

	"Powerpack": "uuid:s name:s sticky_sender:b local_connect:b application_type:s application_id:s number_pool:s number_priority:a created_on:s " +
		"powerpack_resource_uri:s ours patience:i number_pool_refresh:b optout_enabled:b optout_languages:a optout_keywords:a optout_message:s optin_keywords:a " +
		"optin_message:s help_keywords:a help_message:s",
	"NumberPriority": "service_type:s country_iso:s priority:o",
	"PriorityPlaces": "priority1:s? priority2:s? priority3:s?",
	"PowerpackList":  "api_id:s meta:o objects:a",
	"Pool":           "api_id:s uuid:s numbers:s shortcodes:s tollfree:s",
	"PoolNumber": "number_pool_uuid:s numberpool_uuid:s number:s type:s service:s country_iso2:s added_on:s " +
		"account_phone_number_resource:s",
	"PoolNumberList": "api_id:s meta:o objects:a",
	"Shortcode":      "number_pool_uuid:s shortcode:s short_code:s number:s country_iso2:s service:s added_on:s",
	"ShortcodeList":  "api_id:s meta:o objects:a",

	"Application": "app_id:s app_name:s message_url:s message_method:s answer_url:s answer_method:s hangup_url:s hangup_method:s " +
		"fallback_answer_url:s fallback_method:s default_app:b default_endpoint_app:b enabled:b public_uri:b log_incoming_messages:b " +
		"log_incoming_message:b application_type:s sip_uri:s sub_account:s? resource_uri:s",
	"ApplicationList":    "api_id:s meta:o objects:a",
	"CreatedApplication": "api_id:s message:s app_id:s",

	"Number": "number:s alias:s? application:s? sub_account:s? sub_account_name:s? added_on:s renewal_date:s? carrier:s region:s city:s country:s " +
		"number_type:s monthly_rental_rate:s active:b cnam_lookup:s sms_enabled:b sms_rate:s? mms_enabled:b mms_rate:s? voice_enabled:b " +
		"voice_rate:s? tendlc_campaign_id:s? tendlc_registration_status:s? toll_free_sms_verification:s? toll_free_sms_verification_id:s? " +
		"toll_free_sms_verification_order_status:s? compliance_application_id:s? compliance_status:s? resource_uri:s",
	"NumberList": "api_id:s meta:o objects:a",
	"PhoneNumber": "number:s prefix:s city:s country:s region:s rate_center:s? lata:i? type:s monthly_rental_rate:s setup_rate:s sms_enabled:b " +
		"sms_rate:s? mms_enabled:b mms_rate:s? voice_enabled:b voice_rate:s? restriction:s? restriction_text:s? compliance_requirement:s? " +
		"ha_enabled:b resource_uri:s",
	"PhoneNumberList": "api_id:s meta:o objects:a",
	"Rented":          "api_id:s message:s numbers:a status:s",
	"RentedNumber":    "number:s status:s",

	"Account": "api_id:s auth_id:s name:s account_type:s billing_mode:s auto_recharge:b cash_credits:s address:s city:s state:s timezone:s " +
		"resource_uri:s",
	"Subaccount":        "auth_id:s auth_token:s new_auth_token:s name:s enabled:b account:s created:s modified:s? resource_uri:s",
	"SubaccountList":    "api_id:s meta:o objects:a",
	"CreatedSubaccount": "api_id:s auth_id:s auth_token:s message:s",

	"Pricing":        "api_id:s country:s country_code:i country_iso:s message:o mms:o phone_numbers:o voice:o",
	"MessagePricing": "inbound:o outbound:o outbound_networks_list:a",
	"Rate":           "rate:s",
	"NoRate":         "rate:s?",

	"Medium":     "content_type:s file_name:s media_id:s size:i upload_time:s url:s media_url:s",
	"MediumList": "api_id:s meta:o objects:a",
	"Upload": "status:s status_code:i error_code:i error_message:s content_type:s file_name:s media_id:s size:i upload_time:s url:s " +
		"media_url:s",
	"Uploads": "api_id:s objects:a",

	"Lookup":        "api_id:s phone_number:s country:o format:o carrier:o resource_uri:s",
	"LookupCountry": "iso2:s? iso3:s? name:s?",
	"LookupFormat":  "e164:s international:s national:s rfc3966:s",
	"LookupCarrier": "mobile_country_code:s? mobile_network_code:s? name:s? type:s? ported:s?",
	"UnknownNumber": "api_id:s error_code:i message:s ours error:s",

	"Profile": "profile_uuid:s profile_alias:s profile_type:s primary_profile:s customer_type:s plivo_subaccount:s business_contact_email:s " +
		"doing_business_as:s entity_type:s company_name:s ein:s ein_issuing_country:s stock_symbol:s stock_exchange:s alt_business_id:s " +
		"alt_business_id_type:s website:s vertical:s address:o authorized_contact:o created_at:s",
	"Address":           "street:s city:s state:s postal_code:s country:s",
	"Contact":           "first_name:s last_name:s email:s phone:s title:s seniority:s",
	"SingleProfile":     "api_id:s profile:o",
	"ProfileList":       "api_id:s meta:o profiles:a",
	"RegisteredProfile": "api_id:s message:s profile_uuid:s",
	"Brand": "brand_id:s profile_uuid:s brand_alias:s brand_type:s entity_type:s company_name:s ein:s ein_issuing_country:s website:s vertical:s " +
		"address:o authorized_contact:o registration_status:s vetting_status:s vetting_score:i declined_reasons:a created_at:s " +
		"ours secondary_vetting:b stock_symbol:s stock_exchange:s alt_business_id:s alt_business_id_type:s",
	"DeclinedReason":  "code:s message:s",
	"SingleBrand":     "api_id:s brand:o",
	"BrandList":       "api_id:s meta:o brands:a",
	"RegisteredBrand": "api_id:s brand_id:s message:s",
	"BrandUseCases":   "api_id:s brand_id:s use_cases:a",
	"UseCase":         "code:s name:s details:s",
	"Campaign": "campaign_id:s brand_id:s campaign_alias:s usecase:s sub_usecase:s registration_status:s reseller_id:s description:s sample1:s sample2:s " +
		"sample3:s sample4:s sample5:s campaign_attributes:o mno_metadata:o message_flow:s help_message:s optin_keywords:s optin_message:s " +
		"optout_keywords:s optout_message:s help_keywords:s terms_and_conditions_link:s privacy_policy_link:s campaign_source:s vertical:s error_code:s " +
		"error_reason:s error_description:s created_at:s",
	"CampaignAttributes": "embedded_link:b embedded_phone:b age_gated:b direct_lending:b subscriber_optin:b subscriber_optout:b subscriber_help:b " +
		"affiliate_marketing:b",
	"CarrierSetting":     "tpm:i brand_tier:s",
	"SingleCampaign":     "api_id:s campaign:o",
	"CampaignList":       "api_id:s meta:o campaigns:a",
	"RegisteredCampaign": "api_id:s campaign_id:s message:s",
	"CampaignNumbers":    "api_id:s campaign_id:s campaign_alias:s usecase:s phone_numbers:a phone_numbers_summary:o number_pool_limit:i ours meta:o",
	"CampaignNumber":     "number:s status:s",
	"Requested":          "api_id:s message:s",
	"Verification": "uuid:s profile_uuid:s number:s usecase:s usecase_summary:s message_sample:s optin_image_url:s optin_type:s volume:s " +
		"additional_information:s extra_data:s callback_url:s callback_method:s status:s error_message:s rejection_reason:s created:s last_modified:s " +
		"ours created_at:s updated_at:s",
	"VerificationList":    "api_id:s meta:o objects:a",
	"VerificationMeta":    "limit:i offset:i next:s? previous:s? total_count:i count:i",
	"CreatedVerification": "api_id:s message:s uuid:s",

	"InboundWebhook": "From:s MessageIntent:s MessageUUID:s PowerpackUUID:s Text:s To:s TotalAmount:s TotalRate:s Type:s Units:s Body:s ErrorCode:s " +
		"MediaCount:s ours Subject:s",
	"StatusCallback": "DeliveryReportTime:s ErrorCode:s From:s MCC:s MNC:s MessageTime:s MessageUUID:s ParentMessageUUID:s PartInfo:s PowerpackUUID:s " +
		"QueuedTime:s SentTime:s Sequence:s Status:s To:s TotalAmount:s TotalRate:s Type:s Units:s requester_ip:s",
	"RegistrationCallback": "auth_id:s brand_id:s campaign_id:s endpoint:s error_code:s error_reason:s number:s profile_uuid:s registration_status:s " +
		"status:s time:s uuid:s",
}

// singles are objects that are shown alone with an api_id, and else in lists without.
var singles = []string{"Message", "MessageMedium", "Powerpack", "PoolNumber", "Shortcode", "Application", "Number", "Subaccount", "Medium", "Verification"}

// TestContract: the document has each field of the contract, with its type, null where that may be, and no other.
func TestContract(t *testing.T) {
	d := mustLoad(t)
	for name, fields := range contract {
		checkFields(t, d, name, fields)
	}
	for _, name := range singles {
		checkFields(t, d, "Single"+name, "api_id:s "+contract[name])
	}
	checkFields(t, d, "ConversationMessage", contract["Message"]+" text:s?")
}

func checkFields(t *testing.T, d *Document, name, fields string) {
	t.Helper()
	ref := d.Spec.Components.Schemas[name]
	if ref == nil {
		t.Errorf("there is no schema %s", name)
		return
	}
	var want, got []string
	for _, field := range strings.Fields(fields) {
		if field != "ours" {
			want = append(want, field)
		}
	}
	for field, property := range ref.Value.Properties {
		got = append(got, field+":"+letter(property.Value))
	}
	for _, field := range got {
		if !slices.Contains(want, field) {
			t.Errorf("%s has %s, which the contract does not", name, field)
		}
	}
	for _, field := range want {
		if !slices.Contains(got, field) {
			t.Errorf("%s has no %s", name, field)
		}
	}
}

// letter is how the contract writes a type.
func letter(schema *openapi3.Schema) string {
	text := "?"
	for kind, short := range map[string]string{"string": "s", "integer": "i", "boolean": "b", "array": "a", "object": "o"} {
		if schema.Type.Is(kind) {
			text = short
		}
	}
	if schema.Nullable {
		text += "?"
	}
	return text
}
