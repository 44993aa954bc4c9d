package plivo

import (
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
)

// numberPriority is an order of number types for a service and a country, as the contract has it.
type numberPriority struct {
	ServiceType string         `json:"service_type"`
	CountryISO  string         `json:"country_iso"`
	Priority    priorityPlaces `json:"priority"`
}

// priorityPlaces is the order itself; null is a place that nothing takes.
type priorityPlaces struct {
	Priority1 *string `json:"priority1"`
	Priority2 *string `json:"priority2"`
	Priority3 *string `json:"priority3"`
}

// maxPriorities bounds number_priority; the contract knows four entries.
const maxPriorities = 100

// showPriorities writes a powerpack's orders; where it sets none, the default for every country and service of the contract.
func showPriorities(priorities []gateway.Priority) []numberPriority {
	if len(priorities) == 0 {
		priorities = defaultPriorities()
	}
	shown := make([]numberPriority, len(priorities))
	for i, p := range priorities {
		shown[i] = numberPriority{
			ServiceType: strings.ToUpper(p.Service.String()), CountryISO: p.Country,
			Priority: priorityPlaces{stringOrNull(p.Order[0].String()), stringOrNull(p.Order[1].String()), stringOrNull(p.Order[2].String())},
		}
	}
	return shown
}

func defaultPriorities() []gateway.Priority {
	var all []gateway.Priority
	for _, service := range [...]gateway.Service{gateway.SMS, gateway.MMS} {
		for _, country := range [...]string{"US", "CA"} {
			all = append(all, gateway.Priority{Service: service, Country: country, Order: gateway.DefaultOrder})
		}
	}
	return all
}

// readPriorities reads number_priority: an array, or an array written as a text, as forms carry it. An empty one is as good as none.
func readPriorities(args arguments) ([]gateway.Priority, error) {
	v, ok := args.find("number_priority")
	if !ok {
		return nil, nil
	}
	if v.kind == isText {
		parsed, err := parseJSON(v.text)
		if err != nil {
			return nil, gateway.Errorf(gateway.Invalid, "number_priority must be an array of objects")
		}
		v = parsed
	}
	if v.kind == isNull || v.kind == isList && len(v.list) == 0 {
		return nil, nil
	}
	if v.kind != isList || len(v.list) > maxPriorities {
		return nil, gateway.Errorf(gateway.Invalid, "number_priority must be an array of at most %d objects", maxPriorities)
	}
	priorities := make([]gateway.Priority, 0, len(v.list))
	for _, item := range v.list {
		p, err := readPriority(item)
		if err != nil {
			return nil, err
		}
		for _, other := range priorities {
			if other.Service == p.Service && other.Country == p.Country {
				return nil, gateway.Errorf(gateway.Invalid, "number_priority names %s for %s twice", strings.ToUpper(p.Service.String()), p.Country)
			}
		}
		priorities = append(priorities, p)
	}
	return priorities, nil
}

func readPriority(item value) (p gateway.Priority, err error) {
	if item.kind != isObject {
		return p, gateway.Errorf(gateway.Invalid, "number_priority must be an array of objects")
	}
	args := arguments(item.members)
	service, err := args.text("service_type")
	if err != nil {
		return p, err
	}
	var ok bool
	if p.Service, ok = gateway.ParseService(strings.ToLower(service)); !ok {
		return p, gateway.Errorf(gateway.Invalid, "service_type in number_priority must be SMS or MMS")
	}
	if p.Country, err = readCountry(args, "country_iso"); err != nil {
		return p, err
	}
	if p.Country == "" {
		return p, gateway.Errorf(gateway.Invalid, "country_iso is missing in number_priority")
	}
	places, ok := args.find("priority")
	if !ok || places.kind != isObject {
		return p, gateway.Errorf(gateway.Invalid, "priority in number_priority must be an object with priority1, priority2 and priority3")
	}
	p.Order, err = readOrder(places.members)
	return p, err
}

func readOrder(args arguments) (order [3]gateway.NumberType, err error) {
	named := false
	for i, name := range [...]string{"priority1", "priority2", "priority3"} {
		text, err := args.text(name)
		if err != nil {
			return order, err
		}
		if text == "" {
			continue
		}
		t, ok := gateway.ParseNumberType(strings.ToLower(text))
		if !ok || t == gateway.Alphanumeric {
			return order, gateway.Errorf(gateway.Invalid, "%s in number_priority must be shortcode, tollfree, longcode or null", name)
		}
		for _, before := range order[:i] {
			if before == t {
				return order, gateway.Errorf(gateway.Invalid, "number_priority names %s twice for one country and service", t)
			}
		}
		order[i], named = t, true
	}
	if !named {
		return order, gateway.Errorf(gateway.Invalid, "an entry of number_priority must name at least one type of numbers")
	}
	return order, nil
}
