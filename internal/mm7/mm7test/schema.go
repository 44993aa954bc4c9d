package mm7test

import (
	"fmt"
	"slices"
	"strings"
)

// rule is one element of a message: at most once, and at its place in the order.
type rule struct {
	name   string
	needed bool
	values []string // empty: any
}

func booleans() []string { return []string{"true", "false", "1", "0"} }

// schemaOf gives the elements of a request in the order of REL-6-MM7-1-4, nil for one that is not taken.
func schemaOf(request string) []rule {
	switch request {
	case "SubmitReq":
		return []rule{
			{name: "MM7Version", needed: true},
			{name: "SenderIdentification", needed: true},
			{name: "Recipients", needed: true},
			{name: "ServiceCode"},
			{name: "LinkedID"},
			{name: "MessageClass", values: []string{"Personal", "Informational", "Advertisement", "Auto"}},
			{name: "TimeStamp"},
			{name: "ReplyCharging"},
			{name: "EarliestDeliveryTime"},
			{name: "ExpiryDate"},
			{name: "DeliveryReport", values: booleans()},
			{name: "ReadReply", values: booleans()},
			{name: "Priority", values: []string{"Low", "Normal", "High"}},
			{name: "Subject"},
			{name: "ChargedParty", values: []string{"Sender", "Recipient", "Both", "Neither", "ThirdParty"}},
			{name: "ChargedPartyID"},
			{name: "DistributionIndicator", values: booleans()},
			{name: "DeliveryCondition"},
			{name: "ApplicID"},
			{name: "ReplyApplicID"},
			{name: "AuxApplicInfo"},
			{name: "ContentClass", values: []string{
				"text", "image-basic", "image-rich", "video-basic", "video-rich", "megapixel", "content-basic", "content-rich",
			}},
			{name: "DRMContent", values: booleans()},
			{name: "Content"},
		}
	case "CancelReq":
		return []rule{
			{name: "MM7Version", needed: true},
			{name: "SenderIdentification", needed: true},
			{name: "MessageID", needed: true},
			{name: "ApplicID"},
			{name: "ReplyApplicID"},
			{name: "AuxApplicInfo"},
		}
	case "ReplaceReq":
		return []rule{
			{name: "MM7Version", needed: true},
			{name: "SenderIdentification", needed: true},
			{name: "MessageID", needed: true},
			{name: "ServiceCode"},
			{name: "TimeStamp"},
			{name: "ReadReply", values: booleans()},
			{name: "EarliestDeliveryTime"},
			{name: "DistributionIndicator", values: booleans()},
			{name: "ContentClass"},
			{name: "DRMContent", values: booleans()},
			{name: "ApplicID"},
			{name: "ReplyApplicID"},
			{name: "AuxApplicInfo"},
			{name: "Content"},
		}
	}
	return nil
}

// follows says what is wrong with a request's elements.
func follows(rules []rule, request *node) []string {
	var wrong []string
	place := 0
	for i := range request.Nodes {
		child := &request.Nodes[i]
		name := child.XMLName.Local
		at := slices.IndexFunc(rules, func(r rule) bool { return r.name == name })
		switch {
		case at < 0:
			wrong = append(wrong, "unknown element")
			continue
		case child.XMLName.Space != request.XMLName.Space:
			wrong = append(wrong, name+" in another namespace")
		case at < place:
			wrong = append(wrong, name+" twice, or out of its order")
		case len(rules[at].values) > 0 && !slices.Contains(rules[at].values, child.value()):
			wrong = append(wrong, name+" with another value")
		case len(child.Nodes) == 0 && len(child.Attrs) == 0 && child.value() == "":
			wrong = append(wrong, name+" is empty")
		}
		place = at + 1
	}
	for _, r := range rules {
		if r.needed && request.child(r.name) == nil {
			wrong = append(wrong, r.name+" is missing")
		}
	}
	return wrong
}

// reads says what is wrong with Recipients, and whom they are.
func reads(recipients *node) (numbers, wrong []string) {
	if recipients == nil {
		return nil, nil // follows has said so
	}
	groups := []string{"To", "Cc", "Bcc"}
	place := 0
	for i := range recipients.Nodes {
		group := &recipients.Nodes[i]
		at := slices.Index(groups, group.XMLName.Local)
		if at < place || len(group.Nodes) == 0 {
			wrong = append(wrong, "Recipients are not To, Cc, Bcc, each with addresses")
			continue
		}
		place = at + 1
		for j := range group.Nodes {
			number, problem := readAddress(&group.Nodes[j])
			if problem != "" {
				wrong = append(wrong, problem)
			}
			if group.Nodes[j].attr("displayOnly") != "true" {
				numbers = append(numbers, number)
			}
		}
	}
	if len(numbers) == 0 {
		wrong = append(wrong, "Recipients are empty")
	}
	return numbers, wrong
}

func readAddress(address *node) (value, wrong string) {
	value = address.value()
	switch address.XMLName.Local {
	case "Number":
		if strings.Trim(strings.TrimPrefix(value, "+"), "0123456789") != "" || value == "" {
			wrong = "Number is no number"
		}
	case "ShortCode":
	case "RFC2822Address":
		if !strings.Contains(value, "@") {
			wrong = "RFC2822Address without an @"
		}
	default:
		wrong = fmt.Sprintf("%.20q is no kind of address", address.XMLName.Local)
	}
	return value, wrong
}
